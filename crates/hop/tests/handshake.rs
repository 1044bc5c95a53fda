//! The handshake survives the loss of any message and forged ones, proves both keys, and agrees on a version.
#![cfg(test)]

mod common;

use chappe_hop::{HANDSHAKE_TIMEOUT, Hop, HopConfig, HopError, HopEvent, Mtu, Role};
use chappe_wire::{Duration, Hello, HelloError, Instant, NodeNonce, WIRE_VERSION, WireVersion};
use common::neighbour::{noise_end, packet};
use common::{Pair, end, hello, key, rng};
use rand_chacha::rand_core::Rng as _;

/// The kind of a packet: 0, 1, 2 are handshake messages 1, 2, 3.
fn kind(packet: &[u8]) -> u8 {
    packet[0] >> 6
}

fn end_with(role: Role, hello: Hello, seed: u64) -> Hop {
    let config = HopConfig {
        mtu: Mtu::new(247).unwrap(),
        reliable: false,
        role,
        static_key: &key(seed),
        hello,
    };
    Hop::new(Instant::ZERO, &config, &mut rng(seed)).unwrap()
}

fn versions(min: u32, max: u32) -> Hello {
    Hello {
        wire_min: WireVersion::new(min),
        wire_max: WireVersion::new(max),
        capabilities: 5,
        node_nonce: NodeNonce::new([3; 16]),
        outline: None,
    }
}

#[test]
fn both_ends_learn_key_hello_version_and_one_salt() {
    let pair = Pair::established(247, 1);
    let [first, second] = [&pair.events[0][0], &pair.events[1][0]];
    let (
        HopEvent::Established {
            peer: of_1,
            hello: hello_1,
            version,
            salt: salt_0,
        },
        HopEvent::Established {
            peer: of_0,
            hello: hello_0,
            salt: salt_1,
            ..
        },
    ) = (first, second)
    else {
        panic!("no handshake")
    };
    assert_eq!((*of_0, *of_1), (key(0).public(), key(1).public()));
    assert_eq!((*hello_0, *hello_1), (hello(0), hello(1)));
    assert_eq!(*version, WIRE_VERSION);
    assert!(salt_0 == salt_1);
    let other = Pair::established(247, 2);
    let HopEvent::Established { salt, .. } = &other.events[0][0] else {
        panic!()
    };
    assert!(salt != salt_0, "the salt is new on each hop");
}

#[test]
fn each_lost_message_is_repeated() {
    for mtu in [20, 185, 4_096] {
        for lost in 0..=3 {
            for times in 1..=3 {
                let mut pair = Pair::new(mtu, 7);
                let mut left = times;
                pair.filter = Box::new(move |_, packet| {
                    let last = packet[0] & 0b100 != 0;
                    let lose = kind(packet) == lost && last && left > 0;
                    left -= u32::from(lose);
                    !lose
                });
                pair.send(0, [vec![1; 300]]);
                pair.send(1, [vec![2; 300]]);
                let done = pair.run_until(Instant::ZERO.after(Duration::from_secs(9)), |pair| {
                    pair.frame_count(0) == 1 && pair.frame_count(1) == 1
                });
                assert!(done, "message {lost} lost {times} times at MTU {mtu}");
                let retransmitted: u64 =
                    pair.ends.iter().map(|end| end.stats().retransmitted).sum();
                assert!(retransmitted > 0, "message {lost} was not lost");
            }
        }
    }
}

#[test]
fn an_unanswered_handshake_ends_in_time() {
    for role in [Role::Initiator, Role::Responder] {
        let mut alone = end(Instant::ZERO, role, 100, 1);
        let mut packets = 0;
        loop {
            while alone.poll_transmit(alone_now(&alone)).is_some() {
                packets += 1;
            }
            let now = alone.poll_timeout();
            assert!(now <= Instant::ZERO.after(HANDSHAKE_TIMEOUT));
            if let Err(error) = alone.handle_timeout(now) {
                assert_eq!(error, HopError::HandshakeTimeout);
                assert_eq!(now, Instant::ZERO.after(HANDSHAKE_TIMEOUT));
                break;
            }
        }
        assert!(packets <= 10, "{packets} packets into the void");
        assert_eq!(alone.poll_timeout(), Instant::NEVER);
        assert_eq!(alone.poll_transmit(Instant::ZERO), None);
        assert_eq!(
            alone.handle_packet(Instant::ZERO, &[1]),
            Err(HopError::HandshakeTimeout)
        );
    }
}

