//! `deny`: licences, sources and duplicates of all dependencies, by cargo-deny after `deny.toml`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::tools::CARGO_DENY;
use crate::{Outcome, process};

/// What must hold, and can be checked without a database from the network.
const CHECKS: [&str; 3] = ["bans", "licenses", "sources"];

/// The database of advisories is fetched from the network.
const ADVISORIES: &str = "advisories";
const ADVISORIES_LIMIT: Duration = Duration::from_secs(60);

/// Runs the checks named in `args`; without names [`CHECKS`], and advisories if they can be had.
pub(crate) fn run(root: &Path, args: &[String]) -> anyhow::Result<Outcome> {
    if !args.is_empty() {
        process::run(cargo_deny(root)?.args(args))?;
        return Ok(Outcome::Good);
    }
    process::run(cargo_deny(root)?.args(CHECKS))?;
    // What is wrong here depends on the day and on the network, not on this tree: it is told, and
    // fails nothing. `cargo xtask deny advisories` is strict.
    let advisories = process::run_within(cargo_deny(root)?.arg(ADVISORIES), ADVISORIES_LIMIT);
    println!(
        "deny: bans, licences and sources are good; advisories: {}",
        match advisories {
            Ok(()) => "none".to_owned(),
            Err(error) => format!("unknown, or some ({error})"),
        }
    );
    Ok(Outcome::Good)
}

fn cargo_deny(root: &Path) -> anyhow::Result<Command> {
    let mut command = process::program(CARGO_DENY.path(root)?, root);
    command.args(["--log-level", "warn", "--workspace", "check"]);
    command.arg("--hide-inclusion-graph");
    Ok(command)
}
