//! Two devices that write to each other.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each file of tests includes this and uses a part"
)]

use std::collections::VecDeque;
use std::convert::Infallible;

use chappe_omemo::{
    DecryptError, Decrypted, Device, DeviceId, Encrypted, SessionId, Sessions, VerifiedBundle,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{SeedableRng as _, TryCryptoRng, TryRng};

pub struct Party {
    pub device: Device,
    pub sessions: Sessions,
    pub rng: ChaCha20Rng,
}

impl Party {
    pub fn new(number: u32) -> Self {
        let mut rng = ChaCha20Rng::from_seed([number as u8; 32]);
        Self {
            device: Device::generate(&mut rng, DeviceId::new(number).unwrap(), 3),
            sessions: Sessions::new(),
            rng,
        }
    }

    pub fn bundle(&self) -> VerifiedBundle {
        self.device.bundle().verify().unwrap()
    }

    pub fn start(&mut self, other: &Self) -> SessionId {
        self.sessions
            .start(&mut self.rng, &self.device, &other.bundle())
            .unwrap()
    }

    pub fn send(&mut self, text: &str) -> Encrypted {
        self.sessions
            .encrypt(&mut self.rng, Some(text.as_bytes()))
            .unwrap()
    }

    pub fn send_empty(&mut self) -> Encrypted {
        self.sessions.encrypt(&mut self.rng, None).unwrap()
    }

    pub fn read(&mut self, sent: &Encrypted) -> Result<Decrypted, DecryptError> {
        let payload = sent.payload.as_deref();
        self.sessions.decrypt(
            &mut self.device,
            None,
            sent.key_exchange,
            &sent.key,
            payload,
        )
    }

    #[track_caller]
    pub fn expect(&mut self, sent: &Encrypted, text: &str) -> Decrypted {
        let read = self
            .read(sent)
            .unwrap_or_else(|error| panic!("{text:?}: {:?}", error.reason()));
        assert_eq!(read.plaintext.as_deref(), Some(text.as_bytes()));
        read
    }

    /// Everything that decryption may change.
    pub fn state(&self) -> (Vec<u8>, Vec<u8>) {
        (
            self.device.to_bytes().to_vec(),
            self.sessions.to_bytes().to_vec(),
        )
    }

    /// The same party after it was stored and loaded.
    pub fn restart(&mut self) {
        let (device, sessions) = self.state();
        self.device = Device::from_bytes(&device).unwrap();
        self.sessions = Sessions::from_bytes(&sessions).unwrap();
    }
}

/// Two that never met.
pub fn strangers() -> (Party, Party) {
    (Party::new(1), Party::new(2))
}

/// Two of whom the first wrote and the second answered.
pub fn acquainted() -> (Party, Party) {
    let (mut alice, mut bob) = strangers();
    alice.start(&bob);
    let first = alice.send("hello");
    bob.expect(&first, "hello");
    let answer = bob.send("hi");
    alice.expect(&answer, "hi");
    (alice, bob)
}

/// Randomness that was chosen beforehand: each draw must ask for exactly the next bytes.
#[derive(Default)]
pub struct Scripted(pub VecDeque<Vec<u8>>);

impl TryRng for Scripted {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("only bytes are scripted")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("only bytes are scripted")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.copy_from_slice(&self.0.pop_front().expect("a draw that was not foreseen"));
        Ok(())
    }
}

impl TryCryptoRng for Scripted {}
