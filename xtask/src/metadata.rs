//! What `cargo metadata` tells about the packages of this workspace.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::process;

/// The packages of this workspace.
///
/// # Errors
/// When cargo cannot read the manifests.
pub(crate) fn packages(root: &Path) -> anyhow::Result<Vec<Package>> {
    Ok(metadata(root)?.packages)
}

/// The folder that everything is built in.
///
/// # Errors
/// As [`packages`].
pub(crate) fn target(root: &Path) -> anyhow::Result<PathBuf> {
    Ok(metadata(root)?.target_directory)
}

fn metadata(root: &Path) -> anyhow::Result<Metadata> {
    let args = ["metadata", "--no-deps", "--format-version", "1"];
    let text = process::output(process::cargo(root).args(args))?;
    serde_json::from_str(&text).context("reading cargo's metadata")
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

/// One package.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

impl Package {
    /// Where the package lives.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new("."))
    }
}

/// One line of a package's dependencies.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Option<Kind>,
    pub(crate) uses_default_features: bool,
    /// Set for packages of this repository.
    pub(crate) path: Option<PathBuf>,
}

/// What a dependency is for, if not for the package itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Build,
    Dev,
}
