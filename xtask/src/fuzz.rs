//! `fuzz`: runs the fuzz targets of `crates/fuzz`.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;

use crate::tools::CARGO_FUZZ;
use crate::{Outcome, process, tree};

const FOLDER: &str = "crates/fuzz/fuzz_targets";
/// Seeds and past findings, checked in; read only.
const SEEDS: &str = "crates/fuzz/corpus";
/// Inputs that reached something new on this machine.
const FOUND: &str = "target/fuzz-corpus";
const DEFAULT_SECONDS: u32 = 60;
/// An input that keeps a target busy for longer is a finding.
const TIMEOUT_SECONDS: u32 = 5;
/// A target that needs more memory, sanitizer included, is a finding.
const MEMORY_MIB: u32 = 1024;

/// Runs the targets named in `args`, or all; good if none found anything.
pub(crate) fn run(root: &Path, args: &[String]) -> anyhow::Result<Outcome> {
    let all = targets(root)?;
    let Plan { seconds, chosen } = Plan::parse(args, &all)?;
    println!(
        "fuzz: {} targets, {seconds} s each; findings go to crates/fuzz/artifacts",
        chosen.len()
    );
    let cargo_fuzz = CARGO_FUZZ.path(root)?;
    let mut found = Vec::new();
    for target in chosen {
        let found_now = format!("{FOUND}/{target}");
        std::fs::create_dir_all(root.join(&found_now)).context("making the corpus folder")?;
        // The sanitizers and the coverage counters are unstable flags of a stable compiler.
        let mut command = process::program(&cargo_fuzz, root);
        command
            .env("RUSTC_BOOTSTRAP", "1")
            .env_remove("CARGO_TARGET_DIR")
            .args(["run", "--fuzz-dir", "crates/fuzz", target])
            .args(["--no-default-features", "--features"])
            .arg(crates(root, target)?)
            .arg(&found_now)
            .args(seeds(root, target))
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-timeout={TIMEOUT_SECONDS}"))
            .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
            .args(["-print_final_stats=1", "-verbosity=0"]);
        if let Err(error) = process::run(&mut command) {
            println!("fuzz: {target}: {error:#}");
            found.push(target);
        }
    }
    if found.is_empty() {
        println!("fuzz: nothing found");
        return Ok(Outcome::Good);
    }
    println!("fuzz: failed: {}", found.join(", "));
    Ok(Outcome::Bad)
}

/// The crates of this project that a target names, with commas: only they are built for it.
fn crates(root: &Path, target: &str) -> anyhow::Result<String> {
    let path = path(target);
    let source = std::fs::read_to_string(root.join(&path)).with_context(|| path.clone())?;
    let names: BTreeSet<String> = source
        .split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .filter(|word| word.starts_with("chappe_"))
        .map(|word| word.replace('_', "-"))
        .collect();
    Ok(Vec::from_iter(names).join(","))
}

/// The checked-in inputs of a target, where it has any: libFuzzer refuses a folder that does not exist.
fn seeds(root: &Path, target: &str) -> Option<String> {
    let folder = format!("{SEEDS}/{target}");
    root.join(&folder).is_dir().then_some(folder)
}

/// The names of all fuzz targets, in order.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn targets(root: &Path) -> anyhow::Result<Vec<String>> {
    let paths = tree::entries(&root.join(FOLDER))?;
    let sources = paths
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    Ok(sources
        .filter_map(|path| path.file_stem())
        .map(|name| name.to_string_lossy().into_owned())
        .collect())
}

/// The source of a target, relative to the top of the checkout.
pub(crate) fn path(target: &str) -> String {
    format!("{FOLDER}/{target}.rs")
}

#[derive(Debug)]
struct Plan<'a> {
    seconds: u32,
    chosen: Vec<&'a str>,
}

impl<'a> Plan<'a> {
    fn parse(args: &'a [String], all: &'a [String]) -> anyhow::Result<Self> {
        let mut seconds = DEFAULT_SECONDS;
        let mut chosen = Vec::new();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--seconds" {
                let value = args.next().context("--seconds needs a number")?;
                seconds = value
                    .parse()
                    .with_context(|| format!("--seconds needs a number, not `{value}`"))?;
            } else if all.contains(arg) {
                chosen.push(arg.as_str());
            } else {
                anyhow::bail!(
                    "there is no fuzz target `{arg}`; there are: {}",
                    all.join(", ")
                );
            }
        }
        // libFuzzer takes 0 for "without end".
        anyhow::ensure!(seconds > 0, "--seconds needs a number above 0");
        if chosen.is_empty() {
            chosen = all.iter().map(String::as_str).collect();
        }
        Ok(Self { seconds, chosen })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(args: &[&str]) -> Result<(u32, Vec<String>), String> {
        let all = ["one".to_owned(), "two".to_owned()];
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        let plan = Plan::parse(&args, &all).map_err(|error| error.to_string())?;
        let chosen = plan.chosen.iter().map(|&name| name.to_owned()).collect();
        Ok((plan.seconds, chosen))
    }

    #[test]
    fn all_targets_run_unless_some_are_named() {
        assert_eq!(plan(&[]).unwrap().1, ["one", "two"]);
        let named = plan(&["--seconds", "9", "two"]).unwrap();
        assert_eq!(named, (9, vec!["two".to_owned()]));
    }

    #[test]
    fn the_crates_of_a_target_are_those_that_its_source_names() {
        let root = crate::root().unwrap();
        assert_eq!(crates(&root, "omemo_session").unwrap(), "chappe-omemo");
        let manifest = std::fs::read_to_string(root.join("crates/fuzz/Cargo.toml")).unwrap();
        for target in targets(&root).unwrap() {
            for name in crates(&root, &target).unwrap().split(',') {
                let feature = format!("    \"{name}\",\n");
                assert!(manifest.contains(&feature), "{target} needs {feature}");
            }
        }
    }

    #[test]
    fn mistakes_are_refused() {
        for args in [
            &["three"][..],
            &["--seconds"],
            &["--seconds", "x"],
            &["--seconds", "0"],
        ] {
            assert!(plan(args).is_err(), "{args:?}");
        }
    }
}
