//! `radio-lab`: the real Linux radio stacks, in a virtual machine. See `hardware-tests/README.md`.

mod guest;
mod image;
mod needs;
mod report;
mod rig;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub(crate) use needs::missing_packages;
pub(crate) use rig::test as test_rig;

use anyhow::Context as _;

use crate::{Outcome, process};

/// Radios are built in, and the central role that other systems have.
const FEATURES: &str = "chappe-relay/ble,chappe-relay/ble-central,chappe-relay/wifi-direct";
/// The scenarios that are known to end well, boot included.
const LIMIT: Duration = Duration::from_secs(15 * 60);
/// Scenarios that were named: some take long, and several may be named.
const NAMED_LIMIT: Duration = Duration::from_secs(40 * 60);
/// What a run leaves, for people: the report, logs and captures.
const RESULTS: &str = "target/radio-lab";

/// Runs the scenarios that are named in `args`, or all.
pub(crate) fn run(root: &Path, args: &[String]) -> anyhow::Result<Outcome> {
    let mut options = Options::default();
    let mut rig = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--release" => options.release = true,
            "--rig" => rig = Some(args.next().context("--rig needs a file")?),
            flag if flag.starts_with('-') => anyhow::bail!("there is no option `{flag}`"),
            name => options.scenarios.push(name.to_owned()),
        }
    }
    if let Some(file) = rig {
        anyhow::ensure!(!options.release, "a rig's machines have their own programs");
        return rig::run(root, Path::new(file), &options.scenarios);
    }
    if let Some(missing) = needs::missing(root) {
        anyhow::bail!("{missing}");
    }
    lab(root, &options)
}

/// The lab as a part of `cargo xtask test`: good, or told to be skipped, where the machine lacks something.
pub(crate) fn run_if_possible(root: &Path) -> anyhow::Result<Outcome> {
    if let Some(missing) = needs::missing(root) {
        println!("radio-lab: SKIPPED, nothing was shown on the real radio stacks: {missing}");
        return Ok(Outcome::Good);
    }
    lab(root, &Options::default())
}

/// A number that a scenario measures, in its unit, with optimised programs. Scenarios run once for all numbers of theirs that are
/// asked for one after the other.
///
/// # Errors
/// When the machine lacks something, or the scenario does not end well.
pub(crate) fn measure(root: &Path, scenario: &str, figure: &str) -> anyhow::Result<(f64, String)> {
    static LAST: Mutex<String> = Mutex::new(String::new());
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    // A run removes the results of the one before.
    if *last != scenario {
        scenario.clone_into(&mut last);
        if let Some(missing) = needs::missing(root) {
            anyhow::bail!("{missing}");
        }
        let options = Options {
            scenarios: vec![scenario.to_owned()],
            release: true,
        };
        lab(root, &options)?;
    }
    report::figure(&root.join(RESULTS), scenario, figure)
}

#[derive(Default)]
struct Options {
    scenarios: Vec<String>,
    /// Optimised programs: for figures. They take longer to build.
    release: bool,
}

fn lab(root: &Path, options: &Options) -> anyhow::Result<Outcome> {
    let image = image::cached(root)?;
    let share = guest::share(root, options)?;
    let limit = match options.scenarios.as_slice() {
        [] => LIMIT,
        _ => NAMED_LIMIT,
    };
    let booted = guest::boot(root, &image, &share, limit);
    let shown = report::show(&share);
    booted?;
    shown
}

/// The programs of the guest, built on this machine. Both are Debian 12: one glibc.
fn programs(root: &Path, release: bool) -> anyhow::Result<Vec<PathBuf>> {
    let names = ["chappe", "radio-lab"];
    // With the whole workspace, so that what the tests have built already is used.
    let mut cargo = process::cargo(root);
    cargo.args(["build", "--locked", "--workspace"]);
    cargo.args(["--features", FEATURES]);
    for name in names {
        cargo.args(["--bin", name]);
    }
    if release {
        cargo.arg("--release");
    }
    process::run(&mut cargo)?;
    let profile = if release { "release" } else { "debug" };
    let folder = crate::metadata::target(root)?.join(profile);
    Ok(names.map(|name| folder.join(name)).into())
}
