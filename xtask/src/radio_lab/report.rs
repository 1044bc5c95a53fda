//! What the guest reports.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use crate::Outcome;

/// The report, as the guest writes it.
#[derive(Deserialize)]
struct Report {
    /// What kind the radios were.
    radios: String,
    scenarios: Vec<Scenario>,
}

#[derive(Deserialize)]
struct Scenario {
    name: String,
    /// It went to its end, and met all targets.
    ok: bool,
    /// It went to its end.
    ended: bool,
    seconds: f64,
    says: String,
    figures: Vec<Figure>,
}

#[derive(Deserialize)]
struct Figure {
    name: String,
    value: f64,
    unit: String,
    target: Option<String>,
}

/// Prints the report as a table. Bad if a scenario failed or nothing was run.
///
/// # Errors
/// When there is no report.
pub(super) fn show(share: &Path) -> anyhow::Result<Outcome> {
    let report = read(share)?;
    println!(
        "\nradio-lab: {}",
        match report.radios.as_str() {
            "rig" => "real machines, over the radios that the rig's file names",
            _ => "virtual radios with the real Linux stacks; nothing here was on air",
        }
    );
    for scenario in &report.scenarios {
        let mark = if scenario.ok { "good  " } else { "FAILED" };
        let Scenario {
            name,
            seconds,
            says,
            ..
        } = scenario;
        println!("{mark}  {name:<16} {seconds:>6.1} s  {says}");
        for figure in &scenario.figures {
            let target = figure.target.as_deref().unwrap_or("");
            println!(
                "          {:<34} {:>10.2} {:<8} {target}",
                figure.name, figure.value, figure.unit
            );
        }
    }
    let good = !report.scenarios.is_empty() && report.scenarios.iter().all(|one| one.ok);
    println!("radio-lab: logs and captures are in {}", share.display());
    Ok(if good { Outcome::Good } else { Outcome::Bad })
}

/// A number that a scenario of the last run measured, in its unit.
///
/// # Errors
/// When the scenario did not end well, or measured no such thing.
pub(super) fn figure(share: &Path, scenario: &str, name: &str) -> anyhow::Result<(f64, String)> {
    let report = read(share)?;
    let mut scenarios = report.scenarios.into_iter();
    let found = scenarios.find(|one| one.name == scenario);
    let found = found.with_context(|| format!("{scenario} was not run"))?;
    anyhow::ensure!(found.ended, "{scenario} did not end well: {}", found.says);
    let mut figures = found.figures.into_iter();
    let figure = figures.find(|one| one.name == name);
    let figure = figure.with_context(|| format!("{scenario} measured no `{name}`"))?;
    Ok((figure.value, figure.unit))
}

fn read(share: &Path) -> anyhow::Result<Report> {
    let path = share.join("report.json");
    let text = fs::read_to_string(&path).with_context(|| {
        format!(
            "the guest left no report; see guest.log and console.log in {}",
            share.display()
        )
    })?;
    serde_json::from_str(&text).context("reading the guest's report")
}
