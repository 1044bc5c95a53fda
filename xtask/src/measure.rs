//! `measure`: every figure has one command that makes it, and a row in the README's table.

mod figures;
mod memory;
mod table;

use std::fs;
use std::path::Path;

use figures::FIGURES;
use table::Row;

use crate::{Outcome, process};

const README: &str = "README.md";

/// Measures the figures named in `args`, or all; good if each was measured and holds its target.
pub(crate) fn run(root: &Path, args: &[String]) -> anyhow::Result<Outcome> {
    if let Some(unknown) = args
        .iter()
        .find(|name| !FIGURES.iter().any(|figure| is_meant(name, figure.name)))
    {
        let names: Vec<_> = FIGURES.iter().map(|figure| figure.name).collect();
        anyhow::bail!(
            "there is no figure `{unknown}`; there are: {}",
            names.join(", ")
        );
    }
    println!("measure: on {}", machine(root));
    let mut rows = Vec::new();
    for figure in &FIGURES {
        if args.is_empty() || args.iter().any(|name| is_meant(name, figure.name)) {
            println!("\n== {} ({})", figure.name, figure.about);
            let row = Row::new(figure, figure.measure(root));
            println!("{}", row.for_people());
            rows.push(row);
        }
    }
    println!();
    let held = rows.iter().filter(|row| row.holds()).count();
    let summary = format!(
        "measure: {held} of {} figures hold their targets",
        rows.len()
    );
    let text = table::markdown(&rows, &machine(root));
    print!("{text}");
    put_into_readme(root, &rows)?;
    println!("{summary}");
    Ok(if held == rows.len() {
        Outcome::Good
    } else {
        Outcome::Bad
    })
}

/// A figure is named by its name, several by the word that their names begin with.
fn is_meant(name: &str, figure: &str) -> bool {
    let rest = figure.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Rows that were measured replace those of the same name; the others stay as they are.
fn put_into_readme(root: &Path, rows: &[Row]) -> anyhow::Result<()> {
    let path = root.join(README);
    let text = fs::read_to_string(&path).unwrap_or_default();
    match table::updated(&text, rows, &machine(root)) {
        Some(updated) => {
            fs::write(path, updated)?;
            println!("measure: {README} is up to date");
        }
        None => println!("measure: {README} has no place for the table, so it was not changed"),
    }
    Ok(())
}

/// What the figures were measured on, in one line.
fn machine(root: &Path) -> String {
    let field = |path: &str, key: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key))?;
        let (_, value) = line.split_once(':')?;
        Some(value.trim().to_owned())
    };
    let processor = field("/proc/cpuinfo", "model name").unwrap_or("unknown processor".to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
        .map_or("unknown".to_owned(), |kb| format!("{} GB", kb / 1_000_000));
    let rustc = process::output(process::program("rustc", root).arg("--version"));
    let rustc = rustc.unwrap_or_default();
    let rustc: Vec<_> = rustc.split_whitespace().take(2).collect();
    format!(
        "{processor}, {cores} cores, {memory} of memory, {}, {}",
        std::env::consts::OS,
        rustc.join(" ")
    )
}
