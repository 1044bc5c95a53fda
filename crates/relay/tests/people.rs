//! What a new user does, by hand, in three terminals.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;

use support::{World, wait};

#[test]
fn contacts_are_unverified_until_numbers_are_compared() {
    let world = World::new();
    world.person("north");
    world.person("south");
    let added = world.ok("south", ["contact", "add", &world.uri("north")]);
    assert!(
        added.contains("north is a contact now, unverified."),
        "{added}"
    );
    world.ok("north", ["contact", "add", &world.uri("south")]);
    assert!(world.ok("south", ["contacts"]).contains("unverified"));

    // Without a terminal the number is shown, and nothing is marked.
    let number = |who: &str, of: &str| {
        let out = world.ok(who, ["contact", "verify", of]);
        let line = out.lines().find(|line| line.starts_with("    ")).unwrap();
        line.trim().to_owned()
    };
    let shown = number("north", "south");
    assert_eq!(shown, number("south", "north"));
    assert!(world.ok("south", ["contacts"]).contains("unverified"));

    let wrong = shown
        .replace(shown.chars().next().unwrap(), "x")
        .replace('x', "");
    world.fails(
        1,
        "south",
        ["contact", "verify", "north", "--number", &wrong],
    );
    let other: String = shown
        .chars()
        .map(|c| if c == '1' { '2' } else { c })
        .collect();
    let other = if other == shown {
        shown.replace('0', "3")
    } else {
        other
    };
    let differs = world.fails(
        1,
        "south",
        ["contact", "verify", "north", "--number", &other],
    );
    assert!(differs.contains("numbers differ"), "{differs}");
    world.ok("south", ["contact", "verify", "north", "--number", &shown]);
    let contacts = world.ok("south", ["contacts", "--json"]);
    let contact: serde_json::Value = serde_json::from_str(&contacts).unwrap();
    assert_eq!(contact["verified"], true);

    world.ok("south", ["contact", "block", "north"]);
    assert!(world.ok("south", ["contacts"]).contains("blocked"));
    world.ok("south", ["contact", "unblock", "north"]);
    world.ok("south", ["contact", "rm", "north"]);
    assert!(world.ok("south", ["contacts"]).contains("No contacts yet"));
}

/// A further key, typed in: without it a message says nothing, and with it all that waited is read.
#[test]
fn a_contact_can_be_locked_with_a_further_key() {
    let world = World::new();
    world.friends("n", "s");
    world.ok("n", ["air", "range", "air", "n", "s"]);
    let north = world.start("n", ["--radio", "air:air"]);
    let south = world.start("s", ["--radio", "air:air"]);
    let shown = world.ok("n", ["contact", "lock", "s", "--new"]);
    let words: Vec<&str> = shown
        .lines()
        .filter(|line| line.starts_with("    "))
        .flat_map(str::split_whitespace)
        .filter(|word| word.chars().all(|letter| letter.is_ascii_lowercase()))
        .collect();
    assert_eq!(words.len(), 24, "{shown}");
    assert!(world.ok("n", ["contacts"]).contains("verified, locked"));
    world.ok("n", ["send", "s", "fog on the hill"]);
    wait(|| {
        world
            .ok("s", ["inbox"])
            .contains("[locked with another key")
    });
    assert!(!world.ok("s", ["inbox"]).contains("fog"));

    let slip = [&words[1..], &words[..1]].concat().join(" ");
    let sentence = world
        .typed("s", ["contact", "lock", "n"], &slip)
        .sentence(1);
    assert!(
        sentence.contains("slip") || sentence.contains("24 words"),
        "{sentence}"
    );
    let typed = world.typed("s", ["contact", "lock", "n"], &words.join(" "));
    assert_eq!(typed.code, Some(0), "{typed:?}");
    let inbox = world.ok("s", ["inbox"]);
    assert!(inbox.contains("n (verified): fog on the hill"), "{inbox}");
    assert!(!inbox.contains("locked"), "{inbox}");

    // And back, with another key that both make from a passphrase.
    let phrase = "quartz lantern mossy heron drift cobalt";
    for (who, of) in [("n", "s"), ("s", "n")] {
        let short = world.typed(who, ["contact", "lock", of, "--passphrase"], "fog");
        assert!(short.sentence(1).contains("16 characters"));
        let typed = world.typed(who, ["contact", "lock", of, "--passphrase"], phrase);
        assert_eq!(typed.code, Some(0), "{typed:?}");
    }
    world.ok("s", ["send", "n", "understood"]);
    wait(|| {
        world
            .ok("n", ["inbox"])
            .contains("s (verified): understood")
    });
    world.ok("n", ["contact", "unlock", "s"]);
    assert!(!world.ok("n", ["contacts"]).contains("locked"));
    drop((north, south));
}

