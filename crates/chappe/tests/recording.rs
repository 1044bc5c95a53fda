//! A recorded node says the same once more, over a store on the disk and over one in memory; a changed byte is found.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use chappe::{Builder, Content, Draft, Home, Profile, Recording};
use chappe_node::recording::{Difference, Ending, Replay};
use support::{befriend, delivered, received, start, wire};

/// How a recording does: its first difference, or how it ended.
fn replay<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<(Ending, u64), Difference> {
    let mut replay = Replay::new();
    for line in lines {
        if let Some(difference) = replay.line(line).unwrap() {
            return Err(*difference);
        }
    }
    let outputs = replay.outputs();
    Ok((replay.finish(), outputs))
}

/// Two people talk; north, at home in `home`, is recorded in `file`. What south is recorded in comes back.
async fn talk(home: Home, file: &Path, south_file: &Path) {
    let (one, two) = wire();
    let north = Builder::at(home).transport(one);
    let north = north.record(Recording::create(file).unwrap());
    let (north, mut north_events) = start(north).await;
    let south = Builder::in_memory(Profile::named("south")).transport(two);
    let south = south.record(Recording::create(south_file).unwrap());
    let (south, mut south_events) = start(south).await;
    let (to_south, to_north) = befriend(&north, &south).await;
    let text = Draft::Text("fog on the hill,\n100 % \u{a0}of it".into());
    let there = north.send(to_south.id, text.clone()).await.unwrap();
    let Content::Text(read) = received(&mut south_events).await.content else {
        panic!("no text");
    };
    assert!(matches!(text, Draft::Text(text) if text == read));
    delivered(&mut north_events, there).await;
    let file = Draft::File {
        name: "a map.bin".into(),
        media_type: "application/octet-stream".into(),
        data: vec![7; 9_000],
    };
    let back = south.send(to_north.id, file).await.unwrap();
    delivered(&mut south_events, back).await;
    for node in [&north, &south] {
        node.inbox(None).await.unwrap();
        node.outbox().await.unwrap();
        node.status().await.unwrap();
        node.peers().await.unwrap();
        node.carried().await.unwrap();
        node.contacts().await.unwrap();
    }
    north.close().await;
    south.close().await;
}

#[tokio::test]
async fn a_recorded_run_replays_the_same_and_a_changed_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let home = Home::create(&place("north"), Some(Profile::named("north")), None).unwrap();
    talk(home, &place("first"), &place("south")).await;
    // Again, over what the first run left in the store.
    let home = Home::open(&place("north"), None).unwrap();
    let north = Builder::at(home).record(Recording::create(&place("second")).unwrap());
    let (north, _events) = start(north).await;
    assert_eq!(north.inbox(None).await.unwrap().len(), 1);
    north.close().await;

    for (name, least) in [("first", 40), ("second", 3), ("south", 40)] {
        let text = fs::read_to_string(place(name)).unwrap();
        let (ending, outputs) = replay(text.lines()).unwrap();
        assert_eq!(ending, Ending::Same, "{name}");
        assert!(outputs >= least, "{name}: {outputs}");
    }

    let text = fs::read_to_string(place("first")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (whole, broken) = (lines.len(), &lines[..lines.len() - 1]);
    assert_eq!(lines[whole - 1], "end");
    let cut = replay(broken.iter().copied()).unwrap();
    assert_eq!(cut.0, Ending::BrokenOff);

    let changed = |number: usize| {
        let mut line = lines[number].to_owned();
        let last = line.pop().unwrap();
        line.push(if last == '0' { '1' } else { '0' });
        let before = lines[..number].iter().copied();
        let after = lines[number + 1..].iter().copied();
        replay(before.chain([line.as_str()]).chain(after))
    };
    let of = |kind: &str| -> Vec<usize> {
        let kind = kind.to_owned();
        let numbered = lines.iter().enumerate();
        let numbers = numbered.filter(|(_, line)| line.starts_with(&kind));
        numbers.map(|(number, _)| number).collect()
    };
    // Each of what came out, be it the last byte only.
    for kind in ["out transmit", "out timeout"] {
        let numbers = of(kind);
        assert!(numbers.len() > 5, "{kind}");
        for number in numbers.iter().step_by(numbers.len() / 5) {
            let difference = changed(*number).unwrap_err();
            assert_eq!(difference.line, *number as u64 + 1);
            assert_eq!(difference.now, lines[*number]);
        }
    }
    // What went in leads elsewhere, if not at once.
    let packets: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.starts_with("in ") && line.contains(" received "))
        .map(|(number, _)| number)
        .collect();
    assert!(packets.len() > 5);
    for number in [packets[0], packets[packets.len() / 2]] {
        let difference = changed(number).unwrap_err();
        assert!(difference.line > number as u64 + 1);
    }
}

#[test]
fn a_recording_begins_a_new_file_that_others_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    drop(Recording::create(&path).unwrap());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let error = Recording::create(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
}
