//! One page of results: routers side by side, with confidence intervals and the oracle as a line, how it went over time, and
//! a map that plays a run. It is one file that needs no network; without scripts all but the map is there.

mod bars;
mod compare;
mod layout;
mod lines;
mod map;
mod results;
mod sample;
mod world;

use std::fmt::Write as _;

pub use self::compare::{Compared, Comparison, Verdict, compare};
pub use results::{Results, ResultsError, Run};
pub use sample::Sample;
pub use world::World;

use crate::frame::Frame;
use crate::tables::Kind;
use bars::{Bar, escaped};
use lines::Line;
use results::sample;

/// What a chart of bars shows: the name in the results, the heading, what the number is in.
const METRICS: [(&str, &str, &str); 9] = [
    ("delivery_prob", "Delivered", "part of the messages written"),
    ("latency_avg", "Delay, mean", "seconds, of what arrived"),
    ("latency_med", "Delay, median", "seconds, of what arrived"),
    (
        "overhead_ratio",
        "Overhead",
        "transfers beside the last one, for each message that arrived",
    ),
    ("relayed", "Transfers", "completed"),
    ("data_bytes", "Data", "bytes of messages on the air"),
    (
        "control_bytes",
        "Control",
        "bytes on the air that are no message",
    ),
    ("dropped", "Dropped", "copies evicted or expired"),
    ("hopcount_avg", "Hops", "mean, of what arrived"),
];

/// What a chart of lines shows: the column of the series, whether as a part of what was created, the heading, what it is.
const COURSES: [(&str, bool, &str, &str); 4] = [
    (
        "delivered",
        true,
        "Delivered over time",
        "part of all messages",
    ),
    (
        "copies",
        false,
        "Copies over time",
        "held by all nodes together",
    ),
    (
        "buffer_mean",
        false,
        "Buffers over time",
        "part that is full, mean of all nodes; pale: the fullest",
    ),
    (
        "transfers",
        false,
        "Transfers over time",
        "completed so far",
    ),
];

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("map.js");
/// Colours are used again after so many routers.
const COLOURS: usize = 8;

/// The page of these results.
///
/// # Errors
/// [`ResultsError`], where a table cannot be read.
pub fn page(results: &Results) -> Result<String, ResultsError> {
    let worlds = results.worlds();
    let titles = results.titles();
    let title = |world: &World| titles.get(world).cloned().unwrap_or_default();
    let mut body = String::new();
    let runs = results.runs();
    let mut revisions: Vec<String> = runs.iter().map(Run::revision).collect();
    revisions.retain(|revision| !revision.is_empty());
    revisions.sort();
    revisions.dedup();
    let _ = write!(
        body,
        "<header><h1>Routers side by side</h1><p>{} simulated runs. Bars and lines are means over seeds, whiskers their 95 % \
         confidence intervals (Student's t). The dashed line is the oracle: what the same contacts allow to whoever knows the \
         future, with each message alone in the network; for transfers, the fewest that deliver.",
        runs.len()
    );
    if !revisions.is_empty() {
        let _ = write!(
            body,
            " Made by revision {}.",
            escaped(&revisions.join(", "))
        );
    }
    body.push_str("</p></header>");
    let mut maps = Vec::new();
    if worlds.len() > 1 {
        body.push_str("<nav><ol>");
        for (place, world) in worlds.keys().enumerate() {
            let _ = write!(
                body,
                "<li><a href=\"#world-{place}\">{}</a></li>",
                escaped(&title(world))
            );
        }
        body.push_str("</ol></nav>");
    }
    for (place, (world, routers)) in worlds.iter().enumerate() {
        let routers: Vec<(&str, usize, &[&Run])> = routers
            .iter()
            .enumerate()
            .map(|(place, (name, runs))| (name.as_str(), place % COLOURS, runs.as_slice()))
            .collect();
        let _ = write!(
            body,
            "<section id=\"world-{place}\"><h2>{}</h2>",
            escaped(&title(world))
        );
        body.push_str(&legend(&routers));
        body.push_str(&side_by_side(&routers));
        body.push_str(&over_time(results, &routers)?);
        if let Some(scene) = map::scene(results, &routers)? {
            let _ = write!(
                body,
                "<h3>The run on a map</h3><div class=\"map\" data-scene=\"{}\"></div>",
                maps.len()
            );
            maps.push(scene.json());
        }
        body.push_str(&numbers(&routers));
        if !world.parameters.is_empty() {
            let _ = write!(
                body,
                "<details><summary>All parameters</summary><code>{}</code></details>",
                escaped(&world.parameters)
            );
        }
        body.push_str("</section>");
    }
    let script = if maps.is_empty() {
        String::new()
    } else {
        format!(
            "<script>const SCENES=[{}];\n{SCRIPT}</script>",
            maps.join(",")
        )
    };
    Ok(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Routers side by side</title><style>{STYLE}</style></head><body>{body}{script}\
         </body></html>\n"
    ))
}

