//! The first packet of a link, each way: who is who, for this epoch.

use crate::token::{TOKEN_LEN, Token};

/// Length of an encoded greeting in bytes. It fits into the smallest packet of GATT (20 bytes).
pub const GREETING_LEN: usize = 1 + 2 * TOKEN_LEN;
/// The only version so far.
const VERSION: u8 = 1;

/// Says which two beacons a link connects. It is in clear and proves nothing: it keeps two honest nodes from
/// holding two links, and the handshake of the hop follows.
///
/// ```
/// use chappe_ble::{Greeting, Token};
///
/// let greeting = Greeting { from: Token::new([1; 8]), to: Token::new([2; 8]) };
/// assert_eq!(Greeting::decode(&greeting.encode()), Ok(greeting));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// What the sender is called now.
    pub from: Token,
    /// Whom it believes to greet.
    pub to: Token,
}

impl Greeting {
    /// The packet.
    ///
    /// ```text
    /// +------------+---------+-------+
    /// | version: 1 | from: 8 | to: 8 |
    /// +------------+---------+-------+
    /// ```
    pub fn encode(&self) -> [u8; GREETING_LEN] {
        let mut bytes = [0; GREETING_LEN];
        let tokens = self.from.as_bytes().iter().chain(self.to.as_bytes());
        let parts = std::iter::once(&VERSION).chain(tokens);
        bytes
            .iter_mut()
            .zip(parts)
            .for_each(|(to, from)| *to = *from);
        bytes
    }

    /// Reads a packet.
    ///
    /// # Errors
    /// [`GreetingError`]
    pub fn decode(bytes: &[u8]) -> Result<Self, GreetingError> {
        let bytes: &[u8; GREETING_LEN] = bytes.try_into().map_err(|_| GreetingError::Length)?;
        let (version, rest) = bytes.split_first().ok_or(GreetingError::Length)?;
        if *version != VERSION {
            return Err(GreetingError::Version(*version));
        }
        let (from, rest) = rest.split_first_chunk().ok_or(GreetingError::Length)?;
        let to = rest.first_chunk().ok_or(GreetingError::Length)?;
        Ok(Self {
            from: Token::new(*from),
            to: Token::new(*to),
        })
    }
}

/// Why a packet is no greeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GreetingError {
    /// Not [`GREETING_LEN`] bytes.
    #[error("a greeting has {GREETING_LEN} bytes")]
    Length,
    /// A version that is not known here.
    #[error("the greeting has the unknown version {0}")]
    Version(u8),
}
