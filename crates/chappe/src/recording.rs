//! The recording of a node in a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chappe_node::recording::{END, FIRST_LINE, Sink};

/// A file that takes all that goes into a node and all that comes out, so that `chappe-sim replay-node` can give the same
/// code the same again. The lines are described in [`chappe_node::recording`].
///
/// It holds the node's keys, its messages and its randomness: whoever has the file reads what this identity sends and is
/// sent, and can write in its name. **For disposable test identities only.** Where the file takes nothing more, the node goes
/// on and the recording breaks off.
#[derive(Clone, Debug)]
pub struct Recording(Arc<Mutex<Option<File>>>);

impl Recording {
    /// Makes the file, which only its owner can read. One that is there already is not touched.
    ///
    /// # Errors
    /// What the system says; `AlreadyExists` if there is such a file.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        writeln!(file, "{FIRST_LINE}")?;
        Ok(Self(Arc::new(Mutex::new(Some(file)))))
    }

    /// The node was closed.
    pub(crate) fn end(&self) {
        self.line(END);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Sink for Recording {
    /// At once, not when a buffer is full: what the node could not survive is in the file.
    fn line(&self, line: &str) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = place.as_mut() else { return };
        if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
            tracing::error!("the recording breaks off: {error}");
            *place = None;
        }
    }
}
