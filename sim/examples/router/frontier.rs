//! What it costs to hide whom a message is for: copies, cover and growth of the router that ships.

use std::error::Error;
use std::path::Path;
use std::{fmt, fs};

use chappe_gossip::Copies;
use chappe_gossip::policies::SprayAndPull;
use chappe_gossip::policy::Policy;
use chappe_wire::Duration;

use crate::cases::Case;
use crate::measure::{self, Measured};
use crate::plot::{Frame, Group};
use crate::table;

const COPIES: [u32; 2] = [1, 16];
const COVERS: [u32; 5] = [0, 1, 3, 9, u32::MAX];
/// Under the axis of costs, in per cent of flooding.
const COSTS: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0];
/// Minutes in which the number of takers doubles.
const DOUBLINGS: [u64; 3] = [0, 30, 120];

/// A point, with what it costs.
struct Point {
    policy: SprayAndPull,
    measured: Measured,
}

/// A trace's points.
struct Frontier {
    case: Case,
    epidemic: Measured,
    points: Vec<Point>,
}

pub(crate) fn print(seeds: u64, folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    for case in [Case::rwp200()?, Case::invs15()?, Case::sfhh()?] {
        let frontier = Frontier::new(case, seeds)?;
        println!("{frontier}");
        for Picture { name, frame, value } in pictures() {
            let trace = frontier.case.name.to_lowercase();
            let title = format!("{}: {}", frontier.case.name, frame.title);
            let frame = Frame {
                title: &title,
                ..frame
            };
            let file = folder.join(format!("{name}-{trace}.svg"));
            fs::write(&file, frame.draw(&frontier.groups(value)))?;
        }
    }
    Ok(())
}

/// What a picture shows of each point.
struct Picture {
    name: &'static str,
    frame: Frame<'static>,
    value: fn(&Frontier, &Measured) -> f64,
}

fn pictures() -> [Picture; 2] {
    let across = "all bytes, control included, in % of flooding (logarithmic)";
    let ticks = &COSTS;
    let delay = Frame {
        title: "what hiding costs in time; cover beside each point",
        across,
        ticks,
        up: "mean delay by the oracle's",
        range: (1.0, 3.5),
        target: Some(2.0),
    };
    let leak = Frame {
        title: "what taking tells; cover beside each point",
        across,
        ticks,
        up: "recipients among takers, worst hour of age",
        range: (0.0, 1.0),
        target: Some(0.1),
    };
    [
        Picture {
            name: "delay",
            frame: delay,
            value: |frontier, measured| measured.mean_delay / frontier.oracle_delay(),
        },
        Picture {
            name: "leak",
            frame: leak,
            value: |_, measured| measured.worst_posterior,
        },
    ]
}

impl Frontier {
    fn new(case: Case, seeds: u64) -> Result<Self, Box<dyn Error>> {
        let epidemic = table::named(&case, "epidemic", seeds)?;
        let mut frontier = Self {
            case,
            epidemic,
            points: Vec::new(),
        };
        let doubling = SprayAndPull::PHONES.doubling;
        for copies in COPIES.map(Copies::new) {
            for cover in COVERS {
                frontier.add(
                    SprayAndPull {
                        copies,
                        cover,
                        doubling,
                    },
                    seeds,
                )?;
            }
        }
        for minutes in DOUBLINGS {
            let doubling = Duration::from_minutes(minutes);
            frontier.add(
                SprayAndPull {
                    doubling,
                    ..SprayAndPull::PHONES
                },
                seeds,
            )?;
        }
        Ok(frontier)
    }

    fn add(&mut self, policy: SprayAndPull, seeds: u64) -> Result<(), Box<dyn Error>> {
        if self.points.iter().any(|point| point.policy == policy) {
            return Ok(());
        }
        let make = || Box::new(policy) as Box<dyn Policy + Send>;
        let measured = measure::sealed(&self.case, &self.case.network()?, &make, seeds);
        self.points.push(Point { policy, measured });
        Ok(())
    }

    fn groups(&self, value: fn(&Self, &Measured) -> f64) -> Vec<Group> {
        let of = |copies: u32| {
            let points = self.points.iter().filter(|point| {
                point.policy.copies == Copies::new(copies)
                    && point.policy.doubling == SprayAndPull::PHONES.doubling
            });
            let points = points.map(|Point { policy, measured }| {
                let cost = 100.0 * measured.bytes() / self.epidemic.bytes();
                (cost, value(self, measured), cover(policy.cover))
            });
            Group {
                name: format!("{copies} copies"),
                points: points.collect(),
            }
        };
        COPIES.map(of).into()
    }

    fn oracle_delay(&self) -> f64 {
        self.case.bounds.earliest_arrival.latency_avg.unwrap_or(1.0)
    }
}

impl fmt::Display for Frontier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let oracle = self.case.bounds.earliest_arrival.delivered as f64;
        let others = f64::from(self.case.contacts.nodes - 1);
        writeln!(f, "**{}**\n", self.case.name)?;
        writeln!(
            f,
            "| copies | cover | doubling | delivered by the oracle | delay by the oracle | relays by flooding | all bytes by flooding | recipients among takers | worst hour of age | bits told |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|---|")?;
        for Point { policy, measured } in &self.points {
            let posterior = measured.posterior().unwrap_or(0.0);
            writeln!(
                f,
                "| {} | {} | {} | {:.3} | {:.2} | {:.1} % | {:.1} % | {:.3} | {:.3} | {:.1} |",
                policy.copies.count(),
                cover(policy.cover),
                minutes(policy.doubling),
                measured.delivered / oracle,
                measured.mean_delay / self.oracle_delay(),
                100.0 * measured.relayed / self.epidemic.relayed,
                100.0 * measured.bytes() / self.epidemic.bytes(),
                posterior,
                measured.worst_posterior,
                (posterior * others).max(1.0).log2()
            )?;
        }
        Ok(())
    }
}

fn cover(cover: u32) -> String {
    if cover == u32::MAX {
        "all".into()
    } else {
        cover.to_string()
    }
}

fn minutes(time: Duration) -> String {
    match time.as_micros() / 60_000_000 {
        0 => "never".into(),
        minutes => format!("{minutes} min"),
    }
}
