//! A part of a plan: which runs it has, and how they are done so that none is done twice.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rayon::prelude::*;

use super::plan::{Job, JobError, Plan};
use crate::frame::Frame;
use crate::run::Run;
use crate::tables::{self, FolderError, Form, Label};

/// The `index`-th of `of` parts; counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    of: u32,
    index: u32,
}

/// Something that is no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no shard; expected one such as 2/3, the second of three")]
pub struct ShardError(String);

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let numbers = text
            .split_once('/')
            .and_then(|(index, of)| Some((index.parse::<u32>().ok()?, of.parse::<u32>().ok()?)));
        match numbers {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Self { of, index }),
            _ => Err(ShardError(text.to_owned())),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} of {}", self.index, self.of)
    }
}

impl Shard {
    /// All of a plan.
    pub const WHOLE: Self = Self { of: 1, index: 1 };

    /// Whether it has this run.
    fn has(self, label: &Label) -> bool {
        let number = u64::from_str_radix(&label.run(), 16).unwrap_or(0);
        number % u64::from(self.of) == u64::from(self.index - 1)
    }

    /// Its file in a folder.
    pub fn file(self, folder: &Path) -> PathBuf {
        folder.join(format!("shard-{}-of-{}.parquet", self.index, self.of))
    }

    /// The shard whose file is called so.
    pub(super) fn of_file(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let numbers = name.strip_prefix("shard-")?.strip_suffix(".parquet")?;
        numbers.replacen("-of-", "/", 1).parse().ok()
    }

    /// The folder of what is done of it while it is not whole.
    fn journal(self, folder: &Path) -> PathBuf {
        folder.join(format!(".shard-{}-of-{}", self.index, self.of))
    }

    /// The other parts.
    pub(super) fn siblings(self) -> impl Iterator<Item = Self> {
        let of = self.of;
        (1..=of).map(move |index| Self { of, index })
    }
}

/// Why a shard cannot be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// There is something already.
    #[error("{} is there already; `--resume` goes on with it, another `--out` begins anew", .0.display())]
    Begun(PathBuf),
    /// A file.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A run failed.
    #[error("run {run}: {error}")]
    Job {
        /// Which.
        run: String,
        /// Why.
        error: JobError,
    },
}

/// How far a shard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many runs are to be done, so many were done before.
    Begins {
        /// To be done.
        left: u64,
        /// Done before.
        done: u64,
    },
    /// One more is done.
    OneMore,
}

/// Does the runs of a shard, and writes its file into a folder. With `resume` what is there already is not done again.
///
/// # Errors
/// [`SweepError`]. What was done until then is kept for `resume`.
pub fn sweep(
    plan: &Plan,
    shard: Shard,
    folder: &Path,
    resume: bool,
    tell: &(dyn Fn(Progress) + Sync),
) -> Result<PathBuf, SweepError> {
    let (path, journal) = (shard.file(folder), shard.journal(folder));
    if !resume && let Some(there) = [&path, &journal].into_iter().find(|path| path.exists()) {
        return Err(SweepError::Begun(there.clone()));
    }
    let jobs: Vec<&Job> = plan
        .jobs()
        .iter()
        .filter(|job| shard.has(&job.label))
        .collect();
    let mut done = finished(&path, &journal)?;
    let elsewhere = others(folder, &path)?;
    fs::create_dir_all(&journal).map_err(|error| tables::failed(&journal, error))?;
    let left: Vec<&Job> = jobs
        .into_iter()
        .filter(|job| {
            let run = job.label.run();
            !done.contains_key(&run) && !elsewhere.contains_key(&run)
        })
        .collect();
    tell(Progress::Begins {
        left: left.len() as u64,
        done: (done.len() + elsewhere.len()) as u64,
    });
    let rows = left.into_par_iter().map(|job| {
        let id = job.label.run();
        let run = job.run().map_err(|error| SweepError::Job {
            run: id.clone(),
            error,
        })?;
        let row = row(&job.label, &run);
        let path = journal.join(format!("{id}.parquet"));
        tables::write(&row, &path, Form::Parquet)?;
        tell(Progress::OneMore);
        Ok((id, row))
    });
    let rows: BTreeMap<String, Frame> = rows.collect::<Result<_, SweepError>>()?;
    done.extend(rows);
    let mut table = Frame::default();
    for row in done.values() {
        table.append(row);
    }
    tables::write(&table, &path, Form::Parquet)?;
    fs::remove_dir_all(&journal).map_err(|error| tables::failed(&journal, error))?;
    Ok(path)
}

/// What came of a run and what it has cost, in one row.
fn row(label: &Label, run: &Run) -> Frame {
    let figures = tables::figures(label, &run.course.outcome, run.oracle.as_ref());
    figures.beside(&tables::cost(label, &run.cost))
}

/// What was done of a shard before, by run.
fn finished(path: &Path, journal: &Path) -> Result<BTreeMap<String, Frame>, FolderError> {
    let mut files = tables::files(journal, "parquet")?;
    if path.exists() {
        files.push(path.to_owned());
    }
    by_run(files)
}

/// What other shards of the folder have done.
fn others(folder: &Path, path: &Path) -> Result<BTreeMap<String, Frame>, FolderError> {
    let files = tables::files(folder, "parquet")?;
    let shards = files
        .into_iter()
        .filter(|file| Shard::of_file(file).is_some() && file != path);
    by_run(shards)
}

fn by_run(
    files: impl IntoIterator<Item = PathBuf>,
) -> Result<BTreeMap<String, Frame>, FolderError> {
    let mut runs = BTreeMap::new();
    for file in files {
        for row in tables::read(&file)?.each_row() {
            if let Some(run) = row.value(0, "run").as_text() {
                runs.insert(run.to_owned(), row.clone());
            }
        }
    }
    Ok(runs)
}

/// The shards that were begun in a folder and are not whole.
pub(super) fn begun(folder: &Path) -> Vec<Shard> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut begun: Vec<Shard> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let name = name.to_str()?.strip_prefix('.')?.to_owned();
            Shard::of_file(Path::new(&format!("{name}.parquet")))
        })
        .collect();
    begun.sort_unstable();
    begun
}
