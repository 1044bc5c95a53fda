//! Speed, size and memory of sessions, beside vodozemac's Olm sessions and a bare X25519 in the same run.
//!
//! Times are CPU time of this thread, best of several rounds in which all candidates take turns, so that a
//! shared machine disturbs little and all alike. Olm is another protocol: fewer agreements at the start, no
//! signature to check, and no payload beside the ratchet. So the ratchets are compared alone, with empty
//! messages on this side and as many bytes on the other; what a payload adds is a figure of its own.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench may stop"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chappe_omemo::{
    Device, DeviceId, EncryptedKey, Flavour, Identity, Incoming, MAX_JUMP, MAX_RECEIVING_CHAINS,
    MAX_REMEMBERED, Payload, Sessions,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rustix::time::{ClockId, clock_gettime};
use vodozemac::olm::{Account, InboundCreationResult, OlmMessage, Session, SessionConfig};
use x25519_dalek::{PublicKey, StaticSecret};

/// It fails if a figure misses its target.
fn main() -> ExitCode {
    let empty = Payload::empty(&mut ChaCha20Rng::from_seed([9; 32]), Flavour::Omemo2);
    speed(&empty);
    forged(&empty);
    sizes();
    memory(&empty);
    ExitCode::from(u8::from(MISSED.load(Ordering::Relaxed)))
}

const ROUNDS: usize = 25;

fn speed(payload: &Payload) {
    let mut rng = ChaCha20Rng::from_seed([9; 32]);
    let secret = StaticSecret::random_from_rng(&mut rng);
    let public = PublicKey::from(&StaticSecret::random_from_rng(&mut rng));
    let full = seal(Flavour::Omemo2);
    let mut best = [f64::MAX; 10];
    for _ in 0..ROUNDS {
        let round = [
            each(200, |_| {
                black_box(secret.diffie_hellman(black_box(&public)));
            }),
            setup(payload),
            setup_olm(),
            chain_encrypt(payload),
            chain_encrypt_olm(),
            chain_decrypt(payload),
            chain_decrypt_olm(),
            ping_pong(payload),
            ping_pong_olm(),
            chain_decrypt(&full),
        ];
        for (best, this) in best.iter_mut().zip(round) {
            *best = best.min(this);
        }
    }
    let [
        x25519,
        setup,
        setup_olm,
        encrypt,
        encrypt_olm,
        decrypt,
        decrypt_olm,
        step,
        step_olm,
        with_payload,
    ] = best;
    figure("x25519", x25519, "us");
    figure("omemo-setup-time", setup, "us");
    figure("olm-setup-time", setup_olm, "us");
    figure("omemo-chain-encrypt", encrypt, "us");
    figure("olm-chain-encrypt", encrypt_olm, "us");
    figure("omemo-chain-decrypt", decrypt, "us");
    figure("omemo-chain-decrypt-with-payload", with_payload, "us");
    figure("olm-chain-decrypt", decrypt_olm, "us");
    figure("omemo-step-encrypt-and-decrypt", step, "us");
    figure("olm-step-encrypt-and-decrypt", step_olm, "us");
    at_most("omemo-setup", setup / x25519, "X25519", 14.0);
    at_least("omemo-encrypt-rate", encrypt_olm / encrypt, "times", 5.0);
    at_least("omemo-decrypt-rate", decrypt_olm / decrypt, "times", 0.75);
    at_most("omemo-step-time", step / step_olm, "times", 1.0);
}

/// From a bundle to the first message that the other side has read.
fn setup(payload: &Payload) -> f64 {
    let mut parties: Vec<_> = (0..20).map(|_| (Party::new(1), Party::new(2))).collect();
    let bundles: Vec<_> = parties.iter().map(|(_, bob)| bob.device.bundle()).collect();
    each(parties.len(), |index| {
        let (alice, bob) = &mut parties[index];
        let bundle = bundles[index].verify().unwrap();
        let started = alice.sessions.start(&mut alice.rng, &alice.device, &bundle);
        started.unwrap();
        let sent = alice.encrypt(payload);
        bob.decrypt(&sent, payload);
    })
}

fn chain_encrypt(payload: &Payload) -> f64 {
    let (mut alice, _) = acquainted(payload);
    each(500, |_| {
        black_box(alice.encrypt(black_box(payload)));
    })
}

fn chain_decrypt(payload: &Payload) -> f64 {
    let (mut alice, mut bob) = acquainted(payload);
    let sent: Vec<_> = (0..500).map(|_| alice.encrypt(payload)).collect();
    each(sent.len(), |index| bob.decrypt(&sent[index], payload))
}

fn ping_pong(payload: &Payload) -> f64 {
    let (mut alice, mut bob) = acquainted(payload);
    each(50, |_| {
        let ping = bob.encrypt(payload);
        alice.decrypt(&ping, payload);
        let pong = alice.encrypt(payload);
        bob.decrypt(&pong, payload);
    }) / 2.0
}

