//! The decoder of passphrase headers: any bytes are refused or read, never a panic, and ask for no more than the limits.
#![no_main]

use chappe_store::{KeyFile, KeyProvider as _, Passphrase};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(folder) = tempfile::tempdir() else {
        return;
    };
    let path = folder.path().join("header");
    // Made first, so that the file has the mode that is asked for.
    if KeyFile::new(&path).create().is_ok() && std::fs::write(&path, bytes).is_ok() {
        let _ = Passphrase::new(&path, b"words".to_vec().into()).load();
    }
});
