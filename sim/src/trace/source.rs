//! Lines of a file, gzipped or not.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::event::TraceError;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Longer than any line of a trace.
const MAX_LINE: u64 = 64 << 10;

/// The lines of a file, with their numbers.
pub(super) struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    text: String,
    number: u64,
}

impl Lines {
    /// Opens a file. What it begins with tells whether it is gzipped, not its name.
    pub(super) fn open(path: &Path) -> Result<Self, TraceError> {
        let bad = |error: std::io::Error| {
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
        })
    }

    /// The next line that is not empty and no comment (`#`), without white space around it.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &str)>, TraceError> {
        loop {
            self.text.clear();
            self.number += 1;
            let read = (&mut self.reader)
                .take(MAX_LINE)
                .read_line(&mut self.text)
                .map_err(|error| {
                    self.error(
                        &format!("cannot be read any further ({error})"),
                        "a whole text or gzip file",
                    )
                })?;
            if read == 0 {
                return Ok(None);
            }
            if read as u64 == MAX_LINE {
                return Err(self.error("the line does not end", "a line of a trace"));
            }
            if !matches!(self.text.trim(), "") && !self.text.trim_start().starts_with('#') {
                return Ok(Some((self.number, self.text.trim())));
            }
        }
    }

    /// What is wrong with the current line.
    pub(super) fn error(&self, what: &str, expected: &str) -> TraceError {
        TraceError::new(&self.path, self.number, what, expected)
    }
}
