//! The memory of another process, by `/proc`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};

use crate::Failure;
use crate::secrets::{LEN, Secret};

pub(crate) struct Memory(u32);

impl Memory {
    /// That of a process that this one has started.
    pub(crate) fn of(process: u32) -> Result<Self, Failure> {
        if cfg!(target_os = "linux") {
            Ok(Self(process))
        } else {
            Err("this looks into /proc, which is Linux's".into())
        }
    }

    /// The secrets that are there: on stacks, and elsewhere.
    pub(crate) fn find(&self, secrets: &[Secret]) -> Result<(Vec<Secret>, Vec<Secret>), Failure> {
        let mut memory = File::open(format!("/proc/{}/mem", self.0))?;
        let (mut stack, mut elsewhere) = (BTreeSet::new(), BTreeSet::new());
        let mut read = 0;
        for line in fs::read_to_string(format!("/proc/{}/maps", self.0))?.lines() {
            let Some(region) = Region::of(line) else {
                continue;
            };
            let mut bytes = vec![0; region.length];
            memory.seek(SeekFrom::Start(region.start))?;
            if memory.read_exact(&mut bytes).is_err() {
                continue; // pages of the kernel's own
            }
            read += bytes.len();
            let found = if region.is_stack {
                &mut stack
            } else {
                &mut elsewhere
            };
            found.extend(present(&bytes, secrets));
        }
        if read < 100_000 {
            return Err("next to nothing could be read of the other process".into());
        }
        let name = |found: BTreeSet<usize>| {
            let secrets = found.into_iter().filter_map(|index| secrets.get(index));
            secrets.cloned().collect()
        };
        Ok((name(stack), name(elsewhere)))
    }
}

/// A range of memory that can be written, so that there can be secrets in it.
struct Region {
    start: u64,
    length: usize,
    is_stack: bool,
}

impl Region {
    /// Reads a line of `/proc/PID/maps`: `start-end rights offset device inode name`.
    fn of(line: &str) -> Option<Self> {
        let mut parts = line.split_whitespace();
        let (start, end) = parts.next()?.split_once('-')?;
        let rights = parts.next()?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        let (start, end) = (number(start)?, number(end)?);
        rights.starts_with("rw").then_some(Self {
            start,
            length: usize::try_from(end.checked_sub(start)?).ok()?,
            is_stack: line.ends_with("[stack]"),
        })
    }
}

/// Which secrets are in these bytes, anywhere. Half of one is enough: 16 bytes of it do not occur by chance.
fn present(bytes: &[u8], secrets: &[Secret]) -> BTreeSet<usize> {
    const HALF: usize = LEN / 2;
    // By their first two bytes, so that memory is gone through once.
    let mut starts = vec![Vec::new(); 1 << 16];
    for (index, secret) in secrets.iter().enumerate() {
        for half in secret.bytes.chunks_exact(HALF) {
            if let [a, b, ..] = half
                && let Some(list) = starts.get_mut(usize::from(u16::from_be_bytes([*a, *b])))
            {
                list.push((index, half));
            }
        }
    }
    let mut found = BTreeSet::new();
    for window in bytes.windows(HALF) {
        let [a, b, ..] = window else { continue };
        for (index, half) in starts
            .get(usize::from(u16::from_be_bytes([*a, *b])))
            .into_iter()
            .flatten()
        {
            if window == *half {
                found.insert(*index);
            }
        }
    }
    found
}
