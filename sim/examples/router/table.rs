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

pub(crate) fn print(seeds: u64) -> Result<(), Box<dyn Error>> {
    println!(
        "Simulated; {seeds} run(s) of each. Messages are units of their size; transfers resume; 250 kB/s; 5 MB buffers."
    );
    println!(
        "`*`: sees destinations, and runs in The ONE's way: no control bytes, no resumed transfers."
    );
    for case in [
        Case::rwp200()?,
        Case::sfhh()?,
        Case::invs15()?,
        Case::rwp200_heavy()?,
        Case::tram_town()?,
    ] {
        one(&case, seeds)?;
    }
    Ok(())
}

fn one(case: &Case, seeds: u64) -> Result<(), Box<dyn Error>> {
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
    let epidemic = named(case, "epidemic", seeds)?;
    for name in ROUTERS {
        let measured = match name {
            "epidemic" => epidemic.clone(),
            _ => named(case, name, seeds)?,
        };
        println!("{}", row(case, name, &measured, &epidemic));
    }
    Ok(())
}

pub(crate) fn named(case: &Case, name: &str, seeds: u64) -> Result<Measured, Box<dyn Error>> {
    let router = Router::named(name).ok_or("a router is missing")?;
    measure::named(case, router, seeds)
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
        posterior.map_or("-".into(), |posterior| format!(
            "{posterior:.3}; by age {:.3} at most",
            measured.worst_posterior
        ))
    )
}
