//! The decoder of key files: any bytes in their place are refused or read, never a panic.
#![no_main]

use chappe_store::{KeyFile, KeyProvider as _};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(folder) = tempfile::tempdir() else {
        return;
    };
    let path = folder.path().join("key");
    let keys = KeyFile::new(&path);
    // Made first, so that the file has the mode that is asked for.
    if keys.create().is_ok() && std::fs::write(&path, bytes).is_ok() {
        let _ = keys.load();
    }
});
