//! Ids of devices, prekeys and sessions.

use core::fmt;

/// The largest id of a device or prekey that XEP-0384 allows: 2^31 - 1.
pub const MAX_ID: u32 = 0x7fff_ffff;

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $name {
            /// The id with this number, or `None` outside 1 to [`MAX_ID`].
            pub const fn new(number: u32) -> Option<Self> {
                if number == 0 || number > MAX_ID { None } else { Some(Self(number)) }
            }

            /// The number.
            pub const fn number(self) -> u32 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

numbered! {
    /// A device of an account (`sid` and `rid` in XEP-0384), from 1 to [`MAX_ID`].
    DeviceId
}
numbered! {
    /// A one-time prekey of one device, from 1 to [`MAX_ID`].
    PreKeyId
}
numbered! {
    /// A signed prekey of one device, from 1 to [`MAX_ID`]. A space of its own beside [`PreKeyId`].
    SignedPreKeyId
}

macro_rules! successive {
    ($name:ident) => {
        impl $name {
            /// The smallest id.
            pub(crate) const FIRST: Self = Self(1);

            /// The id after this one; the first follows the last.
            pub(crate) const fn next(self) -> Self {
                if self.0 >= MAX_ID {
                    Self::FIRST
                } else {
                    Self(self.0 + 1)
                }
            }
        }
    };
}

successive!(PreKeyId);
successive!(SignedPreKeyId);

/// A session. Both ends derive the same id from their key agreement; it is not secret and never sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// The session with this id, from where it was stored.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes of the id.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}
