//! A neighbour that holds its own Noise session and says whatever a test wants.

use chappe_hop::{Hop, Role, hazmat};
use chappe_wire::Instant;
use snow::{HandshakeState, params::CipherChoice, resolvers::CryptoResolver as _, types::Cipher};

use super::{hello, key};

/// Flags of a record.
pub(crate) const ACK: u8 = 1;
pub(crate) const CREDIT: u8 = 2;
pub(crate) const PING: u8 = 4;
pub(crate) const STREAM: u8 = 8;

/// A Noise session of the suite of a hop.
pub(crate) fn noise_end(role: Role) -> HandshakeState {
    let private = key(9).to_bytes();
    let resolver = Box::new(hazmat::resolver([9; 32]));
    let builder = snow::Builder::with_resolver(hazmat::NOISE_PROTOCOL.parse().unwrap(), resolver)
        .local_private_key(&*private)
        .unwrap()
        .prologue(hazmat::PROLOGUE)
        .unwrap();
    match role {
        Role::Initiator => builder.build_initiator(),
        Role::Responder => builder.build_responder(),
    }
    .unwrap()
}

/// A message in one packet; kinds 0 to 2 are handshake messages, 3 is a record.
pub(crate) fn packet(kind: u8, message: &[u8]) -> Vec<u8> {
    [&[kind << 6 | 0b100], message].concat()
}

/// The initiator of an established hop.
pub(crate) struct Neighbour {
    sending: Box<dyn Cipher>,
    receiving: Box<dyn Cipher>,
    pub(crate) number: u64,
}

impl Neighbour {
    /// Does the handshake with a responder.
    pub(crate) fn meet(hop: &mut Hop, now: Instant) -> Self {
        let mut buffer = [0; 300];
        let mut payload = [0; 300];
        let mut noise = noise_end(Role::Initiator);
        let length = noise.write_message(&[], &mut buffer).unwrap();
        hop.handle_packet(now, &packet(0, &buffer[..length]))
            .unwrap();
        let message_2 = hop.poll_transmit(now).unwrap();
        noise.read_message(&message_2[1..], &mut payload).unwrap();
        let length = noise
            .write_message(&hello(9).encode(), &mut buffer)
            .unwrap();
        hop.handle_packet(now, &packet(2, &buffer[..length]))
            .unwrap();
        assert!(hop.poll_event().is_some());
        let (of_initiator, of_responder) = noise.dangerously_get_raw_split();
        let cipher = |key: &[u8; 32]| {
            let resolver = hazmat::resolver([0; 32]);
            let mut cipher = resolver.resolve_cipher(&CipherChoice::ChaChaPoly).unwrap();
            cipher.set(key);
            cipher
        };
        Self {
            sending: cipher(&of_initiator),
            receiving: cipher(&of_responder),
            number: 0,
        }
    }

    /// The next record with these blocks.
    pub(crate) fn record(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let mut sealed = vec![0; plaintext.len() + 16];
        self.sending
            .encrypt(self.number, &[], plaintext, &mut sealed);
        let number = (self.number as u16).to_be_bytes();
        self.number += 1;
        packet(3, &[&number, &sealed[..]].concat())
    }

    /// A record with stream data.
    pub(crate) fn stream(&mut self, offset: u32, data: &[u8]) -> Vec<u8> {
        self.record(&[&[STREAM], &offset.to_be_bytes()[..], data].concat())
    }

    /// The plaintext of a whole record of the hop.
    pub(crate) fn open(&self, packet: &[u8]) -> Vec<u8> {
        let number = u16::from_be_bytes([packet[1], packet[2]]);
        let mut plaintext = vec![0; packet.len()];
        let length = self
            .receiving
            .decrypt(u64::from(number), &[], &packet[3..], &mut plaintext)
            .unwrap();
        plaintext.truncate(length);
        plaintext
    }
}
