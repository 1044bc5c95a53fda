//! What commands that run routers have in common: seeds, routers by name, a line for people.

use std::ops::RangeInclusive;
use std::str::FromStr;

use chappe_sim::Outcome;
use chappe_sim::cost::Cost;
use chappe_sim::routers::Router;

/// `A..B`: both of them, and all between.
#[derive(Clone)]
pub(super) struct Seeds(pub(super) RangeInclusive<u64>);

impl Seeds {
    pub(super) const fn one(seed: u64) -> Self {
        Self(seed..=seed)
    }
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no range of seeds; expected one such as 1..20");
        let (first, last) = text.split_once("..").ok_or_else(bad)?;
        let number = |text: &str| text.parse().map_err(|_| bad());
        let (first, last) = (number(first)?, number(last)?);
        if first <= last {
            Ok(Self(first..=last))
        } else {
            Err(bad())
        }
    }
}

pub(super) fn router(name: &str) -> Result<&'static Router, String> {
    Router::named(name)
        .ok_or_else(|| "there is no such router; `chappe-sim routers` lists them".to_owned())
}

/// A run in one line.
pub(super) fn for_people(router: &str, seed: u64, outcome: &Outcome, cost: &Cost) -> String {
    let Outcome {
        created,
        delivered,
        relayed,
        latency_avg,
        ..
    } = outcome;
    let delay = latency_avg.map_or("none".to_owned(), |delay| format!("{delay:.1} s"));
    format!(
        "{router} seed {seed}: {delivered} of {created} delivered, {relayed} relayed, mean delay {delay} ({:.3} s of CPU)",
        cost.cpu_s
    )
}
