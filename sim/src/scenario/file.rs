//! The form of a scenario file.

use std::path::PathBuf;

use serde::Deserialize;

use super::quantity::{MetreSpan, Metres, Place, Region, Seconds, Size, SpeedSpan, TimeSpan};
use crate::run::Level;
use crate::traffic::Traffic;

/// A scenario, as its file says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// What it shows, in a sentence.
    pub about: String,
    /// How long it runs.
    pub duration: Seconds,
    /// The seeds of a run that is given none: `1..20`.
    #[serde(default)]
    pub seeds: Option<String>,
    /// The router of a run that is given none.
    #[serde(default = "shipped")]
    pub router: String,
    /// How much of a node there is.
    #[serde(default)]
    pub level: Level,
    /// How much a node of a group that says nothing holds for others.
    #[serde(default = "five_megabytes")]
    pub buffer: Size,
    /// How long messages live.
    #[serde(default = "five_hours")]
    pub ttl: Seconds,
    /// Whether recipients let receipts go, which everyone carries on; routers of the literature have none.
    #[serde(default = "yes")]
    pub receipts: bool,
    /// A trace of contacts, in place of movement; relative to the scenario.
    #[serde(default)]
    pub contacts: Option<PathBuf>,
    /// Who there is.
    pub groups: Vec<GroupFile>,
    /// Who writes.
    #[serde(default)]
    pub traffic: Vec<Traffic>,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<FaultFile>,
}

fn shipped() -> String {
    "default".to_owned()
}

const fn five_megabytes() -> Size {
    Size(5_000_000)
}

const fn yes() -> bool {
    true
}

const fn five_hours() -> Seconds {
    Seconds(18_000.0)
}

/// Nodes that are alike.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GroupFile {
    /// What they are called.
    pub name: String,
    /// How many.
    pub count: u32,
    /// A preset's name.
    pub radio: String,
    /// In place of the preset's range.
    #[serde(default)]
    pub range: Option<Metres>,
    /// In place of the scenario's buffer.
    #[serde(default)]
    pub buffer: Option<Size>,
    /// How they move; missing where contacts come from a trace.
    #[serde(default)]
    pub movement: Option<MovementFile>,
    /// How they move later on.
    #[serde(default)]
    pub later: Vec<LaterFile>,
}

/// A movement from a time on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LaterFile {
    /// From when.
    pub from: Seconds,
    /// How.
    pub movement: MovementFile,
}

/// How nodes move. See [`crate::movement`] for what each model does.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum MovementFile {
    /// Several areas, each node in one of them.
    Clusters {
        /// Their middles.
        centres: Vec<Place>,
        /// How far from it.
        radius: Metres,
        /// How fast.
        speed: SpeedSpan,
        /// How long at each point.
        pause: TimeSpan,
    },
    /// Random waypoint.
    RandomWaypoint {
        /// Where.
        area: Region,
        /// How fast.
        speed: SpeedSpan,
        /// How long at each point.
        pause: TimeSpan,
    },
    /// Random walk.
    RandomWalk {
        /// Where.
        area: Region,
        /// How fast.
        speed: SpeedSpan,
        /// How far at a time.
        step: MetreSpan,
    },
    /// Shortest ways between crossings of a map.
    Roads {
        /// A WKT file or an OpenStreetMap extract; relative to the scenario.
        map: PathBuf,
        /// How fast.
        speed: SpeedSpan,
        /// How long at each goal.
        pause: TimeSpan,
    },
    /// A route with stops.
    Route {
        /// Where it stops.
        stops: Vec<Place>,
        /// On from the last stop to the first, not back.
        #[serde(default)]
        circular: bool,
        /// How fast.
        speed: SpeedSpan,
        /// How long at each stop.
        halt: TimeSpan,
        /// How long after the one before each starts.
        #[serde(default = "at_once")]
        headway: Seconds,
    },
    /// Standing still.
    Stationary {
        /// Where, in turn.
        #[serde(default)]
        places: Vec<Place>,
        /// Anywhere here, where no places are given.
        #[serde(default)]
        area: Option<Region>,
    },
    /// Home, office, evening.
    WorkingDay {
        /// Where people live.
        homes: Region,
        /// Where offices are.
        offices: Region,
        /// How many offices.
        office_count: u32,
        /// Where people go in the evening.
        evenings: Region,
        /// How many such places.
        evening_count: u32,
        /// The share that goes out in the evening.
        evening_share: f64,
        /// How long.
        evening_for: TimeSpan,
        /// When work begins, after midnight; the run begins at midnight.
        work_from: TimeSpan,
        /// How long work lasts.
        work_for: TimeSpan,
        /// On foot.
        walk: SpeedSpan,
        /// The share that drives.
        drivers: f64,
        /// By car or bus.
        drive: SpeedSpan,
        /// A map to follow; straight ways without.
        #[serde(default)]
        map: Option<PathBuf>,
    },
}

const fn at_once() -> Seconds {
    Seconds(0.0)
}

/// What goes wrong. `groups` names who is meant; all if empty.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum FaultFile {
    /// Clocks that are wrong by this much, before or after.
    Clocks {
        /// Who.
        #[serde(default)]
        groups: Vec<String>,
        /// Which part of them.
        share: f64,
        /// At most how wrong.
        by: Seconds,
    },
    /// Packets with flipped bits.
    Corruption {
        /// Which part.
        probability: f64,
    },
    /// Nodes that stop and start again, without what was not committed.
    Crash {
        /// Who.
        #[serde(default)]
        groups: Vec<String>,
        /// How often each, on average.
        every: Seconds,
        /// How long until it starts again.
        down: TimeSpan,
    },
    /// Nodes that take everything and pass nothing on.
    DropAll {
        /// Who.
        #[serde(default)]
        groups: Vec<String>,
        /// Which part of them.
        share: f64,
    },
    /// Nodes that pass on only a part.
    DropSome {
        /// Who.
        #[serde(default)]
        groups: Vec<String>,
        /// Which part of them.
        share: f64,
        /// Which part of what they take is lost.
        probability: f64,
    },
    /// Packets that come twice.
    Duplication {
        /// Which part.
        probability: f64,
    },
    /// Nodes that write junk to nobody.
    Flood {
        /// Who.
        #[serde(default)]
        groups: Vec<String>,
        /// Which part of them.
        share: f64,
        /// How often each.
        every: Seconds,
        /// How large.
        size: Size,
    },
    /// Nodes that make up receipts for what they carry.
    ForgeReceipts {
        /// Who.
        #[serde(default)]
        groups: Vec<String>,
        /// Which part of them.
        share: f64,
    },
    /// Nodes that tell a smaller age than they know.
    LieAboutAge {
        /// Who.
        #[serde(default)]
        groups: Vec<String>,
        /// Which part of them.
        share: f64,
        /// How much younger.
        by: Seconds,
    },
    /// Packets that do not come.
    Loss {
        /// Which part.
        probability: f64,
    },
    /// Packets that overtake others.
    Reordering {
        /// Which part.
        probability: f64,
        /// By how much at most.
        within: Seconds,
    },
}
