//! The formats of traces, and how the first line tells them apart.

use std::fmt;
use std::str::FromStr;

use super::csv;
use super::source::Lines;
use crate::event::TraceError;

/// A format of contacts or movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// BonnMotion's movement: a line to a node, `t x y` again and again.
    BonnMotion,
    /// Comma-separated values with a header: `start,end,a,b`, `time,a,b,state[,rate]`, or Copenhagen's scans.
    Csv,
    /// CRAWDAD's Haggle tables: `a b start end [encounter gap]`.
    Haggle,
    /// The ONE's events: `time CONN a b up|down`.
    One,
    /// ns-2's movement: `$ns_ at t "$node_(i) setdest x y speed"`.
    Setdest,
    /// SocioPatterns: `t i j`.
    SocioPatterns,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::BonnMotion,
        Self::Csv,
        Self::Haggle,
        Self::One,
        Self::Setdest,
        Self::SocioPatterns,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BonnMotion => "bonnmotion",
            Self::Csv => "csv",
            Self::Haggle => "haggle",
            Self::One => "one",
            Self::Setdest => "setdest",
            Self::SocioPatterns => "sociopatterns",
        }
    }

    /// Whether it tells where nodes are, not who meets whom.
    pub const fn is_movement(self) -> bool {
        matches!(self, Self::BonnMotion | Self::Setdest)
    }

    /// What a file begins with that has this first line.
    fn of(line: &str) -> Option<Self> {
        if csv::is_header(line) {
            return Some(Self::Csv);
        }
        if line.starts_with("$node_") || line.starts_with("$ns_") || line.starts_with("$god_") {
            return Some(Self::Setdest);
        }
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        if let Some(&("CONN" | "C" | "S" | "DE" | "A" | "DR" | "R")) = fields.get(1) {
            return Some(Self::One);
        }
        let numbers = fields.iter().all(|field| field.parse::<f64>().is_ok());
        let whole = |first: usize| {
            let mut fields = fields.iter().take(first);
            fields.all(|field| field.parse::<u64>().is_ok())
        };
        match fields.len() {
            3 | 5 if whole(3) => Some(Self::SocioPatterns),
            4 => whole(4).then_some(Self::Haggle),
            6 if whole(4) && !begins_a_way(&fields) => Some(Self::Haggle),
            length if numbers && length.is_multiple_of(3) && length > 0 => Some(Self::BonnMotion),
            _ => None,
        }
    }
}

/// Whether six numbers are two way-points of BonnMotion, `0 x y t x y`, and not Haggle's `a b start end encounter gap`: no
/// device meets itself, or stops before it starts.
fn begins_a_way(fields: &[&str]) -> bool {
    let number = |place: usize| {
        fields
            .get(place)
            .and_then(|field| field.parse::<u64>().ok())
    };
    number(0) == Some(0) && (number(1) == Some(0) || number(2) > number(3))
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or(FormatError)
    }
}

/// No format is called this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected bonnmotion, csv, haggle, one, setdest or sociopatterns")]
pub struct FormatError;

/// The format that was asked for, or else that of the first line.
pub(super) fn settled(lines: &mut Lines, asked: Option<Format>) -> Result<Format, TraceError> {
    if let Some(format) = asked {
        return Ok(format);
    }
    while let Some(line) = lines.next_or_comment()? {
        if line.starts_with('#') && !csv::is_header(line) {
            continue;
        }
        let Some(format) = Format::of(line) else {
            let what = format!("`{}`", line.chars().take(60).collect::<String>());
            return Err(lines.refuse((what, "a trace of a known format")));
        };
        lines.again();
        return Ok(format);
    }
    Err(lines.refuse(("nothing".into(), "a trace")))
}
