//! Packets into an established hop: garbage as a stranger sends it, and sealed blocks as a hostile neighbour
//! does. Each begins with its length, and a byte that tells which of the two it is and how much later it comes.
#![no_main]

use chappe_hop::{Hop, HopConfig, HopEvent, Mtu, Role, StaticKey, hazmat::HostileNeighbour};
use chappe_wire::{Duration, Hello, Instant, NodeNonce};
use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fuzz_target!(|data: &[u8]| {
    let mut now = Instant::ZERO;
    let (key, hello) = (
        StaticKey::from_bytes(&[1; 32]),
        Hello::new(NodeNonce::new([2; 16])),
    );
    let mtu = Mtu::new(300).unwrap();
    let config = HopConfig {
        mtu,
        reliable: false,
        role: Role::Responder,
        static_key: &key,
        hello,
    };
    let mut hop = Hop::new(now, &config, &mut ChaCha20Rng::from_seed([3; 32])).unwrap();
    let mut neighbour = HostileNeighbour::meet(&mut hop, now, &key, hello).unwrap();
    let (mut rest, mut received) = (data, 0);
    while let [length, how, after @ ..] = rest {
        let (bytes, after) = after.split_at(after.len().min(usize::from(*length)));
        now = now.after(Duration::from_millis(u64::from(*how)));
        let sealed = (how & 1 == 1).then(|| neighbour.seal(bytes).unwrap());
        let packet = sealed.as_deref().unwrap_or(bytes);
        if hop.handle_packet(now, packet).is_err() || hop.handle_timeout(now).is_err() {
            break;
        }
        while let Some(event) = hop.poll_event() {
            let HopEvent::Frame(frame) = event else {
                panic!("established twice")
            };
            received += frame.len();
        }
        while hop.poll_transmit(now).is_some() {}
        rest = after;
    }
    assert!(received <= data.len(), "more came out than went in");
});
