//! Results of runs: tables that commands have written, or lines that they have printed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::Sample;
use super::world::{self, World};
use crate::frame::{Frame, Kind as Column, Value};
use crate::tables::{self, FolderError, Kind, PARAMETER};

/// The runs of a folder.
#[derive(Clone, Debug, Default)]
pub struct Results {
    folder: PathBuf,
    runs: Vec<Run>,
}

/// What one run came to.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its row in the table of runs.
    row: Frame,
    /// The name of its files, where it has other tables.
    file: Option<String>,
}

/// Why results cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultsError {
    /// There is nothing.
    #[error(
        "there are no results in {}; expected what `run --out`, `replay --out`, `sweep` or `merge` have written, or lines of \
         `--json` in files that end in .json", .0.display()
    )]
    Empty(PathBuf),
    /// A file or the folder cannot be read.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A line is no result.
    #[error("{}:{line}: {what}; expected a line of `replay --json`, `run --json` or `oracle --json`", path.display())]
    Line {
        /// In which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A table.
    #[error(transparent)]
    Table(#[from] FolderError),
    /// Nothing tells two different results apart.
    #[error(
        "{}: two different results of {world}, router `{router}`, seed {seed}; expected one of each, or tables of `--out`, \
         which tell parameters and traces", folder.display()
    )]
    Twice {
        /// Where they are.
        folder: PathBuf,
        /// Of which world.
        world: String,
        /// Of which router.
        router: String,
        /// Of which seed.
        seed: i64,
    },
}

impl Results {
    /// Reads a folder: merged shards, else the tables of runs, shards, and lines in `.json` and `.jsonl` files.
    ///
    /// # Errors
    /// [`ResultsError`].
    pub fn read(folder: &Path) -> Result<Self, ResultsError> {
        if let Err(error) = fs::read_dir(folder) {
            let path = folder.to_owned();
            return Err(ResultsError::File { path, error });
        }
        let mut results = Self {
            folder: folder.to_owned(),
            runs: Vec::new(),
        };
        let merged = folder.join("merged").join("run.parquet");
        if merged.exists() {
            results.add_table(&merged, false)?;
        } else {
            for path in tables::files(&folder.join(Kind::Run.name()), "parquet")? {
                results.add_table(&path, true)?;
            }
            for path in tables::files(folder, "parquet")? {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if name == "run.parquet" || name.starts_with("shard-") {
                    results.add_table(&path, false)?;
                }
            }
            for ending in ["json", "jsonl"] {
                for path in tables::files(folder, ending)? {
                    results.add_lines(&path)?;
                }
            }
        }
        results
            .runs
            .sort_by_key(|run| (run.world(), run.router(), run.seed()));
        results.drop_what_is_twice()?;
        if results.runs.is_empty() {
            return Err(ResultsError::Empty(folder.to_owned()));
        }
        Ok(results)
    }

    /// Shards may have the same runs. Results that differ are not the same run.
    fn drop_what_is_twice(&mut self) -> Result<(), ResultsError> {
        let key = |run: &Run| (run.world(), run.router(), run.seed());
        for pair in self.runs.windows(2) {
            if let [one, other] = pair
                && key(one) == key(other)
                && one.figures() != other.figures()
            {
                return Err(ResultsError::Twice {
                    folder: self.folder.clone(),
                    world: one.world().title(),
                    router: one.router(),
                    seed: one.seed(),
                });
            }
        }
        self.runs.dedup_by_key(|run| key(run));
        Ok(())
    }

    fn add_table(&mut self, path: &Path, alone: bool) -> Result<(), ResultsError> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        for row in tables::read(path)?.each_row() {
            let file = alone.then(|| stem.clone().into_owned());
            self.runs.push(Run { row, file });
        }
        Ok(())
    }

    fn add_lines(&mut self, path: &Path) -> Result<(), ResultsError> {
        let text = fs::read_to_string(path).map_err(|error| ResultsError::File {
            path: path.to_owned(),
            error,
        })?;
        for (number, line) in (1..).zip(text.lines()) {
            self.add_line(line).map_err(|what| ResultsError::Line {
                path: path.to_owned(),
                line: number,
                what,
            })?;
        }
        Ok(())
    }

    fn add_line(&mut self, line: &str) -> Result<(), String> {
        let value: Json = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if value.get("zero_time").is_some() {
            // The oracle of those before it that have none.
            for run in &mut self.runs {
                if run.row.column("oracle_zero_time_delivered").is_none() {
                    run.row = run.row.beside(&oracle_row(&value));
                }
            }
            return Ok(());
        }
        if value.get("router").and_then(Json::as_str).is_none() {
            return Err("neither `router` nor `zero_time` is there".to_owned());
        }
        let mut row = flat_row(&value);
        if let Some(oracle) = value.get("oracle").filter(|oracle| oracle.is_object()) {
            row = row.beside(&oracle_row(oracle));
        }
        self.runs.push(Run { row, file: None });
        Ok(())
    }

    /// The runs, by world, router and seed.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The runs of each world and router.
    pub fn worlds(&self) -> BTreeMap<World, BTreeMap<String, Vec<&Run>>> {
        let mut worlds: BTreeMap<World, BTreeMap<String, Vec<&Run>>> = BTreeMap::new();
        for run in &self.runs {
            let routers = worlds.entry(run.world()).or_default();
            routers.entry(run.router()).or_default().push(run);
        }
        worlds
    }

    /// What each world is called: its title, and where several would be called the same, what sets it apart.
    pub fn titles(&self) -> BTreeMap<World, String> {
        let mut alike: BTreeMap<String, Vec<World>> = BTreeMap::new();
        for world in self.worlds().into_keys() {
            alike.entry(world.title()).or_default().push(world);
        }
        let mut titles = BTreeMap::new();
        for (title, worlds) in alike {
            let apart = world::apart(&worlds);
            for (world, apart) in worlds.into_iter().zip(apart) {
                let joint = match (apart.is_empty(), world.set.is_empty()) {
                    (true, _) => "",
                    (false, true) => ": ",
                    (false, false) => ", ",
                };
                titles.insert(world, format!("{title}{joint}{apart}"));
            }
        }
        titles
    }

    /// Another table of a run, where there is one.
    ///
    /// # Errors
    /// [`ResultsError`], where it cannot be read.
    pub fn table(&self, run: &Run, kind: Kind) -> Result<Option<Frame>, ResultsError> {
        let Some(file) = &run.file else {
            return Ok(None);
        };
        let path = self
            .folder
            .join(kind.name())
            .join(format!("{file}.parquet"));
        Ok(if path.exists() {
            Some(tables::read(&path)?)
        } else {
            None
        })
    }
}