/// As much as an empty message of OMEMO carries.
const MATERIAL: [u8; 32] = [7; 32];

fn setup_olm() -> f64 {
    let mut accounts: Vec<_> = (0..20).map(|_| olm_accounts()).collect();
    each(accounts.len(), |index| {
        let (alice, bob) = &mut accounts[index];
        olm_start(alice, bob);
    })
}

fn chain_encrypt_olm() -> f64 {
    let (mut alice, _) = olm_acquainted();
    each(500, |_| {
        black_box(alice.encrypt(MATERIAL).unwrap());
    })
}

fn chain_decrypt_olm() -> f64 {
    let (mut alice, mut bob) = olm_acquainted();
    let sent: Vec<_> = (0..500).map(|_| alice.encrypt(MATERIAL).unwrap()).collect();
    each(sent.len(), |index| {
        black_box(bob.decrypt(&sent[index]).unwrap());
    })
}

fn ping_pong_olm() -> f64 {
    let (mut alice, mut bob) = olm_acquainted();
    each(50, |_| {
        let ping = bob.encrypt(MATERIAL).unwrap();
        alice.decrypt(&ping).unwrap();
        let pong = alice.encrypt(MATERIAL).unwrap();
        bob.decrypt(&pong).unwrap();
    }) / 2.0
}

/// What forged messages cost that jump as far as they may: in the chain that goes on, and in a new one.
fn forged(payload: &Payload) {
    let (mut alice, mut bob) = acquainted(payload);
    for _ in 0..MAX_JUMP {
        alice.encrypt(payload);
    }
    let known_chain = forge(alice.encrypt(payload));
    let answer = bob.encrypt(payload);
    alice.decrypt(&answer, payload);
    for _ in 0..MAX_JUMP {
        alice.encrypt(payload);
    }
    let new_chain = forge(alice.encrypt(payload));
    let before = bob.sessions.to_bytes();
    let mut worst: f64 = 0.0;
    for forged in [known_chain, new_chain] {
        let incoming = Incoming::new(false, &forged.key);
        let time = (0..ROUNDS)
            .map(|_| {
                each(5, |_| {
                    assert!(bob.sessions.decrypt(&mut bob.device, &incoming).is_err());
                })
            })
            .fold(f64::MAX, f64::min);
        worst = worst.max(time);
    }
    assert_eq!(*before, *bob.sessions.to_bytes());
    at_most("omemo-forged-message", worst, "us", 1_000.0);
}

fn forge(mut sent: EncryptedKey) -> EncryptedKey {
    sent.key[2] ^= 1;
    sent
}

/// A body of 100 bytes in an XEP-0420 envelope without padding takes 243; 8 bytes are counted for each
/// recipient and 8 for the header.
fn sizes() {
    for (flavour, text, wanted) in [
        (Flavour::Omemo2, 243, [396, 660, 1_584]),
        (Flavour::Legacy, 100, [226, 438, 1_180]),
    ] {
        let mut rng = ChaCha20Rng::from_seed([9; 32]);
        let payload = Payload::seal(&mut rng, flavour, &vec![b'x'; text]).unwrap();
        let (mut alice, _) = acquainted_in(flavour, &payload);
        let content = payload.ciphertext().unwrap().len() + payload.iv().map_or(0, |iv| iv.len());
        let key = alice.encrypt(&payload).key.len();
        for (devices, wanted) in [1, 3, 10].into_iter().zip(wanted) {
            let bytes = 8 + content + devices * (key + 8);
            let name = format!("{flavour:?}-bytes-{devices}-devices").to_lowercase();
            figure(&name, bytes as f64, "B");
            assert_eq!(bytes, wanted, "the reference has {wanted}");
        }
    }
}

/// Of sessions that have all old chains and remember as many messages as they ever will; nothing is missing.
fn memory(payload: &Payload) {
    let talked = |_| {
        let (mut alice, mut bob) = acquainted(payload);
        for _ in 0..MAX_REMEMBERED + MAX_RECEIVING_CHAINS {
            let ping = bob.encrypt(payload);
            alice.decrypt(&ping, payload);
            let pong = alice.encrypt(payload);
            bob.decrypt(&pong, payload);
        }
        alice.sessions
    };
    let (lived, since_start) = allocated(|| (0..50).map(talked).collect::<Vec<_>>());
    let states: Vec<_> = lived.iter().map(Sessions::to_bytes).collect();
    let (loaded, since_load) = allocated(|| {
        let load = |state: &_| Sessions::from_bytes(state).unwrap();
        states.iter().map(|state| load(state)).collect::<Vec<_>>()
    });
    let of_one = |bytes, sessions: &[_]| bytes as f64 / sessions.len() as f64;
    let worst = of_one(since_start, &lived).max(of_one(since_load, &loaded));
    at_most("omemo-session-memory", worst, "B", 2_000.0);
}

