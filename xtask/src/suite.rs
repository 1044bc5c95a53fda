//! `test`: all checks and all tests, in the order in which they are quickest to fail.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::tally::Tally;
use crate::{Outcome, claims, deny, layers, process, radio_lab, setup};

/// Runs everything, goes on after a failure, and closes with the line `N passed, N failed`.
pub(crate) fn run(root: &Path) -> anyhow::Result<Outcome> {
    let mut report = Report::default();
    report.check("setup", || setup::run(root));
    report.check("format", || format(root));
    report.check("layers", || layers::run(root));
    report.check("claims", || claims::run(root));
    report.check("clippy", || clippy(root));
    report.check("docs", || docs(root));
    report.tests("tests", || tests(root));
    report.check("deny", || deny::run(root, &[]));
    report.check("radio lab", || radio_lab::run_if_possible(root));
    Ok(report.close())
}

fn format(root: &Path) -> anyhow::Result<Outcome> {
    process::run(process::cargo(root).args(["fmt", "--all", "--check"]))?;
    // The fuzz targets belong to no member of the workspace.
    let targets = crate::fuzz::targets(root)?;
    let paths = targets.iter().map(|name| crate::fuzz::path(name));
    process::run(
        process::program("rustfmt", root)
            .args(["--check", "--edition", "2024"])
            .args(paths),
    )?;
    Ok(Outcome::Good)
}

fn clippy(root: &Path) -> anyhow::Result<Outcome> {
    let args = ["clippy", "--workspace", "--all-targets", "--locked"];
    process::run(
        process::cargo(root)
            .args(args)
            .args(["--", "-D", "warnings"]),
    )?;
    Ok(Outcome::Good)
}

fn docs(root: &Path) -> anyhow::Result<Outcome> {
    process::run(
        process::cargo(root)
            .args(["doc", "--workspace", "--no-deps", "--locked"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    Ok(Outcome::Good)
}

/// The generated code, the fuzz corpora and the documentation's examples are tests like any other.
fn tests(root: &Path) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let good = process::watch(
        process::cargo(root).args(["test", "--workspace", "--locked", "--no-fail-fast"]),
        |line| tally.read(line),
    )?;
    // A test that does not compile, or that ends its process, leaves no line to count.
    if !good && tally.failed == 0 {
        tally.check(false);
    }
    Ok(tally)
}

#[derive(Default)]
struct Report {
    tally: Tally,
    lines: Vec<String>,
}

impl Report {
    fn check(&mut self, name: &str, check: impl FnOnce() -> anyhow::Result<Outcome>) {
        self.tests(name, || {
            let mut tally = Tally::default();
            tally.check(matches!(check()?, Outcome::Good));
            Ok(tally)
        });
    }

    fn tests(&mut self, name: &str, tests: impl FnOnce() -> anyhow::Result<Tally>) {
        println!("\n== {name}");
        let started = Instant::now();
        let tally = tests().unwrap_or_else(|error| {
            println!("{error:#}");
            let mut tally = Tally::default();
            tally.check(false);
            tally
        });
        self.line(name, tally, started.elapsed());
        self.tally.add(tally);
    }

    fn line(&mut self, name: &str, tally: Tally, took: Duration) {
        let mark = if tally.failed == 0 {
            "good  "
        } else {
            "FAILED"
        };
        let took = took.as_secs();
        let ignored = match tally.ignored {
            0 => String::new(),
            number => format!(", {number} ignored"),
        };
        self.lines
            .push(format!("{mark}  {name:<9} {took:>5} s  {tally}{ignored}"));
    }

    fn close(self) -> Outcome {
        println!("\n== summary");
        for line in &self.lines {
            println!("{line}");
        }
        println!("{}", self.tally);
        if self.tally.failed == 0 {
            Outcome::Good
        } else {
            Outcome::Bad
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_errs_is_a_failure_and_the_others_still_run() {
        let mut report = Report::default();
        report.check("errs", || anyhow::bail!("no"));
        report.check("is bad", || Ok(Outcome::Bad));
        report.check("is good", || Ok(Outcome::Good));
        assert_eq!(report.tally.to_string(), "1 passed, 2 failed");
        assert!(matches!(report.close(), Outcome::Bad));
    }
}
