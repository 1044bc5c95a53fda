//! Who hears whom in the air, and how well.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::name::{NameError, NodeName};
use super::settings::{Conditions, Settings};

/// Who hears whom, and how well. It is kept in the file [`RANGE_FILE`](super::RANGE_FILE) of the air's folder;
/// without that file everybody hears everybody, perfectly.
///
/// ```
/// use chappe_link::air::{Hearing, NodeName, Range, Settings};
///
/// let mut range = Range::default();
/// range.hearing = Hearing::from_words(["north", "relay", "--", "relay", "south"])?;
/// range.settings = Settings::from_words(["rate=1MB/s"])?;
///
/// let [north, relay, south] = ["north", "relay", "south"].map(|name| NodeName::new(name).unwrap());
/// assert!(range.hears(&north, &relay) && range.hears(&south, &relay));
/// assert!(!range.hears(&north, &south));
/// assert_eq!(Range::parse(&range.to_toml())?, range);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Who hears whom.
    pub hearing: Hearing,
    /// How well, for all.
    pub settings: Settings,
    /// How well, for single pairs: what is set here goes before what is set for all.
    pub pairs: BTreeMap<Pair, Settings>,
}

impl Range {
    /// True if the two nodes hear each other. Nobody hears itself.
    pub fn hears(&self, one: &NodeName, other: &NodeName) -> bool {
        let among = |group: &BTreeSet<NodeName>| group.contains(one) && group.contains(other);
        match &self.hearing {
            Hearing::Everybody => one != other,
            Hearing::Groups(groups) => one != other && groups.iter().any(among),
        }
    }

    /// How well two nodes hear each other, if they do.
    pub fn conditions(&self, one: &NodeName, other: &NodeName) -> Conditions {
        let pair = Pair::new(one.clone(), other.clone()).and_then(|pair| self.pairs.get(&pair));
        pair.copied()
            .unwrap_or_default()
            .over(self.settings)
            .conditions()
    }

    /// Sets something for all nodes; what `settings` leaves open stays as it is.
    pub fn set(&mut self, settings: Settings) {
        self.settings = settings.over(self.settings);
    }

    /// Sets something for a pair; what `settings` leaves open stays as it is.
    pub fn set_pair(&mut self, pair: Pair, settings: Settings) {
        let entry = self.pairs.entry(pair).or_default();
        *entry = settings.over(*entry);
    }
}

/// For people: who hears whom, one line each, and what is set.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.hearing)?;
        if self.settings != Settings::default() {
            write!(f, "\nall:{}", Words(&self.settings))?;
        }
        for (pair, settings) in &self.pairs {
            write!(
                f,
                "\n{} and {}:{}",
                pair.first(),
                pair.second(),
                Words(settings)
            )?;
        }
        Ok(())
    }
}

/// Who hears whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Hearing {
    /// Everybody hears everybody.
    #[default]
    Everybody,
    /// The nodes of each group hear one another. Without a group nobody hears anybody.
    Groups(Vec<BTreeSet<NodeName>>),
}

impl Hearing {
    /// Nobody hears anybody.
    pub const NOBODY: Self = Self::Groups(Vec::new());

    /// Reads the names of a group, or of several with `--` between them.
    ///
    /// # Errors
    /// [`HearingError`] if a name is wrong, or a group has less than two.
    pub fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, HearingError> {
        let mut groups = vec![BTreeSet::new()];
        for word in words {
            match (word, groups.last_mut()) {
                ("--", _) | (_, None) => groups.push(BTreeSet::new()),
                (name, Some(group)) => {
                    let wrong = |reason| HearingError::Name {
                        name: name.to_owned(),
                        reason,
                    };
                    group.insert(NodeName::new(name).map_err(wrong)?);
                }
            }
        }
        if groups.iter().any(|group| group.len() < 2) {
            return Err(HearingError::Alone);
        }
        Ok(Self::Groups(groups))
    }
}

impl fmt::Display for Hearing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = match self {
            Self::Everybody => return f.write_str("everybody hears everybody"),
            Self::Groups(groups) => groups,
        };
        let names: BTreeSet<&NodeName> = groups.iter().flatten().collect();
        let mut lines = 0;
        for name in names {
            let around = groups.iter().filter(|group| group.contains(name)).flatten();
            let heard: BTreeSet<&NodeName> = around.filter(|other| *other != name).collect();
            if heard.is_empty() {
                continue;
            }
            let heard: Vec<&str> = heard.into_iter().map(NodeName::as_str).collect();
            let newline = if lines == 0 { "" } else { "\n" };
            write!(f, "{newline}{name} hears {}", heard.join(", "))?;
            lines += 1;
        }
        if lines == 0 {
            f.write_str("nobody hears anybody")
        } else {
            Ok(())
        }
    }
}

/// Why words do not say who hears whom.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HearingError {
    /// A group of less than two.
    #[error("a group needs at least two different names, and \"--\" stands between two groups")]
    Alone,
    /// A wrong name.
    #[error("\"{name}\" is not a name: {reason}")]
    Name {
        /// What stands there.
        name: String,
        /// What was expected.
        reason: NameError,
    },
}

/// Two different nodes, in no order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair(NodeName, NodeName);

impl Pair {
    /// The pair of two nodes; `None` if they are one.
    pub fn new(one: NodeName, other: NodeName) -> Option<Self> {
        match one.cmp(&other) {
            std::cmp::Ordering::Less => Some(Self(one, other)),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(Self(other, one)),
        }
    }

    /// The node whose name sorts first: it opens the link.
    pub const fn first(&self) -> &NodeName {
        &self.0
    }

    /// The other node.
    pub const fn second(&self) -> &NodeName {
        &self.1
    }
}

/// Settings as the words that [`Settings::from_words`] reads, each after a space.
struct Words<'a>(&'a Settings);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings {
            rate,
            latency,
            loss,
            duplicate,
            reorder,
            mtu,
        } = self.0;
        let words = [
            ("rate", rate.map(|value| value.to_string())),
            ("latency", latency.map(|value| value.to_string())),
            ("loss", loss.map(|value| value.to_string())),
            ("duplicate", duplicate.map(|value| value.to_string())),
            ("reorder", reorder.map(|value| value.to_string())),
            ("mtu", mtu.map(|value| value.to_string())),
        ];
        for (name, value) in words {
            if let Some(value) = value {
                write!(f, " {name}={value}")?;
            }
        }
        Ok(())
    }
}
