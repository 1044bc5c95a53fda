//! Sweeps: shards and resumed shards come to the same merged bytes, and nothing unfinished looks finished.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chappe_sim::tables;
use common::{PARK, sim, sim_ok};

const PLAN: &str = r#"about = "How the number of people and their buffers decide"
scenario = "park.toml"
routers = ["default", "spray-and-wait"]
seeds = "1..3"

[set]
duration = "10min"

[axes]
"groups.people.count" = [15, 30]
buffer = ["20kB", "5MB"]
"#;
/// Two routers, three seeds, two counts, two buffers.
const RUNS: usize = 24;

fn plan(folder: &Path, text: &str) -> PathBuf {
    std::fs::write(folder.join("park.toml"), PARK).unwrap();
    let path = folder.join("plan.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn sweep(plan: &Path, out: &Path, more: &[&str]) {
    let mut arguments = vec![
        "sweep",
        plan.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ];
    arguments.extend(more);
    sim_ok(&arguments);
}

fn merged(out: &Path) -> Vec<u8> {
    sim_ok(&["merge", out.to_str().unwrap()]);
    std::fs::read(out.join("merged/run.parquet")).unwrap()
}

fn refused(arguments: &[&str]) -> String {
    let output = sim(arguments);
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn three_shards_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(folder.path(), PLAN);
    let (one, three) = (folder.path().join("one"), folder.path().join("three"));
    sweep(&plan, &one, &[]);
    for shard in ["2/3", "3/3", "1/3"] {
        sweep(&plan, &three, &["--shard", shard]);
    }
    let whole = merged(&one);
    assert_eq!(merged(&three), whole);
    let table = tables::read(&one.join("merged/run.parquet")).unwrap();
    assert_eq!(table.rows(), RUNS);
    let shard = tables::read(&three.join("shard-1-of-3.parquet")).unwrap();
    assert!(shard.rows() > 0 && shard.rows() < RUNS);
    for column in [
        "run",
        "revision",
        "input_sha256",
        "parameters",
        "param.groups.people.count",
        "param.buffer",
        "param.duration",
        "router",
        "seed",
        "delivery_prob",
        "oracle_earliest_arrival_delivered",
        "cpu_s",
        "peak_rss_bytes",
    ] {
        assert!(shard.column(column).is_some(), "{column}");
    }
    let costs = tables::read(&one.join("merged/cost.parquet")).unwrap();
    assert_eq!(costs.rows(), RUNS);
}

#[test]
fn what_was_killed_half_way_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    // Long enough that it is killed on its way.
    let plan = plan(folder.path(), &PLAN.replace("10min", "40min"));
    let (one, killed) = (folder.path().join("one"), folder.path().join("killed"));
    sweep(&plan, &one, &[]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_chappe-sim"))
        .args(["sweep", plan.to_str().unwrap(), "--threads", "1"])
        .args(["--out", killed.to_str().unwrap()])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let journal = killed.join(".shard-1-of-1");
    let begun = Instant::now();
    let done = || tables::files(&journal, "parquet").unwrap().len();
    while done() < 3 {
        assert!(begun.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = done();
    assert!(before < RUNS);
    assert!(!killed.join("shard-1-of-1.parquet").exists());
    let (killed_text, plan_text) = (killed.to_str().unwrap(), plan.to_str().unwrap());
    assert!(refused(&["merge", killed_text]).contains("shard 1 of 1 is not finished"));
    assert!(refused(&["sweep", plan_text, "--out", killed_text]).contains("--resume"));
    // What is done already is not done again.
    let kept: Vec<_> = tables::files(&journal, "parquet").unwrap();
    let costs = |table: &chappe_sim::frame::Frame| {
        let row = |row| {
            (
                table.value(row, "run").as_text().unwrap().to_owned(),
                table.value(row, "cpu_s"),
            )
        };
        (0..table.rows()).map(row).collect::<Vec<_>>()
    };
    let kept: Vec<_> = kept
        .iter()
        .flat_map(|path| costs(&tables::read(path).unwrap()))
        .collect();
    sweep(&plan, &killed, &["--resume"]);
    assert!(!journal.exists());
    let all = costs(&tables::read(&killed.join("shard-1-of-1.parquet")).unwrap());
    assert!(kept.len() >= 3 && kept.iter().all(|run| all.contains(run)));
    assert_eq!(merged(&killed), merged(&one));
}

#[test]
fn a_plan_can_be_extended() {
    let folder = tempfile::tempdir().unwrap();
    let (small, large) = (folder.path().join("small"), folder.path().join("large"));
    let plan_file = plan(folder.path(), &PLAN.replace("1..3", "1..2"));
    sweep(&plan_file, &small, &[]);
    plan(folder.path(), PLAN);
    sweep(&plan_file, &small, &["--resume"]);
    sweep(&plan_file, &large, &[]);
    assert_eq!(merged(&small), merged(&large));
    // And shards of another division skip what there is.
    sweep(&plan_file, &small, &["--resume", "--shard", "1/2"]);
    assert_eq!(
        tables::read(&small.join("shard-1-of-2.parquet"))
            .unwrap()
            .rows(),
        0
    );
}

#[test]
fn recordings_are_swept_too() {
    let folder = tempfile::tempdir().unwrap();
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let text = format!(
        "about = \"t\"\nrouters = [\"epidemic\", \"prophet\"]\nseeds = \"1..2\"\noracle = false\n[replay]\n\
         contacts = \"{traces}/rwp200-contacts.txt.gz\"\nmessages = \"{traces}/rwp200-messages.txt.gz\"\n\
         one-compat = true\ntick = \"1s\"\nend = \"1h\"\n[axes]\nttl = [\"10min\", \"300min\"]\nbuffer = [[\"5MB\"], [\"5MB\", \"1-3=1MB\"]]\n",
        traces = traces.display()
    );
    let plan_file = plan(folder.path(), &text);
    let out = folder.path().join("out");
    sweep(&plan_file, &out, &[]);
    let table = tables::read(&out.join("shard-1-of-1.parquet")).unwrap();
    assert_eq!(table.rows(), 16);
    let ttls = table.column("param.ttl").unwrap();
    assert_eq!(
        (0..16)
            .filter(|row| ttls.value(*row).as_text() == Some("10min"))
            .count(),
        8
    );
    assert!(
        table
            .value(0, "parameters")
            .as_text()
            .unwrap()
            .contains("\"ttl_s\":")
    );
}

#[test]
fn each_router_of_a_plan_runs_in_the_way_that_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let plan_file = plan(
        folder.path(),
        &PLAN
            .replace("1..3", "1..1")
            .replace("spray-and-wait", "prophet"),
    );
    let out = folder.path().join("out");
    sweep(&plan_file, &out, &[]);
    let table = tables::read(&out.join("shard-1-of-1.parquet")).unwrap();
    let modes: std::collections::BTreeSet<_> = (0..table.rows())
        .map(|row| {
            ["router", "mode"].map(|key| table.value(row, key).as_text().unwrap().to_owned())
        })
        .collect();
    let modes: Vec<_> = modes.into_iter().collect();
    assert_eq!(modes, [["default", "routing"], ["prophet", "one-compat"]]);
}

#[test]
fn a_tick_that_means_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (keys, told) in [
        ("tick = \"1s\"", "`tick` without `one-compat`"),
        ("one-compat = true\ntick = \"0s\"", "a tick of no length"),
    ] {
        let text = format!(
            "about = \"t\"\nrouters = [\"epidemic\"]\nseeds = \"1..1\"\n[replay]\ncontacts = \"{0}contacts.txt.gz\"\n\
             messages = \"{0}messages.txt.gz\"\n{keys}\n",
            concat!(env!("CARGO_MANIFEST_DIR"), "/traces/rwp200-")
        );
        let path = plan(folder.path(), &text);
        let said = refused(&["sweep", path.to_str().unwrap(), "--count"]);
        assert!(said.contains(told), "{said}");
    }
}

#[test]
fn a_mistake_in_a_plan_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let said = |text: &str| {
        let path = plan(folder.path(), text);
        refused(&[
            "sweep",
            path.to_str().unwrap(),
            "--out",
            folder.path().join("x").to_str().unwrap(),
        ])
    };
    for (from, to, told) in [
        ("seeds", "sedes", "plan.toml:4:1: unknown field `sedes`"),
        ("1..3", "3..1", "`3..1` is no range of seeds"),
        (
            "\"spray-and-wait\"",
            "\"pigeon\"",
            "plan.toml:3:23: no router is called `pigeon`",
        ),
        ("buffer =", "bufer =", "unknown field `bufer`"),
        ("[15, 30]", "[15, \"many\"]", "expected"),
        (
            "[15, 30]",
            "[]",
            "the axis `groups.people.count` without values",
        ),
        ("park.toml", "park2.toml", "park2.toml: "),
        (
            "scenario = \"park.toml\"",
            "",
            "expected `scenario` or `[replay]`",
        ),
    ] {
        let said = said(&PLAN.replace(from, to));
        assert!(said.contains(told), "{said}");
    }
    for shard in ["0/3", "4/3", "1", "a/b", "1/0"] {
        let output = sim(&["sweep", "plan.toml", "--shard", shard]);
        assert_eq!(output.status.code(), Some(2), "{shard}");
    }
    let empty = folder.path().join("nothing");
    assert!(refused(&["merge", empty.to_str().unwrap()]).contains("has no shards"));
}

#[test]
fn a_missing_shard_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(folder.path(), &PLAN.replace("1..3", "1..1"));
    let out = folder.path().join("out");
    sweep(&plan, &out, &["--shard", "1/2"]);
    let out = out.to_str().unwrap();
    assert!(refused(&["merge", out]).contains("shard 2 of 2 is missing"));
    sim_ok(&["merge", out, "--partial"]);
}

#[test]
fn the_plan_that_ships_is_in_order() {
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/density.toml");
    let count = sim_ok(&["sweep", plan.to_str().unwrap(), "--count"]);
    assert_eq!(count, "90\n");
}
