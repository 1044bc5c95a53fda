//! `omemo-secrets`: whether the memory of a process of a release build still holds OMEMO's secrets after they were
//! dropped.

use std::path::Path;

use crate::{Outcome, process};

/// Runs the search; it fails if it finds a secret, or does not find the one that is kept on purpose.
pub(crate) fn run(root: &Path) -> anyhow::Result<Outcome> {
    process::run(
        process::cargo(root)
            .args(["run", "--release", "--quiet", "--locked"])
            .args(["-p", "chappe-omemo", "--example", "memory-scan"]),
    )?;
    Ok(Outcome::Good)
}
