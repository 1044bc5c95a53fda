//! What is known of a kind of radio.

use std::time::Duration;

use serde::Deserialize;

use crate::draws::Draws;
use crate::scenario::quantity::{Metres, Power, Seconds, TimeSpan, TransferRate};
use crate::units::Rate;

/// A number and where it comes from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sourced<T> {
    /// The number.
    pub value: T,
    /// Where it comes from; or "not measured".
    pub source: String,
}

/// A number that holds up to a distance.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step<T> {
    /// Up to how far.
    pub within: Metres,
    /// The number.
    pub value: T,
    /// Where it comes from; or "not measured".
    pub source: String,
}

/// A kind of radio. It is a model: each number says where it comes from.
///
/// ```
/// let ble = chappe_sim::radio::preset("ble")?;
/// assert_eq!(ble.range.value.0, 30.0);
/// assert!(ble.mean_rate().bytes_per_second() < 100_000);
/// # Ok::<(), chappe_sim::radio::RadioError>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What it is, in a few words.
    pub about: String,
    /// How far it reaches.
    pub range: Sourced<Metres>,
    /// How fast a link is, by distance. All links of a node share its airtime.
    pub rates: Vec<Step<TransferRate>>,
    /// Which part of the packets is lost for good, by distance.
    pub losses: Vec<Step<f64>>,
    /// How devices find each other; at once if missing.
    pub discovery: Option<Discovery>,
    /// From having found each other to the first byte.
    pub set_up: Sourced<TimeSpan>,
    /// How many links a device holds at once; any number if missing. In a star, how many clients an owner has.
    pub links: Option<Sourced<u32>>,
    /// Whether devices form groups of one owner and its clients.
    pub star: Sourced<bool>,
    /// What a node consumes, by what its radio does.
    pub energy: Energy,
}

/// How devices find each other: one calls again and again, the other listens now and then.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discovery {
    /// Between two calls.
    pub advertising: Sourced<Seconds>,
    /// Added to that at random, up to this.
    pub jitter: Sourced<Seconds>,
    /// How long it listens at a time.
    pub listens: Sourced<Seconds>,
    /// How long it does not.
    pub sleeps: Sourced<Seconds>,
}

/// Power by state.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Energy {
    /// Where the numbers come from.
    pub source: String,
    /// Always.
    pub idle: Power,
    /// While it calls and listens.
    pub discover: Power,
    /// For each link that is up.
    pub linked: Power,
    /// While it sends.
    pub transmit: Power,
    /// While it receives.
    pub receive: Power,
}

/// The presets: name and data.
pub const PRESETS: [(&str, &str); 3] = [
    ("ble", include_str!("presets/ble.toml")),
    ("ideal", include_str!("presets/ideal.toml")),
    ("wifi-direct", include_str!("presets/wifi-direct.toml")),
];

/// The preset of this name.
///
/// # Errors
/// [`RadioError`], where there is none or its data are wrong.
pub fn preset(name: &str) -> Result<Preset, RadioError> {
    let (_, text) = PRESETS
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| RadioError::Unknown(name.to_owned()))?;
    toml::from_str(text).map_err(|error| RadioError::Data(error.to_string()))
}

/// There is no such radio.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RadioError {
    /// The data of a preset are wrong.
    #[error("the radio's data are wrong: {0}")]
    Data(String),
    /// No preset is called this.
    #[error("there is no radio `{0}` among ble, ideal and wifi-direct")]
    Unknown(String),
}

/// After this many calls that nobody heard a contact is taken as found, so that no setting makes it endless.
const MAX_CALLS: u32 = 10_000;

impl Preset {
    /// The rate of a link between nodes anywhere in range, each place as likely as any other, less what is lost.
    pub fn mean_rate(&self) -> Rate {
        let useful = |inner: f64, outer: f64, rate: f64| {
            let lost = self.losses.iter().find(|step| step.within.0 >= outer);
            rate * (1.0 - lost.map_or(0.0, |step| step.value)) * (outer * outer - inner * inner)
        };
        let (mut sum, mut inner) = (0.0, 0.0);
        for step in &self.rates {
            let outer = step.within.0.min(self.range.value.0);
            sum += useful(inner, outer, step.value.0.bytes_per_second() as f64);
            inner = outer;
        }
        let mean = if inner > 0.0 {
            sum / (inner * inner)
        } else {
            0.0
        };
        Rate::from_bytes_per_second(mean as u64).unwrap_or(Rate::THE_ONE)
    }

    /// How long two devices take from coming into range to the first byte.
    pub fn delay(&self, draws: &mut Draws) -> Duration {
        let found = self.discovery.as_ref().map_or(0.0, |how| how.delay(draws));
        let seconds = found + self.set_up.value.0.any(draws);
        Duration::from_micros((seconds * 1e6) as u64)
    }
}

impl Discovery {
    /// Seconds until a call falls into a time of listening.
    fn delay(&self, draws: &mut Draws) -> f64 {
        let (every, jitter) = (self.advertising.value.0, self.jitter.value.0);
        let (listens, sleeps) = (self.listens.value.0, self.sleeps.value.0);
        let cycle = listens + sleeps;
        let phase = draws.between(0.0, cycle);
        let mut call = draws.between(0.0, every);
        for _ in 0..MAX_CALLS {
            let into = call + phase;
            if into - cycle * libm::floor(into / cycle) < listens {
                break;
            }
            call += every + draws.between(0.0, jitter);
        }
        call
    }
}

impl Energy {
    /// Joules of a node for so many seconds in each state.
    pub fn joules(
        &self,
        all: f64,
        discovering: f64,
        linked: f64,
        sending: f64,
        receiving: f64,
    ) -> f64 {
        let milliwatts = self.idle.0 * all
            + self.discover.0 * discovering
            + self.linked.0 * linked
            + self.transmit.0 * sending
            + self.receive.0 * receiving;
        milliwatts / 1000.0
    }
}
