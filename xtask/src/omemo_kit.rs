//! `omemo-kit`: all scenarios of the interop kit between this project's OMEMO and a foreign one, either side
//! starting, in both flavours, for as many seeds as one likes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::tally::Tally;
use crate::{Outcome, metadata, process, venv};

const FOLDER: &str = "crates/omemo/interop";
const DEFAULT_SEEDS: u64 = 10;
/// What happens with one seed of eight is not missed with so many.
const SEEDS_ALONE: u64 = 40;

/// Runs the scenarios; `--seeds N` says for how many seeds, `--from N` which is the first.
///
/// The kit flips bits of which it does not know that the foreign side cannot see them: the top bit of an X25519 key. A
/// seed with such a flip fails whoever is on the other side. So where a scenario that the foreign side judges fails, it
/// is run with the foreign side on both ends, with several seeds; if it fails there in the same words, it says nothing
/// about this project, it is told, and another seed takes the place of this one.
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
    let kit = Kit::ready(root)?;
    let mut results = Results::default();
    let last = from.saturating_add(seeds.saturating_mul(2));
    for seed in from..last {
        if results.seeds >= seeds {
            break;
        }
        kit.run_seed(seed, &mut results)?;
    }
    anyhow::ensure!(
        results.seeds >= seeds,
        "the foreign side fails against itself with too many seeds"
    );
    Ok(results.close())
}

/// What a run of the kit needs.
struct Kit<'a> {
    root: &'a Path,
    python: PathBuf,
    ours: String,
    theirs: String,
}

impl<'a> Kit<'a> {
    /// Installs and builds both sides.
    fn ready(root: &'a Path) -> anyhow::Result<Self> {
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
        Ok(Self {
            root,
            ours: format!("'{}'", ours.display()),
            theirs: format!("'{}' peer.py", python.display()),
            python,
        })
    }

    /// Runs all scenarios with either side starting.
    fn run_seed(&self, seed: u64, results: &mut Results) -> anyhow::Result<()> {
        let (ours, theirs) = (&self.ours, &self.theirs);
        let mut whole = true;
        for (a, b) in [(ours, theirs), (theirs, ours)] {
            let mut failures = Vec::new();
            let mut kit = self.command(a, b, seed);
            let good = process::watch(&mut kit, |line| {
                if line.starts_with("FAIL") {
                    failures.push(line.to_owned());
                } else {
                    results.read(line);
                }
            })?;
            let told = !failures.is_empty();
            for failure in failures {
                if b == theirs && self.fails_alone(&failure)? {
                    println!(
                        "omemo-kit: seed {seed}: the foreign side fails against itself, too: {failure}"
                    );
                    whole = false;
                } else {
                    results.read(&failure);
                }
            }
            // A kit that ends early fails too, whatever it has printed.
            results.tally.check(good || told);
        }
        results.seeds += u64::from(whole);
        Ok(())
    }

    /// Whether the foreign side against itself fails in the same words, with one of some seeds.
    fn fails_alone(&self, failure: &str) -> anyhow::Result<bool> {
        let mut words = failure.split_whitespace().skip(1);
        let (Some(flavour), Some(scenario)) = (words.next(), words.next()) else {
            return Ok(false);
        };
        for seed in 1..=SEEDS_ALONE {
            let mut same = false;
            let mut kit = self.command(&self.theirs, &self.theirs, seed);
            kit.args(["--flavour", flavour, "--only", scenario]);
            process::watch(&mut kit, |line| same |= line == failure)?;
            if same {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn command(&self, a: &str, b: &str, seed: u64) -> Command {
        let mut kit = process::program(&self.python, self.root);
        kit.current_dir(self.root.join(FOLDER));
        kit.args(["test_peer.py", "--a", a, "--b", b]);
        kit.args(["--seed", &seed.to_string()]);
        kit
    }
}

#[derive(Default)]
struct Results {
    tally: Tally,
    /// Seeds with which both sides could be judged in all scenarios.
    seeds: u64,
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
        println!("omemo-kit: {} seeds, {}", self.seeds, self.tally);
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
