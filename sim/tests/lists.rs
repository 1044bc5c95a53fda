//! What the program lists and prints, word by word.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::Command;

#[test]
fn routers() {
    insta::assert_snapshot!(chappe_sim(&["routers"]));
}

#[test]
fn the_oracle_for_people() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let contacts = file("sfhh-contacts.txt.gz");
    let messages = file("sfhh-messages.txt.gz");
    let arguments = ["oracle", "--contacts", &contacts, "--messages", &messages];
    insta::assert_snapshot!(chappe_sim(&arguments));
}

fn chappe_sim(arguments: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_chappe-sim");
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}
