//! Records that strangers carry, and sealed contents: nothing that was not signed or sealed is accepted.
#![no_main]

use chappe_omemo::ciphermachine::{KeyRing, MachineKey};
use chappe_omemo::record::{ReachableRecord, SignedDeviceList};
use chappe_omemo::trust::TrustMessage;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = ReachableRecord::from_bytes(data.to_vec()).verify();
    let _ = SignedDeviceList::from_bytes(data.to_vec()).verify();
    assert!(
        KeyRing::new(MachineKey::from_bytes(&[1; 32]))
            .open(b"", data)
            .is_err()
    );
    if let Ok(text) = core::str::from_utf8(data) {
        let _ = (MachineKey::from_words(text), MachineKey::from_uri(text));
        if let Ok(message) = TrustMessage::from_uri(text) {
            let uri = message.owners[0].to_uri(message.flavour);
            assert_eq!(TrustMessage::from_uri(&uri), Ok(message));
        }
    }
});
