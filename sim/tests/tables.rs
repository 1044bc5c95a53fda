//! Tables of runs: what they say is what the figures say, they are described, and they appear whole.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chappe_sim::frame::{Frame, Value};
use chappe_sim::tables::{self, Kind};
use common::{PARK, sim, sim_ok};
use proptest::prelude::*;

/// The folder of results of the park, with these arguments.
fn results(folder: &Path, arguments: &[&str]) -> PathBuf {
    let park = folder.join("park.toml");
    std::fs::write(&park, PARK).unwrap();
    let out = folder.join("out");
    let mut all = vec![
        "run",
        park.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ];
    all.extend(arguments);
    sim_ok(&all);
    out
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for table in std::fs::read_dir(folder).unwrap() {
        for file in std::fs::read_dir(table.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path
                .strip_prefix(folder)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            all.insert(name, std::fs::read(&path).unwrap());
        }
    }
    all
}

fn one(folder: &Path, kind: Kind) -> Frame {
    let files = tables::files(&folder.join(kind.name()), "parquet").unwrap();
    let [file] = files.as_slice() else {
        panic!("{files:?}");
    };
    tables::read(file).unwrap()
}

fn sum(frame: &Frame, column: &str) -> f64 {
    (0..frame.rows())
        .filter_map(|row| frame.value(row, column).as_number())
        .sum()
}

fn count(frame: &Frame, column: &str) -> f64 {
    (0..frame.rows())
        .filter(|row| frame.value(*row, column) != Value::Missing)
        .count() as f64
}

#[test]
fn tables_say_what_the_figures_say() {
    for level in ["routing", "full"] {
        let folder = tempfile::tempdir().unwrap();
        let level = format!("level={level}");
        let set = [
            "--set",
            &level,
            "--set",
            "groups.people.count=25",
            "--seed",
            "4",
        ];
        let out = results(folder.path(), &set);
        let run = one(&out, Kind::Run);
        let figure = |name: &str| run.value(0, name).as_number().unwrap();
        assert!(figure("delivered") > 10.0 && figure("oracle_schedule_delivered") > 0.0);
        let messages = one(&out, Kind::Message);
        assert_eq!(messages.rows() as f64, figure("created"));
        assert_eq!(count(&messages, "delivered_s"), figure("delivered"));
        assert_eq!(sum(&messages, "transfers"), figure("relayed"));
        let mean = sum(&messages, "latency_s") / figure("delivered");
        assert!((mean - figure("latency_avg")).abs() < 1e-6);
        let mean = sum(&messages, "hops") / figure("delivered");
        assert!((mean - figure("hopcount_avg")).abs() < 1e-9);
        let contacts = one(&out, Kind::Contact);
        assert_eq!(contacts.rows() as f64, figure("contacts"));
        assert_eq!(sum(&contacts, "transfers"), figure("relayed"));
        let nodes = one(&out, Kind::Node);
        assert_eq!(nodes.rows(), 25);
        assert_eq!(sum(&nodes, "got"), figure("relayed"));
        assert_eq!(sum(&nodes, "written"), figure("created"));
        assert_eq!(sum(&nodes, "delivered_to"), figure("delivered"));
        assert_eq!(sum(&nodes, "dropped"), figure("dropped"));
        assert_eq!(sum(&nodes, "removed"), figure("removed"));
        assert!(sum(&nodes, "energy_j") > 0.0);
        let series = one(&out, Kind::Series);
        let last = series.rows() - 1;
        assert_eq!(series.rows(), 241);
        assert_eq!(series.value(last, "at_s"), Value::from(2_400.0));
        assert_eq!(
            series.value(last, "delivered").as_number().unwrap(),
            figure("delivered")
        );
        assert_eq!(
            series.value(last, "copies").as_number().unwrap(),
            sum(&nodes, "held_end")
        );
        assert_eq!(
            series.value(last, "held_bytes").as_number().unwrap(),
            sum(&nodes, "held_end_bytes")
        );
        let transfers = one(&out, Kind::Transfer);
        let completed =
            (0..transfers.rows()).filter(|row| transfers.value(*row, "completed") == true.into());
        assert_eq!(completed.count() as f64, figure("relayed"));
        let positions = one(&out, Kind::Position);
        assert!(positions.rows() >= 2 * 25);
        if level == "level=routing" {
            // Whole nodes send more than they hand over, and several envelopes may make a message.
            let bytes = figure("data_bytes") + figure("control_bytes");
            assert_eq!(sum(&nodes, "sent_bytes"), bytes);
            assert_eq!(sum(&nodes, "received_bytes"), bytes);
            for row in 0..messages.rows() {
                if let Some(hops) = messages.value(row, "hops").as_number() {
                    let path = messages.value(row, "path");
                    let path: Vec<&str> = path.as_text().unwrap().split('>').collect();
                    assert_eq!(path.len() as f64, hops + 1.0);
                    let ends = [path[0], path[path.len() - 1]].map(|node| node.parse::<f64>().ok());
                    let told = ["from", "to"].map(|column| messages.value(row, column).as_number());
                    assert_eq!(ends, told);
                }
            }
        }
    }
}

