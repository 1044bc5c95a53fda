//! The handshake: `Noise_XX_25519_ChaChaPoly_SHA256`, with a hello inside the second and third message.

use alloc::{boxed::Box, vec, vec::Vec};

use chappe_wire::{Hello, LinkSalt, MAX_HELLO_LEN, WireVersion};
use sha2::{Digest as _, Sha256};
use snow::{Builder, HandshakeState};
use zeroize::Zeroizing;

use crate::{HopError, PeerKey, Role, StaticKey, cipher::NoiseKey, resolver::Resolver};

/// The name of the Noise protocol.
pub const NOISE_PROTOCOL: &str = "Noise_XX_25519_ChaChaPoly_SHA256";
/// The prologue: name and version of this protocol.
pub const PROLOGUE: &[u8] = b"chappe hop 1";
/// Length of the first message: an ephemeral key and no payload.
pub(crate) const MESSAGE_1_LEN: usize = 32;
/// The longest handshake message: message 2 with the longest hello.
pub(crate) const MAX_HANDSHAKE_LEN: usize = 32 + 48 + MAX_HELLO_LEN + 16;
/// How many times one responder computes its ephemeral key and message 2; what needs more is dropped.
pub(crate) const MAX_RESPONDER_WORK: u32 = 256;
/// How many first messages a responder keeps: the first that came and the newest.
const MAX_CANDIDATES: usize = 2;

/// What a finished handshake yields.
pub(crate) struct Agreement {
    pub(crate) sending: NoiseKey,
    pub(crate) receiving: NoiseKey,
    pub(crate) peer: PeerKey,
    pub(crate) hello: Hello,
    pub(crate) version: WireVersion,
    pub(crate) salt: LinkSalt,
}

/// The end that sends messages 1 and 3.
pub(crate) struct Initiator {
    state: Box<HandshakeState>,
    hello: Hello,
}

impl Initiator {
    /// Begins; returns message 1 too.
    pub(crate) fn new(
        key: &StaticKey,
        hello: Hello,
        seed: Zeroizing<[u8; 32]>,
    ) -> Result<(Self, Vec<u8>), HopError> {
        let mut state = new_state(Role::Initiator, key, seed)?;
        let message = write(&mut state, &[]).ok_or(HopError::Setup)?;
        Ok((Self { state, hello }, message))
    }

    /// Reads message 2; returns message 3. `None` if the message is not authentic: the handshake goes on as if
    /// it had not come.
    pub(crate) fn read_message_2(
        &mut self,
        message: &[u8],
    ) -> Result<Option<(Agreement, Vec<u8>)>, HopError> {
        let Some(payload) = read(&mut self.state, message) else {
            return Ok(None);
        };
        let hello = Hello::decode(&payload)?;
        let version = self.hello.agree(&hello)?;
        let message = write(&mut self.state, &self.hello.encode()).ok_or(HopError::Setup)?;
        let agreement = conclude(&mut self.state, hello, version).ok_or(HopError::Setup)?;
        Ok(Some((agreement, message)))
    }
}

/// The end that sends message 2.
///
/// Anyone who can put packets on the link can make up a message 1. So the first and the newest one are both
/// kept, and message 3 is tried on each. The ephemeral key follows from a seed and message 1, so a state that
/// a forged message 3 has spoilt is made anew from the 32 bytes of message 1.
pub(crate) struct Responder {
    key: StaticKey,
    hello: Hello,
    seed: Zeroizing<[u8; 32]>,
    candidates: Vec<Candidate>,
    work_left: u32,
}

struct Candidate {
    message_1: [u8; MESSAGE_1_LEN],
    message_2: Vec<u8>,
    state: Option<Box<HandshakeState>>,
}

impl Responder {
    /// Waits for message 1.
    pub(crate) fn new(key: &StaticKey, hello: Hello, seed: Zeroizing<[u8; 32]>) -> Self {
        Self {
            key: key.clone(),
            hello,
            seed,
            candidates: Vec::new(),
            work_left: MAX_RESPONDER_WORK,
        }
    }

    /// Reads message 1; returns message 2. `None` if it is no first message, or too many came.
    pub(crate) fn read_message_1(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        let message_1: [u8; MESSAGE_1_LEN] = message.try_into().ok()?;
        let known = self
            .candidates
            .iter()
            .find(|candidate| candidate.message_1 == message_1);
        if let Some(known) = known {
            return Some(known.message_2.clone());
        }
        let (state, message_2) = self.begin(&message_1)?;
        self.candidates.truncate(MAX_CANDIDATES - 1);
        self.candidates.push(Candidate {
            message_1,
            message_2: message_2.clone(),
            state: Some(state),
        });
        Some(message_2)
    }

