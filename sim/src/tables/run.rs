//! The table of runs: a row to each, with what was asked for, the figures, and what physics allows.

use sha2::{Digest as _, Sha256};

use crate::cost::Cost;
use crate::frame::{Frame, Kind, Value};
use crate::oracle::{Bound, Bounds};
use crate::outcome::Outcome;

/// What a run is, before it is run.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The scenario's or the trace's name.
    pub scenario: String,
    /// The router.
    pub router: String,
    /// `routing`, `full` or `one-compat`.
    pub mode: String,
    /// The seed.
    pub seed: u64,
    /// The SHA-256 of the files that went in, in hexadecimal digits.
    pub input: String,
    /// All parameters, as one text with sorted keys.
    pub document: String,
    /// Those of them that were set for this run, each a column.
    pub parameters: Vec<Parameter>,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: Value,
}

const LABEL: [(&str, Kind); 8] = [
    ("run", Kind::Text),
    ("scenario", Kind::Text),
    ("router", Kind::Text),
    ("mode", Kind::Text),
    ("seed", Kind::Integer),
    ("revision", Kind::Text),
    ("input_sha256", Kind::Text),
    ("parameters", Kind::Text),
];

const FIGURES: [(&str, Kind); 17] = [
    ("created", Kind::Integer),
    ("started", Kind::Integer),
    ("relayed", Kind::Integer),
    ("aborted", Kind::Integer),
    ("dropped", Kind::Integer),
    ("removed", Kind::Integer),
    ("delivered", Kind::Integer),
    ("delivery_prob", Kind::Real),
    ("overhead_ratio", Kind::Real),
    ("latency_avg", Kind::Real),
    ("latency_med", Kind::Real),
    ("hopcount_avg", Kind::Real),
    ("buffertime_avg", Kind::Real),
    ("control_bytes", Kind::Integer),
    ("data_bytes", Kind::Integer),
    ("contacts", Kind::Integer),
    ("events", Kind::Integer),
];

const COST: [(&str, Kind); 3] = [
    ("wall_s", Kind::Real),
    ("cpu_s", Kind::Real),
    ("peak_rss_bytes", Kind::Integer),
];

/// The prefix of a parameter's column.
pub const PARAMETER: &str = "param.";

impl Label {
    /// The run's number: 16 hexadecimal digits of the SHA-256 of what went in, the parameters and the seed. It is the same
    /// on every machine and in every plan.
    pub fn run(&self) -> String {
        let mut hash = Sha256::new();
        for text in [&self.input, &self.document, &self.router, &self.mode] {
            hash.update(text.as_bytes());
            hash.update([0]);
        }
        hash.update(self.seed.to_be_bytes());
        let digits = hex(&hash.finalize());
        digits.get(..16).unwrap_or_default().to_owned()
    }

    /// The file name of its tables, without an ending. Runs of other parameters have other names.
    pub fn file_name(&self) -> String {
        let Self {
            scenario,
            router,
            mode,
            seed,
            ..
        } = self;
        let run = self.run();
        let run = run.get(..8).unwrap_or_default();
        format!("{scenario}-{router}-{mode}-{seed}-{run}")
    }
}

/// One row: what was asked for, what came out, what physics allows.
pub fn figures(label: &Label, outcome: &Outcome, bounds: Option<&Bounds>) -> Frame {
    let parameters = label.parameters.iter().map(|parameter| {
        let kind = parameter.value.kind().unwrap_or(Kind::Text);
        (format!("{PARAMETER}{}", parameter.key), kind)
    });
    let columns = named(&LABEL)
        .chain(parameters)
        .chain(named(&FIGURES))
        .chain(bounds_columns());
    let mut frame = Frame::new(columns);
    let mut row = vec![
        Value::from(label.run()),
        Value::from(label.scenario.clone()),
        Value::from(label.router.clone()),
        Value::from(label.mode.clone()),
        Value::from(label.seed),
        Value::text(REVISION),
        Value::from(label.input.clone()),
        Value::from(label.document.clone()),
    ];
    row.extend(
        label
            .parameters
            .iter()
            .map(|parameter| parameter.value.clone()),
    );
    row.extend(of_outcome(outcome));
    row.extend(of_bounds(bounds));
    frame.push(row);
    frame
}

/// One row: what a run has cost.
pub fn cost(label: &Label, cost: &Cost) -> Frame {
    let columns = [("run", Kind::Text)].into_iter().chain(COST);
    let mut frame = Frame::new(columns);
    frame.push([
        Value::from(label.run()),
        Value::from(cost.wall_s),
        Value::from(cost.cpu_s),
        Value::from(cost.peak_rss_bytes),
    ]);
    frame
}

/// Whether a column tells which run it is.
pub fn is_label(column: &str) -> bool {
    LABEL.iter().any(|(name, _)| *name == column)
}

/// Whether a column is one of the costs, which differ from time to time.
pub fn is_cost(column: &str) -> bool {
    COST.iter().any(|(name, _)| *name == column)
}

/// The revision that the program was built from.
pub const REVISION: &str = env!("CHAPPE_REVISION");

fn named(columns: &'static [(&'static str, Kind)]) -> impl Iterator<Item = (String, Kind)> {
    columns
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), *kind))
}

/// The columns of the oracle.
fn bounds_columns() -> impl Iterator<Item = (String, Kind)> {
    let bounds = ["zero_time", "earliest_arrival", "schedule", "fewest_relays"];
    bounds.into_iter().flat_map(|bound| {
        [
            ("delivered", Kind::Integer),
            ("latency_avg", Kind::Real),
            ("latency_med", Kind::Real),
            ("relayed", Kind::Integer),
        ]
        .map(|(figure, kind)| (format!("oracle_{bound}_{figure}"), kind))
    })
}

fn of_outcome(outcome: &Outcome) -> [Value; 17] {
    [
        Value::from(outcome.created),
        Value::from(outcome.started),
        Value::from(outcome.relayed),
        Value::from(outcome.aborted),
        Value::from(outcome.dropped),
        Value::from(outcome.removed),
        Value::from(outcome.delivered),
        Value::from(outcome.delivery_prob),
        Value::from(outcome.overhead_ratio),
        Value::from(outcome.latency_avg),
        Value::from(outcome.latency_med),
        Value::from(outcome.hopcount_avg),
        Value::from(outcome.buffertime_avg),
        Value::from(outcome.control_bytes),
        Value::from(outcome.data_bytes),
        Value::from(outcome.contacts),
        Value::from(outcome.events),
    ]
}

fn of_bounds(bounds: Option<&Bounds>) -> Vec<Value> {
    let Some(bounds) = bounds else {
        return vec![Value::Missing; 16];
    };
    let all = [
        &bounds.zero_time,
        &bounds.earliest_arrival,
        &bounds.schedule,
        &bounds.fewest_relays,
    ];
    let of = |bound: &Bound| {
        [
            Value::from(bound.delivered),
            Value::from(bound.latency_avg),
            Value::from(bound.latency_med),
            Value::from(bound.relayed),
        ]
    };
    all.into_iter().flat_map(of).collect()
}

/// Hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
