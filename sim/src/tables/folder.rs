//! Tables in a folder: `DIR/TABLE/RUN.parquet`, a file to a run, each of which appears once it is whole.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::Kind;
use crate::frame::{Frame, FrameError};
use crate::trace::Sink;

/// How tables are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As CSV.
    Csv,
    /// As Parquet.
    #[default]
    Parquet,
}

/// The tables of a run.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    tables: Vec<(Kind, Frame)>,
}

/// Why a folder cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file or folder cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file holds no table.
    #[error("{}: {error}; expected a whole Parquet file that chappe-sim wrote", path.display())]
    Table {
        /// Which.
        path: PathBuf,
        /// Why.
        error: FrameError,
    },
}

impl Form {
    /// What file names end in.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

impl Tables {
    /// Adds a table.
    pub fn add(&mut self, kind: Kind, table: Frame) {
        self.tables.push((kind, table));
    }

    /// Writes each table that has rows into a file of this name. The table of the run itself comes last: what is not in it is
    /// not finished.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn write(&self, folder: &Path, name: &str, form: Form) -> Result<(), FolderError> {
        let (last, others): (Vec<_>, Vec<_>) =
            self.tables.iter().partition(|(kind, _)| *kind == Kind::Run);
        for (kind, table) in others.into_iter().chain(last) {
            if table.rows() == 0 {
                continue;
            }
            let folder = folder.join(kind.name());
            fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
            let path = folder.join(format!("{name}.{}", form.ending()));
            write(table, &path, form)?;
        }
        Ok(())
    }
}

/// Writes a table into a file, which appears once it is whole.
///
/// # Errors
/// [`FolderError`].
pub fn write(table: &Frame, path: &Path, form: Form) -> Result<(), FolderError> {
    let mut sink = Sink::create(path).map_err(|error| failed(path, error))?;
    let sink = match form {
        Form::Csv => {
            let written = sink.write_all(table.to_csv().as_bytes());
            written.map_err(|error| failed(path, error))?;
            sink
        }
        Form::Parquet => table.to_parquet(sink).map_err(|error| FolderError::Table {
            path: path.to_owned(),
            error,
        })?,
    };
    sink.finish().map_err(|error| failed(path, error))
}

/// Reads a file of Parquet.
///
/// # Errors
/// [`FolderError`].
pub fn read(path: &Path) -> Result<Frame, FolderError> {
    let file = File::open(path).map_err(|error| failed(path, error))?;
    Frame::from_parquet_file(file).map_err(|error| FolderError::Table {
        path: path.to_owned(),
        error,
    })
}

/// The files of a folder that end so, in order of name; none where there is no such folder.
///
/// # Errors
/// [`FolderError`].
pub fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, FolderError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(folder, error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(folder, error))?.path();
        if path.extension().is_some_and(|kind| kind == ending) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

pub(crate) fn failed(path: &Path, error: io::Error) -> FolderError {
    FolderError::File {
        path: path.to_owned(),
        error,
    }
}
