//! What a hop is to be.

use chappe_wire::{Hello, MAX_HELLO_LEN};

use crate::StaticKey;
use crate::packet::MAX_FRAGMENTS;

/// How a hop is set up.
#[derive(Clone)]
pub struct HopConfig<'a> {
    /// The longest packet that this end may send on the link.
    pub mtu: Mtu,
    /// True if the link delivers what it takes, in order, or ends. The hop then asks an end that does not answer in time
    /// whether it is there, and sends again only what the answer shows to be missing. If the link loses something all the
    /// same, that is repaired too, a timeout and a round trip later at worst.
    pub reliable: bool,
    /// Which end begins. On a radio: whoever connected is the initiator.
    pub role: Role,
    /// This end's key.
    pub static_key: &'a StaticKey,
    /// What this end speaks.
    pub hello: Hello,
}

/// Which end of the hop this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends the first message.
    Initiator,
    /// Waits for it.
    Responder,
}

/// Bytes of the second handshake message around its hello: an ephemeral key, a sealed static key, a tag.
const MESSAGE_2_AROUND_HELLO: usize = 32 + 48 + 16;

/// The longest packet of a link, in bytes: 20 to 65,535.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mtu(u16);

impl Mtu {
    /// The smallest: what BLE 4.0 carries in one notification.
    pub const MIN: Self = Self(20);
    /// The largest.
    pub const MAX: Self = Self(u16::MAX);

    /// The MTU of this many bytes.
    ///
    /// # Errors
    /// [`MtuOutOfRange`] below 20 and above 65,535.
    pub const fn new(bytes: usize) -> Result<Self, MtuOutOfRange> {
        if bytes < Self::MIN.0 as usize || bytes > Self::MAX.0 as usize {
            return Err(MtuOutOfRange);
        }
        Ok(Self(bytes as u16))
    }

    /// The number of bytes.
    pub const fn bytes(self) -> usize {
        self.0 as usize
    }

    /// The longest encoded hello of a responder that a handshake on such a link has room for, in bytes.
    pub const fn max_hello_len(self) -> usize {
        let room = MAX_FRAGMENTS * (self.bytes() - 1) - MESSAGE_2_AROUND_HELLO;
        if room < MAX_HELLO_LEN {
            room
        } else {
            MAX_HELLO_LEN
        }
    }
}

/// A link with packets of such a size carries no hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hop needs packets of 20 to 65535 bytes")]
pub struct MtuOutOfRange;
