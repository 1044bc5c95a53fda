//! The seal: padding and authenticated encryption of one envelope.

use alloc::vec::Vec;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};
use chappe_wire::{
    BodySize, Commitment, Envelope, HEADER_LEN, Header, Lifetime, Preimage, Tag, VERSION,
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::keys::MessageKeys;

/// The most bytes that one envelope seals: the largest body less the length (2) and the seal (16).
pub const MAX_PLAINTEXT: usize = BodySize::B4096.bytes() - LENGTH_LEN - SEAL_LEN;

const LENGTH_LEN: usize = 2;
const SEAL_LEN: usize = 16;
const NONCE_LEN: usize = 12;

/// What came out of a seal that held.
pub(crate) struct Unsealed {
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
    pub(crate) preimage: Preimage,
}

/// The smallest body that seals `length` bytes.
pub(crate) fn body_size(length: usize) -> Result<BodySize, SealError> {
    BodySize::fitting(length.saturating_add(LENGTH_LEN + SEAL_LEN)).ok_or(SealError::TooLong)
}

/// Seals `plaintext` into an envelope with a body of `size`.
///
/// ```text
///  body, before encryption                                         after it
///  0        2             2 + L                        B - 16          B
///  +--------+-------------+----------------------------+ - - - - - - - +
///  | L      | plaintext   | zeros                      | Poly1305 tag  |
///  | 2, BE  | L           | B - 18 - L                 | 16            |
///  +--------+-------------+----------------------------+ - - - - - - - +
/// ```
///
/// ChaCha20-Poly1305 (RFC 8439) under the envelope's seal key. The additional data are the 34 bytes before the
/// body. The nonce is the first 12 bytes of the commitment, which is a pseudo-random function of all that is
/// sealed: were a counter ever used for two plaintexts, neither key stream nor authenticator would repeat. Gives the
/// preimage of the commitment along.
pub(crate) fn seal(
    keys: &MessageKeys,
    lifetime: Lifetime,
    size: BodySize,
    plaintext: &[u8],
) -> Result<(Envelope, Preimage), SealError> {
    let room = size.bytes() - LENGTH_LEN - SEAL_LEN;
    let length = u16::try_from(plaintext.len()).map_err(|_| SealError::TooLong)?;
    if plaintext.len() > room {
        return Err(SealError::TooLong);
    }
    let mut body = Vec::with_capacity(size.bytes());
    body.extend_from_slice(&length.to_be_bytes());
    body.extend_from_slice(plaintext);
    body.resize(LENGTH_LEN + room, 0);

    let preimage = keys.preimage(lifetime, &body);
    let commitment = preimage.commitment();
    let header = header_bytes(lifetime, keys.tag, commitment);
    let seal = cipher(keys)
        .encrypt_inout_detached(&nonce(commitment), &header, body.as_mut_slice().into())
        .map_err(|_| SealError::TooLong)?;
    body.extend_from_slice(&seal);
    let envelope = Envelope::compose(lifetime, keys.tag, commitment, &body);
    envelope
        .map(|envelope| (envelope, preimage))
        .map_err(|_| SealError::TooLong)
}

/// Opens what [`seal`] sealed under the same keys, and nothing else.
pub(crate) fn unseal(keys: &MessageKeys, envelope: &Envelope) -> Result<Unsealed, OpenError> {
    let padded = decrypt(keys, envelope)?;
    let preimage = prove(keys, envelope.header(), &padded)?;
    let plaintext = unpad(padded)?;
    Ok(Unsealed {
        plaintext,
        preimage,
    })
}

/// Breaks the seal. Whether the envelope commits to what is in it is shown by [`prove`] alone.
pub(crate) fn decrypt(
    keys: &MessageKeys,
    envelope: &Envelope,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let header = envelope.header();
    if header.version != VERSION {
        return Err(OpenError);
    }
    let (body, seal) = envelope
        .body()
        .split_last_chunk::<SEAL_LEN>()
        .ok_or(OpenError)?;
    let additional = envelope.as_bytes().get(..HEADER_LEN).ok_or(OpenError)?;
    let mut padded = Zeroizing::new(Vec::from(body));
    cipher(keys)
        .decrypt_inout_detached(
            &nonce(header.commitment),
            additional,
            padded.as_mut_slice().into(),
            &(*seal).into(),
        )
        .map_err(|_| OpenError)?;
    Ok(padded)
}

/// The receipt, if what was sealed is what the header commits to.
pub(crate) fn prove(
    keys: &MessageKeys,
    header: &Header,
    padded: &[u8],
) -> Result<Preimage, OpenError> {
    // From here on the bytes are the sender's; what follows holds the sender to the one form there is.
    let preimage = keys.preimage(header.lifetime, padded);
    let commits = preimage
        .commitment()
        .as_bytes()
        .ct_eq(header.commitment.as_bytes());
    let tagged = keys.tag.as_bytes().ct_eq(header.tag.as_bytes());
    let known = header.version.ct_eq(&VERSION);
    if !bool::from(commits & tagged & known) {
        return Err(OpenError);
    }
    Ok(preimage)
}

pub(crate) fn unpad(mut padded: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (length, rest) = padded.split_first_chunk::<LENGTH_LEN>().ok_or(OpenError)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (_, padding) = rest.split_at_checked(length).ok_or(OpenError)?;
    if padding.iter().fold(0, |all, byte| all | byte) != 0 {
        return Err(OpenError);
    }
    padded.drain(..LENGTH_LEN);
    padded.truncate(length);
    Ok(padded)
}

fn cipher(keys: &MessageKeys) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new((&*keys.seal).into())
}

fn nonce(commitment: Commitment) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    for (to, from) in nonce.iter_mut().zip(commitment.as_bytes()) {
        *to = *from;
    }
    nonce.into()
}

fn header_bytes(lifetime: Lifetime, tag: Tag, commitment: Commitment) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    let fields = [VERSION, lifetime.code()];
    let all = fields
        .iter()
        .chain(tag.as_bytes())
        .chain(commitment.as_bytes());
    for (to, from) in header.iter_mut().zip(all) {
        *to = *from;
    }
    header
}

/// Why something was not sealed. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The chain has no counters left; it takes a new session to go on.
    #[error("the chain has no counters left")]
    Exhausted,
    /// More than fits into the largest envelope, [`MAX_PLAINTEXT`] bytes.
    #[error("the content is longer than one envelope seals ({MAX_PLAINTEXT} bytes)")]
    TooLong,
}

/// The envelope does not open: forged, damaged, of an unknown version, for somebody else, or opened before.
/// It does not say which, and nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the envelope does not open")]
pub struct OpenError;
