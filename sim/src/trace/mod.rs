//! Files of contacts, messages and movement, in the formats that the field uses.
//!
//! Readers take plain and gzipped files, recognise the format by the first line, and refuse a file with the line and what
//! was expected there. Nothing is skipped but empty lines and comments (`#`).

mod bonnmotion;
mod csv;
mod format;
mod haggle;
mod intervals;
mod movement;
mod one;
mod setdest;
mod sink;
mod sociopatterns;
mod source;
pub mod statistics;

use std::path::Path;

pub use format::{Format, FormatError};
pub use movement::{MovementTrace, write_one_movement, write_setdest};
pub use one::{write_contacts, write_messages};
pub use sink::Sink;

use crate::event::{ContactTrace, MessageEvent, TraceError};
use source::Lines;

/// Reads contacts of any format that tells of contacts, plain or gzipped.
///
/// # Errors
/// [`TraceError`]: nothing is skipped.
pub fn read_contacts(path: &Path) -> Result<ContactTrace, TraceError> {
    read_contacts_as(path, None)
}

/// Reads contacts of this format; `None` has the first line tell it.
///
/// # Errors
/// [`TraceError`], also for a format that tells of movement: contacts follow from that once a range is given
/// ([`read_movement`]).
pub fn read_contacts_as(path: &Path, format: Option<Format>) -> Result<ContactTrace, TraceError> {
    let mut lines = Lines::open(path)?;
    let trace = match format::settled(&mut lines, format)? {
        Format::Csv => csv::contacts(&mut lines),
        Format::Haggle => haggle::contacts(&mut lines),
        Format::One => one::contacts(&mut lines),
        Format::SocioPatterns => sociopatterns::contacts(&mut lines),
        movement @ (Format::BonnMotion | Format::Setdest) => Err(lines.refuse((
            format!("movement ({movement})"),
            "contacts; `trace convert --range 30m` makes them of a movement",
        ))),
    }?;
    if trace.events.is_empty() {
        return Err(lines.refuse(("not one contact".into(), "one at least")));
    }
    Ok(trace)
}

/// Reads messages: The ONE's event lines `time C id from to size [response]`, plain or gzipped.
///
/// # Errors
/// [`TraceError`]: nothing is skipped.
pub fn read_messages(path: &Path) -> Result<Vec<MessageEvent>, TraceError> {
    one::messages(&mut Lines::open(path)?, None)
}

/// Reads messages between nodes 0 to `nodes` less one.
///
/// # Errors
/// [`TraceError`], also where a message names another node.
pub fn read_messages_among(path: &Path, nodes: u32) -> Result<Vec<MessageEvent>, TraceError> {
    one::messages(&mut Lines::open(path)?, Some(nodes))
}

/// Reads movement: BonnMotion's or ns-2's, plain or gzipped; `None` has the first line tell which.
///
/// # Errors
/// [`TraceError`], also for a format that tells of contacts.
pub fn read_movement(path: &Path, format: Option<Format>) -> Result<MovementTrace, TraceError> {
    let mut lines = Lines::open(path)?;
    match format::settled(&mut lines, format)? {
        Format::BonnMotion => bonnmotion::movement(&mut lines),
        Format::Setdest => setdest::movement(&mut lines),
        contacts => Err(lines.refuse((format!("contacts ({contacts})"), "movement"))),
    }
}

/// What a file tells of.
///
/// # Errors
/// [`TraceError`], where the first line is of no known format.
pub fn recognise(path: &Path) -> Result<Format, TraceError> {
    format::settled(&mut Lines::open(path)?, None)
}
