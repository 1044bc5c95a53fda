//! Two devices that write to each other.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each file of tests includes this and uses a part"
)]

use std::collections::VecDeque;
use std::convert::Infallible;

use chappe_omemo::{
    DecryptError, Decrypted, Device, DeviceId, Encrypted, Flavour, Identity, Incoming, SessionId,
    Sessions, VerifiedBundle,
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
        Self::of(Flavour::Omemo2, number)
    }

    pub fn of(flavour: Flavour, number: u32) -> Self {
        let mut rng = ChaCha20Rng::from_seed([number as u8; 32]);
        let identity = Identity::generate(&mut rng);
        let id = DeviceId::new(number).unwrap();
        Self {
            device: Device::with_identity(&mut rng, flavour, identity, id, 3),
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
        self.sessions.decrypt(&mut self.device, &sent.incoming())
    }

    /// Reads what came under an envelope that was proven to be of the pair.
    pub fn read_proven(&mut self, sent: &Encrypted) -> Result<Decrypted, DecryptError> {
        let incoming = Incoming {
            proven: true,
            ..sent.incoming()
        };
        self.sessions.decrypt(&mut self.device, &incoming)
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
    strangers_in(Flavour::Omemo2)
}

/// Two that never met, in one flavour.
pub fn strangers_in(flavour: Flavour) -> (Party, Party) {
    (Party::of(flavour, 1), Party::of(flavour, 2))
}

/// Both flavours, for tests of what must hold in each.
pub const FLAVOURS: [Flavour; 2] = [Flavour::Legacy, Flavour::Omemo2];

/// Two of whom the first wrote and the second answered.
pub fn acquainted() -> (Party, Party) {
    acquainted_in(Flavour::Omemo2)
}

/// Two of whom the first wrote and the second answered, in one flavour.
pub fn acquainted_in(flavour: Flavour) -> (Party, Party) {
    let (mut alice, mut bob) = strangers_in(flavour);
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
