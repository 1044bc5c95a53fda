//! Maps, and shortest ways on them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use petgraph::algo::{astar, kosaraju_scc};
use petgraph::graph::{NodeIndex as Crossing, UnGraph};

use super::model::{Model, Moment, Span};
use super::space::{Leg, Point};
use crate::draws::Draws;

/// The mean radius of the Earth in metres (IUGG).
const EARTH_RADIUS: f64 = 6_371_008.8;

/// Roads: crossings, and straight pieces between them. Of a map in several parts the largest one that hangs together.
#[derive(Debug)]
pub struct Roads {
    graph: UnGraph<Point, f64>,
    left_out: usize,
}

/// What is wrong with a map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}", file.display())]
pub struct MapError {
    file: PathBuf,
    what: String,
}

impl Roads {
    /// Reads a map: `LINESTRING` and `MULTILINESTRING` of WKT in metres, or OpenStreetMap's XML, of which every way with a
    /// `highway` tag is a road. Latitudes and longitudes become metres about their middle.
    ///
    /// # Errors
    /// [`MapError`]: the file cannot be read, is neither, or has no roads.
    pub fn read(path: &Path) -> Result<Self, MapError> {
        let bad = |what: String| MapError {
            file: path.to_owned(),
            what,
        };
        let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
        let lines = if text.trim_start().starts_with('<') {
            open_street_map(&text)
        } else {
            well_known_text(&text)
        };
        Self::of(&lines.map_err(bad)?).ok_or_else(|| bad("it has no roads".to_owned()))
    }

    /// Of lines through points; lines meet where they share a point.
    pub fn of(lines: &[Vec<Point>]) -> Option<Self> {
        let mut graph = UnGraph::new_undirected();
        let mut known: BTreeMap<(u64, u64), Crossing> = BTreeMap::new();
        for line in lines {
            let mut last: Option<Crossing> = None;
            for point in line {
                let key = (point.x.to_bits(), point.y.to_bits());
                let here = *known.entry(key).or_insert_with(|| graph.add_node(*point));
                if let Some(last) = last.filter(|last| *last != here) {
                    let length = graph
                        .node_weight(last)
                        .map_or(0.0, |from| point.distance(*from));
                    graph.update_edge(last, here, length);
                }
                last = Some(here);
            }
        }
        // In an undirected graph these are the connected components. Of equal ones the first read is kept.
        let parts = kosaraju_scc(&graph);
        let largest = parts.iter().map(Vec::len).max().filter(|size| *size > 1)?;
        let kept: std::collections::BTreeSet<Crossing> = parts
            .into_iter()
            .filter(|part| part.len() == largest)
            .min_by_key(|part| part.iter().min().copied())?
            .into_iter()
            .collect();
        let left_out = graph.node_count() - kept.len();
        graph.retain_nodes(|_, node| kept.contains(&node));
        Some(Self { graph, left_out })
    }

    /// How many crossings there are.
    pub fn crossings(&self) -> usize {
        self.graph.node_count()
    }

    /// How many points of the map were left out because no road leads there from the largest part.
    pub const fn left_out(&self) -> usize {
        self.left_out
    }

    /// Any crossing.
    pub fn any(&self, draws: &mut Draws) -> Point {
        self.point(Crossing::new(draws.below(self.crossings())))
    }

    /// The shortest way from the crossing next to one place to the crossing next to another, the first point last.
    pub fn way(&self, from: Point, to: Point) -> Vec<Point> {
        let (Some(start), Some(goal)) = (self.nearest(from), self.nearest(to)) else {
            return Vec::new();
        };
        let goal_point = self.point(goal);
        let way = astar(
            &self.graph,
            start,
            |node| node == goal,
            |edge| *edge.weight(),
            |node| self.point(node).distance(goal_point),
        );
        let (_, crossings) = way.unwrap_or_default();
        crossings
            .into_iter()
            .rev()
            .map(|node| self.point(node))
            .collect()
    }

    /// The crossing next to a place.
    fn nearest(&self, place: Point) -> Option<Crossing> {
        self.graph.node_indices().min_by(|a, b| {
            let (a, b) = (
                self.point(*a).distance(place),
                self.point(*b).distance(place),
            );
            a.total_cmp(&b)
        })
    }

