//! Packets of a stranger into a responder that has heard nothing yet. Each begins with its length.
#![no_main]

use chappe_hop::{Hop, HopConfig, Mtu, Role, StaticKey};
use chappe_wire::{Hello, Instant, NodeNonce};
use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fuzz_target!(|data: &[u8]| {
    let config = HopConfig {
        mtu: Mtu::MIN,
        reliable: false,
        role: Role::Responder,
        static_key: &StaticKey::from_bytes(&[1; 32]),
        hello: Hello::new(NodeNonce::new([2; 16])),
    };
    let mut hop = Hop::new(Instant::ZERO, &config, &mut ChaCha20Rng::from_seed([3; 32])).unwrap();
    let mut rest = data;
    while let Some((length, after)) = rest.split_first() {
        let (packet, after) = after.split_at(after.len().min(usize::from(*length)));
        let _ = hop.handle_packet(Instant::ZERO, packet);
        while hop.poll_transmit(Instant::ZERO).is_some() {}
        assert_eq!(hop.poll_event(), None, "nobody proved a key");
        rest = after;
    }
});
