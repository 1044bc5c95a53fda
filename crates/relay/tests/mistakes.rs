//! What goes wrong gets one plain sentence that says what to do, exit status 2 for usage and 1 otherwise, and
//! nothing is lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use support::{Ran, World};

#[test]
fn a_missing_home_says_how_to_make_one() {
    let world = World::new();
    for command in [
        ["status"].as_slice(),
        &["inbox"],
        &["send", "s", "x"],
        &["run"],
    ] {
        let sentence = world.fails(1, "nobody", command);
        assert!(sentence.contains("init --name NAME"), "{sentence}");
    }
    assert!(!world.path("nobody").exists(), "nothing was made");
}

#[test]
fn a_second_init_leaves_the_first_as_it_is() {
    let world = World::new();
    world.person("n");
    let before = world.ok("n", ["status", "--json"]);
    let sentence = world.fails(1, "n", ["init", "--name", "other"]);
    assert!(sentence.contains("already"), "{sentence}");
    let field = |json: &str| {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        value["fingerprint"].clone()
    };
    assert_eq!(field(&before), field(&world.ok("n", ["status", "--json"])));
}

#[test]
fn a_wrong_passphrase_is_told_and_the_right_one_opens() {
    let world = World::new();
    let with = |secret: &str, args: &[&str]| {
        let mut command = world.command("n", ["--passphrase-fd", "0"]);
        command.args(args).stdin(Stdio::piped());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that ends before it reads the passphrase is fine.
        let _ = writeln!(child.stdin.take().unwrap(), "{secret}");
        Ran::from(child.wait_with_output().unwrap())
    };
    assert_eq!(
        with("right", &["init", "--name", "n", "--passphrase"]).code,
        Some(0)
    );
    let sentence = with("wrong", &["status"]).sentence(1);
    assert!(sentence.contains("passphrase is wrong"), "{sentence}");
    let opened = with("right", &["status"]);
    assert!(opened.out.contains("fingerprint"), "{opened:?}");
    assert!(!world.path("n").join("key").exists());
}

#[test]
fn a_corrupt_store_is_moved_aside_by_doctor_and_the_person_stays() {
    let world = World::new();
    world.friends("n", "s");
    let status = world.ok("n", ["status"]);
    let line = |status: &str| {
        status
            .lines()
            .find(|l| l.starts_with("fingerprint"))
            .unwrap()
            .to_owned()
    };
    let store = world.path("n").join("store.db");
    let mut bytes = fs::read(&store).unwrap();
    bytes.iter_mut().skip(64).for_each(|byte| *byte ^= 0xa5);
    fs::write(&store, &bytes).unwrap();
    for command in [["status"].as_slice(), &["send", "s", "x"], &["run"]] {
        let sentence = world.fails(1, "n", command);
        assert!(
            sentence.contains("damaged") && sentence.contains("doctor --repair"),
            "{sentence}"
        );
    }
    let doctor = world.run("n", ["doctor"]);
    assert_eq!(doctor.code, Some(1));
    assert!(
        doctor.out.contains("LOOK") && doctor.out.contains("doctor --repair"),
        "{doctor:?}"
    );
    assert_eq!(fs::read(&store).unwrap(), bytes, "nothing was overwritten");
    let repaired = world.ok("n", ["doctor", "--repair"]);
    assert!(repaired.contains("same identity"), "{repaired}");
    assert_eq!(line(&world.ok("n", ["status"])), line(&status));
    world.ok("n", ["doctor"]);
}

#[test]
fn a_second_run_is_refused_and_the_first_goes_on() {
    let world = World::new();
    world.person("n");
    let node = world.start("n", ["--radio", "air:air"]);
    let sentence = world.fails(1, "n", ["run"]);
    assert!(
        sentence.contains("runs in") && sentence.contains("already"),
        "{sentence}"
    );
    world.person("other");
    let sentence = world.fails(1, "other", ["run", "--radio", "air:air,name=n"]);
    assert!(sentence.contains("in use"), "{sentence}");
    assert!(world.ok("n", ["status"]).contains("name"));
    assert!(node.terminate().success());
    assert!(!world.path("n").join("control.sock").exists());
    // A crash leaves the socket behind; that is no obstacle.
    let node = world.start("n", [""; 0]);
    drop(node);
    assert!(world.path("n").join("control.sock").exists());
    world.ok("n", ["status"]);
    let node = world.start("n", [""; 0]);
    assert!(node.interrupt().success());
}

