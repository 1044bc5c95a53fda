//! What several tests need.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; not every test uses each"
)]

use std::io::Write as _;
use std::path::PathBuf;

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
