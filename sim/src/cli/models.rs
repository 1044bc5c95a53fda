//! `chappe-sim models`.

use std::fmt::Write as _;

use super::{Failure, say};

/// Arguments of `models`.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// What a scenario can name, by the key under which it names it.
const MODELS: [(&str, &[(&str, &str)]); 3] = [
    (
        "movement",
        &[
            ("clusters", "about one of several places"),
            ("random-walk", "random directions and lengths, without rest"),
            (
                "random-waypoint",
                "straight to a random point, rest, and again",
            ),
            (
                "roads",
                "shortest ways on a map in WKT or OpenStreetMap's XML",
            ),
            ("route", "stop after stop: ferries, convoys, marches"),
            ("stationary", "standing still, at given or random places"),
            (
                "working-day",
                "home, office, evening; on foot or driving; on a map or straight",
            ),
        ],
    ),
    (
        "when (traffic)",
        &[
            (
                "bursts",
                "several messages within a short time, now and then",
            ),
            ("periodic", "at even distances"),
            ("poisson", "independently of one another"),
        ],
    ),
    (
        "faults",
        &[
            ("clocks", "clocks that are wrong"),
            ("corruption", "flipped bits"),
            (
                "crash",
                "nodes stop and start again, without what was not committed",
            ),
            ("drop-all", "nodes take everything and pass nothing on"),
            ("drop-some", "nodes lose a part of what they take"),
            ("duplication", "packets come twice"),
            ("flood", "nodes write junk to nobody"),
            ("forge-receipts", "nodes make up receipts"),
            ("lie-about-age", "nodes say that messages are younger"),
            ("loss", "packets do not come"),
            ("reordering", "packets overtake others"),
        ],
    ),
];

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    let mut text = String::new();
    for (key, models) in MODELS {
        let _ = writeln!(text, "{key}");
        for (name, about) in models {
            let _ = writeln!(text, "  {name:<16} {about}");
        }
    }
    say(&text)
}