#[test]
fn a_text_and_a_file_go_through_a_relay_to_someone_who_is_never_in_range() {
    let world = World::new();
    world.friends("n", "s");
    let photo: Vec<u8> = (0..60_000_u32).map(|n| (n * n / 3) as u8).collect();
    fs::write(world.path("photo.jpg"), &photo).unwrap();
    // Accepted with no node running, and kept.
    assert!(
        world
            .ok("n", ["send", "s", "hello"])
            .starts_with("accepted as ")
    );
    world.ok("n", ["air", "range", "air", "n", "r"]);
    let north = world.start("n", ["--radio", "air:air"]);
    let relay = world.start("r", ["--relay", "--radio", "air:air"]);
    let south = world.start("s", ["--radio", "air:air"]);
    let accepted = world.ok("n", ["send", "s", "--file", "photo.jpg"]);
    assert!(accepted.starts_with("accepted as "), "{accepted}");
    wait(|| world.ok("n", ["outbox"]).matches("carried by 1").count() == 2);
    assert!(world.ok("n", ["peers"]).contains('r'));
    assert!(world.ok("r", ["status"]).contains("relay"));
    assert!(
        world
            .ok("s", ["inbox"])
            .contains("Nothing has arrived yet.")
    );

    let ids = || -> BTreeSet<String> {
        let carried = world.ok("r", ["carried", "--json"]);
        let ids = carried.lines().map(|line| {
            let envelope: serde_json::Value = serde_json::from_str(line).unwrap();
            envelope["id"].as_str().unwrap().to_owned()
        });
        ids.collect()
    };
    let taken = ids();
    assert!(taken.len() > 15, "{taken:?}");

    world.ok("n", ["air", "range", "air", "r", "s"]);
    wait(|| {
        let inbox = world.ok("s", ["inbox"]);
        inbox.contains("n (verified): hello") && inbox.contains("[file photo.jpg, 60.0 kB]")
    });
    world.ok("s", ["inbox", "--save", "saved"]);
    assert_eq!(fs::read(world.path("saved/photo.jpg")).unwrap(), photo);

    // Receipts come after a delay, and go back the way the messages came.
    wait(|| ids().is_disjoint(&taken));
    world.ok("n", ["air", "range", "air", "n", "r"]);
    wait(|| world.ok("n", ["outbox"]).matches("delivered").count() == 2);
    assert!(north.interrupt().success());
    assert!(relay.terminate().success());
    assert!(south.interrupt().success());
    assert!(
        world
            .ok("s", ["inbox", "--json"])
            .contains("\"text\":\"hello\"")
    );
    let first = world.ok("s", ["inbox"]);
    assert!(first.contains(" UTC  n (verified): hello"), "{first}");

    // Deleted by number, by contact, or all; what to delete has to be said.
    assert_eq!(world.run("s", ["inbox", "rm"]).code, Some(2));
    let unknown = world.fails(1, "s", ["inbox", "rm", "999"]);
    assert!(unknown.contains("no such message"), "{unknown}");
    let first: serde_json::Value =
        serde_json::from_str(world.ok("s", ["inbox", "--json"]).lines().next().unwrap()).unwrap();
    let first = first["id"].to_string();
    assert_eq!(
        world.ok("s", ["inbox", "rm", &first]),
        "1 message is deleted.\n"
    );
    let rest = world.ok("s", ["inbox", "rm", "--contact", "n", "--json"]);
    assert_eq!(rest, "{\"deleted\":1}\n");
    assert_eq!(
        world.ok("s", ["inbox", "rm", "--all"]),
        "There was nothing to delete.\n"
    );
    assert!(
        world
            .ok("s", ["inbox"])
            .contains("Nothing has arrived yet.")
    );
}

