//! Lines of a file, gzipped or not, and the fields of a line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::event::{NodeIndex, SimTime, TraceError};
use crate::units::decimal;

/// What every gzip file begins with (RFC 1952, 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Longer than any line of a trace: BonnMotion has a node's whole way on one.
const MAX_LINE: u64 = 64 << 20;
/// No trace has more nodes.
const MAX_NODES: u32 = 16_000_000;
/// No time is later: 10,000,000,000 s are 317 years, and clocks that count from 1970 are far below.
const MAX_SECONDS: u64 = 10_000_000_000;
/// Decimals of a time beyond microseconds are rounded, and these many are enough of them.
const MAX_DECIMALS: usize = 6;

/// What is wrong with a line: what is there, and what was expected.
pub(super) type Fault = (String, &'static str);

/// The lines of a file, with their numbers.
pub(super) struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    text: String,
    number: u64,
    again: bool,
}

impl Lines {
    /// Opens a file. What it begins with tells whether it is gzipped, not its name.
    pub(super) fn open(path: &Path) -> Result<Self, TraceError> {
        let bad = |error: io::Error| {
            TraceError::new(path, 0, error.to_string(), "a file that can be read")
        };
        let mut file = BufReader::new(File::open(path).map_err(bad)?);
        let gzipped = file.fill_buf().map_err(bad)?.starts_with(&GZIP_MAGIC);
        Ok(Self {
            path: path.to_owned(),
            reader: if gzipped {
                Box::new(BufReader::new(MultiGzDecoder::new(file)))
            } else {
                Box::new(file)
            },
            text: String::new(),
            number: 0,
            again: false,
        })
    }

    /// The next line that is not empty and no comment (`#`), without white space around it.
    pub(super) fn next(&mut self) -> Result<Option<&str>, TraceError> {
        while self.advance()? {
            if !self.text.trim_start().starts_with('#') {
                return Ok(Some(self.text.trim()));
            }
        }
        Ok(None)
    }

    /// The next line that is not empty, even if it is a comment: some formats name their columns there.
    pub(super) fn next_or_comment(&mut self) -> Result<Option<&str>, TraceError> {
        Ok(self.advance()?.then(|| self.text.trim()))
    }

    /// The current line comes once more.
    pub(super) fn again(&mut self) {
        self.again = true;
    }

    /// The number of the current line, from 1.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The refusal of the current line.
    pub(super) fn refuse(&self, (what, expected): Fault) -> TraceError {
        self.refuse_line(self.number, (what, expected))
    }

    /// The refusal of an earlier line.
    pub(super) fn refuse_line(&self, number: u64, (what, expected): Fault) -> TraceError {
        TraceError::new(&self.path, number, what, expected)
    }

    /// To the next line that is not empty.
    fn advance(&mut self) -> Result<bool, TraceError> {
        if std::mem::take(&mut self.again) {
            return Ok(true);
        }
        loop {
            self.text.clear();
            self.number += 1;
            let read = (&mut self.reader)
                .take(MAX_LINE)
                .read_line(&mut self.text)
                .map_err(|error| self.refuse(unreadable(&error)))?;
            if read == 0 {
                return Ok(false);
            }
            if read as u64 == MAX_LINE {
                return Err(self.refuse(("the line does not end".into(), "a line of a trace")));
            }
            // Spreadsheets write a byte order mark before a table.
            if self.number == 1 && self.text.starts_with('\u{feff}') {
                self.text.remove(0);
            }
            if !self.text.trim().is_empty() {
                return Ok(true);
            }
        }
    }
}

fn unreadable(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => (
            "the compressed file ends too early".into(),
            "a whole gzip file",
        ),
        io::ErrorKind::InvalidData => ("bytes that are no text".into(), "UTF-8 text"),
        _ => (
            format!("it cannot be read any further ({error})"),
            "a whole text or gzip file",
        ),
    }
}

/// A time in seconds, exact to the microsecond.
pub(super) fn time(field: &str) -> Result<SimTime, Fault> {
    plain(field)
        .or_else(|| unusual(field))
        .filter(|micros| *micros <= MAX_SECONDS * 1_000_000)
        .map(SimTime::from_micros)
        .ok_or_else(|| {
            (
                format!("time `{field}`"),
                "seconds, not negative, up to 10,000,000,000",
            )
        })
}

/// With more decimals than are kept, or an exponent.
fn unusual(field: &str) -> Option<u64> {
    let kept = match field.split_once('.') {
        Some((whole, fraction)) if fraction.len() > MAX_DECIMALS => {
            field.get(..whole.len() + 1 + MAX_DECIMALS)
        }
        _ => Some(field),
    };
    let rest = field.get(kept.map_or(0, str::len)..).unwrap_or_default();
    kept.filter(|_| rest.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|kept| decimal(kept, 1_000_000))
        .or_else(|| scientific(field))
        .and_then(|micros| micros.checked_add(u64::from(rest.bytes().next() >= Some(b'5'))))
}

/// Digits, and a few decimals: what nearly all times are. `None` for any other, good or bad.
fn plain(field: &str) -> Option<u64> {
    let mut value: u64 = 0;
    let mut decimals = None;
    for (place, byte) in field.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => {
                value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
                decimals = decimals.map(|count| count + 1);
            }
            b'.' if place > 0 && decimals.is_none() => decimals = Some(0),
            _ => return None,
        }
    }
    let missing = MAX_DECIMALS.checked_sub(decimals.unwrap_or(0))?;
    let unit = 10_u64.checked_pow(u32::try_from(missing).ok()?)?;
    (!field.is_empty()).then_some(value.checked_mul(unit)?)
}

/// Java prints times of 10,000,000 s and more with an exponent.
fn scientific(field: &str) -> Option<u64> {
    let seconds: f64 = field.contains(['e', 'E']).then(|| field.parse().ok())??;
    let micros = seconds * 1e6;
    (micros.is_sign_positive() && micros < 1e18).then_some(micros.round() as u64)
}

/// A node's number.
pub(super) fn node(field: &str) -> Result<NodeIndex, Fault> {
    whole(field)
        .ok()
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| *number < MAX_NODES)
        .map(NodeIndex::new)
        .ok_or_else(|| {
            (
                format!("node `{field}`"),
                "a node's number, below 16,000,000",
            )
        })
}

/// Two different nodes.
pub(super) fn pair(a: &str, b: &str) -> Result<(NodeIndex, NodeIndex), Fault> {
    match (node(a)?, node(b)?) {
        (a, b) if a == b => Err((format!("node {a} with itself"), "two nodes")),
        pair => Ok(pair),
    }
}

/// A whole number that is not negative.
pub(super) fn whole(field: &str) -> Result<u64, Fault> {
    field
        .parse()
        .map_err(|_| (format!("`{field}`"), "a whole number, not negative"))
}
/// A coordinate or a speed.
pub(super) fn real(field: &str) -> Result<f64, Fault> {
    field
        .parse()
        .ok()
        .filter(|number: &f64| number.abs() < 1e12)
        .ok_or_else(|| (format!("`{field}`"), "a number"))
}
