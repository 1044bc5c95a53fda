//! `chappe-sim run`: every scenario that ships runs, the same everywhere; results appear whole; faults do harm.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Output;

use chappe_sim::log::Keep;
use chappe_sim::routers::Router;
use chappe_sim::run::{Run, Wanted, run};
use chappe_sim::scenario::Scenario;
use common::{PARK, sim};
use serde_json::{Map, Value};

/// The names that results have had since there are results.
const NAMES: [&str; 19] = [
    "created",
    "started",
    "relayed",
    "aborted",
    "dropped",
    "removed",
    "delivered",
    "delivery_prob",
    "overhead_ratio",
    "latency_avg",
    "latency_med",
    "hopcount_avg",
    "buffertime_avg",
    "control_bytes",
    "data_bytes",
    "contacts",
    "events",
    "wall_s",
    "cpu_s",
];

#[test]
fn every_scenario_that_ships_runs() {
    // Long enough for each to hand something over, short enough for a test.
    for (name, duration) in [
        ("blackout-block", "20min"),
        ("campus", "30min"),
        ("convoy", "10min"),
        ("dense-crowd", "1min"),
        ("evacuation", "20min"),
        ("festival", "1min"),
        ("flooded-valley", "1h"),
        ("office", "1h"),
        ("protest", "90s"),
        ("town", "20min"),
        ("tram-town", "20min"),
        ("village-ferry", "2h"),
    ] {
        let duration = format!("duration={duration}");
        // A crowd of hundreds that floods takes minutes.
        let fewer = if name == "protest" {
            "groups.marchers.count=60".to_owned()
        } else {
            duration.clone()
        };
        let path = shipped(name);
        let output = sim(&[
            "run",
            path.to_str().unwrap(),
            "--set",
            &duration,
            "--set",
            &fewer,
            "--json",
            "--no-oracle",
        ]);
        let runs = runs(&output);
        let [run] = runs.as_slice() else {
            panic!("{name}: {} runs", runs.len());
        };
        for key in NAMES {
            assert!(run.contains_key(key), "{name}: {key}");
        }
        assert!(run["contacts"].as_u64().unwrap() > 0, "{name}");
        assert!(run["relayed"].as_u64().unwrap() > 0, "{name}: {run:?}");
    }
}

#[test]
fn no_router_delivers_more_or_sooner_than_the_oracle() {
    let run = park("", "default");
    let oracle = run.oracle.unwrap();
    let outcome = run.course.outcome;
    assert!(outcome.delivered > 30, "{}", outcome.delivered);
    assert!(outcome.delivered <= oracle.zero_time.delivered);
    assert!(outcome.delivered <= oracle.earliest_arrival.delivered);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let park = folder.path().join("park.toml");
    std::fs::write(&park, PARK).unwrap();
    let on = |threads: &str, seeds: &str| {
        let output = sim(&[
            "run",
            park.to_str().unwrap(),
            "--json",
            "--seeds",
            seeds,
            "--threads",
            threads,
        ]);
        runs(&output)
    };
    let one = on("1", "1..3");
    assert_eq!(one.len(), 3);
    assert_eq!(on("3", "1..3"), one);
    assert_eq!(on("2", "3..3"), one[2..]);
    assert_ne!(one[0]["relayed"], one[1]["relayed"]);
}

#[test]
fn results_are_files_that_a_report_reads() {
    let folder = tempfile::tempdir().unwrap();
    let park = folder.path().join("park.toml");
    std::fs::write(&park, PARK).unwrap();
    let out = folder.path().join("results");
    for router in ["default", "spray-and-wait"] {
        let output = sim(&[
            "run",
            park.to_str().unwrap(),
            "--router",
            router,
            "--seeds",
            "1..2",
            "--out",
            out.to_str().unwrap(),
        ]);
        assert!(output.status.success());
    }
    let tables = std::fs::read_dir(&out).unwrap();
    let mut names: Vec<String> = tables
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let all = "contact cost message node position run series transfer";
    assert_eq!(names.join(" "), all);
    for name in names {
        let files = std::fs::read_dir(out.join(name)).unwrap();
        let files = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let (whole, other): (Vec<_>, Vec<_>) = files.partition(|name| name.ends_with(".parquet"));
        assert_eq!(whole.len(), 4, "{whole:?}");
        assert!(other.is_empty(), "{other:?}");
        assert!(whole.iter().all(|name| name.starts_with("park-")));
    }
    let page = folder.path().join("report.html");
    let output = sim(&[
        "report",
        out.to_str().unwrap(),
        "-o",
        page.to_str().unwrap(),
    ]);
    assert!(output.status.success());
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("4 simulated runs") && page.contains("spray-and-wait"));
}

#[test]
fn who_drops_and_who_floods_does_harm() {
    let honest = park("", "default").course.outcome;
    let dropping = park("[[faults]]\ndrop-all = { share = 0.9 }\n", "default");
    let dropping = dropping.course.outcome;
    assert!(dropping.latency_avg > honest.latency_avg, "{dropping:?}");
    assert!(dropping.hopcount_avg < honest.hopcount_avg, "{dropping:?}");
    let some = "[[faults]]\ndrop-some = { share = 0.9, probability = 0.5 }\n";
    let some = park(some, "default").course.outcome;
    assert!(some.hopcount_avg < honest.hopcount_avg && some.hopcount_avg > dropping.hopcount_avg);
    let flood = "[[faults]]\nflood = { share = 0.1, every = \"5s\", size = \"4kB\" }\n";
    let flooded = park(flood, "default");
    let junk = flooded.course.log.handovers();
    let junk = junk.filter(|(_, handed)| handed.message.is_none()).count();
    assert!(junk > 1_000, "{junk}");
    let flooded = flooded.course.outcome;
    assert_eq!(flooded.created, honest.created);
    assert!(flooded.data_bytes > 2 * honest.data_bytes);
}

