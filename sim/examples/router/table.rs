//! The routers, beside each other.

use std::error::Error;

use chappe_sim::routers::Router;

use crate::cases::Case;
use crate::measure::{self, Measured};

/// Sealed ones first; then those that know for whom a message is.
pub(crate) const ROUTERS: [&str; 8] = [
    "default",
    "relays",
    "selective",
    "measured-spray",
    "epidemic",
    "spray-and-wait",
    "prophet",
    "maxprop",
];

/// How messages travel.
#[derive(Clone, Copy, Debug, Default)]
struct Manner {
    /// In pieces of 4,096 bytes, each of which is a message to the router.
    pieces: bool,
    /// A transfer that was cut begins anew.
    anew: bool,
}

/// `words`: names of cases, all without one; `--pieces` and `--anew`, of which [`Manner`] tells.
pub(crate) fn print(words: &[&str], seeds: u64) -> Result<(), Box<dyn Error>> {
    let manner = Manner {
        pieces: words.contains(&"--pieces"),
        anew: words.contains(&"--anew"),
    };
    let mut names: Vec<&str> = words.to_vec();
    names.retain(|word| !word.starts_with("--"));
    if names.is_empty() {
        names = Case::NAMES.into();
    }
    println!(
        "Simulated; {seeds} run(s) of each. Messages are {}; transfers {}; 250 kB/s; 5 MB buffers.",
        if manner.pieces {
            "cut into pieces of 4,096 bytes, whose relays count in parts"
        } else {
            "units of their size"
        },
        if manner.anew {
            "that were cut begin anew"
        } else {
            "resume"
        }
    );
    println!(
        "`*`: sees destinations, and runs in The ONE's way: no control bytes, no resumed transfers."
    );
    for name in names {
        let case = Case::named(name)?;
        let case = if manner.pieces {
            case.in_pieces()
        } else {
            case
        };
        one(&case, manner, seeds)?;
    }
    Ok(())
}

fn one(case: &Case, manner: Manner, seeds: u64) -> Result<(), Box<dyn Error>> {
    let (alone, schedule) = (&case.bounds.earliest_arrival, &case.bounds.schedule);
    println!(
        "\n**{}**: {}. The oracle delivers {} in {:.0} s; the schedule {} with {} relays.\n",
        case.name,
        case.about,
        alone.delivered,
        alone.latency_avg.unwrap_or(0.0),
        schedule.delivered,
        schedule.relayed.unwrap_or(0)
    );
    println!(
        "| router | delivered | by the oracle | mean delay by the oracle | relays | by epidemic | all bytes by epidemic | recipients among takers |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let run = |name| measure::named(case, router(name)?, seeds, !manner.anew);
    let epidemic = run("epidemic")?;
    for name in ROUTERS {
        if manner.pieces && !router(name)?.is_sealed() {
            continue;
        }
        let measured = match name {
            "epidemic" => epidemic.clone(),
            _ => run(name)?,
        };
        println!("{}", row(case, name, &measured, &epidemic));
    }
    Ok(())
}

pub(crate) fn named(case: &Case, name: &str, seeds: u64) -> Result<Measured, Box<dyn Error>> {
    measure::named(case, router(name)?, seeds, true)
}

fn router(name: &str) -> Result<&'static Router, Box<dyn Error>> {
    Ok(Router::named(name).ok_or("a router is missing")?)
}

fn row(case: &Case, name: &str, measured: &Measured, epidemic: &Measured) -> String {
    let oracle = &case.bounds.earliest_arrival;
    let sealed = Router::named(name).is_some_and(Router::is_sealed);
    let posterior = measured.posterior().filter(|_| sealed);
    let share = |part: f64, whole: f64| format!("{:.1} %", 100.0 * part / whole.max(1.0));
    format!(
        "| {name}{} | {:.0} | {:.3} | {:.2} | {:.0} | {} | {} | {} |",
        if sealed { "" } else { " *" },
        measured.delivered,
        measured.delivered / oracle.delivered as f64,
        measured.mean_delay / oracle.latency_avg.unwrap_or(1.0),
        measured.relayed,
        share(measured.relayed, epidemic.relayed),
        if sealed {
            share(measured.bytes(), epidemic.bytes())
        } else {
            "-".into()
        },
        posterior.map_or("-".into(), |posterior| match measured.worst_posterior {
            // Too few takings of any age.
            0.0 => format!("{posterior:.3}"),
            worst => format!("{posterior:.3}; by age {worst:.3} at most"),
        })
    )
}
