//! The figures of the README. Where several traces count, the worst is told.

use std::error::Error;

use crate::cases::Case;
use crate::measure::Measured;
use crate::{adversaries, crowd, table};

pub(crate) fn print(seeds: u64) -> Result<(), Box<dyn Error>> {
    let cases = [Case::rwp200()?, Case::sfhh()?, Case::invs15()?];
    let mut epidemic = Vec::new();
    for case in &cases {
        epidemic.push(table::named(case, "epidemic", seeds)?);
    }
    for (point, router) in [("selective", "selective"), ("private", "default")] {
        let mut worst = [f64::INFINITY, 0.0, 0.0, 0.0, 0.0];
        for (case, epidemic) in cases.iter().zip(&epidemic) {
            let measured = table::named(case, router, seeds)?;
            let [delivered, others @ ..] = ratios(case, &measured, epidemic);
            worst[0] = worst[0].min(delivered);
            for (worst, ratio) in worst[1..].iter_mut().zip(others) {
                *worst = worst.max(ratio);
            }
        }
        let [delivered, delay, relays, bytes, posterior] = worst;
        figure(&format!("router-{point}-delivered"), delivered * 100.0, "%");
        figure(&format!("router-{point}-delay"), delay, "times");
        figure(&format!("router-{point}-relays"), relays * 100.0, "%");
        if point == "selective" {
            figure("router-selective-bytes", bytes * 100.0, "%");
        } else {
            figure("router-private-posterior", posterior * 100.0, "%");
        }
    }
    let heavy = Case::rwp200_heavy()?;
    let measured = table::named(&heavy, "default", seeds)?;
    figure("router-heavy", scheduled(&heavy, &measured), "%");
    let town = Case::tram_town()?;
    let measured = table::named(&town, "default", seeds)?;
    figure("router-town", scheduled(&town, &measured), "%");
    figure("router-town-relays", measured.relayed, "relays");

    let harm = adversaries::harm(seeds, adversaries::HOURS)?;
    adversaries::tell(&harm);
    figure("router-dropping", harm.dropping * 100.0, "%");
    let floods = [&harm.flood, &harm.small_flood];
    let delivered = floods.map(|flood| flood.delivered);
    let least = delivered.into_iter().fold(f64::MAX, f64::min);
    let longest = floods
        .map(|flood| flood.pinned)
        .into_iter()
        .fold(0.0, f64::max);
    figure("router-flooding", least * 100.0, "%");
    figure("router-flooding-pinned", longest, "times");
    figure("router-forged", harm.forged, "copies");
    figure("router-inflated", harm.inflated, "copies");
    let crowd = crowd::crowd()?;
    figure("router-crowd-crossings", crowd.crossings, "times");
    figure("router-crowd-control", crowd.control * 100.0, "%");
    Ok(())
}

fn ratios(case: &Case, measured: &Measured, epidemic: &Measured) -> [f64; 5] {
    let oracle = &case.bounds.earliest_arrival;
    [
        measured.delivered / oracle.delivered as f64,
        measured.mean_delay / oracle.latency_avg.unwrap_or(1.0),
        measured.relayed / epidemic.relayed,
        measured.bytes() / epidemic.bytes(),
        measured.worst_posterior,
    ]
}

fn scheduled(case: &Case, measured: &Measured) -> f64 {
    100.0 * measured.delivered / case.bounds.schedule.delivered as f64
}

fn figure(name: &str, value: f64, unit: &str) {
    println!("figure: {name} = {value:.3} {unit}");
}
