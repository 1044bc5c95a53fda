//! The figures, their targets, and the commands that make them.
//!
//! Most are made by an example or a bench of the crate they belong to, which prints lines of the form
//! `figure: <name> = <value> <unit>`. To add one: print such a line, and add a row to [`FIGURES`].

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context as _;

use super::memory;
use crate::{process, radio_lab};

/// A figure of the table.
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) target: Target,
    source: Source,
}

/// What the figure is to reach.
#[derive(Clone, Copy)]
pub(super) enum Target {
    AtLeast(f64, &'static str),
    AtMost(f64, &'static str),
}

/// How the figure is made.
enum Source {
    /// A line printed by the benches of a package.
    Bench { package: &'static str },
    /// Size of the stripped program in MB (10^6 bytes).
    BinarySize,
    /// Seconds for a release build of the default member with these features into an empty folder, as minutes.
    CleanBuild { features: &'static str },
    /// A line printed by an example of a package.
    Example {
        package: &'static str,
        example: &'static str,
    },
    /// Pss of the program, run with these arguments on an empty home, after a time without input.
    IdlePss { arguments: &'static [&'static str] },
    /// A number of a scenario of the radio lab: virtual radios under the real stacks, optimised programs. Figures of one
    /// scenario stand one after the other, so that it runs once for all of them.
    RadioLab {
        scenario: &'static str,
        figure: &'static str,
    },
}

/// Every figure. The targets are those of the project's plan.
pub(super) const FIGURES: [Figure; 63] = [
    Figure {
        name: "clean-build",
        about: "`cargo build --release` of the program, downloads done before",
        target: Target::AtMost(10.0, "min"),
        source: Source::CleanBuild { features: "" },
    },
    Figure {
        name: "clean-build-radios",
        about: "the same with both radios: `cargo build --release --features ble,wifi-direct`",
        target: Target::AtMost(10.0, "min"),
        source: Source::CleanBuild {
            features: "ble,wifi-direct",
        },
    },
    Figure {
        name: "binary-size",
        about: "the stripped program",
        target: Target::AtMost(15.0, "MB"),
        source: Source::BinarySize,
    },
    Figure {
        name: "idle-memory",
        about: "Pss of a relay without radios after 60 s",
        target: Target::AtMost(20.0, "MB"),
        source: Source::IdlePss {
            arguments: &["run", "--relay"],
        },
    },
    Figure {
        name: "loaded-memory",
        about: "Pss of a relay with 10,000 envelopes in its store",
        target: Target::AtMost(64.0, "MB"),
        source: example("chappe-relay", "loaded-memory"),
    },
    Figure {
        name: "hop-ratio",
        about: "throughput of two hops in memory beside bare Noise, same messages, same run",
        target: Target::AtLeast(60.0, "%"),
        source: example("chappe-hop", "throughput"),
    },
    Figure {
        name: "engine-cost",
        about: "router per 512-byte envelope: id, known already, insert, offer",
        target: Target::AtMost(5.0, "us"),
        source: example("chappe-gossip", "engine-cost"),
    },
    Figure {
        name: "engine-cost-million",
        about: "the same with 1,000,000 envelopes held",
        target: Target::AtMost(7.0, "us"),
        source: example("chappe-gossip", "engine-cost"),
    },
    Figure {
        name: "commit-rate",
        about: "512-byte envelopes committed in batches",
        target: Target::AtLeast(5000.0, "envelopes/s"),
        source: example("chappe-store", "commit-rate"),
    },
    Figure {
        name: "reconcile-10-bytes",
        about: "two stores of 10,000 that differ in 10, both ways until both know, median",
        target: Target::AtMost(400.0, "B"),
        source: example("chappe-gossip", "reconcile-bytes"),
    },
    Figure {
        name: "reconcile-10-bytes-95",
        about: "the same, 95th percentile",
        target: Target::AtMost(650.0, "B"),
        source: example("chappe-gossip", "reconcile-bytes"),
    },
    Figure {
        name: "reconcile-10-turns",
        about: "the same, 95th percentile: one flight each way is 2",
        target: Target::AtMost(2.0, "flights"),
        source: example("chappe-gossip", "reconcile-bytes"),
    },
    Figure {
        name: "reconcile-1000-bytes-each",
        about: "two stores of 10,000 that differ in 1,000, bytes for each difference, median",
        target: Target::AtMost(30.0, "B"),
        source: example("chappe-gossip", "reconcile-bytes"),
    },
    Figure {
        name: "reconcile-0-bytes",
        about: "two equal stores of 10,000, both ways",
        target: Target::AtMost(40.0, "B"),
        source: example("chappe-gossip", "reconcile-bytes"),
    },
    Figure {
        name: "omemo-setup",
        about: "OMEMO session, both sides, from a bundle to the first text read, by a bare X25519 in the same run",
        target: Target::AtMost(14.0, "X25519"),
        source: bench("chappe-omemo"),
    },
    Figure {
        name: "omemo-encrypt-rate",
        about: "OMEMO messages encrypted in one chain, by those of vodozemac's Olm in the same run",
        target: Target::AtLeast(5.0, "times"),
        source: bench("chappe-omemo"),
    },
    Figure {
        name: "omemo-decrypt-rate",
        about: "the same, decrypted",
        target: Target::AtLeast(0.75, "times"),
        source: bench("chappe-omemo"),
    },
    Figure {
        name: "omemo-step-time",
        about: "one OMEMO message encrypted and decrypted with a new ratchet key, by Olm's time for it",
        target: Target::AtMost(1.0, "times"),
        source: bench("chappe-omemo"),
    },
    Figure {
        name: "omemo-forged-message",
        about: "CPU time for a forged OMEMO message that jumps as far as it may",
        target: Target::AtMost(1_000.0, "us"),
        source: bench("chappe-omemo"),
    },
    Figure {
        name: "omemo-session-memory",
        about: "an idle OMEMO session with all its old chains, by what malloc takes; no message is missing",
        target: Target::AtMost(2_000.0, "B"),
        source: bench("chappe-omemo"),
    },
    Figure {
        name: "file-goodput",
        about: "a 10 MB file over the local air at 1 MB/s",
        target: Target::AtLeast(90.0, "%"),
        source: example("chappe", "file-goodput"),
    },
    Figure {
        name: "sim-light-counts",
        about: "replay in The ONE's way, rwp200: worst of delivered and relayed, four routers",
        target: Target::AtMost(0.5, "%"),
        source: example("chappe-sim", "figures"),
    },
    Figure {
        name: "sim-light-delay",
        about: "the same: worst mean delay",
        target: Target::AtMost(2.0, "%"),
        source: example("chappe-sim", "figures"),
    },
    Figure {
        name: "sim-sfhh-counts",
        about: "the same on the SFHH conference: worst of delivered and relayed, three routers",
        target: Target::AtMost(5.0, "%"),
        source: example("chappe-sim", "figures"),
    },
    Figure {
        name: "sim-heavy-epidemic",
        about: "rwp200 heavy, mean of 20 seeds: delivered, epidemic",
        target: Target::AtMost(9.0, "%"),
        source: example("chappe-sim", "figures"),
    },
    Figure {
        name: "sim-heavy-others",
        about: "the same: worst of delivered and relayed, five other routers",
        target: Target::AtMost(6.0, "%"),
        source: example("chappe-sim", "figures"),
    },
    Figure {
        name: "sim-speed-median",
        about: "The ONE's recorded CPU seconds by those of the replay: median of 13 cells",
        target: Target::AtLeast(200.0, "times"),
        source: example("chappe-sim", "figures"),
    },
    Figure {
        name: "sim-speed-least",
        about: "the same: the least of them",
        target: Target::AtLeast(100.0, "times"),
        source: example("chappe-sim", "figures"),
    },
    Figure {
        name: "sim-events",
        about: "events of rwp200 heavy, epidemic, by CPU seconds",
        target: Target::AtLeast(1_000_000.0, "events/s"),
        source: example("chappe-sim", "figures"),
    },
    Figure {
        name: "sim-contacts",
        about: "the same: contacts by CPU seconds",
        target: Target::AtLeast(300_000.0, "contacts/s"),
        source: example("chappe-sim", "figures"),
    },
    Figure {
        name: "sim-router-speed",
        about: "The ONE's recorded CPU seconds with its epidemic router by those of the router that ships: least of three traces",
        target: Target::AtLeast(30.0, "times"),
        source: example("chappe-sim", "figures"),
    },
    Figure {
        name: "router-selective-delivered",
        about: "recipients take their own, worst of rwp200, SFHH, InVS15: delivered by the oracle",
        target: Target::AtLeast(98.0, "%"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-selective-delay",
        about: "the same: mean delay by the oracle",
        target: Target::AtMost(1.5, "times"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-selective-relays",
        about: "the same: relays by flooding",
        target: Target::AtMost(10.0, "%"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-selective-bytes",
        about: "the same: all bytes by flooding",
        target: Target::AtMost(15.0, "%"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-private-delivered",
        about: "the default, worst of the three: delivered by the oracle",
        target: Target::AtLeast(97.0, "%"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-private-delay",
        about: "the same: mean delay by the oracle",
        target: Target::AtMost(2.0, "times"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-private-relays",
        about: "the same: relays by flooding",
        target: Target::AtMost(35.0, "%"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-private-posterior",
        about: "the same: recipients among takers, worst hour of age",
        target: Target::AtMost(10.0, "%"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-heavy",
        about: "the default, rwp200 heavy: delivered by the offline schedule",
        target: Target::AtLeast(90.0, "%"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-town",
        about: "the default, tram-town.toml: delivered by the offline schedule",
        target: Target::AtLeast(75.0, "%"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-town-relays",
        about: "the same: relays",
        target: Target::AtMost(20_000.0, "relays"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-dropping",
        about: "30 % drop all: delivered among the others, by as many without them",
        target: Target::AtLeast(85.0, "%"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-flooding",
        about: "10 % flood, in large or in small pieces: the same, the worse of both",
        target: Target::AtLeast(95.0, "%"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-flooding-pinned",
        about: "the same: 99th percentile of delays among who pinned each other, by that without a flood",
        target: Target::AtMost(2.0, "times"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-forged",
        about: "10 % forge receipts: copies lost at others before their time",
        target: Target::AtMost(0.0, "copies"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-inflated",
        about: "10 % say that all is a month older: copies lost at others before their time",
        target: Target::AtMost(0.0, "copies"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-crowd-crossings",
        about: "dense-crowd.toml: crossings of a link for each node that gets an envelope",
        target: Target::AtMost(1.3, "times"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "router-crowd-control",
        about: "the same: control bytes by data",
        target: Target::AtMost(25.0, "%"),
        source: example("chappe-sim", "router"),
    },
    Figure {
        name: "sim-oracle",
        about: "figures of the oracle on three traces, to the digit: how many differ from those on record",
        target: Target::AtMost(0.0, "figures"),
        source: example("chappe-sim", "figures"),
    },
    Figure {
        name: "sim-schedule",
        about: "the oracle's schedule on rwp200 heavy: worst of delivered, mean delay and relayed",
        target: Target::AtMost(0.5, "%"),
        source: example("chappe-sim", "figures"),
    },
    Figure {
        name: "sim-movement-speed",
        about: "The ONE's recorded CPU seconds for 2,000 nodes of random waypoint and 12 h by those of movement and contacts here",
        target: Target::AtLeast(50.0, "times"),
        source: example("chappe-sim", "movement-cost"),
    },
    Figure {
        name: "sim-full-speed",
        about: "1,000 whole nodes with real cryptography, one hour: simulated time by CPU time",
        target: Target::AtLeast(10.0, "times"),
        source: example("chappe-sim", "full-level"),
    },
    Figure {
        name: "sim-scale-day",
        about: "100,000 nodes for a day, router spray-and-wait: CPU time",
        target: Target::AtMost(60.0, "min"),
        source: example("chappe-sim", "scale"),
    },
    Figure {
        name: "sim-scale-memory",
        about: "the same: the most memory",
        target: Target::AtMost(2_000.0, "MB"),
        source: example("chappe-sim", "scale"),
    },
    Figure {
        name: "ble-l2cap-bytes",
        about: "200 kB file over Bluetooth LE, virtual radio: bytes on the connection beside a bare L2CAP channel's",
        target: Target::AtMost(1.15, "times"),
        source: lab("ble-bytes", "L2CAP: bytes on the connection beside bare"),
    },
    Figure {
        name: "ble-l2cap-goodput",
        about: "the same: goodput beside the bare channel, five pairs, median",
        target: Target::AtLeast(0.85, "times"),
        source: lab("ble-bytes", "L2CAP: goodput beside bare"),
    },
    Figure {
        name: "ble-first-envelope",
        about: "Bluetooth LE, virtual radio: from link up to the first envelope handed over",
        target: Target::AtMost(3.0, "round trips"),
        source: lab("ble-bytes", "L2CAP: link up to the first envelope"),
    },
    Figure {
        name: "ble-gatt-bytes",
        about: "the same over GATT, beside bare notifications",
        target: Target::AtMost(1.25, "times"),
        source: lab(
            "ble-gatt-bytes",
            "GATT: bytes on the connection beside bare",
        ),
    },
    Figure {
        name: "first-envelope",
        about: "from a link's coming up to the first envelope, whoever has it, both with stores that differ in at most 64 items: at worst",
        target: Target::AtMost(3.0, "round trips"),
        source: example("chappe-node", "first-envelope"),
    },
    Figure {
        name: "wifi-direct-bytes",
        about: "5.2 MB file in a Wi-Fi Direct group, virtual radio: bytes on air beside a bare TCP stream's",
        target: Target::AtMost(1.05, "times"),
        source: lab("wifi-direct-figures", "bytes on air beside bare TCP"),
    },
    Figure {
        name: "wifi-direct-goodput",
        about: "the same, capped at 20 Mbit/s: goodput beside iperf3, five pairs, median",
        target: Target::AtLeast(0.80, "times"),
        source: lab("wifi-direct-figures", "goodput beside iperf3"),
    },
    Figure {
        name: "radio-memory",
        about: "Pss that both radios add to an idle node, virtual radio",
        target: Target::AtMost(10.0, "MB"),
        source: lab("radio-memory", "added by the radios"),
    },
];

const fn bench(package: &'static str) -> Source {
    Source::Bench { package }
}

const fn example(package: &'static str, example: &'static str) -> Source {
    Source::Example { package, example }
}

const fn lab(scenario: &'static str, figure: &'static str) -> Source {
    Source::RadioLab { scenario, figure }
}

/// The program.
const PROGRAM: &str = "chappe";
const IDLE_SECONDS: u64 = 60;

impl Figure {
    /// The command that makes the figure, for people.
    pub(super) fn command(&self) -> String {
        match &self.source {
            Source::Bench { package } => format!("cargo bench -p {package}"),
            Source::Example { package, example } => {
                format!("cargo run --release -p {package} --example {example}")
            }
            Source::RadioLab { scenario, .. } => {
                format!("cargo xtask radio-lab --release {scenario}")
            }
            _ => format!("cargo xtask measure {}", self.name),
        }
    }

    /// Makes the figure, in the unit of its target.
    ///
    /// # Errors
    /// When it could not be measured; why, in a sentence.
    pub(super) fn measure(&self, root: &Path) -> anyhow::Result<f64> {
        match &self.source {
            Source::Bench { package } => {
                let text = run_once(root, &["bench", "--locked", "--quiet", "-p", package])?;
                let (Target::AtLeast(_, unit) | Target::AtMost(_, unit)) = self.target;
                read_line(&text, self.name, unit)
            }
            Source::BinarySize => binary_size(root),
            Source::CleanBuild { features } => clean_build(root, features),
            Source::Example { package, example } => {
                anyhow::ensure!(
                    has_example(root, package, example)?,
                    "{package} has no example `{example}` yet"
                );
                let text = run_example(root, package, example)?;
                let (Target::AtLeast(_, unit) | Target::AtMost(_, unit)) = self.target;
                read_line(&text, self.name, unit)
            }
            Source::IdlePss { arguments } => {
                build(root)?;
                let program = release_folder(root)?.join(PROGRAM);
                memory::idle_pss(root, &program, arguments, IDLE_SECONDS)
            }
            Source::RadioLab { scenario, figure } => {
                let (value, found) = radio_lab::measure(root, scenario, figure)?;
                let (Target::AtLeast(_, unit) | Target::AtMost(_, unit)) = self.target;
                anyhow::ensure!(found == unit, "`{figure}` is in {found}, not in {unit}");
                Ok(value)
            }
        }
    }
}

fn clean_build(root: &Path, features: &str) -> anyhow::Result<f64> {
    process::run(process::cargo(root).args(["fetch", "--locked", "--quiet"]))?;
    let folder = std::env::temp_dir().join(format!("chappe-clean-build-{}", std::process::id()));
    let started = Instant::now();
    let built = process::run(
        process::cargo(root)
            .args(["build", "--release", "--locked", "--quiet"])
            .args(["--features", features])
            .env("CARGO_TARGET_DIR", &folder),
    );
    let took = started.elapsed();
    fs::remove_dir_all(&folder).ok();
    built.map(|()| took.as_secs_f64() / 60.0)
}

fn binary_size(root: &Path) -> anyhow::Result<f64> {
    build(root)?;
    let program = release_folder(root)?.join(PROGRAM);
    let length = fs::metadata(&program)
        .context("looking at the program")?
        .len();
    Ok(length as f64 / 1e6)
}

fn build(root: &Path) -> anyhow::Result<()> {
    process::run(process::cargo(root).args(["build", "--release", "--locked", "--quiet"]))
}

fn release_folder(root: &Path) -> anyhow::Result<std::path::PathBuf> {
    let text = process::output(process::cargo(root).args([
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
    ]))?;
    let metadata: serde_json::Value = serde_json::from_str(&text)?;
    let folder = metadata
        .get("target_directory")
        .and_then(serde_json::Value::as_str)
        .context("cargo names no target folder")?;
    Ok(Path::new(folder).join("release"))
}

fn has_example(root: &Path, package: &str, example: &str) -> anyhow::Result<bool> {
    let packages = crate::metadata::packages(root)?;
    let package = packages.iter().find(|found| found.name == package);
    Ok(package.is_some_and(|package| {
        let folder = package.folder().join("examples");
        folder.join(format!("{example}.rs")).exists() || folder.join(example).exists()
    }))
}

/// What an example prints. One that makes several figures runs once.
fn run_example(root: &Path, package: &str, example: &str) -> anyhow::Result<String> {
    let run = ["run", "--release", "--locked", "--quiet"];
    run_once(
        root,
        &[&run[..], &["-p", package, "--example", example]].concat(),
    )
}

/// What cargo prints with these arguments; with the same ones it runs once.
fn run_once(root: &Path, args: &[&str]) -> anyhow::Result<String> {
    static PRINTED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let mut printed = PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
    let line = args.join(" ");
    if let Some(text) = printed.get(&line) {
        return Ok(text.clone());
    }
    let mut text = String::new();
    let good = process::watch(process::cargo(root).args(args), |line| {
        text.push_str(line);
        text.push('\n');
    })?;
    anyhow::ensure!(good, "`cargo {line}` failed");
    printed.insert(line, text.clone());
    Ok(text)
}

/// The value of the line `figure: <name> = <value> <unit>`.
fn read_line(text: &str, name: &str, unit: &str) -> anyhow::Result<f64> {
    let (value, found) = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("figure: ")?.split_once(" = "))
        .find(|(found, _)| found.trim() == name)
        .and_then(|(_, rest)| rest.trim().split_once(' '))
        .with_context(|| format!("no line `figure: {name} = <value> {unit}`"))?;
    anyhow::ensure!(found == unit, "`{name}` is in {found}, not in {unit}");
    value
        .parse()
        .with_context(|| format!("`{value}` is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_read_from_its_line() {
        let text = "warm-up\nfigure: a = 1 B\n  figure: b = 2.5 MB\nfigure: b-2 = x B\n";
        assert_eq!(read_line(text, "b", "MB").unwrap(), 2.5);
        assert_eq!(read_line(text, "a", "B").unwrap(), 1.0);
        for (name, unit) in [("b", "kB"), ("b-2", "B"), ("c", "B")] {
            assert!(read_line(text, name, unit).is_err(), "{name}");
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = FIGURES.iter().map(|figure| figure.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FIGURES.len());
    }
}
