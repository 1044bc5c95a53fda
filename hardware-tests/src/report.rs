//! What the lab found, for `cargo xtask radio-lab` and for people.

use std::fmt;
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
    /// It went to its end, and met all targets.
    ok: bool,
    /// It went to its end.
    ended: bool,
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
    pub(crate) target: Option<Target>,
}

/// What a number should be. One that is not lets its scenario fail.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(into = "String")]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    /// No number meets no target.
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "at least {least}"),
            Self::AtMost(most) => write!(f, "at most {most}"),
        }
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
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
        target: Option<Target>,
    ) {
        self.figures.push(Figure {
            name: name.into(),
            value,
            unit,
            target,
        });
    }

    /// The numbers that miss their targets, in one line; `None` if none does.
    fn missed(&self) -> Option<String> {
        let missed = self.figures.iter().filter_map(|figure| {
            let target = figure.target.filter(|it| !it.is_met(figure.value))?;
            Some(format!(
                "{} is {:.3}, and should be {target}",
                figure.name, figure.value
            ))
        });
        let missed: Vec<String> = missed.collect();
        (!missed.is_empty()).then(|| missed.join("; "))
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
        if shown.is_err() {
            lab.note_kernel();
        }
        let cleared = lab.clear_away();
        let daemon = lab.bluetooth.daemon_ended();
        let shown = shown.and_then(|shown| cleared.map(|()| shown));
        let (ended, mut shown) = match shown {
            Ok(shown) => (true, shown),
            Err(error) => (false, Shown::new(format!("{error:#}"))),
        };
        let missed = shown.missed();
        let ok = ended && missed.is_none();
        if let Some(missed) = missed {
            shown.says = format!("{missed} ({})", shown.says);
        }
        if !daemon.is_empty() {
            let how = daemon.join("; ");
            shown.says += &format!("; bluetoothd ended by itself and was started again ({how})");
        }
        println!(
            "== {} {}: {}",
            scenario.name,
            if ok { "good" } else { "FAILED" },
            shown.says
        );
        self.scenarios.push(Entry {
            name: scenario.name,
            ok,
            ended,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_misses_its_target_is_told() {
        let mut shown = Shown::new("it ended");
        shown.figure("bytes", 1.15, "times", Some(Target::AtMost(1.15)));
        shown.figure("goodput", 0.85, "times", Some(Target::AtLeast(0.85)));
        shown.figure("time", 99.0, "s", None);
        assert_eq!(shown.missed(), None);
        shown.figure("memory", 10.1, "MB", Some(Target::AtMost(10.0)));
        shown.figure("pairs", f64::NAN, "", Some(Target::AtLeast(5.0)));
        let missed = shown.missed().unwrap_or_default();
        assert!(missed.contains("memory is 10.100, and should be at most 10"));
        assert!(missed.contains("pairs") && !missed.contains("bytes"));
    }
}
