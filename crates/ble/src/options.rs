//! How a node uses its adapter. Every time and number is here.

use std::str::FromStr;
use std::time::Duration;

/// Settings of a [`BleTransport`](crate::BleTransport).
///
/// ```
/// use chappe_ble::{BearerChoice, BleOptions};
///
/// let options: BleOptions = "hci1,bearer=gatt,links=3".parse()?;
/// assert_eq!((options.adapter.as_str(), options.links), ("hci1", 3));
/// assert_eq!(options.bearer, BearerChoice::Gatt);
/// # Ok::<(), chappe_ble::OptionError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BleOptions {
    /// The adapter: `hci0`, for example.
    pub adapter: String,
    /// What carries links.
    pub bearer: BearerChoice,
    /// Which roles the node has.
    pub roles: Roles,
    /// The most links at once.
    pub links: usize,
    /// How long a token lives. Longer than the kernel keeps the address that it scans and connects with, which is
    /// 900 s: so that this one changes with each token too, as the advertised one does whatever the epoch.
    pub epoch: Duration,
    /// How long the radio scans at a time. Each scan begins anew, so that a neighbour that was reported once
    /// and never again is found too.
    pub scan: Duration,
    /// How long it rests between two scans. The less it listens, the less power it takes, and the later neighbours are found. In
    /// the radio lab (`ble-discovery`, virtual radios, both nodes with the same settings, five meetings each), from the first
    /// beacon to the greeting:
    ///
    /// | `scan` | `rest` | listening | median | longest |
    /// |---|---|---|---|---|
    /// | 6 s | 4 s | 60 % | 3.3 s | 4.0 s |
    /// | 3 s | 12 s | 20 % | 3.0 s | 22.6 s |
    /// | 2 s | 28 s | 6 % | 20.7 s | 28.7 s |
    ///
    /// BlueZ decides how often a beacon is sent: every 1.28 s.
    pub rest: Duration,
    /// A neighbour that was not heard for so long is forgotten.
    pub forget: Duration,
    /// How long to wait for the neighbour whose part it is to connect, before doing so oneself. Longer than two
    /// of its attempts: whoever is connecting does not advertise, and two who dial each other wait for nothing.
    pub patience: Duration,
    /// How long connecting may take.
    pub connect: Duration,
    /// How long a greeting may take.
    pub greet: Duration,
    /// The first pause after a failure with a neighbour, or with the adapter; each further one doubles.
    pub pause: Duration,
    /// The longest such pause.
    pub longest_pause: Duration,
    /// A link is kept for at least so long before it gives way to another neighbour.
    pub hold: Duration,
    /// How often it is looked whether the adapter still does what it was told.
    pub check: Duration,
}

/// What carries links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BearerChoice {
    /// L2CAP channels where both ends offer them, else GATT.
    #[default]
    Automatic,
    /// GATT only.
    Gatt,
}

/// Which roles a node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roles {
    /// It connects and is connected to: on Linux.
    Both,
    /// It connects only, over GATT: all that there is on macOS and Windows. It does not advertise.
    Central,
}

impl Default for Roles {
    fn default() -> Self {
        match cfg!(target_os = "linux") {
            true => Self::Both,
            false => Self::Central,
        }
    }
}

impl BleOptions {
    /// The defaults, on this adapter.
    pub fn on(adapter: impl Into<String>) -> Self {
        Self {
            adapter: adapter.into(),
            bearer: BearerChoice::Automatic,
            roles: Roles::default(),
            links: 6,
            epoch: Duration::from_secs(920),
            scan: Duration::from_secs(6),
            rest: Duration::from_secs(4),
            forget: Duration::from_secs(45),
            patience: Duration::from_secs(20),
            connect: Duration::from_secs(8),
            greet: Duration::from_secs(10),
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            hold: Duration::from_secs(60),
            check: Duration::from_secs(5),
        }
    }

    fn set(&mut self, word: &str) -> Result<(), OptionError> {
        let bad = || OptionError::Value(word.to_owned());
        let (key, value) = word.split_once('=').ok_or_else(bad)?;
        let seconds = || {
            let number: u64 = value.trim_end_matches('s').parse().map_err(|_| bad())?;
            let range = 1..=3_600;
            let fits = range.contains(&number);
            fits.then_some(Duration::from_secs(number)).ok_or_else(bad)
        };
        match key {
            "bearer" => {
                self.bearer = match value {
                    "auto" => BearerChoice::Automatic,
                    "gatt" => BearerChoice::Gatt,
                    _ => return Err(bad()),
                }
            }
            "role" => {
                self.roles = match value {
                    "both" => Roles::Both,
                    "central" => Roles::Central,
                    _ => return Err(bad()),
                }
            }
            "links" => {
                let links = value.parse().ok().filter(|links| (1..=32).contains(links));
                self.links = links.ok_or_else(bad)?;
            }
            "epoch" => self.epoch = seconds()?,
            "scan" => self.scan = seconds()?,
            "rest" => self.rest = seconds()?,
            "forget" => self.forget = seconds()?,
            "patience" => self.patience = seconds()?,
            "hold" => self.hold = seconds()?,
            "connect" => self.connect = seconds()?,
            _ => return Err(OptionError::Key(key.to_owned())),
        }
        Ok(())
    }
}

/// `ADAPTER[,bearer=auto|gatt][,role=both|central][,links=N][,epoch=SECONDS][,scan=...][,rest=...][,forget=...][,patience=...][,hold=...][,connect=...]`
impl FromStr for BleOptions {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, OptionError> {
        let mut words = text.split(',');
        let adapter = words.next().unwrap_or_default();
        let number = adapter.strip_prefix("hci");
        if number.is_none_or(|number| number.is_empty() || number.parse::<u16>().is_err()) {
            return Err(OptionError::Adapter(adapter.to_owned()));
        }
        let mut options = Self::on(adapter);
        words.try_for_each(|word| options.set(word))?;
        Ok(options)
    }
}

/// Why settings cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// Not the name of an adapter.
    #[error("{0:?} is no adapter; they are called hci0, hci1 and so on")]
    Adapter(String),
    /// There is no such setting.
    #[error("there is no setting {0:?} of Bluetooth LE")]
    Key(String),
    /// The value does not fit.
    #[error(
        "{0:?} cannot be set; write bearer=auto or gatt, role=both or central, links=1 to 32, or seconds up to 3600"
    )]
    Value(String),
}
