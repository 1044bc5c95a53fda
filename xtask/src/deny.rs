//! `deny`: licences, sources and duplicates of all dependencies, by cargo-deny after `deny.toml`.

use std::path::Path;

use crate::tools::CARGO_DENY;
use crate::{Outcome, process};

/// What must hold, and can be checked without a database from the network.
const CHECKS: [&str; 3] = ["bans", "licenses", "sources"];

/// Runs the checks named in `args`; without names [`CHECKS`], and advisories if they can be had.
pub(crate) fn run(root: &Path, args: &[String]) -> anyhow::Result<Outcome> {
    if !args.is_empty() {
        check(root, args.iter().map(String::as_str))?;
        return Ok(Outcome::Good);
    }
    check(root, CHECKS)?;
    // The database of advisories lives in the network: its absence is told and fails nothing, and
    // neither does an advisory of today fail what was good yesterday.
    if check(root, ["advisories"]).is_err() {
        println!("deny: advisories were not checked, or there are some: see above");
    }
    println!("deny: bans, licences and sources are good");
    Ok(Outcome::Good)
}

fn check<'a>(root: &Path, checks: impl IntoIterator<Item = &'a str>) -> anyhow::Result<()> {
    let mut command = process::program(CARGO_DENY.path(root)?, root);
    command.args(["--log-level", "warn", "--workspace", "check"]);
    process::run(command.args(["--hide-inclusion-graph"]).args(checks))
}
