//! Records that strangers carry and that nobody but their author can change: who may be written to, and
//! which devices an account has. Chappe's own; on XMPP the server vouches for both.

mod device_list;
mod reachable;

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

pub use device_list::{MAX_REMOVED, SignedDeviceList, VerifiedDeviceList};
pub use reachable::{
    MAX_REACHABLE_PREKEYS, MIN_REACHABLE_PREKEYS, ReachableRecord, VerifiedReachable,
};

use crate::bundle::BundleError;
use crate::curve::KeyError;
use crate::identity::{Identity, IdentityKey, SIGNATURE_LEN};
use crate::sce::MAX_JID_LEN;
use crate::state::{Reader, StateError, Writer};

/// Counts the records of one author. Of two valid ones the higher holds, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub u64);

/// Why a record is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The bytes are no record of this kind.
    #[error("this is not such a record")]
    Form,
    /// The author did not sign it.
    #[error("the record was not signed by its author")]
    Signature,
    /// A key is refused.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The bundle is refused.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl From<StateError> for RecordError {
    fn from(_: StateError) -> Self {
        Self::Form
    }
}

/// Puts the author's signature over context and body behind the body.
fn sign(identity: &Identity, context: &[u8], body: Writer) -> Vec<u8> {
    let mut bytes = body.finish().to_vec();
    let signature = identity.sign(&[context, &bytes].concat());
    bytes.extend_from_slice(&signature);
    bytes
}

/// The body, if it was signed. The contexts hold a zero byte, which no label has.
fn verify<'a>(
    author: &IdentityKey,
    context: &[u8],
    bytes: &'a [u8],
) -> Result<&'a [u8], RecordError> {
    let (body, signature) = bytes
        .split_last_chunk::<SIGNATURE_LEN>()
        .ok_or(RecordError::Form)?;
    if author.verify(&[context, body].concat(), signature) {
        Ok(body)
    } else {
        Err(RecordError::Signature)
    }
}

fn write_jid(out: &mut Writer, jid: &str) -> Result<(), RecordError> {
    if jid.is_empty() || jid.len() > MAX_JID_LEN {
        return Err(RecordError::Form);
    }
    out.count(jid.len());
    out.bytes(jid.as_bytes());
    Ok(())
}

fn read_jid(from: &mut Reader<'_>) -> Result<String, RecordError> {
    let length = from.count(MAX_JID_LEN)?;
    let text = core::str::from_utf8(from.slice(length)?).map_err(|_| RecordError::Form)?;
    if text.is_empty() {
        return Err(RecordError::Form);
    }
    Ok(text.to_string())
}