/// A moment before the next deadline.
fn alone_now(hop: &Hop) -> Instant {
    Instant::from_micros(hop.poll_timeout().as_micros() - 1)
}

#[test]
fn an_initiator_whose_last_message_never_arrives_gives_up() {
    let mut pair = Pair::new(247, 1);
    pair.filter = Box::new(|_, packet| kind(packet) != 2);
    pair.run_for(Duration::from_secs(11));
    assert_eq!(pair.errors, [Some(HopError::HandshakeTimeout); 2]);
}

#[test]
fn the_highest_common_version_is_chosen() {
    let ends = [
        end_with(Role::Initiator, versions(2, 7), 0),
        end_with(Role::Responder, versions(4, 9), 1),
    ];
    let mut pair = Pair::of(ends, 1);
    pair.run_for(Duration::from_secs(1));
    for end in 0..2 {
        let HopEvent::Established { version, hello, .. } = &pair.events[end][0] else {
            panic!()
        };
        assert_eq!(*version, WireVersion::new(7));
        assert_eq!(hello.capabilities, 5);
    }
}

#[test]
fn without_a_common_version_the_hop_ends() {
    let ends = [
        end_with(Role::Initiator, versions(1, 3), 0),
        end_with(Role::Responder, versions(4, 9), 1),
    ];
    let mut pair = Pair::of(ends, 1);
    pair.run_for(Duration::from_secs(11));
    assert_eq!(
        pair.errors[0],
        Some(HopError::Hello(HelloError::NoCommonVersion))
    );
    assert_eq!(pair.errors[1], Some(HopError::HandshakeTimeout));
    assert!(pair.events.iter().all(Vec::is_empty));
}

#[test]
fn a_malformed_hello_ends_the_hop() {
    let mut buffer = [0; 300];
    let mut hop = end(Instant::ZERO, Role::Initiator, 300, 1);
    let mut neighbour = noise_end(Role::Responder);
    let message_1 = hop.poll_transmit(Instant::ZERO).unwrap();
    neighbour
        .read_message(&message_1[1..], &mut buffer)
        .unwrap();
    let length = neighbour.write_message(b"\xff\xff", &mut buffer).unwrap();
    let result = hop.handle_packet(Instant::ZERO, &packet(1, &buffer[..length]));
    assert_eq!(result, Err(HopError::Hello(HelloError::Malformed)));

    let mut hop = end(Instant::ZERO, Role::Responder, 300, 1);
    let mut neighbour = noise_end(Role::Initiator);
    let length = neighbour.write_message(&[], &mut buffer).unwrap();
    hop.handle_packet(Instant::ZERO, &packet(0, &buffer[..length]))
        .unwrap();
    let message_2 = hop.poll_transmit(Instant::ZERO).unwrap();
    let mut payload = [0; 300];
    neighbour
        .read_message(&message_2[1..], &mut payload)
        .unwrap();
    let length = neighbour.write_message(&[0; 20], &mut buffer).unwrap();
    let result = hop.handle_packet(Instant::ZERO, &packet(2, &buffer[..length]));
    assert_eq!(result, Err(HopError::Hello(HelloError::Malformed)));
}

/// The points of low order of Curve25519, with their encodings beyond the prime.
fn low_order_points() -> Vec<[u8; 32]> {
    let hex = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    let byte = |text: &str, at: usize| u8::from_str_radix(&text[2 * at..][..2], 16).unwrap();
    let mut points: Vec<[u8; 32]> = hex
        .iter()
        .map(|text| std::array::from_fn(|at| byte(text, at)))
        .collect();
    for at in 0..points.len() {
        let mut high_bit = points[at];
        high_bit[31] |= 0x80;
        points.push(high_bit);
    }
    points
}

