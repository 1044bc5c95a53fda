//! Radios as they are named on the command line.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A radio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Radio {
    /// The local air.
    Air {
        /// The folder that is the air.
        dir: PathBuf,
        /// The node's name in it; the name of the home's folder otherwise.
        name: Option<String>,
    },
    /// Bluetooth LE.
    #[cfg(feature = "ble")]
    Ble(chappe::ble::BleOptions),
    /// Wi-Fi Direct.
    #[cfg(feature = "wifi-direct")]
    WifiDirect(chappe::wifi_direct::WifiDirectOptions),
}

impl FromStr for Radio {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let help = "write air:DIR, air:DIR,name=NAME, ble:hci0 or wifi-direct:wlan0";
        if let Some(options) = text.strip_prefix("ble:") {
            return ble(options);
        }
        if let Some(options) = text.strip_prefix("wifi-direct:") {
            return wifi_direct(options);
        }
        let Some(rest) = text.strip_prefix("air:") else {
            return Err(format!("there is no such radio; {help}"));
        };
        let (dir, name) = match rest.split_once(",name=") {
            Some((dir, name)) => (dir, Some(name)),
            None => (rest, None),
        };
        if dir.is_empty() || name.is_some_and(str::is_empty) || dir.contains(',') {
            return Err(format!("the radio is not complete; {help}"));
        }
        Ok(Self::Air {
            dir: dir.into(),
            name: name.map(str::to_owned),
        })
    }
}

#[cfg(feature = "ble")]
fn ble(options: &str) -> Result<Radio, String> {
    let options = options.parse::<chappe::ble::BleOptions>();
    options.map(Radio::Ble).map_err(|error| error.to_string())
}

#[cfg(not(feature = "ble"))]
fn ble(_: &str) -> Result<Radio, String> {
    Err("this program was built without Bluetooth LE; build it with `--features ble`".to_owned())
}

#[cfg(feature = "wifi-direct")]
fn wifi_direct(options: &str) -> Result<Radio, String> {
    let options = options.parse::<chappe::wifi_direct::WifiDirectOptions>();
    options
        .map(Radio::WifiDirect)
        .map_err(|error| error.to_string())
}

#[cfg(not(feature = "wifi-direct"))]
fn wifi_direct(_: &str) -> Result<Radio, String> {
    Err(
        "this program was built without Wi-Fi Direct; build it with `--features wifi-direct`"
            .to_owned(),
    )
}

/// The name that a node has in the air unless it is told another: that of its home's folder.
pub(crate) fn default_name(home: &Path) -> Option<String> {
    let home = home.canonicalize().ok()?;
    Some(home.file_name()?.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_radio_is_read_from_its_name() {
        let air = |dir: &str, name: Option<&str>| Radio::Air {
            dir: dir.into(),
            name: name.map(str::to_owned),
        };
        assert_eq!("air:./air".parse(), Ok(air("./air", None)));
        assert_eq!("air:/a/b,name=n".parse(), Ok(air("/a/b", Some("n"))));
        for bad in [
            "",
            "air",
            "air:",
            "air:,name=n",
            "air:x,name=",
            "ble:",
            "ble:hci0,bearer=pigeon",
            "air:x,rate=1",
        ] {
            assert!(bad.parse::<Radio>().is_err(), "{bad}");
        }
    }

    #[test]
    fn bluetooth_is_there_where_it_was_built_in() {
        let radio = "ble:hci0,bearer=gatt".parse::<Radio>();
        assert_eq!(radio.is_ok(), cfg!(feature = "ble"), "{radio:?}");
    }

    #[test]
    fn wifi_direct_is_there_where_it_was_built_in() {
        let radio = "wifi-direct:wlan1,netns=B,bus=unix:path=/run/b".parse::<Radio>();
        assert_eq!(radio.is_ok(), cfg!(feature = "wifi-direct"), "{radio:?}");
    }
}
