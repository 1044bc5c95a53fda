//! A file that appears only once it is whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Writes to `NAME.partial`, which becomes `NAME` in the end. A name that ends in `.gz` is gzipped.
///
/// ```no_run
/// use std::io::Write as _;
///
/// let mut sink = chappe_sim::trace::Sink::create("contacts.txt.gz".as_ref())?;
/// writeln!(sink, "0 CONN 0 1 up")?;
/// sink.finish()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Sink {
    writer: Writer,
    partial: PathBuf,
    path: PathBuf,
}

enum Writer {
    Gzip(GzEncoder<BufWriter<File>>),
    Plain(BufWriter<File>),
}

impl Sink {
    /// Begins a file.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let file = BufWriter::new(File::create(&partial)?);
        Ok(Self {
            writer: if path.extension().is_some_and(|extension| extension == "gz") {
                Writer::Gzip(GzEncoder::new(file, Compression::best()))
            } else {
                Writer::Plain(file)
            },
            partial: partial.into(),
            path: path.to_owned(),
        })
    }

    /// The file is whole.
    ///
    /// # Errors
    /// Where its end cannot be written or its name not be given.
    pub fn finish(self) -> io::Result<()> {
        let file = match self.writer {
            Writer::Gzip(encoder) => encoder.finish()?,
            Writer::Plain(file) => file,
        };
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        fs::rename(&self.partial, &self.path)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.writer {
            Writer::Gzip(encoder) => encoder.write(bytes),
            Writer::Plain(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.writer {
            Writer::Gzip(encoder) => encoder.flush(),
            Writer::Plain(file) => file.flush(),
        }
    }
}
