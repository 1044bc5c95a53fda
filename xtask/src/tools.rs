//! Cargo's own extensions: built once, in a cache outside the checkout, in pinned versions.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::process;

/// A program that `cargo install` brings.
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Checks of licences, sources and duplicates. Built in three to four minutes on two cores.
pub(crate) const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
};
/// Runs the fuzz targets.
pub(crate) const CARGO_FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    version: "0.13.2",
};

/// Changes code, one place at a time, and sees whether a test notices.
pub(crate) const CARGO_MUTANTS: Tool = Tool {
    name: "cargo-mutants",
    version: "27.1.0",
};

impl Tool {
    /// The path of the program, after installing it if it is not there.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub(crate) fn path(&self, root: &Path) -> anyhow::Result<PathBuf> {
        let Self { name, version } = self;
        let home = cache()?.join(format!("{name}-{version}"));
        let program = home.join("bin").join(name);
        if !program.exists() {
            println!("installing {name} {version} into {}", home.display());
            process::run(
                process::cargo(root)
                    .args(["install", name, "--version", version, "--locked", "--quiet"])
                    .arg("--root")
                    .arg(&home)
                    .env_remove("CARGO_TARGET_DIR"),
            )?;
        }
        Ok(program)
    }
}

/// `$XDG_CACHE_HOME/chappe-dev`, or the same in `~/.cache`.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| Path::new(&home).join(".cache")))
        .map(|cache| cache.join("chappe-dev"))
        .context("neither XDG_CACHE_HOME nor HOME is set")
}
