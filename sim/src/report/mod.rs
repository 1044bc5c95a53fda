//! One page of results: routers side by side, with confidence intervals and the oracle as a line.
//!
//! Results are what `replay --json` and `oracle --json` print, kept in files that end in `.json` or `.jsonl`. The page is one
//! file that needs no network and no script.

mod chart;
mod results;

use std::fmt::Write as _;

pub use results::{Results, ResultsError};

use chart::Bar;
use results::Sample;

/// What a chart shows: the name in the results, the heading, what the number is in.
const METRICS: [(&str, &str, &str); 7] = [
    ("delivery_prob", "Delivered", "part of the messages written"),
    ("latency_avg", "Delay", "seconds, mean of what arrived"),
    ("latency_med", "Delay", "seconds, median of what arrived"),
    (
        "overhead_ratio",
        "Overhead",
        "transfers beside the last one, for each message that arrived",
    ),
    ("relayed", "Transfers", "completed"),
    (
        "control_bytes",
        "Control bytes",
        "on the air that are no message",
    ),
    ("hopcount_avg", "Hops", "mean of what arrived"),
];

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}\
h1{font-size:1.6rem}h2{font-size:1.1rem;margin:2rem 0 .2rem}p{margin:.2rem 0}svg{width:100%;height:auto}\
table{border-collapse:collapse;font-size:.9rem}td,th{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #ddd}\
td:first-child,th:first-child{text-align:left}.bar{fill:#3b6ea5}.ci{stroke:#12263a;stroke-width:2}.oracle{stroke:#b3261e;stroke-width:2;\
stroke-dasharray:6 4}text{font:14px system-ui,sans-serif;fill:#1b1b1b}.faint{fill:#666}";

/// The page of these results.
pub fn page(results: &Results) -> String {
    let mut body = String::new();
    let routers = results.routers();
    let runs: usize = routers.values().map(Vec::len).sum();
    let _ = write!(
        body,
        "<h1>Routers side by side</h1><p>{runs} simulated runs. Bars are means over seeds, whiskers their 95 % confidence \
         intervals (Student's t). The dashed line is the oracle: what the same contacts allow.</p>"
    );
    for (key, heading, unit) in METRICS {
        let bars: Vec<Bar> = routers
            .iter()
            .filter_map(|(router, runs)| {
                let values: Vec<f64> = runs.iter().filter_map(|run| run.number(key)).collect();
                Some(Bar {
                    name: router.clone(),
                    sample: Sample::of(&values)?,
                })
            })
            .collect();
        if bars.iter().all(|bar| bar.sample.mean == 0.0) {
            continue;
        }
        let _ = write!(body, "<h2>{heading}</h2><p>{unit}</p>");
        body.push_str(&chart::bars(&bars, results.oracle(key)));
    }
    body.push_str(&table(results));
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Routers side by side</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )
}

fn table(results: &Results) -> String {
    let mut table = String::from("<h2>Numbers</h2><table><tr><th>router</th><th>runs</th>");
    for (key, ..) in METRICS {
        let _ = write!(table, "<th>{key}</th>");
    }
    table.push_str("</tr>");
    for (router, runs) in results.routers() {
        let _ = write!(
            table,
            "<tr><td>{}</td><td>{}</td>",
            chart::escaped(&router),
            runs.len()
        );
        for (key, ..) in METRICS {
            let values: Vec<f64> = runs.iter().filter_map(|run| run.number(key)).collect();
            let shown = Sample::of(&values).map_or("-".to_owned(), |sample| sample.to_string());
            let _ = write!(table, "<td>{shown}</td>");
        }
        table.push_str("</tr>");
    }
    table.push_str("</table>");
    table
}
