//! For this crate's own tests, benchmarks and fuzz targets. Nothing here is stable or safe to use elsewhere.

use alloc::vec::Vec;

use chappe_wire::{Hello, Instant};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{
    Hop, HopConfig, HopError, StaticKey,
    cipher::SealingKey,
    handshake::Initiator,
    packet::{Header, Kind},
    packet_number::PacketNumber,
};
pub use crate::{
    handshake::{NOISE_PROTOCOL, PROLOGUE},
    resolver::Resolver,
};

/// The cryptography of a hop, for a Noise session of snow's own. The random bytes follow from `seed`.
pub fn resolver(seed: [u8; 32]) -> Resolver {
    Resolver::new(Zeroizing::new(seed))
}

/// A hop whose packet numbers begin at `first` in both directions, under the keys of the handshake.
///
/// # Errors
/// As [`Hop::new`].
pub fn hop_starting_at(
    now: Instant,
    config: &HopConfig<'_>,
    rng: &mut impl CryptoRng,
    first: u64,
) -> Result<Hop, HopError> {
    Hop::starting_at(now, config, rng, PacketNumber::new(first))
}

/// An initiator that proved its key and seals whatever it likes.
pub struct HostileNeighbour {
    sealing: SealingKey,
    next: Option<PacketNumber>,
}

impl HostileNeighbour {
    /// Does the handshake with a responder whose packets hold 300 bytes or more; `None` if it does not answer.
    pub fn meet(hop: &mut Hop, now: Instant, key: &StaticKey, hello: Hello) -> Option<Self> {
        let (mut initiator, message_1) =
            Initiator::new(key, hello, Zeroizing::new([5; 32])).ok()?;
        hop.handle_packet(now, &packet(Kind::Message1, 0, &message_1))
            .ok()?;
        let message_2 = hop.poll_transmit(now)?;
        let (agreement, message_3) = initiator.read_message_2(message_2.get(1..)?).ok()??;
        hop.handle_packet(now, &packet(Kind::Message3, 0, &message_3))
            .ok()?;
        hop.poll_event()?;
        let first = PacketNumber::new(0);
        Some(Self {
            sealing: SealingKey::new(agreement.sending, first),
            next: Some(first),
        })
    }

    /// The packet of the next record with this plaintext.
    pub fn seal(&mut self, plaintext: &[u8]) -> Option<Vec<u8>> {
        let number = self.next?;
        self.next = number.next();
        let truncated = number.truncate();
        let mut record = packet(Kind::Record, truncated as u8, &truncated.to_be_bytes());
        let start = record.len();
        record.extend_from_slice(plaintext);
        self.sealing.seal(number, &mut record, start)?;
        Some(record)
    }
}

fn packet(kind: Kind, tag: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(Header::LEN + body.len());
    packet.push(Header::whole(kind, tag).encode());
    packet.extend_from_slice(body);
    packet
}
