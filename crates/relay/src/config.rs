//! `chappe run --config FILE`: what the command line can say, and the node's settings, in a file.

use std::path::{Path, PathBuf};

use chappe::NodeConfig;
use chappe::wire::{ByteCount, Duration, Lifetime};
use serde::{Deserialize, Deserializer};

use crate::cli::Run;
use crate::failure::Failure;
use crate::radio::Radio;

/// The largest file that is read, in bytes.
const MAX_LEN: u64 = 64 * 1_024;

/// The settings of a node. What is not set stays at its default; `debian/chappe.toml` names them all.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// The folder of the node.
    pub(crate) home: Option<PathBuf>,
    relay: Option<bool>,
    in_memory: Option<bool>,
    #[serde(default)]
    radios: Vec<RadioName>,
    capture: Option<PathBuf>,
    capacity_mib: Option<u64>,
    quota_per_contact_mib: Option<u64>,
    lifetime_hours: Option<LifetimeHours>,
    receipt_delay_seconds: Option<u64>,
    receipt_delay_unverified_seconds: Option<u64>,
    receipts_to_unverified: Option<bool>,
    #[serde(default)]
    pinned: Vec<HopKey>,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// A sentence with the file, the line, and what was expected there.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let told = |reason: String| {
            Failure::new(format!(
                "The file {} cannot be read: {reason}",
                path.display()
            ))
        };
        let length = std::fs::metadata(path)
            .map_err(|error| told(crate::failure::plain_reason(&error)))?
            .len();
        if length > MAX_LEN {
            return Err(told(format!(
                "it has more than {MAX_LEN} bytes, which no settings have"
            )));
        }
        let text = std::fs::read_to_string(path)
            .map_err(|error| told(crate::failure::plain_reason(&error)))?;
        Self::parse(&text).map_err(|(line, reason)| {
            Failure::new(format!(
                "Line {line} of {} is wrong: {reason}",
                path.display()
            ))
        })
    }

    /// Reads a text; a mistake is told with its line.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        toml::from_str(text).map_err(|error| {
            let before = error.span().map_or(0, |span| span.start);
            let before = text.as_bytes().get(..before).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let reason = error.message().replace('\n', " ");
            (
                line,
                reason.replace("expected u64", "expected a whole number"),
            )
        })
    }

    /// What the command line does not say is taken from here.
    pub(crate) fn complete(&self, mut options: Run) -> Run {
        options.relay |= self.relay.unwrap_or_default();
        options.in_memory |= self.in_memory.unwrap_or_default();
        if options.radios.is_empty() {
            options.radios = self.radios.iter().map(|name| name.0.clone()).collect();
        }
        options.capture = options.capture.or_else(|| self.capture.clone());
        options
    }

    /// Sets what is the node's own.
    pub(crate) fn apply(&self, node: &mut NodeConfig) {
        let set = |setting: &mut ByteCount, mib: Option<u64>| {
            *setting = mib.map_or(*setting, ByteCount::from_mib);
        };
        set(&mut node.capacity, self.capacity_mib);
        set(&mut node.quota_per_contact, self.quota_per_contact_mib);
        let delay = |setting: &mut Duration, seconds: Option<u64>| {
            *setting = seconds.map_or(*setting, Duration::from_secs);
        };
        delay(&mut node.receipt_delay, self.receipt_delay_seconds);
        delay(
            &mut node.receipt_delay_unverified,
            self.receipt_delay_unverified_seconds,
        );
        if let Some(LifetimeHours(lifetime)) = self.lifetime_hours {
            node.lifetime = lifetime;
        }
        if let Some(answer) = self.receipts_to_unverified {
            node.receipts_to_unverified = answer;
        }
        node.pinned.extend(self.pinned.iter().map(|key| key.0));
    }
}

/// A radio as `--radio` names it.
#[derive(Clone, Debug, PartialEq)]
struct RadioName(Radio);

impl<'de> Deserialize<'de> for RadioName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// One of the lifetimes that envelopes have.
#[derive(Clone, Copy, Debug, PartialEq)]
struct LifetimeHours(Lifetime);

impl<'de> Deserialize<'de> for LifetimeHours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hours = Duration::from_hours(u64::deserialize(deserializer)?);
        let lifetime = Lifetime::at_least(hours);
        if lifetime.as_duration() != hours {
            let expected = "expected 1, 6, 24, 72, 168, 336 or 720 hours";
            return Err(serde::de::Error::custom(expected));
        }
        Ok(Self(lifetime))
    }
}

/// The hop key of a relay, 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq)]
struct HopKey([u8; 32]);