#[test]
fn replays_have_the_same_tables() {
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let file = |name: &str| traces.join(name).to_str().unwrap().to_owned();
    let (contacts, messages) = (
        file("rwp200-contacts.txt.gz"),
        file("rwp200-messages.txt.gz"),
    );
    for (router, compat) in [
        ("default", &[][..]),
        ("prophet", &["--one-compat", "--tick", "1s"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().to_str().unwrap();
        let mut arguments = vec!["replay", "--contacts", &contacts, "--messages", &messages];
        arguments.extend([
            "--router",
            router,
            "--out",
            out,
            "--end",
            "2h",
            "--no-oracle",
        ]);
        arguments.extend(compat);
        sim_ok(&arguments);
        let run = one(folder.path(), Kind::Run);
        let figure = |name: &str| run.value(0, name).as_number().unwrap();
        let messages = one(folder.path(), Kind::Message);
        assert_eq!(messages.rows() as f64, figure("created"));
        assert_eq!(sum(&messages, "transfers"), figure("relayed"));
        assert_eq!(sum(&messages, "cut_transfers"), figure("aborted"));
        let nodes = one(folder.path(), Kind::Node);
        assert_eq!(sum(&nodes, "dropped"), figure("dropped"));
        assert_eq!(
            sum(&nodes, "sent_bytes"),
            figure("data_bytes") + figure("control_bytes")
        );
        assert_eq!(
            one(folder.path(), Kind::Contact).rows() as f64,
            figure("contacts")
        );
        assert_eq!(
            run.value(0, "mode").as_text().unwrap(),
            if compat.is_empty() {
                "routing"
            } else {
                "one-compat"
            }
        );
    }
}

#[test]
fn the_same_seeds_give_the_same_bytes_but_for_the_cost() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, other] = [("1", &folders[0]), ("3", &folders[1])].map(|(threads, folder)| {
        files(&results(
            folder.path(),
            &["--seeds", "1..3", "--threads", threads],
        ))
    });
    assert_eq!(
        one.keys().collect::<Vec<_>>(),
        other.keys().collect::<Vec<_>>()
    );
    assert_eq!(one.len(), 8 * 3);
    for (name, bytes) in &one {
        assert!(name.starts_with("cost/") || *bytes == other[name], "{name}");
    }
}

#[test]
fn every_column_is_described() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/TABLES.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = results(folder.path(), &["--seed", "1"]);
    for kind in Kind::ALL {
        let (_, section) = page.split_once(&format!("## `{}`", kind.name())).unwrap();
        let section = section.split("\n## ").next().unwrap();
        for column in one(&out, kind).columns() {
            let name = &column.name;
            let oracle = name.starts_with("oracle_");
            let shown = if oracle {
                "`oracle_BOUND_FIGURE`".to_owned()
            } else {
                format!("`{name}`")
            };
            assert!(
                section.contains(&shown),
                "{}: {name} is not in TABLES.md",
                kind.name()
            );
        }
    }
}

#[test]
fn csv_and_single_tables_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let out = results(
        folder.path(),
        &["--seed", "1", "--csv", "--tables", "run,series"],
    );
    let files = files(&out);
    let names: Vec<&str> = files
        .keys()
        .map(|name| name.split('/').next().unwrap())
        .collect();
    assert_eq!(names, ["run", "series"]);
    assert!(files.keys().all(|name| name.ends_with(".csv")));
    let text = String::from_utf8(files.values().next_back().unwrap().clone()).unwrap();
    assert!(text.starts_with("run,at_s,created,"), "{text}");
    assert_eq!(text.lines().count(), 242);
}

#[test]
fn what_cannot_be_written_is_told_and_nothing_looks_finished() {
    let folder = tempfile::tempdir().unwrap();
    let park = folder.path().join("park.toml");
    std::fs::write(&park, PARK).unwrap();
    let out = folder.path().join("out");
    // A folder stands where the table of runs is to be.
    std::fs::write(&out, "no folder").unwrap();
    let output = sim(&[
        "run",
        park.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with("chappe-sim: ") && said.contains("out"),
        "{said}"
    );
    for tables in ["run,fun", ""] {
        let output = sim(&[
            "run",
            park.to_str().unwrap(),
            "--out",
            "x",
            "--tables",
            tables,
        ]);
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = results(folder.path(), &["--seed", "1", "--tables", "run"]);
    let files = tables::files(&out.join("run"), "parquet").unwrap();
    let whole = std::fs::read(&files[0]).unwrap();
    for length in (0..whole.len()).step_by(97) {
        std::fs::write(&files[0], &whole[..length]).unwrap();
        let error = tables::read(&files[0]).unwrap_err().to_string();
        assert!(error.contains("expected a whole Parquet file"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_written_reads_back(
        rows in proptest::collection::vec(
            (any::<Option<bool>>(), any::<Option<i64>>(), proptest::option::of(-1e300..1e300_f64), any::<Option<String>>()),
            0..50,
        )
    ) {
        use chappe_sim::frame::Kind;
        let mut frame = Frame::new([
            ("flag", Kind::Flag), ("integer", Kind::Integer), ("real", Kind::Real), ("text", Kind::Text),
        ]);
        for (flag, integer, real, text) in rows {
            frame.push([
                Value::from(flag),
                integer.map_or(Value::Missing, Value::Integer),
                Value::from(real),
                Value::from(text),
            ]);
        }
        let bytes = frame.to_parquet(Vec::new()).unwrap();
        prop_assert_eq!(Frame::from_parquet(bytes.into()).unwrap(), frame);
    }
}