fn legend(routers: &[(&str, usize, &[&Run])]) -> String {
    let mut text = String::from("<p class=\"legend\">");
    for (name, colour, runs) in routers {
        let seeds = if runs.len() == 1 { "seed" } else { "seeds" };
        let _ = write!(
            text,
            "<span><i class=\"b{colour}\"></i>{} <small>{} {seeds}</small></span>",
            escaped(name),
            runs.len()
        );
    }
    text.push_str("</p>");
    text
}

fn side_by_side(routers: &[(&str, usize, &[&Run])]) -> String {
    let mut text = String::from("<div class=\"charts\">");
    for (key, heading, unit) in METRICS {
        let bars: Vec<Bar> = routers
            .iter()
            .filter_map(|(name, colour, runs)| {
                Some(Bar {
                    name: (*name).to_owned(),
                    colour: *colour,
                    sample: sample(runs, |run| run.number(key))?,
                })
            })
            .collect();
        if bars.iter().all(|bar| bar.sample.mean == 0.0) {
            continue;
        }
        let all: Vec<&Run> = routers
            .iter()
            .flat_map(|(_, _, runs)| runs.iter().copied())
            .collect();
        let oracle = sample(&all, |run| run.oracle(key)).map(|sample| sample.mean);
        figure(&mut text, heading, unit, &bars::bars(&bars, oracle));
    }
    text.push_str("</div>");
    text
}

fn figure(text: &mut String, heading: &str, unit: &str, svg: &str) {
    let _ = write!(
        text,
        "<figure><figcaption><b>{heading}</b> {unit}</figcaption>{svg}</figure>"
    );
}

/// How delays are distributed, and what there was when; nothing where runs have no tables but their figures.
fn over_time(
    results: &Results,
    routers: &[(&str, usize, &[&Run])],
) -> Result<String, ResultsError> {
    let mut text = String::new();
    let mut delays = Vec::new();
    let mut courses: Vec<Vec<Line>> = COURSES.iter().map(|_| Vec::new()).collect();
    for (name, colour, runs) in routers {
        let line = |points, faint| Line {
            name: (*name).to_owned(),
            colour: *colour,
            faint,
            points,
        };
        let mut tables = Vec::new();
        let mut messages = Frame::default();
        for run in *runs {
            tables.extend(results.table(run, Kind::Series)?);
            if let Some(table) = results.table(run, Kind::Message)? {
                messages.append(&table.select(|column| column == "latency_s"));
            }
        }
        if messages.rows() > 0 {
            delays.push(line(distribution(&messages), false));
        }
        if tables.is_empty() {
            continue;
        }
        for ((key, share, ..), lines) in COURSES.iter().zip(&mut courses) {
            lines.push(line(course(&tables, key, *share), false));
            if *key == "buffer_mean" {
                lines.push(line(course(&tables, "buffer_most", false), true));
            }
        }
    }
    if delays.is_empty() && courses.iter().all(Vec::is_empty) {
        return Ok(text);
    }
    let all: Vec<&Run> = routers
        .iter()
        .flat_map(|(_, _, runs)| runs.iter().copied())
        .collect();
    let oracle = sample(&all, |run| run.oracle("delivery_prob")).map(|sample| sample.mean);
    text.push_str("<div class=\"charts\">");
    if !delays.is_empty() {
        let what = "part of all messages that had arrived so long after they were written";
        figure(
            &mut text,
            "Delay",
            what,
            &lines::lines(&delays, oracle, "delay"),
        );
    }
    for ((_, share, heading, what), course) in COURSES.iter().zip(courses) {
        if !course.is_empty() {
            let oracle = oracle.filter(|_| *share);
            figure(
                &mut text,
                heading,
                what,
                &lines::lines(&course, oracle, "time"),
            );
        }
    }
    text.push_str("</div>");
    Ok(text)
}

