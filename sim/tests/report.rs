//! The page of results: every router, the oracle, nothing from the network; and refusals by line.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

use chappe_sim::report::{Results, page};

const RUNS: &str = r#"{"router":"epidemic","seed":1,"created":10,"relayed":90,"delivery_prob":0.9,"latency_avg":100.0,"overhead_ratio":9.0}
{"router":"epidemic","seed":2,"created":10,"relayed":70,"delivery_prob":0.7,"latency_avg":120.0,"overhead_ratio":9.0}
{"router":"<b>","seed":1,"created":10,"relayed":5,"delivery_prob":0.5,"latency_avg":null}
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

#[test]
fn a_page_shows_every_router_with_its_interval_and_the_oracle() {
    let page = page(&results(&[("a.json", RUNS), ("b.json", ORACLE)]).unwrap());
    assert!(page.contains("0.800 ± 1.271"), "{page}");
    assert!(
        page.contains("oracle 1.000") && page.contains("oracle 80") && page.contains("oracle 12")
    );
    assert!(page.contains("&lt;b&gt;") && !page.contains("<b>"));
    assert!(!page.contains("http") && !page.contains("<script"));
    insta::assert_snapshot!(page);
}

#[test]
fn what_is_no_result_is_refused() {
    let refused = |text| results(&[("a.json", text)]).unwrap_err();
    assert!(refused("{\"router\":\"x\"}\n{\"rooter\":1}\n").contains("a.json:2: "));
    assert!(refused("{\"router\":\"x\"\n").contains("a.json:1: "));
    assert!(refused("").contains("there are no runs in "));
}
