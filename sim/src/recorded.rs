//! Recordings of nodes in files: `chappe run --record FILE` writes them, [`chappe_node::recording`] has the format and replays
//! them line by line.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use chappe_node::recording::{Difference, Ending, EntryError, Replay};

/// Longer than any line: a file to be sent has 32 MiB at most, and two digits for a byte.
const MAX_LINE: u64 = 80 << 20;

/// How a recorded node did when it was given the same again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Lines that were read.
    pub lines: u64,
    /// How often a node was built: once, and after each failure of its store.
    pub nodes: u64,
    /// Inputs that were handed in.
    pub inputs: u64,
    /// Outputs that were the same.
    pub outputs: u64,
    /// The first difference, or how it ended without one.
    pub verdict: Result<Ending, Box<Difference>>,
}

/// Why a file is no recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// It cannot be read.
    #[error("{}: {error}; expected a file that can be read", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A line is none of a recording.
    #[error("{}:{line}: {error}", path.display())]
    Line {
        /// In which file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        error: EntryError,
    },
}

/// Gives the code of today what a recorded node was given.
///
/// # Errors
/// [`RecordingError`], where the file is no recording.
pub fn replay(path: &Path) -> Result<Replayed, RecordingError> {
    let unreadable = |error: io::Error| RecordingError::File {
        path: path.to_owned(),
        error,
    };
    let wrong = |line, error| RecordingError::Line {
        path: path.to_owned(),
        line,
        error,
    };
    let mut reader = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut replay = Replay::new();
    let mut difference = None;
    let mut line = String::new();
    while difference.is_none() {
        line.clear();
        let read = (&mut reader).take(MAX_LINE).read_line(&mut line);
        read.map_err(unreadable)?;
        let Some(whole) = line.strip_suffix('\n') else {
            // The last line was not written to its end: as if it were not there, but for a file that is something else.
            if replay.lines() == 0 || line.len() as u64 == MAX_LINE {
                let error = EntryError {
                    found: "a file of another kind".to_owned(),
                    expected: "what `chappe run --record` has written",
                };
                return Err(wrong(replay.lines() + 1, error));
            }
            break;
        };
        let taken = replay.line(whole);
        difference = taken.map_err(|error| wrong(replay.lines(), error))?;
    }
    Ok(Replayed {
        lines: replay.lines(),
        nodes: replay.nodes(),
        inputs: replay.inputs(),
        outputs: replay.outputs(),
        verdict: match difference {
            Some(difference) => Err(difference),
            None => Ok(replay.finish()),
        },
    })
}
