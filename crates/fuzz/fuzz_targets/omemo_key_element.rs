//! Key elements of a stranger: read alone, and given to a device that has never heard of anyone.
#![no_main]

use chappe_omemo::{
    AuthenticatedMessage, Device, DeviceId, Flavour, Identity, Incoming, KeyExchange, Sessions,
};
use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fuzz_target!(|data: &[u8]| {
    for flavour in [Flavour::Legacy, Flavour::Omemo2] {
        let _ = AuthenticatedMessage::parse(flavour, data);
        if KeyExchange::parse(flavour, data).is_err() {
            continue;
        }
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let (identity, id) = (Identity::generate(&mut rng), DeviceId::new(1).unwrap());
        let mut device = Device::with_identity(&mut rng, flavour, identity, id, 1);
        let (before, mut sessions) = (device.to_bytes(), Sessions::new());
        let read = sessions.decrypt(&mut device, &Incoming::new(true, data));
        assert!(read.is_ok() || (sessions.is_empty() && device.to_bytes() == before));
    }
});
