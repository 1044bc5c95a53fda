//! `omemo-mutants`: changes the code by which OMEMO believes or refuses something, one place at a time, and sees
//! whether a test notices. Each change that none notices must be explained on a page.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::tools::CARGO_MUTANTS;
use crate::{Outcome, process};

/// What decides whom and what to believe.
const FILES: [&str; 16] = [
    "bundle",
    "cipher",
    "ciphermachine",
    "curve",
    "identity",
    "key_element",
    "payload",
    "ratchet",
    "receive",
    "record",
    "record/device_list",
    "record/reachable",
    "session",
    "trust",
    "trust/vouching",
    "x3dh",
];
const SOURCES: &str = "crates/omemo/src";
/// Explains each change that no test notices, by what cargo-mutants calls it, in backticks.
const PAGE: &str = "crates/omemo/MUTANTS.md";
/// Where it is built: not where others are, who would find changed code there.
const BUILD: &str = "target/mutants-build";
/// What came of it.
const REPORT: &str = "target/mutants";

/// Changes that tell nothing, by regular expressions over what cargo-mutants calls them.
const POINTLESS: [&str; 4] = [
    // These types have no default value: it does not compile.
    r"-> .*(Self|Bundle|Flavour|PreKey|IdentityKey|MachineKey|Aes256Gcm|PublicKey|Fingerprint|KeyPair|Opened|Change\)|Chain\)|Decrypted|Identities|Found|Binding|EncryptedKey|Trust[ ,>]|Sequence|Agreement|DeviceId|DeviceList|Reachable|KnownDevice).* with .*Default::default\(\)",
    // Nor does this, or it says the same as `Zeroizing::new(vec![])`.
    r"Zeroizing::(from\(|from_iter|new\(\))",
    // The same as with zeros.
    r"vec!\[1\]|\[1; ",
    // What is shown to developers only.
    r"impl fmt::Debug for",
];

/// Changes the files named in `args`, as in [`FILES`], or all; good if each change was noticed or is explained.
/// `--shard K/N` takes one of N parts, K from 0.
pub(crate) fn run(root: &Path, args: &[String]) -> anyhow::Result<Outcome> {
    let (shard, names) = match args {
        [option, shard, names @ ..] if option == "--shard" => (Some(shard), names),
        names => (None, names),
    };
    let files: Vec<&str> = match names {
        [] => FILES.to_vec(),
        names => names.iter().map(String::as_str).collect(),
    };
    let report = shard.map_or(REPORT.to_owned(), |shard| {
        format!("{REPORT}/{}", shard.replace('/', "-of-"))
    });
    for file in &files {
        let path = root.join(SOURCES).join(format!("{file}.rs"));
        anyhow::ensure!(path.exists(), "there is no {SOURCES}/{file}.rs");
    }
    let mut command = process::program(CARGO_MUTANTS.path(root)?, root);
    command.args(["mutants", "--package", "chappe-omemo", "--no-shuffle"]);
    command.args(["--colors", "never", "--output", &report]);
    for file in &files {
        command.args(["--file", &format!("{SOURCES}/{file}.rs")]);
    }
    for pointless in POINTLESS {
        command.arg(format!("--exclude-re={pointless}"));
    }
    if let Some(shard) = shard {
        command.args(["--shard", shard]);
    }
    let runner = std::env::current_exe().context("finding this program")?;
    let runner = format!(
        "--config=target.'cfg(all())'.runner=['{}','until-failure']",
        runner.display()
    );
    for arg in ["--lib", "--test", "together", &runner] {
        command.arg(format!("--cargo-arg={arg}"));
    }
    command.env("CARGO_TARGET_DIR", root.join(BUILD));
    // Each change is a build: the quickest that there is.
    command.env("CARGO_PROFILE_DEV_DEBUG", "0");
    command.env("CARGO_INCREMENTAL", "1");
    // It fails when a change was not noticed, which is looked at below, and when it could not do its work.
    let ran = process::run(&mut command);
    let folder = root.join(&report).join("mutants.out");
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let (Some(missed), Some(caught), Some(endless)) =
        (read("missed.txt"), read("caught.txt"), read("timeout.txt"))
    else {
        ran?;
        anyhow::bail!("cargo-mutants left no report in {report}");
    };
    anyhow::ensure!(
        !caught.is_empty(),
        "no change was noticed: the tests did not run"
    );
    let page = fs::read_to_string(root.join(PAGE)).with_context(|| format!("reading {PAGE}"))?;
    // With some changes a test never ends, which is noticed too.
    let noticed = caught.lines().chain(endless.lines()).count();
    Ok(judge(&missed, noticed, &page))
}

/// Runs a program of tests until one fails, since the others would tell nothing more: cargo calls it, for
/// `omemo-mutants`.
pub(crate) fn until_failure(args: &[String]) -> anyhow::Result<Outcome> {
    let (program, args) = args.split_first().context("a program is missing")?;
    let mut child = Command::new(program)
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run `{program}`"))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            println!("{line}");
            if line.starts_with("test ") && line.ends_with("... FAILED") {
                child.kill()?;
            }
        }
    }
    Ok(if child.wait()?.success() {
        Outcome::Good
    } else {
        Outcome::Bad
    })
}

/// Good if the page explains each change that was missed.
fn judge(missed: &str, caught: usize, page: &str) -> Outcome {
    let explained: BTreeSet<_> = page.split('`').skip(1).step_by(2).collect();
    let missed: Vec<_> = missed.lines().filter_map(name).collect();
    let unexplained: Vec<_> = missed
        .iter()
        .filter(|name| !explained.contains(name.as_str()))
        .collect();
    for name in &unexplained {
        println!("omemo-mutants: no test notices, and {PAGE} does not explain: {name}");
    }
    println!(
        "omemo-mutants: {caught} changes noticed, {} not, {} of them unexplained",
        missed.len(),
        unexplained.len()
    );
    if unexplained.is_empty() {
        Outcome::Good
    } else {
        Outcome::Bad
    }
}

/// `crates/omemo/src/curve.rs:12:5: replace ...` without the place in the file, which moves, and without the folder.
fn name(line: &str) -> Option<String> {
    let (path, rest) = line.split_once(".rs:")?;
    let (_, change) = rest.split_once(": ")?;
    let file = path.strip_prefix(SOURCES)?.strip_prefix('/')?;
    Some(format!("{file}: {change}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_test_notices_must_be_on_the_page() {
        let missed = "crates/omemo/src/record/reachable.rs:71:9: replace == with != in verify\n";
        let is_good = |page| matches!(judge(missed, 9, page), Outcome::Good);
        assert!(is_good(
            "- `record/reachable: replace == with != in verify`: equal"
        ));
        assert!(!is_good(
            "- `record/reachable: replace == with != in open`: equal"
        ));
        assert!(!is_good(""));
    }
}
