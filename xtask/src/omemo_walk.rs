//! `omemo-walk`: random conversations with a foreign OMEMO implementation, as many as one likes.

use std::path::Path;

use anyhow::Context as _;

use crate::{Outcome, process};

/// As many as the project wants to have seen before a release.
const DEFAULT_COUNT: &str = "10000";

/// Runs the conversations; `--count N` says how many, `--from N` the number of the first.
pub(crate) fn run(root: &Path, args: &[String]) -> anyhow::Result<Outcome> {
    let (mut count, mut from) = (DEFAULT_COUNT, "0");
    let mut args = args.iter();
    while let Some(name) = args.next() {
        let value = args
            .next()
            .context("a number is missing after the option")?;
        value.parse::<u64>().context("not a number")?;
        match name.as_str() {
            "--count" => count = value,
            "--from" => from = value,
            other => anyhow::bail!("unknown option {other}"),
        }
    }
    process::run(
        process::cargo(root)
            .args(["test", "--release", "--locked", "-p", "chappe-omemo"])
            .args(["--test", "foreign_walk", "--", "--nocapture"])
            .env("CHAPPE_OMEMO_WALKS", count)
            .env("CHAPPE_OMEMO_WALKS_FROM", from),
    )?;
    Ok(Outcome::Good)
}
