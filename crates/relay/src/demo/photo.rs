//! The file that north sends.

use std::path::Path;

use crate::commands::read_file;
use crate::failure::Failure;

/// The photo that comes with the program.
const STATION: &[u8] = include_bytes!("../../assets/station.jpg");

/// A file to send.
pub(crate) struct Photo {
    /// Its name.
    pub(crate) name: String,
    /// Its media type.
    pub(crate) media_type: &'static str,
    /// Its content, with the mark of this run at its end.
    pub(crate) data: Vec<u8>,
}

impl Photo {
    /// The file at `path`, or the photo that comes with the program, with `mark` behind its content: viewers
    /// pay no attention to what follows the end of a picture.
    pub(crate) fn marked(path: Option<&Path>, mark: &[u8]) -> Result<Self, Failure> {
        let (name, mut data) = match path {
            Some(path) => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                (name.to_string_lossy().into_owned(), read_file(path)?)
            }
            None => ("station.jpg".to_owned(), STATION.to_vec()),
        };
        data.extend_from_slice(mark);
        let media_type = crate::commands::media_type(Path::new(&name));
        Ok(Self {
            name,
            media_type,
            data,
        })
    }
}
