//! The same seed gives the same bytes, whatever the number of threads.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::Command;

#[test]
fn the_number_of_threads_changes_nothing() {
    for router in ["prophet", "spray-and-wait"] {
        let one = replay(router, "1", "1..3");
        assert_eq!(one.len(), 3);
        assert_eq!(replay(router, "3", "1..3"), one);
        assert_eq!(replay(router, "2", "3..3"), one.get(2..3).unwrap());
    }
}

#[test]
fn another_seed_is_another_sample() {
    let runs = replay("prophet", "2", "1..2");
    let figures = runs.iter().map(|run| run.get("relayed").cloned().unwrap());
    let [first, second] = figures.collect::<Vec<_>>().try_into().unwrap();
    assert_ne!(first, second);
}

/// The runs, without what they have cost.
fn replay(
    router: &str,
    threads: &str,
    seeds: &str,
) -> Vec<serde_json::Map<String, serde_json::Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let output = Command::new(env!("CARGO_BIN_EXE_chappe-sim"))
        .env("RAYON_NUM_THREADS", threads)
        .args([
            "replay",
            "--one-compat",
            "--json",
            "--router",
            router,
            "--seeds",
            seeds,
        ])
        .arg("--contacts")
        .arg(folder.join("rwp200-contacts.txt.gz"))
        .arg("--messages")
        .arg(folder.join("rwp200-messages-heavy.txt.gz"))
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let runs = text.lines().map(|line| {
        let mut run: serde_json::Map<_, _> = serde_json::from_str(line).unwrap();
        for cost in ["wall_s", "cpu_s", "peak_rss_bytes"] {
            assert!(run.remove(cost).is_some());
        }
        run
    });
    runs.collect()
}
