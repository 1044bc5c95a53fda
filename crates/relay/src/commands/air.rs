//! `chappe air`

use std::path::Path;

use chappe_link::air::{Hearing, Range, Settings, present};

use crate::cli::Air;
use crate::failure::{Failure, io};
use crate::render::say;

pub(super) fn run(command: Air) -> Result<(), Failure> {
    match command {
        Air::Range {
            dir,
            nodes,
            all,
            none,
        } => {
            let hearing = match (all, none) {
                (true, _) => Some(Hearing::Everybody),
                (_, true) => Some(Hearing::NOBODY),
                _ if nodes.is_empty() => None,
                _ => Some(groups(&nodes)?),
            };
            match hearing {
                Some(hearing) => change(&dir, |range| range.hearing = hearing),
                None => show(&dir),
            }
        }
        Air::Set { dir, settings } => {
            let words = settings.iter().map(String::as_str);
            let settings =
                Settings::from_words(words).map_err(|error| Failure::usage(format!("{error}.")))?;
            change(&dir, |range| range.set(settings))
        }
    }
}

/// Puts exactly the nodes of each group in range of one another.
pub(crate) fn set_range(dir: &Path, hearing: Hearing) -> Result<(), Failure> {
    let mut range = read(dir)?;
    range.hearing = hearing;
    range
        .save(dir)
        .map_err(|error| Failure::new(format!("{error}.")))
}

fn groups(nodes: &[String]) -> Result<Hearing, Failure> {
    Hearing::from_words(nodes.iter().map(String::as_str))
        .map_err(|error| Failure::usage(format!("{error}.")))
}

fn change(dir: &Path, change: impl FnOnce(&mut Range)) -> Result<(), Failure> {
    let mut range = read(dir)?;
    change(&mut range);
    range
        .save(dir)
        .map_err(|error| Failure::new(format!("{error}.")))?;
    show(dir)
}

fn show(dir: &Path) -> Result<(), Failure> {
    say!("{}", read(dir)?);
    let nodes = match present(dir) {
        Ok(nodes) => nodes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(format!("{} cannot be read", dir.display()))(error)),
    };
    if !nodes.is_empty() {
        let names: Vec<String> = nodes.iter().map(ToString::to_string).collect();
        say!("running: {}", names.join(" "));
    }
    Ok(())
}

fn read(dir: &Path) -> Result<Range, Failure> {
    Range::load(dir).map_err(|error| Failure::new(format!("{error}.")))
}
