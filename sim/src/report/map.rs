//! What the map plays: who is where, who is linked, who hands what to whom.

use std::collections::BTreeMap;

use serde::Serialize;

use super::layout;
use super::results::{Results, ResultsError, Run};
use crate::frame::Frame;
use crate::tables::Kind;

/// More of one sort would make the page too large; the map then ends early, and says so.
const MOST: usize = 60_000;
/// More turning points.
const MOST_POINTS: usize = 200_000;
/// Nodes beyond this are not drawn.
const MOST_NODES: usize = 3_000;

/// A world and its runs of one seed.
#[derive(Debug, Serialize)]
pub(super) struct Scene {
    seed: i64,
    /// When the run ends, in seconds.
    end: f64,
    /// Until when the map plays.
    until: f64,
    /// Whether places are those of the world; else they were chosen by who is together for how long.
    real: bool,
    groups: Vec<String>,
    /// Of each node, its group.
    group: Vec<usize>,
    /// Of each node, time, x and y, again and again.
    ways: Vec<Vec<f64>>,
    /// Node, node, up, down, again and again.
    links: Vec<f64>,
    routers: Vec<Routed>,
}

/// What one router made of it.
#[derive(Debug, Serialize)]
struct Routed {
    name: String,
    colour: usize,
    /// Time, from, to, message, again and again.
    transfers: Vec<f64>,
    messages: Vec<Message>,
}

#[derive(Debug, Serialize)]
struct Message {
    index: f64,
    name: String,
    from: f64,
    to: f64,
    size: f64,
    created: f64,
    delivered: Option<f64>,
    path: String,
}

/// The scene of the runs of the first seed that have all tables; nothing where none has. Routers come with their colours.
pub(super) fn scene(
    results: &Results,
    routers: &[(&str, usize, &[&Run])],
) -> Result<Option<Scene>, ResultsError> {
    let mut scene: Option<Scene> = None;
    for (name, colour, runs) in routers {
        for run in *runs {
            if scene.as_ref().is_some_and(|scene| scene.seed != run.seed()) {
                continue;
            }
            let Some(transfers) = results.table(run, Kind::Transfer)? else {
                continue;
            };
            let Some(messages) = results.table(run, Kind::Message)? else {
                continue;
            };
            if scene.is_none() {
                scene = ground(results, run)?;
            }
            if let Some(scene) = &mut scene {
                scene.add(name, *colour, &transfers, &messages);
            }
            break;
        }
    }
    if let Some(scene) = &mut scene {
        scene.shorten();
    }
    Ok(scene)
}

fn ground(results: &Results, run: &Run) -> Result<Option<Scene>, ResultsError> {
    let (Some(nodes), Some(contacts)) = (
        results.table(run, Kind::Node)?,
        results.table(run, Kind::Contact)?,
    ) else {
        return Ok(None);
    };
    let mut groups: Vec<String> = Vec::new();
    let mut group = Vec::new();
    let drawn = nodes.rows().min(MOST_NODES);
    for row in 0..drawn {
        let name = nodes.value(row, "group");
        let name = name.as_text().unwrap_or("nodes").to_owned();
        let known = groups.iter().position(|group| *group == name);
        group.push(known.unwrap_or(groups.len()));
        if known.is_none() {
            groups.push(name);
        }
    }
    let series = results.table(run, Kind::Series)?;
    let end = series.map_or(0.0, |series| {
        real(&series, series.rows().saturating_sub(1), "at_s")
    });
    let links: Vec<[f64; 4]> = (0..contacts.rows())
        .map(|row| ["a", "b", "up_s", "down_s"].map(|column| real(&contacts, row, column)))
        .filter(|[a, b, ..]| a.max(*b) < drawn as f64)
        .collect();
    let positions = results.table(run, Kind::Position)?;
    let real_places = positions.is_some();
    let ways = match positions {
        Some(positions) => ways(&positions, drawn),
        None => {
            let mut together: BTreeMap<(u32, u32), f64> = BTreeMap::new();
            for [a, b, up, down] in &links {
                *together.entry((*a as u32, *b as u32)).or_default() += down - up;
            }
            let places = layout::places(drawn, &together).into_iter();
            places
                .map(|(x, y)| vec![0.0, x * 1_000.0, y * 1_000.0])
                .collect()
        }
    };
    Ok(Some(Scene {
        seed: run.seed(),
        end,
        until: end,
        real: real_places,
        groups,
        group,
        ways: ways
            .into_iter()
            .map(|way| way.into_iter().map(short).collect())
            .collect(),
        links: links.into_iter().flatten().map(short).collect(),
        routers: Vec::new(),
    }))
}

