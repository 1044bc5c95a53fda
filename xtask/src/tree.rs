//! The files of the checkout.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// What is made by git, by building and by running, at any depth.
const MADE: [&str; 8] = [
    ".git",
    ".venv",
    "__pycache__",
    "artifacts",
    "corpus",
    "coverage",
    "node_modules",
    "target",
];

/// A file of the checkout whose content is text.
pub(crate) struct TextFile {
    /// Relative to the top, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// All text files of the checkout, in order of their paths.
///
/// # Errors
/// When a folder or file cannot be read.
pub(crate) fn text_files(root: &Path) -> anyhow::Result<Vec<TextFile>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            if path.is_symlink() || is_made(&path) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                files.extend(text_file(root, &path)?);
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// What is in `folder`, in order.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let list = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut paths = list
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn is_made(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    MADE.iter().any(|made| name == *made)
}

fn text_file(root: &Path, path: &Path) -> anyhow::Result<Option<TextFile>> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(None);
    };
    let path = path.strip_prefix(root).unwrap_or(path);
    let path = path.to_string_lossy().replace('\\', "/");
    Ok(Some(TextFile { path, text }))
}
