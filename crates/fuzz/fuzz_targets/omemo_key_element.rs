//! Key elements of a stranger: read alone, and given to a device that has never heard of anyone.
#![no_main]

use chappe_omemo::{AuthenticatedMessage, Device, DeviceId, KeyExchange, Sessions};
use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fuzz_target!(|data: &[u8]| {
    let _ = AuthenticatedMessage::parse(data);
    if KeyExchange::parse(data).is_ok() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let mut device = Device::generate(&mut rng, DeviceId::new(1).unwrap(), 1);
        let (before, mut sessions) = (device.to_bytes(), Sessions::new());
        let read = sessions.decrypt(&mut device, None, true, data, None);
        assert!(read.is_ok() || (sessions.is_empty() && device.to_bytes() == before));
    }
});