    fn point(&self, node: Crossing) -> Point {
        self.graph.node_weight(node).copied().unwrap_or_default()
    }
}

/// Walks from crossing to crossing on the shortest way, rests there, and goes on to another.
pub struct RoadsModel {
    /// The map.
    pub roads: std::sync::Arc<Roads>,
    /// Metres a second, drawn for each way and kept on it.
    pub speed: Span,
    /// Seconds at each goal.
    pub pause: Span,
}

impl Model for RoadsModel {
    fn place(&self, moment: &mut Moment<'_>) -> Point {
        self.roads.any(&mut moment.draws)
    }

    fn next(&self, moment: &mut Moment<'_>) -> Leg {
        if moment.memory.way.is_empty() {
            // Between ways the phase counts them, so that each has a speed of its own.
            moment.memory.phase = moment.memory.phase.wrapping_add(1);
            let goal = self.roads.any(&mut moment.draws);
            moment.memory.way = self.roads.way(moment.place, goal);
            let rest = self.pause.any(&mut moment.draws);
            if rest > 0.0 {
                return Leg::stay(moment.now, moment.place, rest);
            }
        }
        let speed = self.speed.any(&mut moment.lasting(1 + moment.memory.phase));
        follow(moment, speed)
    }
}

/// On to the next point of the way that is remembered; a stay of a second where there is none.
pub(super) fn follow(moment: &mut Moment<'_>, speed: f64) -> Leg {
    while let Some(next) = moment.memory.way.pop() {
        if next != moment.place {
            return Leg::walk(moment.now, moment.place, next, speed);
        }
    }
    Leg::stay(moment.now, moment.place, 1.0)
}

fn well_known_text(text: &str) -> Result<Vec<Vec<Point>>, String> {
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let strings = line
            .strip_prefix("LINESTRING")
            .or_else(|| line.strip_prefix("MULTILINESTRING"))
            .ok_or_else(|| format!("line {number}: expected LINESTRING or MULTILINESTRING"))?;
        for string in strings.split(')').filter(|string| string.contains('(')) {
            let coordinates = string.trim_start_matches([' ', ',', '(']);
            let points: Option<Vec<Point>> = coordinates.split(',').map(point).collect();
            lines.push(points.ok_or_else(|| format!("line {number}: expected `x y` in metres"))?);
        }
    }
    Ok(lines)
}

fn point(text: &str) -> Option<Point> {
    let mut numbers = text
        .split_ascii_whitespace()
        .map(|number| number.parse::<f64>().ok());
    let (x, y) = (numbers.next()??, numbers.next()??);
    (x.is_finite() && y.is_finite() && numbers.next().is_none()).then_some(Point::new(x, y))
}

fn open_street_map(text: &str) -> Result<Vec<Vec<Point>>, String> {
    let document = roxmltree::Document::parse(text).map_err(|error| error.to_string())?;
    let named = |name: &'static str| {
        document
            .descendants()
            .filter(move |element| element.has_tag_name(name))
    };
    let mut places: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for node in named("node") {
        let degrees = |name| {
            node.attribute(name)
                .and_then(|text| text.parse::<f64>().ok())
        };
        let (Some(id), Some(lat), Some(lon)) =
            (node.attribute("id"), degrees("lat"), degrees("lon"))
        else {
            return Err("a node without id, lat and lon".to_owned());
        };
        places.insert(id, (lat.to_radians(), lon.to_radians()));
    }
    let count = places.len().max(1) as f64;
    let middle = places
        .values()
        .fold((0.0, 0.0), |sum, place| (sum.0 + place.0, sum.1 + place.1));
    let (lat, lon) = (middle.0 / count, middle.1 / count);
    let mut lines = Vec::new();
    for way in named("way") {
        let is_road = |tag: roxmltree::Node<'_, '_>| tag.attribute("k") == Some("highway");
        if !way.children().any(is_road) {
            continue;
        }
        // Extracts cut ways at their border: a point outside is not in the file.
        let references = way.children().filter_map(|child| child.attribute("ref"));
        let points = references.filter_map(|id| places.get(id)).map(|place| {
            let x = EARTH_RADIUS * (place.1 - lon) * libm::cos(lat);
            Point::new(x, EARTH_RADIUS * (place.0 - lat))
        });
        lines.push(points.collect());
    }
    Ok(lines)
}