#[test]
fn inbox_follow_shows_each_message_once_as_it_arrives() {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;
    let world = World::new();
    world.friends("n", "s");
    let _north = world.start("n", ["--radio", "air:air"]);
    let _south = world.start("s", ["--radio", "air:air"]);
    world.ok("n", ["send", "s", "first"]);
    wait(|| world.ok("s", ["inbox"]).contains("first"));
    let mut follow = world.command("s", ["inbox", "--follow", "--json"]);
    let mut follow = follow.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("first"));
    world.ok("n", ["send", "s", "second"]);
    assert!(lines.next().unwrap().unwrap().contains("second"));
    world.ok("n", ["send", "s", "third"]);
    assert!(lines.next().unwrap().unwrap().contains("third"));
    follow.kill().unwrap();
    follow.wait().unwrap();
}

#[test]
fn standard_input_is_a_message_and_id_shows_a_code() {
    use std::io::Write as _;
    use std::process::Stdio;
    let world = World::new();
    world.friends("n", "s");
    let mut command = world.command("n", ["send", "s", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all("from a pipe ✓\n".as_bytes())
        .unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
    let outbox = world.ok("n", ["outbox", "--json"]);
    assert!(
        outbox.contains("\"from a pipe ✓\""),
        "with a line end: {outbox}"
    );
    let id = world.ok("n", ["id"]);
    assert!(id.contains('▄') && id.contains('█'), "{id}");
    assert_ne!(world.uri("n"), world.uri("n"), "each URI is fresh");
}

#[test]
fn a_room_is_made_spoken_in_and_left() {
    let world = World::new();
    world.friends("n", "s");
    let north = world.start("n", ["--radio", "air:air"]);
    let south = world.start("s", ["--radio", "air:air"]);
    // They have heard from each other: the one sentence that says that somebody waits is gone.
    world.ok("n", ["room", "new", "roof", "s"]);
    wait(|| {
        world.ok("n", ["room", "add", "roof", "s"]);
        !world.ok("n", ["room", "list"]).contains("cannot read you")
    });
    world.ok("n", ["room", "send", "roof", "fog on the hill"]);
    wait(|| {
        world
            .ok("s", ["inbox"])
            .contains("[roof] n (verified): fog on the hill")
    });
    let rooms = world.ok("s", ["room", "list"]);
    assert!(
        rooms.contains("roof") && rooms.contains("made by n"),
        "{rooms}"
    );
    world.ok("s", ["room", "send", "roof", "we see it"]);
    wait(|| {
        world
            .ok("n", ["inbox"])
            .contains("[roof] s (verified): we see it")
    });

    let refused = world.fails(1, "s", ["room", "rm", "roof", "n"]);
    assert!(refused.contains("Only whoever made the room"), "{refused}");
    let refused = world.fails(1, "n", ["room", "new", "roof", "s"]);
    assert!(refused.contains("with this name already"), "{refused}");
    let outbox = world.ok("n", ["outbox", "--json"]);
    let sent: Vec<serde_json::Value> = outbox
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let to_room = sent.iter().find(|sent| sent["room"] == true).unwrap();
    let number = to_room["id"].to_string();
    world.ok("n", ["room", "take-back", &number]);
    world.fails(1, "n", ["room", "take-back", &number]);
    world.ok("s", ["room", "leave", "roof"]);
    let refused = world.fails(1, "s", ["room", "send", "roof", "gone?"]);
    assert!(refused.contains("no room named"), "{refused}");
    // The host hears of it, and is told that nobody listens.
    wait(|| {
        !world
            .ok("n", ["room", "list"])
            .contains("roof  made here  s")
    });
    wait(|| {
        let answer = world.run("n", ["room", "send", "roof", "anybody?"]);
        answer.err.contains("Nobody in this room can read you")
    });
    for node in [north, south] {
        assert!(node.terminate().success());
    }
}
