//! A hop over values of every size that GATT may agree on.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::collections::VecDeque;

use chappe_ble::{AttMtu, GREETING_LEN, Greeting, Token};
use chappe_hop::{Hop, HopConfig, HopEvent, Mtu, Role, StaticKey};
use chappe_link::{Bearer, LinkInfo, MIN_MTU, link};
use chappe_wire::{Hello, Instant, MAX_FRAME_LEN, NodeNonce};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;

/// Longer than eight packets at ATT_MTU 23, and no multiple of anything.
const FRAME_LEN: usize = 1_021;

#[test]
fn every_size_has_room_for_a_greeting_and_carries_a_link() {
    for bytes in 23..=517 {
        let mtu = AttMtu::new(bytes);
        assert_eq!(mtu.bytes(), bytes);
        let payload = mtu.payload();
        assert!(payload >= GREETING_LEN.max(MIN_MTU), "{bytes}: {payload}");
        // Alone in a packet it fits always; as one of several where there is room for it.
        assert!(payload + 3 <= bytes, "{bytes}: {payload}");
        assert!(
            payload + 5 <= bytes || payload == MIN_MTU,
            "{bytes}: {payload}"
        );
        assert!(payload <= 510, "{bytes}: {payload}");
        let (up, _end) = link(LinkInfo {
            bearer: Bearer::new("ble-gatt"),
            mtu: payload,
            initiator: true,
            reliable: false,
            label: String::new(),
            queue: 4,
        });
        assert_eq!(up.info.mtu, payload);
    }
}

#[test]
fn every_size_carries_frames_both_ways() {
    // All of them once; frames of other lengths come below.
    for bytes in 23..=517 {
        exchange(AttMtu::new(bytes), FRAME_LEN, bytes as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_frame_fits_through_any_size(bytes in 0..2_000_usize, length in 2..=MAX_FRAME_LEN, seed: u64) {
        exchange(AttMtu::new(bytes), length, seed);
    }
}

/// Greets, shakes hands and moves a frame each way, in values that GATT takes.
fn exchange(mtu: AttMtu, length: usize, seed: u64) {
    let greeting = Greeting {
        from: Token::new([1; 8]),
        to: Token::new([2; 8]),
    };
    assert!(greeting.encode().len() <= mtu.payload());
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut hop = |role| {
        let config = HopConfig {
            mtu: Mtu::new(mtu.payload()).unwrap(),
            reliable: false,
            role,
            static_key: &StaticKey::generate(&mut rng),
            hello: Hello::new(NodeNonce::new([role as u8; 16])),
        };
        Hop::new(Instant::ZERO, &config, &mut rng).unwrap()
    };
    let mut ends = [hop(Role::Initiator), hop(Role::Responder)];
    let frames = [vec![0xa5; length], vec![0x5a; length / 2]];
    let mut sent = [false; 2];
    let mut got = [None, None];
    let mut air: VecDeque<(usize, Vec<u8>)> = VecDeque::new();
    for _ in 0..100_000 {
        for (end, hop) in ends.iter_mut().enumerate() {
            while let Some(event) = hop.poll_event() {
                if let HopEvent::Frame(frame) = event {
                    got[end] = Some(frame);
                }
            }
            if !sent[end] && hop.frame_space() >= length {
                hop.send_frame(frames[end].clone()).unwrap();
                sent[end] = true;
            }
            while let Some(packet) = hop.poll_transmit(Instant::ZERO) {
                assert!(packet.len() <= mtu.payload(), "{} at {mtu:?}", packet.len());
                air.push_back((1 - end, packet));
            }
        }
        if got.iter().all(Option::is_some) {
            break;
        }
        let (to, packet) = air.pop_front().unwrap();
        ends[to].handle_packet(Instant::ZERO, &packet).unwrap();
    }
    let [north, south] = got;
    assert_eq!(south.unwrap(), frames[0]);
    assert_eq!(north.unwrap(), frames[1]);
}
