//! Two sets of results: what is worse is told, and ends with a status of its own.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use std::path::Path;

use common::{PARK, sim, sim_ok};
use serde_json::Value;

fn results(folder: &Path, name: &str, arguments: &[&str]) -> String {
    let park = folder.join("park.toml");
    std::fs::write(&park, PARK).unwrap();
    let out = folder.join(name).to_str().unwrap().to_owned();
    let mut all = vec![
        "run",
        park.to_str().unwrap(),
        "--tables",
        "run",
        "--no-oracle",
    ];
    all.extend(["--seeds", "1..5", "--out", &out]);
    all.extend(arguments);
    sim_ok(&all);
    out
}

#[test]
fn the_same_is_the_same_and_worse_is_worse() {
    let folder = tempfile::tempdir().unwrap();
    let base = results(folder.path(), "base", &[]);
    let spray = results(folder.path(), "spray", &["--router", "spray-and-wait"]);
    let direct = results(folder.path(), "direct", &["--router", "direct-delivery"]);
    let same = sim(&["compare", &base, &base]);
    assert_eq!(same.status.code(), Some(0));
    assert!(!String::from_utf8(same.stdout).unwrap().contains("WORSE"));
    let worse = sim(&["compare", &base, &direct, "--json"]);
    assert_eq!(worse.status.code(), Some(3));
    let lines: Vec<Value> = String::from_utf8(worse.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |metric: &str| lines.iter().find(|line| line["metric"] == metric).unwrap();
    assert_eq!(of("delivery_prob")["verdict"], "worse");
    assert_eq!(of("delivery_prob")["pairs"], 5);
    assert_eq!(of("delivery_prob")["router"], "default -> direct-delivery");
    assert!(of("delivery_prob")["half"].as_f64().unwrap() > 0.0);
    assert_eq!(of("relayed")["verdict"], "better");
    // Fewer transfers are no regression, and what is within the tolerance is none.
    let output = sim(&["compare", &base, &spray, "--metrics", "relayed"]);
    assert_eq!(output.status.code(), Some(0));
    let output = sim(&["compare", &base, &direct, "--tolerance", "100"]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn runs_that_are_called_the_same_are_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").to_str().unwrap().to_owned();
    let traces = concat!(env!("CARGO_MANIFEST_DIR"), "/traces/rwp200-");
    let files = ["contacts", "messages"].map(|what| format!("--{what}={traces}{what}.txt.gz"));
    for buffer in ["20kB", "5MB"] {
        let [contacts, messages] = &files;
        let arguments = [
            "replay",
            contacts,
            messages,
            "--router=spray-and-wait",
            "--one-compat",
        ];
        let more = [
            "--end=3h",
            "--tables=run",
            "--no-oracle",
            "--buffer",
            buffer,
            "--out",
            &out,
        ];
        sim_ok(&[&arguments[..], &more[..]].concat());
    }
    let same = sim_ok(&["compare", &out, &out]);
    for buffer in ["20000B", "5000000B"] {
        let title =
            format!("rwp200-contacts (one-compat): buffer = {buffer}, spray-and-wait: 1 pair\n");
        assert!(same.contains(&title), "{same}");
    }
    assert!(
        !same.contains("WORSE") && !same.contains("better"),
        "{same}"
    );
    assert!(
        same.contains("of one pair") && !same.contains('±'),
        "{same}"
    );
}

#[test]
fn runs_without_a_partner_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let base = results(folder.path(), "base", &[]);
    let park = folder.path().join("park.toml");
    let few = folder.path().join("few").to_str().unwrap().to_owned();
    sim_ok(&[
        "run",
        park.to_str().unwrap(),
        "--tables=run",
        "--no-oracle",
        "--seeds=4..6",
        "--out",
        &few,
    ]);
    let output = sim(&["compare", &base, &few]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("3 runs of the first folder and 1 of the second have no partner"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_compared_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let base = results(folder.path(), "base", &[]);
    let other = results(folder.path(), "other", &["--set", "duration=30min"]);
    for (arguments, told) in [
        ([base.as_str(), other.as_str()], "no run is in both"),
        ([base.as_str(), "nowhere"], "nowhere"),
    ] {
        let output = sim(&["compare", arguments[0], arguments[1]]);
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(told), "{said}");
    }
}
