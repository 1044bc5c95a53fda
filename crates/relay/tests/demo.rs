//! The main job, for real, and the proof that its proof can fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::fs;

use support::World;

#[test]
fn the_demo_holds() {
    let world = World::new();
    let ran = world.run("unused", ["demo", "--message", "Does it work?"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for line in [
        "south reads: \"Does it work?",
        "south's file is north's, byte for byte",
        "north reads: \"I will be there.",
        "north's outbox: all delivered",
        "the relay carries nothing any more",
        "commitment",
        "ok      the relay's files: nothing found in",
        "ok      the relay's memory: nothing found in",
        "ok      the bytes on its links: nothing found in",
        "ok      north and south each met the relay, and never each other",
        "All of it held",
    ] {
        assert!(
            ran.out.contains(line),
            "{line:?} is missing in\n{}",
            ran.out
        );
    }
    assert!(!ran.out.contains('\x1b'), "no colours in a pipe");
    assert!(!world.path("unused").exists());
}

#[test]
fn a_leak_is_found_and_told() {
    for (place, told) in [
        ("files", "the relay's files: LEAK: the text of north"),
        ("capture", "the bytes on its links: LEAK: the text of north"),
    ] {
        let world = World::new();
        fs::write(world.path("note.txt"), b"a small file").unwrap();
        let mut command = world.command("unused", ["demo", "--file", "note.txt", "--keep", "kept"]);
        let output = command.env("CHAPPE_DEMO_PLANT", place).output().unwrap();
        let ran = support::Ran::from(output);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.out.contains(told), "{ran:?}");
        assert!(ran.err.contains("Not all of it held"), "{ran:?}");
        assert!(world.path("kept/relay.pcap").exists());
    }
}