    /// Reads message 3. `None` if it is not authentic: the handshake goes on as if it had not come.
    pub(crate) fn read_message_3(&mut self, message: &[u8]) -> Result<Option<Agreement>, HopError> {
        for index in (0..self.candidates.len()).rev() {
            let Some((mut state, payload)) = self.try_message_3(index, message) else {
                continue;
            };
            let hello = Hello::decode(&payload)?;
            let version = self.hello.agree(&hello)?;
            let agreement = conclude(&mut state, hello, version).ok_or(HopError::Setup)?;
            return Ok(Some(agreement));
        }
        Ok(None)
    }

    fn try_message_3(
        &mut self,
        index: usize,
        message: &[u8],
    ) -> Option<(Box<HandshakeState>, Vec<u8>)> {
        let candidate = self.candidates.get_mut(index)?;
        let message_1 = candidate.message_1;
        let mut state = match candidate.state.take() {
            Some(state) => state,
            None => self.begin(&message_1)?.0,
        };
        match read(&mut state, message) {
            Some(payload) => Some((state, payload)),
            None => {
                // Once the static key has been read the state is spoilt; before that nothing has changed.
                if state.get_remote_static().is_none() {
                    self.candidates.get_mut(index)?.state = Some(state);
                }
                None
            }
        }
    }

    /// The state after message 2, the same each time.
    fn begin(&mut self, message_1: &[u8; MESSAGE_1_LEN]) -> Option<(Box<HandshakeState>, Vec<u8>)> {
        self.work_left = self.work_left.checked_sub(1)?;
        let mut hash = Sha256::new_with_prefix(b"chappe hop responder");
        hash.update(*self.seed);
        hash.update(message_1);
        let seed = Zeroizing::new(hash.finalize().into());
        let mut state = new_state(Role::Responder, &self.key, seed).ok()?;
        read(&mut state, message_1)?;
        let message_2 = write(&mut state, &self.hello.encode())?;
        Some((state, message_2))
    }
}

fn new_state(
    role: Role,
    key: &StaticKey,
    seed: Zeroizing<[u8; 32]>,
) -> Result<Box<HandshakeState>, HopError> {
    let params = NOISE_PROTOCOL.parse().map_err(|_| HopError::Setup)?;
    let private = key.to_bytes();
    let builder = Builder::with_resolver(params, Box::new(Resolver::new(seed)))
        .local_private_key(&*private)
        .and_then(|builder| builder.prologue(PROLOGUE))
        .map_err(|_| HopError::Setup)?;
    let state = match role {
        Role::Initiator => builder.build_initiator(),
        Role::Responder => builder.build_responder(),
    };
    state.map(Box::new).map_err(|_| HopError::Setup)
}

fn write(state: &mut HandshakeState, payload: &[u8]) -> Option<Vec<u8>> {
    let mut message = vec![0; MAX_HANDSHAKE_LEN];
    let length = state.write_message(payload, &mut message).ok()?;
    message.truncate(length);
    message.shrink_to_fit();
    Some(message)
}

fn read(state: &mut HandshakeState, message: &[u8]) -> Option<Vec<u8>> {
    if message.len() > MAX_HANDSHAKE_LEN {
        return None;
    }
    let mut payload = vec![0; MAX_HANDSHAKE_LEN];
    let length = state.read_message(message, &mut payload).ok()?;
    payload.truncate(length);
    Some(payload)
}

fn conclude(state: &mut HandshakeState, hello: Hello, version: WireVersion) -> Option<Agreement> {
    if !state.is_handshake_finished() {
        return None;
    }
    let peer = PeerKey::new(state.get_remote_static()?.try_into().ok()?);
    let mut hash = Sha256::new_with_prefix(b"chappe link salt");
    hash.update(state.get_handshake_hash());
    let salt = LinkSalt::new(*hash.finalize().first_chunk()?);
    let (of_initiator, of_responder) = state.dangerously_get_raw_split();
    let of_initiator = Zeroizing::new(of_initiator);
    let of_responder = Zeroizing::new(of_responder);
    let (sending, receiving) = if state.is_initiator() {
        (of_initiator, of_responder)
    } else {
        (of_responder, of_initiator)
    };
    Some(Agreement {
        sending: NoiseKey::new(&sending),
        receiving: NoiseKey::new(&receiving),
        peer,
        hello,
        version,
        salt,
    })
}