impl<'de> Deserialize<'de> for HopKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = || serde::de::Error::custom("expected 64 hexadecimal digits");
        let text = String::deserialize(deserializer)?;
        let digits: Option<Vec<u8>> = text
            .chars()
            .map(|digit| digit.to_digit(16).map(|value| value as u8))
            .collect();
        let digits = digits.ok_or_else(expected)?;
        let bytes: Vec<u8> = digits
            .chunks(2)
            .filter_map(|pair| match pair {
                [high, low] => Some(high << 4 | low),
                _ => None,
            })
            .collect();
        let whole = digits.len() == 64;
        let key = bytes.try_into().ok().filter(|_| whole);
        key.map(Self).ok_or_else(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../debian/chappe.toml");

    /// The example with each setting that stands in a comment switched on.
    fn switched_on() -> String {
        let uncommented = |line: &str| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') && rest.contains(" = ") => rest.to_owned(),
            _ => line.to_owned(),
        };
        EXAMPLE
            .lines()
            .map(|line| uncommented(line) + "\n")
            .collect()
    }

    #[test]
    fn the_example_is_a_relay_with_everything_else_at_its_default() {
        let expected = Config {
            home: Some("/var/lib/chappe".into()),
            relay: Some(true),
            ..Config::default()
        };
        assert_eq!(Config::parse(EXAMPLE), Ok(expected));
    }

    #[cfg(all(feature = "ble", feature = "wifi-direct"))]
    #[test]
    fn every_setting_of_the_example_is_known() {
        let config = Config::parse(&switched_on()).unwrap();
        assert_eq!(config.radios.len(), 2);
        assert_every_setting_but_radios(&config);
    }

    #[test]
    fn every_setting_of_the_example_but_radios_is_known_without_radios_too() {
        let without: String = switched_on()
            .lines()
            .filter(|line| !line.starts_with("radios"))
            .map(|line| line.to_owned() + "\n")
            .collect();
        assert_every_setting_but_radios(&Config::parse(&without).unwrap());
    }

    fn assert_every_setting_but_radios(config: &Config) {
        let Config {
            home,
            relay,
            in_memory,
            radios: _,
            capture,
            capacity_mib,
            quota_per_contact_mib,
            lifetime_hours,
            receipt_delay_seconds,
            receipt_delay_unverified_seconds,
            receipts_to_unverified,
            pinned,
        } = config;
        assert!(home.is_some() && capture.is_some());
        assert!(relay.is_some() && in_memory.is_some());
        assert!(capacity_mib.is_some() && quota_per_contact_mib.is_some());
        assert!(lifetime_hours.is_some() && receipts_to_unverified.is_some());
        assert!(receipt_delay_seconds.is_some() && receipt_delay_unverified_seconds.is_some());
        assert_eq!(pinned.len(), 1);
    }

    #[test]
    fn the_examples_values_are_the_defaults_it_says_they_are() {
        let mut changed = NodeConfig::relay();
        Config::parse(&without_radios_and_pins())
            .unwrap()
            .apply(&mut changed);
        assert_eq!(format!("{changed:?}"), format!("{:?}", NodeConfig::relay()));
    }

    fn without_radios_and_pins() -> String {
        let other = |line: &&str| !line.starts_with("radios") && !line.starts_with("pinned");
        let text = switched_on();
        text.lines()
            .filter(other)
            .map(|line| line.to_owned() + "\n")
            .collect()
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_what_was_expected() {
        for (text, line, word) in [
            ("relay = true\nradio = \"x\"\n", 2, "unknown field `radio`"),
            ("relay = 7\n", 1, "expected a boolean"),
            ("\n\nlifetime-hours = 5\n", 3, "expected 1, 6, 24"),
            ("radios = [\"pigeon:1\"]\n", 1, "no such radio"),
            ("pinned = [\"abc\"]\n", 1, "64 hexadecimal digits"),
            ("capacity-mib = -1\n", 1, "invalid value"),
            ("relay = tru\n", 1, ""),
            ("relay = true\nrelay = true\n", 2, "duplicate"),
        ] {
            let (found, reason) = Config::parse(text).unwrap_err();
            assert_eq!(found, line, "{text}: {reason}");
            assert!(reason.contains(word), "{text}: {reason}");
        }
    }

    #[test]
    fn the_command_line_goes_before_the_file() {
        let config =
            Config::parse("relay = true\nradios = [\"air:/file\"]\ncapture = \"/c\"\n").unwrap();
        let radios = vec!["air:/line".parse().unwrap()];
        let line = Run {
            radios: radios.clone(),
            ..Run::default()
        };
        let all = config.complete(line);
        assert_eq!(all.radios, radios);
        assert!(all.relay && !all.in_memory);
        assert_eq!(all.capture, Some("/c".into()));
    }
}
