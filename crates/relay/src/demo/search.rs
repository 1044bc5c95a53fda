//! Looks for markers in files and in the memory of a process.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use memchr::memmem::Finder;

use super::markers::Marker;

/// Bytes that are looked at at once.
const WINDOW: usize = 4 << 20;

/// What was found, and in how much.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Bytes that were looked through.
    pub(crate) bytes: u64,
    /// By marker: where it was found first.
    pub(crate) hits: BTreeMap<String, String>,
}

/// A search for all forms of some markers.
pub(crate) struct Search<'a> {
    finders: Vec<(&'a str, Finder<'a>)>,
    overlap: usize,
}

impl<'a> Search<'a> {
    /// A search for `markers`.
    pub(crate) fn new(markers: &'a [Marker]) -> Self {
        let forms = markers.iter().flat_map(|marker| {
            marker
                .forms
                .iter()
                .map(|form| (marker.what.as_str(), form.as_slice()))
        });
        let overlap = forms
            .clone()
            .map(|(_, form)| form.len())
            .max()
            .unwrap_or(1)
            .saturating_sub(1);
        let finders = forms
            .map(|(what, form)| (what, Finder::new(form)))
            .collect();
        Self { finders, overlap }
    }

    /// Looks through a file, or all files below a folder. Sockets and the like are passed over.
    pub(crate) fn files(&self, path: &Path, found: &mut Found) -> io::Result<()> {
        let metadata = fs::symlink_metadata(path)?;
        if metadata.is_dir() {
            let entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
            return entries
                .iter()
                .try_for_each(|entry| self.files(&entry.path(), found));
        }
        if metadata.is_file() {
            self.stream(File::open(path)?, &path.display().to_string(), found)?;
        }
        Ok(())
    }

    /// Looks through all readable memory of a process.
    pub(crate) fn memory(&self, process: u32, found: &mut Found) -> io::Result<()> {
        let folder = PathBuf::from(format!("/proc/{process}"));
        let maps = fs::read_to_string(folder.join("maps"))?;
        let mut memory = File::open(folder.join("mem"))?;
        for map in maps.lines().filter_map(Map::parse) {
            memory.seek(SeekFrom::Start(map.start))?;
            let region = (&mut memory).take(map.end.saturating_sub(map.start));
            let place = format!("memory at {:x} ({})", map.start, map.name);
            match self.stream(region, &place, found) {
                // Pages of devices and the kernel's own cannot be read, and hold nothing of a program.
                Err(_) if map.special => {}
                // Memory may be given back while it is read.
                Err(error) if error.raw_os_error() == Some(5) => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// Looks through everything that `source` gives.
    pub(crate) fn stream(
        &self,
        mut source: impl Read,
        place: &str,
        found: &mut Found,
    ) -> io::Result<()> {
        let mut window = Vec::with_capacity(WINDOW + self.overlap);
        loop {
            let kept = window.len().min(self.overlap);
            window.drain(..window.len() - kept);
            let read = (&mut source).take(WINDOW as u64).read_to_end(&mut window);
            let fresh = window.len().saturating_sub(kept);
            found.bytes = found.bytes.saturating_add(fresh as u64);
            if fresh > 0 {
                self.window(&window, place, found);
            }
            if read? == 0 {
                return Ok(());
            }
        }
    }

    fn window(&self, window: &[u8], place: &str, found: &mut Found) {
        for (what, finder) in &self.finders {
            if !found.hits.contains_key(*what) && finder.find(window).is_some() {
                found.hits.insert((*what).to_owned(), place.to_owned());
            }
        }
    }
}

/// A line of `/proc/PID/maps`.
struct Map {
    start: u64,
    end: u64,
    name: String,
    special: bool,
}

impl Map {
    /// `None` for what cannot be read by anyone.
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let readable = fields.next()?.starts_with('r');
        let name = fields.nth(3).unwrap_or("anonymous").to_owned();
        let special = name.starts_with("[v") || name.starts_with("/dev/");
        let number = |hex| u64::from_str_radix(hex, 16).ok();
        (readable && name != "[vsyscall]").then_some(Self {
            start: number(start)?,
            end: number(end)?,
            name,
            special,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(what: &str, byte: u8) -> Marker {
        Marker::bytes(
            what,
            &[byte, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, byte],
        )
    }

    /// Gives a few bytes at a time, as a pipe would.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(buffer.len()).min(1_000_003);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn a_marker_is_found_wherever_it_lies() {
        let markers = [marker("one", 0xaa), marker("two", 0xbb)];
        let search = Search::new(&markers);
        for form in &markers[0].forms {
            // Also across the border of two windows.
            for at in [
                0,
                5,
                WINDOW - 20,
                WINDOW - 8,
                WINDOW - 1,
                WINDOW,
                2 * WINDOW - 3,
            ] {
                let mut hay = vec![0; 2 * WINDOW + 50];
                hay[at..at + form.len()].copy_from_slice(form);
                let mut found = Found::default();
                search.stream(Trickle(&hay), "hay", &mut found).unwrap();
                assert_eq!(found.hits.keys().collect::<Vec<_>>(), ["one"], "at {at}");
                assert_eq!(found.bytes, hay.len() as u64);
            }
        }
    }

    #[test]
    fn own_memory_and_files_in_folders_are_searched() {
        let markers = [marker("here", 0xcc), marker("nowhere", 0xdd)];
        let held = std::hint::black_box(markers[0].forms[0].clone());
        let only_here = Search::new(&markers[..1]);
        let mut found = Found::default();
        only_here.memory(std::process::id(), &mut found).unwrap();
        assert!(found.hits.contains_key("here"));

        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(folder.path().join("sub/file"), &held).unwrap();
        let mut found = Found::default();
        Search::new(&markers)
            .files(folder.path(), &mut found)
            .unwrap();
        assert_eq!(found.hits.keys().collect::<Vec<_>>(), ["here"]);
    }
}