#[test]
fn points_of_low_order_are_refused() {
    for point in low_order_points() {
        let mut responder = end(Instant::ZERO, Role::Responder, 300, 1);
        responder
            .handle_packet(Instant::ZERO, &packet(0, &point))
            .unwrap();
        assert_eq!(responder.poll_transmit(Instant::ZERO), None, "{point:02x?}");
        assert_eq!(responder.stats().dropped, 1);

        let mut initiator = end(Instant::ZERO, Role::Initiator, 300, 1);
        initiator.poll_transmit(Instant::ZERO).unwrap();
        let forged = [&point[..], &[0; 90]].concat();
        initiator
            .handle_packet(Instant::ZERO, &packet(1, &forged))
            .unwrap();
        assert_eq!(initiator.poll_event(), None);
        assert_eq!(initiator.stats().dropped, 1);
    }
    let honest = key(4).public();
    let mut responder = end(Instant::ZERO, Role::Responder, 300, 1);
    responder
        .handle_packet(Instant::ZERO, &packet(0, honest.as_bytes()))
        .unwrap();
    assert!(responder.poll_transmit(Instant::ZERO).is_some());
}

#[test]
fn altered_handshake_messages_are_dropped_and_the_honest_ones_still_count() {
    for seed in 0..40 {
        let mut pair = Pair::new(300, seed);
        let mut rng = rng(seed);
        // Before each honest handshake message comes an altered copy of it.
        let now = Instant::ZERO;
        for _ in 0..2 {
            for from in 0..2 {
                while let Some(packet) = pair.ends[from].poll_transmit(now) {
                    let mut altered = packet.clone();
                    let at = 1 + rng.next_u32() as usize % (packet.len() - 1);
                    altered[at] ^= 1 << (rng.next_u32() % 8);
                    pair.deliver(1 - from, &altered);
                    pair.deliver(1 - from, &packet);
                }
            }
        }
        pair.run_for(Duration::from_secs(1));
        assert_eq!(pair.errors, [None, None]);
        assert!(
            pair.is_established(0) && pair.is_established(1),
            "seed {seed}"
        );
    }
}

#[test]
fn forged_handshakes_do_not_disturb_an_established_hop() {
    let mut pair = Pair::new(300, 1);
    pair.capture = true;
    pair.run_for(Duration::from_secs(1));
    let captured = pair.captured.clone();
    let mut rng = rng(1);
    for round in 0..2_000 {
        for to in 0..2 {
            let mut forged = vec![0; 1 + rng.next_u32() as usize % 200];
            rng.fill_bytes(&mut forged);
            forged[0] = ((forged[0] % 3) << 6) | 0b100;
            pair.deliver(to, &forged);
            for packet in captured.iter().flatten() {
                if kind(packet) < 3 && round % 100 == 0 {
                    pair.deliver(to, packet);
                }
            }
        }
    }
    let frames = vec![vec![1; 500], vec![2; 500]];
    pair.send(0, frames.clone());
    pair.run_for(Duration::from_secs(1));
    assert!(pair.frames(1) == frames);
    assert_eq!(pair.errors, [None, None]);
    assert_eq!(pair.events[1].len(), 3, "no second handshake was reported");
}

#[test]
fn forged_first_messages_do_not_displace_the_honest_one() {
    let mut pair = Pair::new(300, 1);
    let honest = pair.ends[0].poll_transmit(pair.now).unwrap();
    for early in [0, 5] {
        let mut pair = Pair::new(300, 1);
        let mut rng = rng(1);
        let mut forge = |pair: &mut Pair, count: u32| {
            for _ in 0..count {
                let mut forged = [0; 32];
                rng.fill_bytes(&mut forged);
                pair.deliver(1, &packet(0, &forged));
                assert!(pair.ends[1].poll_transmit(pair.now).is_some());
            }
        };
        assert_eq!(pair.ends[0].poll_transmit(pair.now).as_ref(), Some(&honest));
        forge(&mut pair, early);
        pair.deliver(1, &honest);
        let message_2 = pair.ends[1].poll_transmit(pair.now).unwrap();
        // The newest is kept, and the very first.
        forge(&mut pair, if early == 0 { 5 } else { 0 });
        pair.deliver(0, &message_2);
        pair.run_for(Duration::from_millis(200));
        assert!(pair.is_established(1), "after {early} forged messages");
    }
}

#[test]
fn a_responder_answers_a_flood_of_first_messages_for_a_while_only() {
    let mut responder = end(Instant::ZERO, Role::Responder, 300, 1);
    let mut rng = rng(1);
    let mut answers = 0;
    for _ in 0..10_000 {
        let mut forged = [0; 32];
        rng.fill_bytes(&mut forged);
        responder
            .handle_packet(Instant::ZERO, &packet(0, &forged))
            .unwrap();
        answers += u32::from(responder.poll_transmit(Instant::ZERO).is_some());
    }
    assert!((1..=256).contains(&answers), "{answers} answers");
}