fn ways(positions: &Frame, nodes: usize) -> Vec<Vec<f64>> {
    let mut ways: Vec<Vec<f64>> = vec![Vec::new(); nodes];
    for row in 0..positions.rows() {
        let node = real(positions, row, "node") as usize;
        if let Some(way) = ways.get_mut(node) {
            way.extend(["at_s", "x_m", "y_m"].map(|column| real(positions, row, column)));
        }
    }
    ways
}

impl Scene {
    fn add(&mut self, name: &str, colour: usize, transfers: &Frame, messages: &Frame) {
        let nodes = self.ways.len() as f64;
        let done = |row: &usize| {
            transfers.value(*row, "completed") == true.into()
                && real(transfers, *row, "from").max(real(transfers, *row, "to")) < nodes
        };
        let transfers = (0..transfers.rows()).filter(done).flat_map(|row| {
            let message = transfers.value(row, "message").as_number().unwrap_or(-1.0);
            let [at, from, to] = ["at_s", "from", "to"].map(|column| real(transfers, row, column));
            [short(at), from, to, message]
        });
        let text = |row: usize, column: &str| {
            messages
                .value(row, column)
                .as_text()
                .unwrap_or_default()
                .to_owned()
        };
        let messages = (0..messages.rows()).map(|row| Message {
            index: real(messages, row, "message"),
            name: text(row, "name"),
            from: real(messages, row, "from"),
            to: real(messages, row, "to"),
            size: real(messages, row, "size_bytes"),
            created: short(real(messages, row, "created_s")),
            delivered: messages.value(row, "delivered_s").as_number().map(short),
            path: text(row, "path"),
        });
        self.routers.push(Routed {
            name: name.to_owned(),
            colour,
            transfers: transfers.collect(),
            messages: messages.collect(),
        });
    }

    /// Leaves out what happens after there is too much of it.
    fn shorten(&mut self) {
        let full = |times: &mut Vec<f64>, most: usize| {
            times.sort_by(f64::total_cmp);
            times.get(most).copied().unwrap_or(f64::INFINITY)
        };
        let mut ups: Vec<f64> = self
            .links
            .chunks_exact(4)
            .filter_map(|link| link.get(2).copied())
            .collect();
        let mut turns: Vec<f64> = self
            .ways
            .iter()
            .flat_map(|way| way.iter().step_by(3).copied())
            .collect();
        let mut until = full(&mut ups, MOST).min(full(&mut turns, MOST_POINTS));
        for routed in &self.routers {
            let mut times: Vec<f64> = routed.transfers.iter().step_by(4).copied().collect();
            until = until.min(full(&mut times, MOST));
        }
        if until >= self.end {
            return;
        }
        self.until = until;
        let early = |values: &[f64], size: usize, at: usize| -> Vec<f64> {
            let entries = values.chunks_exact(size);
            let early = entries.filter(|entry| entry.get(at).is_some_and(|time| *time <= until));
            early.flatten().copied().collect()
        };
        self.links = early(&self.links, 4, 2);
        for routed in &mut self.routers {
            routed.transfers = early(&routed.transfers, 4, 0);
            routed.messages.retain(|message| message.created <= until);
        }
        for way in &mut self.ways {
            // One more, so that the last leg leads somewhere.
            let later = way.iter().step_by(3).position(|at| *at > until);
            if let Some(later) = later {
                way.truncate((later + 1) * 3);
            }
        }
    }

    /// As JSON that can stand in a script.
    pub(super) fn json(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_else(|_| "null".to_owned());
        json.replace('<', "\\u003c")
    }
}

fn real(frame: &Frame, row: usize, column: &str) -> f64 {
    frame.value(row, column).as_number().unwrap_or_default()
}

/// To a tenth of a second or metre.
fn short(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
