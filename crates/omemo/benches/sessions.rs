//! Speed of sessions, beside one bare X25519, of which the slow operations mostly consist.
//!
//! The ratchet carries 48 bytes in each: the key and tag of a payload that was encrypted before.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros; a bench may stop"
)]

use std::hint::black_box;

use chappe_omemo::{
    Device, DeviceId, EncryptedKey, Flavour, Incoming, MAX_JUMP, Payload, Sessions,
};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use x25519_dalek::{PublicKey, StaticSecret};

struct Party {
    device: Device,
    sessions: Sessions,
    rng: ChaCha20Rng,
}

impl Party {
    fn new(number: u8) -> Self {
        let mut rng = ChaCha20Rng::from_seed([number; 32]);
        Self {
            device: Device::generate(&mut rng, DeviceId::new(number.into()).unwrap(), 1),
            sessions: Sessions::new(),
            rng,
        }
    }

    fn encrypt(&mut self, payload: &Payload) -> EncryptedKey {
        self.sessions.encrypt_key(&mut self.rng, payload).unwrap()
    }

    fn decrypt(&mut self, sent: &EncryptedKey, payload: &Payload) {
        let incoming = Incoming {
            payload: payload.ciphertext(),
            ..Incoming::new(sent.key_exchange, &sent.key)
        };
        let read = self.sessions.decrypt(&mut self.device, &incoming);
        black_box(read.unwrap());
    }

    fn copy(&self) -> Sessions {
        Sessions::from_bytes(&self.sessions.to_bytes()).unwrap()
    }
}

fn acquainted(payload: &Payload) -> (Party, Party) {
    let (mut alice, mut bob) = (Party::new(1), Party::new(2));
    start(&mut alice, &bob);
    let first = alice.encrypt(payload);
    bob.decrypt(&first, payload);
    let answer = bob.encrypt(payload);
    alice.decrypt(&answer, payload);
    let settled = alice.encrypt(payload);
    bob.decrypt(&settled, payload);
    (alice, bob)
}

fn start(alice: &mut Party, bob: &Party) {
    let bundle = bob.device.bundle().verify().unwrap();
    alice
        .sessions
        .start(&mut alice.rng, &alice.device, &bundle)
        .unwrap();
}

fn sessions(criterion: &mut Criterion) {
    let mut rng = ChaCha20Rng::from_seed([9; 32]);
    let payload = Payload::seal(&mut rng, Flavour::Omemo2, b"x").unwrap();

    let secret = StaticSecret::random_from_rng(&mut rng);
    let public = PublicKey::from(&StaticSecret::random_from_rng(&mut rng));
    criterion.bench_function("raw x25519", |bench| {
        bench.iter(|| secret.diffie_hellman(black_box(&public)));
    });

    criterion.bench_function("setup, both sides", |bench| {
        bench.iter_batched_ref(
            || (Party::new(1), Party::new(2)),
            |(alice, bob)| {
                start(alice, bob);
                let sent = alice.encrypt(&payload);
                bob.decrypt(&sent, &payload);
            },
            BatchSize::SmallInput,
        );
    });

    let (mut alice, bob) = acquainted(&payload);
    let before = alice.copy();
    criterion.bench_function("chain encrypt", |bench| {
        bench.iter(|| alice.encrypt(black_box(&payload)));
    });

    alice.sessions = before;
    let chain: Vec<_> = (0..100).map(|_| alice.encrypt(&payload)).collect();
    criterion.bench_function("chain decrypt, 100 messages", |bench| {
        bench.iter_batched_ref(
            || Party {
                sessions: bob.copy(),
                ..Party::new(2)
            },
            |bob| chain.iter().for_each(|sent| bob.decrypt(sent, &payload)),
            BatchSize::SmallInput,
        );
    });

    let (mut alice, mut bob) = acquainted(&payload);
    criterion.bench_function("ping-pong, there and back", |bench| {
        bench.iter(|| {
            let ping = bob.encrypt(&payload);
            alice.decrypt(&ping, &payload);
            let pong = alice.encrypt(&payload);
            bob.decrypt(&pong, &payload);
        });
    });

    forged(criterion, &payload);
}

/// What forged messages cost that jump as far as they may: in the chain that goes on, and in a new one.
fn forged(criterion: &mut Criterion, payload: &Payload) {
    let (mut alice, mut bob) = acquainted(payload);
    for _ in 0..MAX_JUMP {
        alice.encrypt(payload);
    }
    let mut forged = alice.encrypt(payload);
    *forged.key.get_mut(2).unwrap() ^= 1;
    criterion.bench_function("forged, in the current chain", |bench| {
        bench.iter(|| refuse(&mut bob, &forged));
    });

    let answer = bob.encrypt(payload);
    alice.decrypt(&answer, payload);
    for _ in 0..MAX_JUMP {
        alice.encrypt(payload);
    }
    let mut forged = alice.encrypt(payload);
    *forged.key.get_mut(2).unwrap() ^= 1;
    criterion.bench_function("forged, in a new chain", |bench| {
        bench.iter(|| refuse(&mut bob, &forged));
    });
}

fn refuse(bob: &mut Party, forged: &EncryptedKey) {
    let incoming = Incoming::new(false, &forged.key);
    let read = bob.sessions.decrypt(&mut bob.device, &incoming);
    assert!(read.is_err());
}

criterion_group!(benches, sessions);
criterion_main!(benches);
