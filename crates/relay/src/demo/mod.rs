//! `chappe demo`: the main job, for real. Three processes of this program, each with an encrypted store of its
//! own: north, a relay, south. North and south are never in range of each other. At the end everything that
//! the relay had in its hands is searched for anything of theirs.

mod actor;
mod markers;
mod photo;
mod proof;
mod search;
mod show;
mod stage;
mod story;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::cli::Demo;
use crate::control::protocol::hex;
use crate::failure::{Failure, io};
use crate::render::say;

/// Plays the demo; fails unless everything held that it claims.
pub(crate) async fn run(options: Demo) -> Result<(), Failure> {
    let folder = Folder::make(options.keep.as_deref())?;
    let result = story::play(&folder.path, &options).await;
    if folder.keep {
        say!();
        say!("Homes, capture and logs are in {}.", folder.path.display());
    }
    result
}

/// The folder of the demo, which goes away at the end unless it is to be kept.
struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    fn make(keep: Option<&Path>) -> Result<Self, Failure> {
        let path = match keep {
            Some(path) => path.to_owned(),
            None => {
                let name = hex(&markers::random::<8>()?);
                std::env::temp_dir().join(format!("chappe-demo-{name}"))
            }
        };
        if path.join("air").exists() {
            let path = path.display();
            return Err(Failure::new(format!(
                "{path} holds a demo already; name another folder."
            )));
        }
        let what = format!("The folder {} cannot be made", path.display());
        let mut builder = DirBuilder::new();
        builder
            .recursive(keep.is_some())
            .mode(0o700)
            .create(&path)
            .map_err(io(&what))?;
        let path = path.canonicalize().map_err(io(&what))?;
        let keep = keep.is_some();
        Ok(Self { path, keep })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
