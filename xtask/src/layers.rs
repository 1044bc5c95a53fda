//! `layers`: the walls of the house, checked.

mod cores;
mod floors;
mod sources;

use std::fs;
use std::path::Path;

use crate::metadata::Package;
use crate::{Outcome, metadata, tree};

/// Prints every breach; good if there is none.
pub(crate) fn run(root: &Path) -> anyhow::Result<Outcome> {
    let packages = metadata::packages(root)?;
    let files = tree::text_files(root)?;
    let mut breaches = Vec::new();
    breaches.extend(floors::breaches(&packages));
    for package in &packages {
        breaches.extend(folder_breach(root, package));
        if let Some(core) = cores::Core::of(package) {
            let lib = fs::read_to_string(package.folder().join("src/lib.rs"))?;
            breaches.extend(core.breaches(package, &lib));
        }
    }
    breaches.extend(files.iter().flat_map(sources::breaches));
    for breach in &breaches {
        println!("layers: {breach}");
    }
    println!(
        "layers: {} packages and {} files read, {} breaches",
        packages.len(),
        files.len(),
        breaches.len()
    );
    Ok(if breaches.is_empty() {
        Outcome::Good
    } else {
        Outcome::Bad
    })
}

/// A package is called after its folder.
fn folder_breach(root: &Path, package: &Package) -> Option<String> {
    let folder = package.folder().strip_prefix(root.join("crates")).ok()?;
    let folder = folder.to_string_lossy();
    (folder != floors::short(&package.name)).then(|| {
        format!(
            "{} lives in crates/{folder}: a package is called after its folder",
            package.name
        )
    })
}
