//! How well nodes of the air hear each other.

use std::fmt;

use serde::Deserialize;

use crate::fault::{Faults, Latency, Probability, QuantityError, Rate};
use crate::{MAX_MTU, MIN_MTU};

/// The MTU of links in the air, in bytes, unless it is set: any frame of a hop takes at most two packets.
pub const DEFAULT_MTU: usize = 8 * 1024;

/// What holds between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// What is wrong with the link, in each direction.
    pub faults: Faults,
    /// The longest packet.
    pub mtu: Mtu,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            faults: Faults::NONE,
            mtu: Mtu::DEFAULT,
        }
    }
}

/// What is set of the [`Conditions`]; what is not stays as it was.
///
/// ```
/// use chappe_link::air::Settings;
///
/// let settings = Settings::from_words(["rate=1MB/s", "latency=20ms", "loss=1%"])?;
/// assert_eq!(settings.rate, Some("1MB/s".parse()?));
/// assert!(Settings::from_words(["speed=1MB/s"]).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How many bytes leave per second.
    pub rate: Option<Rate>,
    /// How long a packet is under way.
    pub latency: Option<Latency>,
    /// How likely a packet is lost.
    pub loss: Option<Probability>,
    /// How likely a packet arrives twice.
    pub duplicate: Option<Probability>,
    /// How likely a packet is overtaken.
    pub reorder: Option<Probability>,
    /// The longest packet. Links come up anew when it changes.
    pub mtu: Option<Mtu>,
}

impl Settings {
    /// Reads words such as `rate=1MB/s`.
    ///
    /// # Errors
    /// [`SettingError`] at the first that is none, or that sets something again.
    pub fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, SettingError> {
        let mut settings = Self::default();
        for word in words {
            settings.set(word)?;
        }
        Ok(settings)
    }

    /// These settings, and below them the ones `under`.
    pub fn over(self, under: Self) -> Self {
        Self {
            rate: self.rate.or(under.rate),
            latency: self.latency.or(under.latency),
            loss: self.loss.or(under.loss),
            duplicate: self.duplicate.or(under.duplicate),
            reorder: self.reorder.or(under.reorder),
            mtu: self.mtu.or(under.mtu),
        }
    }

    /// The conditions; what is not set is at its default.
    pub fn conditions(self) -> Conditions {
        let none = Faults::NONE;
        Conditions {
            faults: Faults {
                rate: self.rate.unwrap_or(none.rate),
                latency: self.latency.unwrap_or(none.latency),
                loss: self.loss.unwrap_or(none.loss),
                duplicate: self.duplicate.unwrap_or(none.duplicate),
                reorder: self.reorder.unwrap_or(none.reorder),
            },
            mtu: self.mtu.unwrap_or(Mtu::DEFAULT),
        }
    }

    fn set(&mut self, word: &str) -> Result<(), SettingError> {
        let unknown = || SettingError::Unknown {
            word: word.chars().take(64).collect(),
        };
        let (name, value) = word.split_once('=').ok_or_else(unknown)?;
        let named = |reason: QuantityError| SettingError::Value {
            name: name.to_owned(),
            reason: reason.to_string(),
        };
        let again = match name {
            "rate" => self.rate.replace(value.parse().map_err(named)?).is_some(),
            "latency" => self
                .latency
                .replace(value.parse().map_err(named)?)
                .is_some(),
            "loss" => self.loss.replace(value.parse().map_err(named)?).is_some(),
            "duplicate" => self
                .duplicate
                .replace(value.parse().map_err(named)?)
                .is_some(),
            "reorder" => self
                .reorder
                .replace(value.parse().map_err(named)?)
                .is_some(),
            "mtu" => {
                let mtu = value.parse().ok().and_then(|bytes| Mtu::new(bytes).ok());
                let wrong = || SettingError::Value {
                    name: name.to_owned(),
                    reason: MtuError.to_string(),
                };
                self.mtu.replace(mtu.ok_or_else(wrong)?).is_some()
            }
            _ => return Err(unknown()),
        };
        if again {
            Err(SettingError::Again {
                name: name.to_owned(),
            })
        } else {
            Ok(())
        }
    }
}

/// Why words are no settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// It is set twice.
    #[error("{name} is set twice")]
    Again {
        /// The setting.
        name: String,
    },
    /// There is no such setting.
    #[error(
        "\"{word}\" is not a setting: expected rate=, latency=, loss=, duplicate=, reorder= or mtu= and a value, \
         such as rate=1MB/s"
    )]
    Unknown {
        /// The word, at most 64 characters of it.
        word: String,
    },
    /// The value cannot be read.
    #[error("{name}: {reason}")]
    Value {
        /// The setting.
        name: String,
        /// What was expected.
        reason: String,
    },
}

/// The longest packet of a link, in bytes: [`MIN_MTU`] to [`MAX_MTU`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "i64")]
pub struct Mtu(u16);

impl Mtu {
    /// [`DEFAULT_MTU`].
    pub const DEFAULT: Self = Self(DEFAULT_MTU as u16);
    /// [`MIN_MTU`].
    pub const MIN: Self = Self(MIN_MTU as u16);

    /// The MTU of this many bytes.
    ///
    /// # Errors
    /// [`MtuError`] if it is out of range.
    pub fn new(bytes: usize) -> Result<Self, MtuError> {
        if bytes < MIN_MTU {
            Err(MtuError)
        } else {
            u16::try_from(bytes).map(Self).map_err(|_| MtuError)
        }
    }

    /// The number of bytes.
    pub fn bytes(self) -> usize {
        usize::from(self.0)
    }

    pub(super) fn to_be_bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }
}

impl TryFrom<i64> for Mtu {
    type Error = MtuError;

    fn try_from(bytes: i64) -> Result<Self, Self::Error> {
        usize::try_from(bytes)
            .map_err(|_| MtuError)
            .and_then(Self::new)
    }
}

impl fmt::Display for Mtu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A number of bytes is no MTU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of bytes from {MIN_MTU} to {MAX_MTU}")]
#[non_exhaustive]
pub struct MtuError;
