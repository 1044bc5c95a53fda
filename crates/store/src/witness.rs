//! What an older copy of the store does not know: how many commits there were. In a file of its own, so that
//! putting back the store alone is noticed.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::private_file;

/// The name that a store gave itself when it was made.
pub(crate) type Name = [u8; 16];

/// The file.
///
/// ```text
/// name of the store 16 | commits 8, big-endian
/// ```
pub(crate) struct Witness {
    file: File,
    name: Name,
}

impl Witness {
    /// Opens the file or makes it, and says how many commits of the store with this `name` it has seen.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(crate) fn open(path: &Path, name: Name) -> io::Result<(Self, u64)> {
        match private_file::create_empty(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let mut file = File::options().read(true).write(true).open(path)?;
        let mut bytes = Vec::new();
        io::Read::by_ref(&mut file)
            .take(LEN as u64)
            .read_to_end(&mut bytes)?;
        let seen = match bytes.split_first_chunk() {
            Some((found, commits)) if *found == name => commits.try_into().ok(),
            // Of another store, which was here before; or never written.
            _ => None,
        };
        Ok((Self { file, name }, seen.map_or(0, u64::from_be_bytes)))
    }

    /// Takes down that there were so many. Not forced onto the disk: after a power cut it may be behind, and an older
    /// copy of just these commits looks like the power cut.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(crate) fn note(&mut self, commits: u64) -> io::Result<()> {
        let mut bytes = [0; LEN];
        for (to, from) in bytes
            .iter_mut()
            .zip(self.name.into_iter().chain(commits.to_be_bytes()))
        {
            *to = from;
        }
        self.file.rewind()?;
        self.file.write_all(&bytes)
    }
}

const LEN: usize = size_of::<Name>() + size_of::<u64>();
