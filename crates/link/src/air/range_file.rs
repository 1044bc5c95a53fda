//! The file that says who hears whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;

use crate::fault::{Latency, Probability, Rate};

use super::folder;
use super::name::NodeName;
use super::range::{Hearing, Pair, Range};
use super::settings::{Mtu, Settings};

/// The file's name in the air's folder.
pub const RANGE_FILE: &str = "range.toml";
/// The longest file, in bytes.
pub const MAX_RANGE_LEN: usize = 64 * 1024;

impl Range {
    /// Reads the text of a file:
    ///
    /// ```toml
    /// # Nodes of one group hear one another. No line: all hear all. An empty list: nobody hears anybody.
    /// groups = [["north", "relay"], ["relay", "south"]]
    ///
    /// # How well, for all pairs. What is not said is perfect.
    /// rate = "1MB/s"
    /// latency = "20ms"
    /// loss = "1%"
    /// duplicate = "0.1%"
    /// reorder = "0.1%"
    /// mtu = 8192
    ///
    /// # How well, for one pair.
    /// [[pair]]
    /// between = ["relay", "south"]
    /// rate = "20kB/s"
    /// ```
    ///
    /// # Errors
    /// [`RangeError::Syntax`] with the line and what was expected, or [`RangeError::TooLong`].
    pub fn parse(text: &str) -> Result<Self, RangeError> {
        if text.len() > MAX_RANGE_LEN {
            return Err(RangeError::TooLong);
        }
        let file: RangeToml = toml::from_str(text).map_err(|error| RangeError::Syntax {
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            reason: error.message().to_owned(),
        })?;
        let mut pairs = BTreeMap::new();
        for pair in file.pair {
            let between = pair.between.get_ref();
            let wrong = |reason: &str| RangeError::Syntax {
                line: line_of(text, pair.between.span().start),
                reason: reason.to_owned(),
            };
            let [one, other] = between.clone();
            let key = Pair::new(one, other).ok_or_else(|| wrong("expected two different names"))?;
            if pairs.insert(key, pair.settings()).is_some() {
                return Err(wrong(
                    "expected each pair once; this one has been set above",
                ));
            }
        }
        let settings = Settings {
            rate: file.rate,
            latency: file.latency,
            loss: file.loss,
            duplicate: file.duplicate,
            reorder: file.reorder,
            mtu: file.mtu,
        };
        let hearing = file.groups.map_or(Hearing::Everybody, Hearing::Groups);
        Ok(Self {
            hearing,
            settings,
            pairs,
        })
    }

    /// The text of a file that [`Range::parse`] reads as the same.
    pub fn to_toml(&self) -> String {
        let mut text = String::from(
            "# Who hears whom in this air, and how well. Nodes read changes at once.\n",
        );
        match &self.hearing {
            Hearing::Everybody => {
                text.push_str("# Without \"groups\" everybody hears everybody.\n")
            }
            Hearing::Groups(groups) => {
                let quoted = |group: &BTreeSet<NodeName>| {
                    let names: Vec<String> =
                        group.iter().map(|name| format!("\"{name}\"")).collect();
                    format!("[{}]", names.join(", "))
                };
                let groups: Vec<String> = groups.iter().map(quoted).collect();
                text.push_str(&format!("groups = [{}]\n", groups.join(", ")));
            }
        }
        push_settings(&mut text, &self.settings);
        for (pair, settings) in &self.pairs {
            let (first, second) = (pair.first(), pair.second());
            text.push_str(&format!(
                "\n[[pair]]\nbetween = [\"{first}\", \"{second}\"]\n"
            ));
            push_settings(&mut text, settings);
        }
        text
    }

    /// Reads the file of an air; the default if there is none.
    ///
    /// # Errors
    /// [`RangeError`].
    pub fn load(folder: &Path) -> Result<Self, RangeError> {
        read_file(folder)?.map_or_else(|| Ok(Self::default()), |text| Self::parse(&text))
    }

    /// Writes the file of an air, whose folder is made if need be. Whoever reads it meanwhile finds the old
    /// file or the new one, whole. Comments that people wrote into it are lost.
    ///
    /// # Errors
    /// [`RangeError`]; the old file is as it was then.
    pub fn save(&self, folder: &Path) -> Result<(), RangeError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let text = self.to_toml();
        if text.len() > MAX_RANGE_LEN {
            return Err(RangeError::TooLong);
        }
        folder::make(folder)?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let new = folder.join(format!(".{RANGE_FILE}.{}.{number}", std::process::id()));
        let written =
            write_file(&new, &text).and_then(|()| fs::rename(&new, folder.join(RANGE_FILE)));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        Ok(written?)
    }
}

/// The file's text; `None` if there is no file.
pub(super) fn read_file(folder: &Path) -> Result<Option<String>, RangeError> {
    let file = match File::open(folder.join(RANGE_FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut bytes = Vec::new();
    file.take(MAX_RANGE_LEN as u64 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() > MAX_RANGE_LEN {
        return Err(RangeError::TooLong);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let before = error.as_bytes().get(..good).unwrap_or_default();
            let line = before
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                .saturating_add(1);
            Err(RangeError::Syntax {
                line,
                reason: "expected text in UTF-8".to_owned(),
            })
        }
    }
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RangeError {
    /// The system refused to read or write it.
    #[error("{RANGE_FILE}: {0}")]
    Io(#[from] io::Error),
    /// A line cannot be read.
    #[error("{RANGE_FILE}, line {line}: {reason}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What was expected.
        reason: String,
    },
    /// More than [`MAX_RANGE_LEN`] bytes.
    #[error("{RANGE_FILE} has more than {MAX_RANGE_LEN} bytes")]
    TooLong,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeToml {
    groups: Option<Vec<BTreeSet<NodeName>>>,
    rate: Option<Rate>,
    latency: Option<Latency>,
    loss: Option<Probability>,
    duplicate: Option<Probability>,
    reorder: Option<Probability>,
    mtu: Option<Mtu>,
    #[serde(default)]
    pair: Vec<PairToml>,
}

// The fields of the settings stand in both structs, since serde cannot refuse unknown fields beside `flatten`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PairToml {
    between: toml::Spanned<[NodeName; 2]>,
    rate: Option<Rate>,
    latency: Option<Latency>,
    loss: Option<Probability>,
    duplicate: Option<Probability>,
    reorder: Option<Probability>,
    mtu: Option<Mtu>,
}

impl PairToml {
    fn settings(&self) -> Settings {
        Settings {
            rate: self.rate,
            latency: self.latency,
            loss: self.loss,
            duplicate: self.duplicate,
            reorder: self.reorder,
            mtu: self.mtu,
        }
    }
}

fn push_settings(text: &mut String, settings: &Settings) {
    let Settings {
        rate,
        latency,
        loss,
        duplicate,
        reorder,
        mtu,
    } = settings;
    let lines = [
        ("rate", rate.map(|value| format!("\"{value}\""))),
        ("latency", latency.map(|value| format!("\"{value}\""))),
        ("loss", loss.map(|value| format!("\"{value}\""))),
        ("duplicate", duplicate.map(|value| format!("\"{value}\""))),
        ("reorder", reorder.map(|value| format!("\"{value}\""))),
        ("mtu", mtu.map(|value| value.to_string())),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            text.push_str(&format!("{name} = {value}\n"));
        }
    }
}

fn write_file(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// The line, from 1, of a byte of the text.
fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        .saturating_add(1)
}
