//! The guest's disk: built once per recipe, kept in the cache outside the checkout.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::{process, tools, tree};

/// The recipe: whatever changes in it makes another image.
const RECIPE: &str = "hardware-tests/image";

/// The folder with `disk.img`, `vmlinuz` and `initrd`, built if it is not there.
///
/// # Errors
/// When it cannot be built.
pub(super) fn cached(root: &Path) -> anyhow::Result<PathBuf> {
    let folder = tools::cache()?.join(format!("radio-lab-{}", hash(root)?));
    if !folder.join("disk.img").exists() {
        println!(
            "radio-lab: building the guest's disk (once, a few minutes) in {}",
            folder.display()
        );
        fs::create_dir_all(tools::cache()?)?;
        let build = root.join(RECIPE).join("build");
        process::run(process::program(build, root).arg(&folder)).with_context(|| {
            format!(
                "the guest's disk was not built; its log is {}.log",
                folder.display()
            )
        })?;
    }
    Ok(folder)
}

fn hash(root: &Path) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    for path in tree::entries(&root.join(RECIPE))? {
        let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
    let hash = hash.finalize();
    Ok(hash
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
