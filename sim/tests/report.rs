//! The page of results: every router, the oracle, nothing from the network; and refusals by line.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_sim::report::{Results, page};
use common::{PARK, sim_ok};

const RUNS: &str = r#"{"router":"epidemic","seed":1,"created":10,"relayed":90,"delivery_prob":0.9,"latency_avg":100.0,"overhead_ratio":9.0}
{"router":"epidemic","seed":2,"created":10,"relayed":70,"delivery_prob":0.7,"latency_avg":120.0,"overhead_ratio":9.0}
{"router":"<u>","seed":1,"created":10,"relayed":5,"delivery_prob":0.5,"latency_avg":null}
"#;
const ORACLE: &str = r#"{"zero_time":{"delivered":10},"earliest_arrival":{"delivered":10,"latency_avg":80.0},"fewest_relays":{"relayed":12}}
"#;

fn results(files: &[(&str, &str)]) -> Result<Results, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    Results::read(folder.path()).map_err(|error| error.to_string())
}

/// Nothing on it comes from elsewhere.
fn assert_alone(page: &str) {
    for word in [
        "http:", "https:", "src=", "url(", "@import", "fetch(", "import(",
    ] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn a_page_shows_every_router_with_its_interval_and_the_oracle() {
    let page = page(&results(&[("a.json", RUNS), ("b.json", ORACLE)]).unwrap()).unwrap();
    assert!(page.contains("0.800 ± 1.27"), "{page}");
    assert!(
        page.contains("oracle 1.00") && page.contains("oracle 80.0") && page.contains("oracle 12")
    );
    assert!(page.contains("&lt;u&gt;") && !page.contains("<u>"));
    assert!(!page.contains("<script"));
    assert_alone(&page);
    let body = page.split("</style>").nth(1).unwrap();
    insta::assert_snapshot!(body);
}

#[test]
fn a_page_of_tables_plays_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let park = folder.path().join("park.toml");
    std::fs::write(&park, PARK).unwrap();
    let out = folder.path().join("out");
    for router in ["default", "spray-and-wait"] {
        let arguments = [
            "run",
            park.to_str().unwrap(),
            "--router",
            router,
            "--seeds",
            "1..2",
        ];
        let more = [
            "--out",
            out.to_str().unwrap(),
            "--set",
            "groups.people.count=20",
        ];
        sim_ok(&[&arguments[..], &more[..]].concat());
    }
    let page_file = folder.path().join("report.html");
    let arguments = [
        "report",
        out.to_str().unwrap(),
        "-o",
        page_file.to_str().unwrap(),
    ];
    sim_ok(&arguments);
    let page = std::fs::read_to_string(&page_file).unwrap();
    assert_alone(&page);
    for heading in [
        "4 simulated runs",
        "park (routing): groups.people.count = 20",
        "Delivered over time",
        "Copies over time",
        "Buffers over time",
        "The run on a map",
        "<tr class=\"bound\"><td>oracle</td>",
    ] {
        assert!(page.contains(heading), "{heading}");
    }
    let scenes = page.split("const SCENES=[").nth(1).unwrap();
    let mut scenes = serde_json::Deserializer::from_str(scenes).into_iter::<serde_json::Value>();
    let scene = scenes.next().unwrap().unwrap();
    assert_eq!(scene["real"], true);
    assert_eq!(scene["groups"], serde_json::json!(["people"]));
    assert_eq!(scene["ways"].as_array().unwrap().len(), 20);
    assert_eq!(scene["routers"][1]["name"], "spray-and-wait");
    let messages = scene["routers"][0]["messages"].as_array().unwrap();
    assert!(
        messages
            .iter()
            .any(|message| message["path"].as_str().unwrap().contains('>'))
    );
    assert!(scene["links"].as_array().unwrap().len() > 40);
    // The same results make the same page.
    sim_ok(&arguments);
    assert_eq!(std::fs::read_to_string(&page_file).unwrap(), page);
}

#[test]
fn two_different_results_of_one_run_are_refused() {
    let one = r#"{"router":"epidemic","seed":1,"delivered":9,"cpu_s":0.1}"#;
    let again = r#"{"router":"epidemic","seed":1,"delivered":9,"cpu_s":0.2}"#;
    let other = r#"{"router":"epidemic","seed":1,"delivered":5,"cpu_s":0.1}"#;
    let twice = results(&[("a.json", one), ("b.json", again)]).unwrap();
    assert_eq!(twice.runs().len(), 1);
    let error = results(&[("a.json", one), ("b.json", other)]).unwrap_err();
    assert!(
        error.contains("two different results of Runs, router `epidemic`, seed 1"),
        "{error}"
    );
}

#[test]
fn what_is_no_result_is_refused() {
    let refused = |text| results(&[("a.json", text)]).unwrap_err();
    assert!(refused("{\"router\":\"x\"}\n{\"rooter\":1}\n").contains("a.json:2: "));
    assert!(refused("{\"router\":\"x\"\n").contains("a.json:1: "));
    assert!(refused("").contains("there are no results in "));
    let half = results(&[("run.parquet", "PAR1 and no more")]).unwrap_err();
    assert!(
        half.contains("run.parquet: ") && half.contains("expected a whole Parquet file"),
        "{half}"
    );
    assert!(
        Results::read("no/such/folder".as_ref())
            .unwrap_err()
            .to_string()
            .contains("no/such/folder")
    );
}
