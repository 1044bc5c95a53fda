//! What is wrong with a command line, or with traces that do not fit, is said. For single traces: `trace_refusals.rs`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use chappe_sim::trace;

#[test]
fn two_radios_of_a_pair_are_one_contact() {
    let text = "1 CONN 0 1 up\n2 CONN 1 0 up\n3 CONN 0 1 down\n4 CONN 0 1 down\n";
    let file = File::new(text.as_bytes());
    let trace = trace::read_contacts(&file.path).unwrap();
    let events = trace
        .events
        .iter()
        .map(|event| (event.at.as_secs_f64(), event.up));
    assert_eq!(events.collect::<Vec<_>>(), [(1.0, true), (3.0, false)]);
}

#[test]
fn a_message_of_an_unknown_node_is_refused() {
    let contacts = File::new(b"1 CONN 0 1 up\n");
    let messages = File::new(b"1 C M1 0 2 10\n");
    for command in ["replay --router epidemic --one-compat", "oracle"] {
        let mut arguments: Vec<_> = command.split(' ').collect();
        arguments.extend(["--contacts", contacts.text(), "--messages", messages.text()]);
        let output = chappe_sim(&arguments);
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains(
                ":1: node 2, which is not in the contacts; expected a node that the contacts have"
            ),
            "{said}"
        );
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_buffer_of_nodes_that_there_are_not_is_refused() {
    let contacts = File::new(b"1 CONN 0 1 up\n");
    let messages = File::new(b"1 C M1 0 1 10\n");
    let replay = |buffer| {
        let files = ["--contacts", contacts.text(), "--messages", messages.text()];
        let rest = ["--router", "epidemic", "--buffer", buffer];
        chappe_sim(&[&["replay"][..], &files, &rest].concat())
    };
    let output = replay("2-5=50MB");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let expected =
        "`--buffer 2-5=50000000B` is for nodes that the contacts do not have: theirs are 0 to 1";
    assert!(said.contains(expected), "{said}");
    assert!(output.stdout.is_empty());
    assert!(replay("1-5=50MB").status.success());
}

#[test]
fn a_wrong_command_line_ends_with_status_2() {
    for arguments in [
        &[
            "replay",
            "--router",
            "epidemicc",
            "--contacts",
            "a",
            "--messages",
            "b",
        ][..],
        &[
            "replay",
            "--router",
            "epidemic",
            "--contacts",
            "a",
            "--messages",
            "b",
            "--rate",
            "0kB/s",
        ],
        &[
            "replay",
            "--router",
            "epidemic",
            "--contacts",
            "a",
            "--messages",
            "b",
            "--seeds",
            "3..1",
        ],
        &[
            "replay",
            "--router",
            "epidemic",
            "--contacts",
            "a",
            "--messages",
            "b",
            "--buffer",
            "5",
        ],
        &["fly"],
    ] {
        assert_eq!(
            chappe_sim(arguments).status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
    let missing = ["oracle", "--contacts", "missing", "--messages", "missing"];
    assert_eq!(chappe_sim(&missing).status.code(), Some(1));
}

fn chappe_sim(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_chappe-sim");
    Command::new(program).args(arguments).output().unwrap()
}

struct File {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl File {
    fn new(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.txt");
        fs::write(&path, bytes).unwrap();
        Self {
            path,
            _folder: folder,
        }
    }

    fn text(&self) -> &str {
        self.path.to_str().unwrap()
    }
}
