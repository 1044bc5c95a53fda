//! Moves frames through bare snow and through two hops in memory, with the same cryptography.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a measurement that goes wrong is to stop"
)]

use chappe_hop::{Hop, HopConfig, HopEvent, Mtu, Role, StaticKey, hazmat};
use chappe_wire::{Hello, Instant, NodeNonce};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use snow::{Builder, TransportState};

/// Length of a frame, and of a message of bare snow.
pub(crate) const FRAME_LEN: usize = 4 * 1024;

/// A Noise session of snow's own, after the handshake.
pub(crate) struct BareSnow {
    ends: [TransportState; 2],
    frame: Vec<u8>,
    sealed: Vec<u8>,
    opened: Vec<u8>,
}

impl BareSnow {
    pub(crate) fn new() -> Self {
        let [mut first, mut second] = [Role::Initiator, Role::Responder].map(|role| {
            let key = StaticKey::generate(&mut rng(role)).to_bytes();
            let seed = [role as u8; 32];
            let params = hazmat::NOISE_PROTOCOL.parse().expect("a known protocol");
            let builder = Builder::with_resolver(params, Box::new(hazmat::resolver(seed)))
                .local_private_key(&*key)
                .expect("one key");
            match role {
                Role::Initiator => builder.build_initiator(),
                Role::Responder => builder.build_responder(),
            }
            .expect("a complete session")
        });
        let (mut message, mut payload) = ([0; 200], [0; 200]);
        for _ in 0..2 {
            if first.is_handshake_finished() {
                break;
            }
            let length = first.write_message(&[], &mut message).expect("its turn");
            second
                .read_message(&message[..length], &mut payload)
                .expect("authentic");
            if second.is_handshake_finished() {
                break;
            }
            let length = second.write_message(&[], &mut message).expect("its turn");
            first
                .read_message(&message[..length], &mut payload)
                .expect("authentic");
        }
        Self {
            ends: [first, second].map(|end| end.into_transport_mode().expect("finished")),
            frame: vec![0x5a; FRAME_LEN],
            sealed: vec![0; FRAME_LEN + 16],
            opened: vec![0; FRAME_LEN],
        }
    }

    /// Seals and opens this many frames.
    pub(crate) fn move_frames(&mut self, count: usize) {
        let [first, second] = &mut self.ends;
        for _ in 0..count {
            let length = first
                .write_message(&self.frame, &mut self.sealed)
                .expect("room");
            let length = second
                .read_message(&self.sealed[..length], &mut self.opened)
                .expect("authentic");
            assert_eq!(length, FRAME_LEN);
        }
    }
}

/// Two hops whose packets pass from hand to hand.
pub(crate) struct Hops {
    ends: [Hop; 2],
}

impl Hops {
    pub(crate) fn new(mtu: usize) -> Self {
        let ends = [Role::Initiator, Role::Responder].map(|role| {
            let mut rng = rng(role);
            let config = HopConfig {
                mtu: Mtu::new(mtu).expect("in range"),
                reliable: false,
                role,
                static_key: &StaticKey::generate(&mut rng),
                hello: Hello::new(NodeNonce::new([1; 16])),
            };
            Hop::new(Instant::ZERO, &config, &mut rng).expect("good keys")
        });
        let mut hops = Self { ends };
        while hops.ends[0].frame_space() == 0 {
            hops.pass(0);
            hops.pass(1);
            while hops.ends[0].poll_event().is_some() {}
        }
        hops
    }

    /// Moves this many frames from the first end to the second.
    pub(crate) fn move_frames(&mut self, count: usize) {
        let (mut sent, mut received) = (0, 0);
        while received < count {
            while sent < count && self.ends[0].frame_space() >= FRAME_LEN {
                self.ends[0]
                    .send_frame(vec![0x5a; FRAME_LEN])
                    .expect("there is room");
                sent += 1;
            }
            self.pass(0);
            while let Some(event) = self.ends[1].poll_event() {
                if let HopEvent::Frame(frame) = event {
                    assert_eq!(frame.len(), FRAME_LEN);
                    received += 1;
                }
            }
            self.pass(1);
        }
    }

    fn pass(&mut self, from: usize) {
        while let Some(packet) = self.ends[from].poll_transmit(Instant::ZERO) {
            self.ends[1 - from]
                .handle_packet(Instant::ZERO, &packet)
                .expect("honest");
        }
    }
}

fn rng(role: Role) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([role as u8 + 1; 32])
}