#[test]
fn receipts_that_are_made_up_free_nothing() {
    let honest = park("", "default").course.outcome;
    let forged = park("[[faults]]\nforge-receipts = { share = 0.5 }\n", "default");
    let forged = forged.course.outcome;
    assert!(forged.control_bytes > honest.control_bytes);
    assert!(forged.delivered * 10 > honest.delivered * 8, "{forged:?}");
}

#[test]
fn what_is_lost_costs_time_and_who_is_off_hears_nothing() {
    let whole = park("", "default").course.outcome;
    let lossy = park("[[faults]]\nloss = { probability = 0.99 }\n", "default");
    let lossy = lossy.course.outcome;
    assert!(lossy.aborted > 50 && whole.aborted < 5, "{lossy:?}");
    let nothing = park("[[faults]]\nloss = { probability = 1.0 }\n", "default");
    assert_eq!(nothing.course.outcome.relayed, 0);
    let off = "[[faults]]\ncrash = { every = \"3min\", down = \"5min..6min\" }\n";
    let off = park(off, "default").course.outcome;
    assert_eq!(off.created, whole.created);
    assert_ne!(off.contacts, whole.contacts);
    assert!(off.delivered > 0 && off.latency_avg > whole.latency_avg);
}

#[test]
fn what_a_level_does_not_model_is_told() {
    let faults = "[[faults]]\nreordering = { probability = 0.1, within = \"1s\" }\n";
    assert_eq!(park(faults, "default").not_modelled, ["reordering"]);
    assert!(park("", "default").not_modelled.is_empty());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("park.toml");
    std::fs::write(&path, format!("{PARK}{faults}")).unwrap();
    let output = sim(&["run", path.to_str().unwrap(), "--no-oracle"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("had no effect: reordering"), "{told}");
}

#[test]
fn what_cannot_run_is_refused_in_a_sentence() {
    let office = shipped("office");
    let office = office.to_str().unwrap();
    for (arguments, status, told) in [
        (
            &["run", office, "--router", "prophet", "--set", "level=full"][..],
            1,
            "no device has the router `prophet`",
        ),
        (
            &["run", office, "--router", "carrier-pigeon"],
            2,
            "no such router",
        ),
        (
            &["run", office, "--set", "cuont=1"],
            1,
            "unknown field `cuont`",
        ),
        (
            &["run", office, "--set", "router=\"pigeon\""],
            1,
            "no such router",
        ),
        (&["run", office, "--seeds", "3..1"], 2, "no range of seeds"),
        (&["run", office, "--threads", "0"], 2, "0"),
        (&["run", "nowhere.toml"], 1, "nowhere.toml"),
    ] {
        let output = sim(arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{text}");
        assert!(text.contains(told), "{text}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn routers_that_see_destinations_run_in_the_ones_way() {
    let faults = "[[faults]]\nloss = { probability = 0.5 }\n[[faults]]\n\
                  flood = { share = 0.1, every = \"10s\", size = \"1kB\" }\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("park.toml");
    std::fs::write(&path, format!("{PARK}{faults}")).unwrap();
    let path = path.to_str().unwrap();
    for router in ["prophet", "prophet-v2", "maxprop", "first-contact"] {
        let output = sim(&["run", path, "--router", router, "--json"]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("runs by The ONE's semantics"), "{told}");
        let [run] = runs(&output).try_into().unwrap();
        assert_eq!(run["mode"], "one-compat");
        assert_eq!(run["not_modelled"], serde_json::json!(["loss", "flood"]));
        assert!(run["delivered"].as_u64().unwrap() > 20, "{run:?}");
        let bound = &run["oracle"]["zero_time"]["delivered"];
        assert!(run["delivered"].as_u64() <= bound.as_u64());
    }
    // Others do so where they are asked to, and are not told of.
    let output = sim(&[
        "run",
        path,
        "--router=epidemic",
        "--set",
        "level=one-compat",
        "--json",
    ]);
    assert_eq!(runs(&output)[0]["mode"], "one-compat");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("The ONE"));
}

fn park(faults: &str, router: &str) -> Run {
    park_of(PARK, faults, router)
}

fn park_of(text: &str, faults: &str, router: &str) -> Run {
    let text = format!("{text}{faults}");
    let scenario = Scenario::parse(&text, Path::new("park.toml"), &[]).unwrap();
    let wanted = Wanted {
        oracle: true,
        keep: Keep::Everything,
    };
    run(&scenario, Router::named(router).unwrap(), 1, wanted).unwrap()
}

fn shipped(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    folder.join(name).with_extension("toml")
}

/// The runs, without what they have cost.
fn runs(output: &Output) -> Vec<Map<String, Value>> {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let line = |line| {
        let mut run: Map<String, Value> = serde_json::from_str(line).unwrap();
        for cost in ["wall_s", "cpu_s"] {
            assert!(run.contains_key(cost));
            run.insert(cost.to_owned(), Value::Null);
        }
        assert!(run.remove("peak_rss_bytes").is_some());
        run
    };
    text.lines().map(line).collect()
}
