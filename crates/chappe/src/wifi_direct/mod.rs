//! Wi-Fi Direct as a radio: groups by `chappe-wifi-direct`, links in them by `chappe-ip`.
//!
//! A group is made or joined when two nodes that talk over another radio agree on it, because one has bulk for the
//! other; or it is agreed on beforehand, by way of a file ([`AgreedGroup`]). Nobody is searched for.

mod transport;

use std::path::PathBuf;
use std::str::FromStr;

use chappe_ip::Place;
pub use chappe_ip::{Interface, InterfaceError};
use chappe_link::StartError;
pub use chappe_wifi_direct::{Bus, Finding, RadioOptions};
pub use transport::WifiDirectTransport;

/// Every machine and every namespace has it.
const LOOPBACK: &str = "lo";

/// Which radio, and how it is used. Read from `wlan0,netns=NAME,bus=ADDRESS,frequency=MHZ`, and `own=FILE`,
/// `join=FILE` or `autonomous=yes`; all but the first word may be left out.
///
/// ```
/// use chappe::wifi_direct::{AgreedGroup, WifiDirectOptions};
///
/// let options: WifiDirectOptions = "wlan1,netns=B,bus=unix:path=/run/b/bus,join=group".parse()?;
/// assert_eq!(options.netns.as_deref(), Some("B"));
/// assert_eq!(options.agreed, Some(AgreedGroup::Join("group".into())));
/// # Ok::<(), chappe::wifi_direct::OptionsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WifiDirectOptions {
    /// The radio's interface.
    pub interface: Interface,
    /// The network namespace that the radio is in, if it is not this program's.
    pub netns: Option<String>,
    /// The bus that its wpa_supplicant is on.
    pub bus: Bus,
    /// The channel of groups that are made here, in MHz; `None` leaves it to the driver.
    pub frequency: Option<u16>,
    /// A group for good; `None` makes and joins groups as they are needed.
    pub agreed: Option<AgreedGroup>,
    /// Whether it owns a group of its own whenever it is in no other one, needed or not: who has to be let in is then let
    /// in at once. It costs power. `None` is no; `chappe run` makes it yes for a relay. Of no meaning with `agreed`.
    pub autonomous: Option<bool>,
}

/// A group that was agreed on beforehand. The file holds the way in, so only those who may join should read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgreedGroup {
    /// Join the group whose owner wrote this file; when the file changes, join the other group.
    Join(PathBuf),
    /// Own a group, and write to this file how it is joined.
    Own(PathBuf),
}

impl WifiDirectOptions {
    fn is_autonomous(&self) -> bool {
        self.agreed.is_none() && self.autonomous == Some(true)
    }

    /// What the radio alone is to know.
    pub fn radio(&self) -> RadioOptions {
        RadioOptions {
            interface: self.interface.name().to_owned(),
            bus: self.bus.clone(),
        }
    }

    /// Where sockets are tried before there is a group.
    fn place(&self) -> Result<Place, StartError> {
        self.place_of(LOOPBACK)
    }

    /// Where sockets are opened on an interface.
    fn place_of(&self, interface: &str) -> Result<Place, StartError> {
        let interface = Interface::new(interface);
        let place = Place::on(interface.map_err(|error| StartError::Setting(error.to_string()))?);
        Ok(match &self.netns {
            Some(netns) => place.inside(netns),
            None => place,
        })
    }
}

/// Looks whether this program and this machine can do what the radio needs, and hide what they should.
pub async fn examine(options: &WifiDirectOptions) -> Vec<Finding> {
    let mut findings = chappe_wifi_direct::examine(&options.radio()).await;
    let probed = match options.place() {
        Ok(place) => place.probe().await,
        Err(error) => Err(error),
    };
    if let Err(error) = probed {
        let says = format!("{error}.");
        findings.push(Finding { ok: false, says });
    }
    findings
}

impl FromStr for WifiDirectOptions {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        let mut words = text.split(',');
        let mut options = Self {
            interface: Interface::new(words.next().unwrap_or_default())?,
            netns: None,
            bus: Bus::System,
            frequency: None,
            agreed: None,
            autonomous: None,
        };
        for word in words {
            let unknown = || OptionsError::Unknown(word.chars().take(64).collect());
            let (name, value) = word.split_once('=').ok_or_else(unknown)?;
            match name {
                _ if value.is_empty() => return Err(unknown()),
                "netns" => options.netns = Some(value.to_owned()),
                "autonomous" => {
                    options.autonomous = Some(match value {
                        "yes" => true,
                        "no" => false,
                        _ => return Err(OptionsError::Autonomous),
                    });
                }
                "bus" => options.bus = Bus::At(value.to_owned()),
                "frequency" => {
                    options.frequency = Some(value.parse().map_err(|_| OptionsError::Frequency)?);
                }
                "join" => options.agreed = Some(AgreedGroup::Join(value.into())),
                "own" => options.agreed = Some(AgreedGroup::Own(value.into())),
                _ => return Err(unknown()),
            }
        }
        Ok(options)
    }
}

/// Why a radio cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// Neither yes nor no.
    #[error("write autonomous=yes or autonomous=no")]
    Autonomous,
    /// No number.
    #[error("a frequency is a number of MHz, such as 2437")]
    Frequency,
    /// No name of an interface.
    #[error("{0}; write wifi-direct:wlan0")]
    Interface(#[from] InterfaceError),
    /// There is no such option.
    #[error(
        "\"{0}\" is no option of a Wi-Fi Direct radio: expected netns=, bus=, frequency=, autonomous=, own= or join= and a value"
    )]
    Unknown(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_radio_is_read_with_all_its_options() {
        let read = |text: &str| text.parse::<WifiDirectOptions>();
        let plain = read("wlan0").unwrap();
        assert_eq!(plain.autonomous, None);
        assert!(!plain.is_autonomous());
        assert!(read("wlan0,autonomous=yes").unwrap().is_autonomous());
        assert!(!read("wlan0,autonomous=no").unwrap().is_autonomous());
        let agreed = read("wlan0,autonomous=yes,join=/tmp/g").unwrap();
        assert!(!agreed.is_autonomous(), "it has a group already");
        assert_eq!((plain.netns, plain.bus), (None, Bus::System));
        let all = read("wlan1,netns=B,bus=unix:path=/run/b,frequency=2437,own=/tmp/g").unwrap();
        assert_eq!(all.frequency, Some(2437));
        assert_eq!(all.bus, Bus::At("unix:path=/run/b".to_owned()));
        assert_eq!(all.agreed, Some(AgreedGroup::Own("/tmp/g".into())));
        for bad in [
            "",
            "wlan0,",
            "wlan0,netns=",
            "wlan0,pin=1",
            "wlan0,frequency=x",
            "wlan0,autonomous=maybe",
            "a/b",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
