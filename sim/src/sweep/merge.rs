//! Shards into one table.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::shard::{self, Shard};
use crate::frame::Frame;
use crate::tables::{self, FolderError, Form};

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// How many runs there are.
    pub runs: usize,
    /// The figures: the same bytes for the same runs, whichever shards they come from.
    pub run: PathBuf,
    /// What they have cost, which differs from time to time.
    pub cost: PathBuf,
}

/// Why shards cannot be merged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// Two shards say different things of a run.
    #[error("run {0} has two different results; merge what one revision of the program has made")]
    Differ(String),
    /// There is none.
    #[error("{} has no shards; expected files such as shard-1-of-3.parquet, which `sweep` writes", .0.display())]
    Empty(PathBuf),
    /// A file.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Some are not there.
    #[error("{0} is missing; run it, or add `--partial`")]
    Missing(Shard),
    /// Some are not whole.
    #[error("{0} is not finished; go on with `sweep --resume`, or add `--partial`")]
    Unfinished(Shard),
}

/// Joins the shards of a folder into `DIR/merged/run.parquet` and `DIR/merged/cost.parquet`, in order of the runs' numbers.
///
/// # Errors
/// [`MergeError`]; with `partial` no matter which shards are missing.
pub fn merge(folder: &Path, partial: bool, form: Form) -> Result<Merged, MergeError> {
    let files = tables::files(folder, "parquet")?;
    let shards: BTreeMap<Shard, PathBuf> = files
        .into_iter()
        .filter_map(|path| Some((Shard::of_file(&path)?, path)))
        .collect();
    if !partial {
        if let Some(begun) = shard::begun(folder).first() {
            return Err(MergeError::Unfinished(*begun));
        }
        check(&shards)?;
    }
    let mut runs: BTreeMap<String, Frame> = BTreeMap::new();
    for path in shards.values() {
        for row in tables::read(path)?.each_row() {
            let run = row.value(0, "run").as_text().unwrap_or_default().to_owned();
            if let Some(known) = runs.get(&run) {
                if figures(known) != figures(&row) {
                    return Err(MergeError::Differ(run));
                }
                continue;
            }
            runs.insert(run, row);
        }
    }
    if runs.is_empty() {
        return Err(MergeError::Empty(folder.to_owned()));
    }
    let (mut all, mut costs) = (Frame::default(), Frame::default());
    for row in runs.values() {
        all.append(&row.select(|column| !tables::is_cost(column)));
        costs.append(&row.select(|column| column == "run" || tables::is_cost(column)));
    }
    // Which shard a parameter was seen in first must not show.
    let all = all.arranged(|name| {
        if name.starts_with(tables::PARAMETER) {
            (1, name.to_owned())
        } else {
            (if tables::is_label(name) { 0 } else { 2 }, String::new())
        }
    });
    let merged = folder.join("merged");
    fs::create_dir_all(&merged).map_err(|error| tables::failed(&merged, error))?;
    let path = |name: &str| merged.join(format!("{name}.{}", form.ending()));
    let (run, cost) = (path("run"), path("cost"));
    tables::write(&costs, &cost, form)?;
    tables::write(&all, &run, form)?;
    Ok(Merged {
        runs: runs.len(),
        run,
        cost,
    })
}

/// One whole set has to be there.
fn check(shards: &BTreeMap<Shard, PathBuf>) -> Result<(), MergeError> {
    let mut missing = None;
    for shard in shards.keys() {
        match shard
            .siblings()
            .find(|sibling| !shards.contains_key(sibling))
        {
            None => return Ok(()),
            Some(absent) => missing = missing.or(Some(absent)),
        }
    }
    missing.map_or(Ok(()), |absent| Err(MergeError::Missing(absent)))
}

/// What must be the same each time: not the cost, and not who made it.
fn figures(row: &Frame) -> Frame {
    row.select(|column| !tables::is_cost(column) && column != "revision")
}
