//! What several tests need.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; not every test uses each"
)]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A file of this text, which lasts as long as the guard.
pub(crate) fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    bytes(text.as_bytes())
}

/// A file of these bytes.
pub(crate) fn bytes(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// This text, gzipped.
pub(crate) fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A small world in which much happens soon.
pub(crate) const PARK: &str = r#"about = "A park"
duration = "40min"

[[groups]]
name = "people"
count = 40
radio = "ble"
movement.random-waypoint = { area = "200m x 200m", speed = "0.5..1.5m/s", pause = "0s..2min" }

[[traffic]]
when.poisson = { every = "20s" }
size = "1kB..2kB"
ends = "20min"
"#;

/// Runs the program.
pub(crate) fn sim(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_chappe-sim");
    Command::new(program).args(arguments).output().unwrap()
}

/// Runs the program, which has to end well, and gives what it printed.
pub(crate) fn sim_ok(arguments: &[&str]) -> String {
    let output = sim(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}
