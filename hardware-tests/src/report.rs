//! What the lab found, for `cargo xtask radio-lab` and for people.

use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use crate::lab::Lab;
use crate::scenarios::Scenario;

/// All scenarios that were run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// `virtual`, or `rig` for real machines.
    radios: &'static str,
    scenarios: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: &'static str,
    ok: bool,
    seconds: f64,
    says: String,
    figures: Vec<Figure>,
}

/// A number that was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) target: Option<&'static str>,
}

/// What a scenario showed.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) says: String,
    pub(crate) figures: Vec<Figure>,
}

impl Shown {
    /// A scenario that ends well, in one line.
    pub(crate) fn new(says: impl Into<String>) -> Self {
        Self {
            says: says.into(),
            figures: Vec::new(),
        }
    }

    /// Adds a number.
    pub(crate) fn figure(
        &mut self,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        target: Option<&'static str>,
    ) {
        self.figures.push(Figure {
            name: name.into(),
            value,
            unit,
            target,
        });
    }
}

impl Report {
    /// Nothing was run yet. `radios` says what kind they are.
    pub(crate) fn of(radios: &'static str) -> Self {
        let scenarios = Vec::new();
        Self { radios, scenarios }
    }

    /// Runs a scenario and notes how it ended.
    pub(crate) fn run(&mut self, lab: &mut Lab, scenario: &Scenario) {
        println!("== {}", scenario.name);
        let started = Instant::now();
        let shown = lab
            .prepare(scenario.name)
            .and_then(|()| (scenario.run)(lab));
        let cleared = lab.clear_away();
        let shown = shown.and_then(|shown| cleared.map(|()| shown));
        let (ok, shown) = match shown {
            Ok(shown) => (true, shown),
            Err(error) => (false, Shown::new(format!("{error:#}"))),
        };
        println!(
            "== {} {}: {}",
            scenario.name,
            if ok { "good" } else { "FAILED" },
            shown.says
        );
        self.scenarios.push(Entry {
            name: scenario.name,
            ok,
            seconds: started.elapsed().as_secs_f64(),
            says: shown.says,
            figures: shown.figures,
        });
    }

    /// Writes what there is so far.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn save(&self, path: &Path) -> anyhow::Result<()> {
        std::fs::write(path, serde_json::to_vec_pretty(self)?)?;
        Ok(())
    }
}

/// The value in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