/// What `work` makes, and how much memory is used for it.
fn allocated<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATED.load(Ordering::Relaxed);
    let made = work();
    (made, ALLOCATED.load(Ordering::Relaxed) - before)
}

struct Party {
    device: Device,
    sessions: Sessions,
    rng: ChaCha20Rng,
}

impl Party {
    fn new(number: u8) -> Self {
        Self::of(Flavour::Omemo2, number)
    }

    fn of(flavour: Flavour, number: u8) -> Self {
        let mut rng = ChaCha20Rng::from_seed([number; 32]);
        let id = DeviceId::new(number.into()).unwrap();
        let identity = Identity::generate(&mut rng);
        Self {
            device: Device::with_identity(&mut rng, flavour, identity, id, 1),
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
            iv: payload.iv().copied(),
            ..Incoming::new(sent.key_exchange, &sent.key)
        };
        let read = self.sessions.decrypt(&mut self.device, &incoming);
        black_box(read.unwrap());
    }
}

fn seal(flavour: Flavour) -> Payload {
    let mut rng = ChaCha20Rng::from_seed([9; 32]);
    Payload::seal(&mut rng, flavour, b"x").unwrap()
}

fn acquainted(payload: &Payload) -> (Party, Party) {
    acquainted_in(Flavour::Omemo2, payload)
}

fn acquainted_in(flavour: Flavour, payload: &Payload) -> (Party, Party) {
    let (mut alice, mut bob) = (Party::of(flavour, 1), Party::of(flavour, 2));
    let bundle = bob.device.bundle().verify().unwrap();
    let started = alice.sessions.start(&mut alice.rng, &alice.device, &bundle);
    started.unwrap();
    let first = alice.encrypt(payload);
    bob.decrypt(&first, payload);
    let answer = bob.encrypt(payload);
    alice.decrypt(&answer, payload);
    let settled = alice.encrypt(payload);
    bob.decrypt(&settled, payload);
    (alice, bob)
}

fn olm_accounts() -> (Account, Account) {
    let mut bob = Account::new();
    bob.generate_one_time_keys(1);
    (Account::new(), bob)
}

fn olm_start(alice: &Account, bob: &mut Account) -> (Session, Session) {
    let prekey = *bob.one_time_keys().values().next().unwrap();
    let config = SessionConfig::version_1();
    let session = alice.create_outbound_session(config, bob.curve25519_key(), prekey);
    let mut session = session.unwrap();
    let OlmMessage::PreKey(first) = session.encrypt(MATERIAL).unwrap() else {
        unreachable!("the first message of a session carries its keys");
    };
    let read = bob.create_inbound_session(config, alice.curve25519_key(), &first);
    let InboundCreationResult { session: other, .. } = read.unwrap();
    (session, other)
}

fn olm_acquainted() -> (Session, Session) {
    let (alice, mut bob) = olm_accounts();
    let (mut alice, mut bob) = olm_start(&alice, &mut bob);
    let answer = bob.encrypt(MATERIAL).unwrap();
    alice.decrypt(&answer).unwrap();
    let settled = alice.encrypt(MATERIAL).unwrap();
    bob.decrypt(&settled).unwrap();
    (alice, bob)
}

/// CPU time of one call, in microseconds, over this many.
fn each(count: usize, mut work: impl FnMut(usize)) -> f64 {
    let before = cpu_nanoseconds();
    for index in 0..count {
        work(index);
    }
    (cpu_nanoseconds() - before) as f64 / count as f64 / 1_000.0
}

/// How long this thread has run.
fn cpu_nanoseconds() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

fn figure(name: &str, value: f64, unit: &str) {
    println!("figure: {name} = {value:.2} {unit}");
}

fn at_least(name: &str, value: f64, unit: &str, wanted: f64) {
    figure(name, value, unit);
    judge(value >= wanted, &format!("at least {wanted} {unit}"));
}

fn at_most(name: &str, value: f64, unit: &str, wanted: f64) {
    figure(name, value, unit);
    judge(value <= wanted, &format!("at most {wanted} {unit}"));
}

fn judge(holds: bool, target: &str) {
    if holds {
        println!("        holds: {target}");
    } else {
        println!("        MISSED: {target}");
        MISSED.store(true, Ordering::Relaxed);
    }
}

static MISSED: AtomicBool = AtomicBool::new(false);

/// Counts what is allocated and not yet free, with what the allocator of glibc on 64 bits adds to each piece.
struct Counting;

impl Counting {
    const fn cost(layout: Layout) -> usize {
        let with_header = (layout.size() + 8).next_multiple_of(16);
        if with_header < 32 { 32 } else { with_header }
    }
}

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(Self::cost(layout), Ordering::Relaxed);
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(Self::cost(layout), Ordering::Relaxed);
        // SAFETY: the caller's promise is the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}
