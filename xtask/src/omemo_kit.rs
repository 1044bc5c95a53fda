//! `omemo-kit`: all scenarios of the interop kit between this project's OMEMO and a foreign one, either side
//! starting, in both flavours, for as many seeds as one likes.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;

use crate::tally::Tally;
use crate::{Outcome, metadata, process, venv};

const FOLDER: &str = "crates/omemo/interop";
const DEFAULT_SEEDS: u64 = 10;

/// Runs the scenarios; `--seeds N` says for how many seeds, `--from N` which is the first.
pub(crate) fn run(root: &Path, args: &[String]) -> anyhow::Result<Outcome> {
    let (mut seeds, mut from) = (DEFAULT_SEEDS, 1);
    let mut args = args.iter();
    while let Some(name) = args.next() {
        let value = args
            .next()
            .context("a number is missing after the option")?;
        let value = value.parse::<u64>().context("not a number")?;
        match name.as_str() {
            "--seeds" => seeds = value,
            "--from" => from = value,
            other => anyhow::bail!("unknown option {other}"),
        }
    }
    let python = venv::INTEROP.ready(root)?;
    process::run(process::cargo(root).args([
        "build",
        "--release",
        "--quiet",
        "--locked",
        "--package",
        "chappe-omemo",
        "--example",
        "interop-peer",
    ]))?;
    let ours = metadata::target(root)?.join("release/examples/interop-peer");
    let ours = format!("'{}'", ours.display());
    let theirs = format!("'{}' peer.py", python.display());
    let mut results = Results::default();
    for seed in from..from.saturating_add(seeds) {
        for (a, b) in [(&ours, &theirs), (&theirs, &ours)] {
            let mut kit = process::program(&python, root);
            kit.current_dir(root.join(FOLDER)).args(["test_peer.py"]);
            kit.args(["--a", a, "--b", b, "--seed", &seed.to_string()]);
            let good = process::watch(&mut kit, |line| results.read(line))?;
            // A kit that ends early fails too, whatever it has printed.
            results.tally.check(good);
        }
    }
    Ok(results.close())
}

#[derive(Default)]
struct Results {
    tally: Tally,
    skipped: BTreeSet<String>,
}

impl Results {
    /// Counts what a line of the kit says: `ok`, `FAIL` or `skip`, the flavour and the scenario.
    fn read(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("ok") => self.tally.check(true),
            Some("FAIL") => self.tally.check(false),
            Some("skip") => {
                let name: Vec<_> = words.take(2).collect();
                self.skipped.insert(name.join(" "));
            }
            _ => {}
        }
    }

    fn close(self) -> Outcome {
        if !self.skipped.is_empty() {
            let skipped: Vec<_> = self.skipped.into_iter().collect();
            println!(
                "omemo-kit: not offered by both sides: {}",
                skipped.join(", ")
            );
        }
        println!("{}", self.tally);
        if self.tally.failed == 0 && self.tally.passed > 0 {
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
    fn scenarios_are_counted_and_one_that_fails_is_told() {
        let mut results = Results::default();
        for line in [
            "ok   twomemo random_walk                  1.20s 300 messages",
            "skip oldmemo labels                     not offered",
            "failed scenarios: 0",
        ] {
            results.read(line);
        }
        assert_eq!(results.tally.to_string(), "1 passed, 0 failed");
        assert!(results.skipped.contains("oldmemo labels"));
        results.read("FAIL twomemo tamper                 AssertionError: x");
        assert_eq!(results.tally.to_string(), "1 passed, 1 failed");
        assert!(matches!(results.close(), Outcome::Bad));
        assert!(matches!(Results::default().close(), Outcome::Bad));
    }
}
