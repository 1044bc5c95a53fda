//! The contact URI: what one person hands to another so that they can write to each other.

mod text;
mod uri;

use core::fmt;

use crate::InboxSecret;

pub use text::{BareJid, DisplayName, MAX_JID_LEN, MAX_NAME_LEN, TextError};
pub use uri::{InviteError, MAX_URI_LEN};

/// What a `chappe:` URI says: who somebody is, a key bundle with one prekey of its own, and where to send the
/// first message.
///
/// Every invite is fresh: its prekey and its inbox secret serve one person once. The inbox secret is in the URI, so
/// whoever reads the URI can recognise (not open) the first envelopes to this inbox, and write to it. The keys are raw
/// bytes here and are checked where sessions are made.
///
/// ```
/// use chappe_envelope::{
///     BareJid, DisplayName, InboxSecret, Invite, InviteError, InvitePreKey, InviteSignedPreKey,
/// };
///
/// let invite = Invite {
///     jid: BareJid::new("north@example.org")?,
///     name: DisplayName::new("North")?,
///     device: 1,
///     identity: [2; 32],
///     signed_prekey: InviteSignedPreKey { id: 3, key: [4; 32], signature: [5; 64] },
///     prekey: InvitePreKey { id: 6, key: [7; 32] },
///     inbox: InboxSecret::new([8; 16]),
/// };
/// let uri = invite.to_uri();
/// assert_eq!(Invite::from_uri(&uri.to_lowercase())?, invite);
/// assert_eq!(Invite::from_uri(&uri.replace('F', "G")), Err(InviteError::Mistyped));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Invite {
    /// The address of the person.
    pub jid: BareJid,
    /// What the person is called, by their own words.
    pub name: DisplayName,
    /// The OMEMO device id.
    pub device: u32,
    /// The identity key, in its Ed25519 form.
    pub identity: [u8; 32],
    /// The signed prekey.
    pub signed_prekey: InviteSignedPreKey,
    /// A one-time prekey that is in no other bundle.
    pub prekey: InvitePreKey,
    /// From which the tags and keys of the first messages come.
    pub inbox: InboxSecret,
}

/// A signed prekey as the URI carries it, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteSignedPreKey {
    /// Its id.
    pub id: u32,
    /// The public key, Curve25519.
    pub key: [u8; 32],
    /// The identity key's signature.
    pub signature: [u8; 64],
}

/// A one-time prekey as the URI carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitePreKey {
    /// Its id.
    pub id: u32,
    /// The public key, Curve25519.
    pub key: [u8; 32],
}

impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Invite");
        debug
            .field("jid", &self.jid)
            .field("name", &self.name)
            .field("device", &self.device);
        debug.finish_non_exhaustive()
    }
}
