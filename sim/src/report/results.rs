//! Results of runs, from the lines that other commands print.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The runs and oracles of a folder.
#[derive(Clone, Debug, Default)]
pub struct Results {
    runs: Vec<Run>,
    oracles: Vec<Value>,
}

/// What one run came to.
#[derive(Clone, Debug)]
pub struct Run(Value);

/// Why results cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultsError {
    /// No line in the folder is a run.
    #[error("there are no runs in {}; keep what `replay --json` prints in files that end in .json", .0.display())]
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
    #[error("{}:{line}: {what}; expected a line of `replay --json` or `oracle --json`", path.display())]
    Line {
        /// In which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

impl Results {
    /// Reads every `.json` and `.jsonl` file of a folder, in order of name.
    ///
    /// # Errors
    /// [`ResultsError`].
    pub fn read(folder: &Path) -> Result<Self, ResultsError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| ResultsError::File { path, error }
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed(folder))? {
            let path = entry.map_err(failed(folder))?.path();
            if path
                .extension()
                .is_some_and(|kind| kind == "json" || kind == "jsonl")
            {
                files.push(path);
            }
        }
        files.sort();
        let mut results = Self::default();
        for path in files {
            let text = fs::read_to_string(&path).map_err(failed(&path))?;
            for (number, line) in (1..).zip(text.lines()) {
                results.add(line).map_err(|what| ResultsError::Line {
                    path: path.clone(),
                    line: number,
                    what,
                })?;
            }
        }
        if results.runs.is_empty() {
            return Err(ResultsError::Empty(folder.to_owned()));
        }
        Ok(results)
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if value.get("zero_time").is_some() {
            self.oracles.push(value);
        } else if value.get("router").and_then(Value::as_str).is_some() {
            self.runs.push(Run(value));
        } else {
            return Err("neither `router` nor `zero_time` is there".to_owned());
        }
        Ok(())
    }

    /// The runs of each router.
    pub fn routers(&self) -> BTreeMap<String, Vec<&Run>> {
        let mut routers: BTreeMap<String, Vec<&Run>> = BTreeMap::new();
        for run in &self.runs {
            let router = run
                .0
                .get("router")
                .and_then(Value::as_str)
                .unwrap_or_default();
            routers.entry(router.to_owned()).or_default().push(run);
        }
        routers
    }

    /// The bound of a metric, where the folder has one oracle only and the metric has a bound: earliest arrival, and for
    /// transfers the fewest that deliver.
    pub fn oracle(&self, key: &str) -> Option<f64> {
        let [oracle] = self.oracles.as_slice() else {
            return None;
        };
        let number = |bound: &str, of: &str| oracle.get(bound)?.get(of)?.as_f64();
        match key {
            "delivery_prob" => {
                let created = self
                    .runs
                    .first()?
                    .number("created")
                    .filter(|created| *created > 0.0)?;
                Some(number("earliest_arrival", "delivered")? / created)
            }
            "latency_avg" | "latency_med" => number("earliest_arrival", key),
            "relayed" => number("fewest_relays", key),
            _ => None,
        }
    }
}

impl Run {
    /// One of its numbers.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.0.get(key)?.as_f64()
    }
}

/// A mean and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) mean: f64,
    /// Half of the 95 % confidence interval; 0 for a single run.
    pub(super) half: f64,
}

/// Student's t for 97.5 %, by degrees of freedom from 1.
const STUDENT: [f64; 20] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
];
/// The same for more of them; a little too careful from here on.
const STUDENT_MANY: f64 = 2.08;

impl Sample {
    /// Of these values; nothing of none.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let freedom = values.len().checked_sub(1)?;
        let half = freedom.checked_sub(1).map_or(0.0, |place| {
            let squares: f64 = values
                .iter()
                .map(|value| (value - mean) * (value - mean))
                .sum();
            let t = STUDENT.get(place).copied().unwrap_or(STUDENT_MANY);
            t * (squares / freedom as f64 / count).sqrt()
        });
        Some(Self { mean, half })
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = if self.mean.abs() < 10.0 { 3 } else { 0 };
        write!(f, "{:.places$}", self.mean)?;
        if self.half > 0.0 {
            write!(f, " ± {:.places$}", self.half)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Sample;

    #[test]
    fn the_interval_is_students() {
        let sample = Sample::of(&[1.0, 2.0, 3.0]).unwrap();
        assert!((sample.mean - 2.0).abs() < 1e-12);
        assert!((sample.half - 4.303 / 3.0_f64.sqrt()).abs() < 1e-9);
        assert_eq!(Sample::of(&[5.0]).unwrap().half, 0.0);
        assert_eq!(Sample::of(&[]), None);
    }
}