/// The members of an object that are no objects, as a row.
fn flat_row(object: &Json) -> Frame {
    let members = object.as_object().into_iter().flatten();
    let values: Vec<(String, Value)> = members
        .filter_map(|(key, value)| {
            let value = match value {
                Json::Number(number) if number.is_i64() => Value::Integer(number.as_i64()?),
                Json::Number(number) => Value::Real(number.as_f64()?),
                Json::String(text) => Value::from(text.clone()),
                _ => return None,
            };
            Some((key.clone(), value))
        })
        .collect();
    let columns = values
        .iter()
        .map(|(key, value)| (key.clone(), value.kind().unwrap_or(Column::Text)));
    let mut row = Frame::new(columns);
    row.push(values.iter().map(|(_, value)| value.clone()));
    row
}

/// The bounds of an oracle as the columns that tables have for them.
fn oracle_row(object: &Json) -> Frame {
    let bounds = object.as_object().into_iter().flatten();
    let values: Vec<(String, f64)> = bounds
        .flat_map(|(bound, figures)| {
            let figures = figures.as_object().into_iter().flatten();
            figures.filter_map(move |(figure, value)| {
                Some((format!("oracle_{bound}_{figure}"), value.as_f64()?))
            })
        })
        .collect();
    let mut row = Frame::new(values.iter().map(|(key, _)| (key.clone(), Column::Real)));
    row.push(values.iter().map(|(_, value)| Value::from(*value)));
    row
}

impl Run {
    /// One of its numbers.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.row.value(0, key).as_number()
    }

    /// What the same run has each time.
    fn figures(&self) -> Frame {
        self.row.select(|column| {
            !tables::is_cost(column) && column != "revision" && !column.starts_with("oracle_")
        })
    }

    fn text(&self, key: &str) -> String {
        self.row
            .value(0, key)
            .as_text()
            .unwrap_or_default()
            .to_owned()
    }

    /// Its router.
    pub fn router(&self) -> String {
        self.text("router")
    }

    /// Its seed.
    pub fn seed(&self) -> i64 {
        self.row.value(0, "seed").as_integer().unwrap_or_default()
    }

    /// The revision of the program that made it.
    pub fn revision(&self) -> String {
        self.text("revision")
    }

    /// Where it took place.
    pub fn world(&self) -> World {
        let set = self.row.columns().iter().filter_map(|column| {
            let key = column.name.strip_prefix(PARAMETER)?;
            let value = match column.value(0) {
                Value::Flag(flag) => flag.to_string(),
                Value::Integer(number) => number.to_string(),
                Value::Missing => return None,
                Value::Real(number) => number.to_string(),
                Value::Text(text) => text.into_owned(),
            };
            Some(format!("{key} = {value}"))
        });
        World {
            scenario: self.text("scenario"),
            mode: self.text("mode"),
            set: set.collect(),
            input: self.text("input_sha256"),
            parameters: self.text("parameters"),
        }
    }

    /// The bound of a metric, where it has one: earliest arrival, and for transfers the fewest that deliver.
    pub fn oracle(&self, key: &str) -> Option<f64> {
        let earliest = |figure: &str| self.number(&format!("oracle_earliest_arrival_{figure}"));
        match key {
            "delivery_prob" => {
                let created = self.number("created").filter(|created| *created > 0.0)?;
                Some(earliest("delivered")? / created)
            }
            "delivered" | "latency_avg" | "latency_med" => earliest(key),
            "relayed" => self.number("oracle_fewest_relays_relayed"),
            _ => None,
        }
    }
}

/// The mean of a figure over runs.
pub(super) fn sample(runs: &[&Run], of: impl Fn(&Run) -> Option<f64>) -> Option<Sample> {
    let values: Vec<f64> = runs.iter().filter_map(|run| of(run)).collect();
    Sample::of(&values)
}
