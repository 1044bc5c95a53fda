//! One line of a recording, read.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use chappe_wire::{Instant, LinkId};

use super::input::read_input;
use super::start::read_config;
use super::words::Words;
use crate::{Input, Node, NodeConfig, Store, StoreError, Table};

/// One line of a recording after the first.
#[derive(Debug)]
#[non_exhaustive]
pub enum Entry {
    /// What the store said at a call.
    Answer {
        /// Which call since the start, from 1.
        call: u64,
        /// What it said.
        answer: Answer,
    },
    /// How the node is set up.
    Config(NodeConfig),
    /// The node was closed.
    End,
    /// Something was handed in.
    Input {
        /// When.
        now: Instant,
        /// What.
        input: RecordedInput,
    },
    /// Something came out: the line is compared with that of [`output`](super::output).
    Output,
    /// A node was built, or refused: the line is compared with that of [`ready`](super::ready).
    Ready,
    /// A node is built.
    Start {
        /// When.
        now: Instant,
        /// The bytes from which all its randomness comes.
        seed: [u8; 32],
    },
    /// The store has an entry from the beginning.
    Stored {
        /// In which table.
        table: Table,
        /// Its key.
        key: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
    },
}

/// What a store said that does not follow from what was put there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// It failed.
    Error(StoreError),
    /// So many bytes are free.
    Free(u64),
    /// So many commits are missing.
    Lost(u64),
}

/// An input that owns what it holds.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecordedInput {
    /// Any input but a packet.
    Other(Input<'static>),
    /// A packet.
    Received {
        /// Over which link.
        link: LinkId,
        /// The packet.
        packet: Vec<u8>,
    },
}

impl RecordedInput {
    /// Hands it to a node.
    pub fn hand_to(self, node: &mut Node<impl Store>, now: Instant) {
        match self {
            Self::Other(input) => node.handle_input(now, input),
            Self::Received { link, packet } => {
                let packet = &packet;
                node.handle_input(now, Input::Received { link, packet });
            }
        }
    }
}

impl Entry {
    /// Reads a line, without its end.
    ///
    /// # Errors
    /// [`EntryError`]: what is there, and what was expected.
    pub fn parse(line: &str) -> Result<Self, EntryError> {
        let mut words = Words::of(line);
        let entry = match words.word("a kind of line")? {
            "answer" => Self::Answer {
                call: words.number()?,
                answer: answer(&mut words)?,
            },
            "config" => Self::Config(read_config(&mut words)?),
            "end" => Self::End,
            "in" => Self::Input {
                now: Instant::from_micros(words.number()?),
                input: read_input(&mut words)?,
            },
            "out" => return Ok(Self::Output),
            "ready" | "refused" => return Ok(Self::Ready),
            "start" => Self::Start {
                now: Instant::from_micros(words.number()?),
                seed: words.array()?,
            },
            "stored" => {
                let number: u8 = words.small()?;
                let table = Table::ALL.into_iter().find(|table| *table as u8 == number);
                Self::Stored {
                    table: table
                        .ok_or_else(|| EntryError::new(format!("table {number}"), "a table"))?,
                    key: words.bytes()?,
                    value: words.bytes()?,
                }
            }
            other => {
                return Err(EntryError::word(
                    other,
                    "answer, config, end, in, out, ready, refused, start or stored",
                ));
            }
        };
        words.end()?;
        Ok(entry)
    }
}

fn answer(words: &mut Words<'_>) -> Result<Answer, EntryError> {
    Ok(match words.word("an answer")? {
        "error" => Answer::Error(match words.word("an error")? {
            "corrupt" => StoreError::Corrupt,
            "full" => StoreError::Full,
            "io" => StoreError::Io,
            "too-long" => StoreError::TooLong,
            other => return Err(EntryError::word(other, "corrupt, full, io or too-long")),
        }),
        "free" => Answer::Free(words.number()?),
        "lost" => Answer::Lost(words.number()?),
        other => return Err(EntryError::word(other, "error, free or lost")),
    })
}

/// A line that is none of a recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is {found}; expected {expected}")]
pub struct EntryError {
    /// What is there.
    pub found: String,
    /// What was expected.
    pub expected: &'static str,
}

/// Longer words are not repeated in full.
const MAX_SHOWN: usize = 40;

impl EntryError {
    pub(super) const fn new(found: String, expected: &'static str) -> Self {
        Self { found, expected }
    }

    pub(super) fn word(word: &str, expected: &'static str) -> Self {
        let mut shown: String = word.chars().take(MAX_SHOWN).collect();
        if shown.len() < word.len() {
            shown.push_str("...");
        }
        let found = if shown.is_empty() {
            "nothing".to_owned()
        } else {
            format!("`{shown}`")
        };
        Self { found, expected }
    }
}