/// The part of all messages that had arrived after so many seconds.
fn distribution(messages: &Frame) -> Vec<(f64, f64)> {
    let all = messages.rows() as f64;
    let arrived =
        (0..messages.rows()).filter_map(|row| messages.value(row, "latency_s").as_number());
    let mut arrived: Vec<f64> = arrived.collect();
    arrived.sort_by(f64::total_cmp);
    let mut points = vec![(0.0, 0.0)];
    for (place, delay) in arrived.into_iter().enumerate() {
        points.push((delay, place as f64 / all));
        points.push((delay, (place + 1) as f64 / all));
    }
    points
}

/// The mean of a column over runs, by time. All runs of a world have the same instants.
fn course(tables: &[Frame], key: &str, share: bool) -> Vec<(f64, f64)> {
    let rows = tables.iter().map(Frame::rows).min().unwrap_or(0);
    let point = |row: usize| {
        let values: Vec<f64> = tables
            .iter()
            .filter_map(|table| {
                let value = table.value(row, key).as_number()?;
                if !share {
                    return Some(value);
                }
                let last = table.rows().saturating_sub(1);
                Some(value / table.value(last, "created").as_number()?.max(1.0))
            })
            .collect();
        let at = tables.first()?.value(row, "at_s").as_number()?;
        Some((at, Sample::of(&values)?.mean))
    };
    (0..rows).filter_map(point).collect()
}

fn numbers(routers: &[(&str, usize, &[&Run])]) -> String {
    let mut table = String::from(
        "<h3>Numbers</h3><div class=\"wide\"><table><thead><tr><th>router</th><th>runs</th>",
    );
    for (key, ..) in METRICS {
        let _ = write!(table, "<th>{key}</th>");
    }
    table.push_str("</tr></thead><tbody>");
    for (name, colour, runs) in routers {
        let _ = write!(
            table,
            "<tr><td><i class=\"b{colour}\"></i>{}</td><td>{}</td>",
            escaped(name),
            runs.len()
        );
        for (key, ..) in METRICS {
            let shown = sample(runs, |run| run.number(key));
            let shown = shown.map_or("-".to_owned(), |sample| sample.to_string());
            let _ = write!(table, "<td>{shown}</td>");
        }
        table.push_str("</tr>");
    }
    let all: Vec<&Run> = routers
        .iter()
        .flat_map(|(_, _, runs)| runs.iter().copied())
        .collect();
    if sample(&all, |run| run.oracle("delivered")).is_some() {
        table.push_str("<tr class=\"bound\"><td>oracle</td><td></td>");
        for (key, ..) in METRICS {
            let shown = sample(&all, |run| run.oracle(key));
            let shown = shown.map_or("-".to_owned(), |sample| sample::number(sample.mean));
            let _ = write!(table, "<td>{shown}</td>");
        }
        table.push_str("</tr>");
    }
    table.push_str("</tbody></table></div>");
    table
}
