//! What the guest reports.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use crate::Outcome;

/// The report, as the guest writes it.
#[derive(Deserialize)]
struct Report {
    scenarios: Vec<Scenario>,
}

#[derive(Deserialize)]
struct Scenario {
    name: String,
    ok: bool,
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
    let path = share.join("report.json");
    let text = fs::read_to_string(&path).with_context(|| {
        format!(
            "the guest left no report; see guest.log and console.log in {}",
            share.display()
        )
    })?;
    let report: Report = serde_json::from_str(&text).context("reading the guest's report")?;
    println!("\nradio-lab: virtual radios with the real Linux stacks; nothing here was on air");
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
