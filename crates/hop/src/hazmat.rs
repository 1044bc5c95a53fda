//! For this crate's own tests, benchmarks and fuzz targets. Nothing here is stable or safe to use elsewhere.

use chappe_wire::Instant;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

pub use crate::handshake::{NOISE_PROTOCOL, PROLOGUE};
use crate::{Hop, HopConfig, HopError, packet_number::PacketNumber};

/// The cryptography of a hop, for a Noise session of snow's own. The random bytes follow from `seed`.
pub fn resolver(seed: [u8; 32]) -> crate::resolver::Resolver {
    crate::resolver::Resolver::new(Zeroizing::new(seed))
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