#[test]
fn a_mistyped_contact_uri_is_refused() {
    let world = World::new();
    world.person("n");
    world.person("s");
    let uri = world.uri("s");
    let mut mistyped: Vec<char> = uri.chars().collect();
    let at = mistyped.len() / 2;
    mistyped[at] = if mistyped[at] == 'A' { 'B' } else { 'A' };
    let mistyped: String = mistyped.into_iter().collect();
    for bad in [
        mistyped.as_str(),
        &uri[..uri.len() - 1],
        "chappe:",
        "https://example.org",
    ] {
        world.fails(1, "n", ["contact", "add", bad]);
    }
    let own = world.uri("n");
    let sentence = world.fails(1, "n", ["contact", "add", &own]);
    assert!(sentence.contains("your own"), "{sentence}");
    assert!(world.ok("n", ["contacts"]).contains("No contacts yet"));
    // Upper case and line breaks are fine.
    let (one, two) = uri.split_at(60);
    world.ok(
        "n",
        [
            "contact",
            "add",
            &format!("{}\n{}", one.to_uppercase(), two.to_uppercase()),
        ],
    );
}

#[test]
fn what_cannot_be_sent_is_refused_before_it_is_accepted() {
    let world = World::new();
    world.friends("n", "s");
    let sentence = world.fails(1, "n", ["send", "nobody", "x"]);
    assert!(sentence.contains("no contact named"), "{sentence}");
    let sentence = world.fails(2, "n", ["send", "s", "  "]);
    assert!(sentence.contains("nothing to send"), "{sentence}");
    let sentence = world.fails(1, "n", ["send", "s", &"x".repeat(2_501)]);
    assert!(sentence.contains("--file"), "{sentence}");
    let large = File::create(world.path("large")).unwrap();
    large.set_len((32 << 20) + 1).unwrap();
    let sentence = world.fails(1, "n", ["send", "s", "--file", "large"]);
    assert!(
        sentence.contains("33.5 MB") && sentence.contains("at most"),
        "{sentence}"
    );
    world.fails(1, "n", ["send", "s", "--file", "missing"]);
    File::create(world.path("empty")).unwrap();
    world.fails(1, "n", ["send", "s", "--file", "empty"]);
    assert!(world.ok("n", ["outbox"]).contains("Nothing was sent yet."));
}

#[test]
fn usage_is_told_with_exit_status_2() {
    let world = World::new();
    world.person("n");
    for args in [
        ["run", "--radio", "ble:hci0"].as_slice(),
        &["run", "--radio", "air:"],
        &["run", "--radio", "air:a,name=../b"],
        &["air", "range", "air", "alone"],
        &["air", "set", "air", "rate=fast"],
        &["air", "set", "air", "speed=1"],
        &["send", "s"],
        &["nonsense"],
    ] {
        let ran = world.run("n", args);
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:?}");
        assert!(!ran.err.contains("panic"), "{ran:?}");
    }
}

#[test]
fn a_home_that_others_can_read_is_refused() {
    let world = World::new();
    world.person("n");
    let home = world.path("n");
    assert_eq!(
        fs::metadata(&home).unwrap().permissions().mode() & 0o777,
        0o700
    );
    fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).unwrap();
    let sentence = world.fails(1, "n", ["status"]);
    assert!(sentence.contains("chmod go-rwx"), "{sentence}");
    let doctor = world.run("n", ["doctor"]);
    assert!(doctor.out.contains("chmod go-rwx"), "{doctor:?}");
}

#[test]
fn a_full_disk_is_told_and_nothing_is_lost() {
    let world = World::new();
    world.friends("n", "s");
    world.ok("n", ["send", "s", "kept"]);
    fs::write(world.path("big"), vec![7; 2_000_000]).unwrap();
    // A limit on the length of files is what a full disk is to the store.
    let limited = |args: &str| {
        let program = env!("CARGO_BIN_EXE_chappe");
        let home = world.path("n").display().to_string();
        let script = format!("trap '' XFSZ; ulimit -f 600; exec {program} --home {home} {args}");
        let mut shell = std::process::Command::new("sh");
        shell
            .args(["-c", &script])
            .current_dir(world.path(""))
            .stdin(Stdio::null());
        Ran::from(shell.output().unwrap())
    };
    let sentence = limited("send s --file big").sentence(1);
    assert!(sentence.contains("disk"), "{sentence}");
    let outbox = world.ok("n", ["outbox"]);
    assert!(
        outbox.contains("kept") && !outbox.contains("big"),
        "{outbox}"
    );
    world.ok("n", ["send", "s", "again"]);
}

#[test]
fn a_relay_has_no_messages_and_a_person_is_no_relay() {
    let world = World::new();
    world.ok("r", ["init", "--relay"]);
    let sentence = world.fails(1, "r", ["id"]);
    assert!(sentence.contains("relay has no messages"), "{sentence}");
    world.person("n");
    let sentence = world.fails(1, "n", ["run", "--relay"]);
    assert!(sentence.contains("home of its own"), "{sentence}");
}
