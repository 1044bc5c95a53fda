//! Each idea of the router off by itself, and what that costs.

use std::error::Error;

use chappe_gossip::policies::SprayAndPull;
use chappe_gossip::policy::{Candidate, Neighbour, Policy, Priority, Sharing, Shown, Surroundings};
use chappe_gossip::{Copies, Draw};
use chappe_sim::routing::Network;
use chappe_wire::{ByteCount, Duration};

use crate::cases::Case;
use crate::measure::{self, Measured};

/// An idea of the policy, which can be left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Idea {
    Cover,
    Density,
    Dropping,
    Growth,
    None,
    Order,
    Pressure,
    Sizes,
    Spray,
}

/// The policy of phones without one idea.
#[derive(Clone, Copy)]
struct Without(Idea, SprayAndPull);

impl Without {
    const fn new(idea: Idea) -> Self {
        let mut policy = SprayAndPull::PHONES;
        match idea {
            Idea::Cover => policy.cover = 0,
            Idea::Growth => policy.doubling = Duration::ZERO,
            Idea::Spray => policy.copies = Copies::new(1),
            _ => {}
        }
        Self(idea, policy)
    }

    /// Where it is, without what it is not to know.
    const fn seen(&self, around: &Surroundings) -> Surroundings {
        let mut around = *around;
        match self.0 {
            // As if everyone met a hundred others.
            Idea::Density => around.met = 100,
            Idea::Pressure => around.evicts = false,
            _ => {}
        }
        around
    }
}

impl Policy for Without {
    fn initial_copies(&self, around: &Surroundings) -> Copies {
        self.1.initial_copies(&self.seen(around))
    }

    fn received_copies(&self, declared: Copies) -> Copies {
        self.1.received_copies(declared)
    }

    fn sharing(
        &self,
        item: &Candidate<'_>,
        neighbour: &Neighbour<'_>,
        around: &Surroundings,
    ) -> Sharing {
        self.1.sharing(item, neighbour, &self.seen(around))
    }

    fn pulls(
        &self,
        shown: &Shown<'_>,
        neighbour: &Neighbour<'_>,
        around: &Surroundings,
        draw: Draw,
    ) -> bool {
        self.1.pulls(shown, neighbour, &self.seen(around), draw)
    }

    fn priority(&self, item: &Candidate<'_>, neighbour: &Neighbour<'_>) -> Priority {
        match self.0 {
            Idea::Order => Priority::new(0),
            Idea::Sizes => self.1.priority(&sizeless(item), neighbour),
            _ => self.1.priority(item, neighbour),
        }
    }

    fn handed_over(&self, copies: Copies) -> Copies {
        self.1.handed_over(copies)
    }

    fn keeping(&self, item: &Candidate<'_>) -> Priority {
        match self.0 {
            Idea::Dropping => Priority::new(0),
            Idea::Sizes => self.1.keeping(&sizeless(item)),
            _ => self.1.keeping(item),
        }
    }
}

const fn sizeless<'a>(item: &Candidate<'a>) -> Candidate<'a> {
    Candidate {
        size: ByteCount::ZERO,
        ..*item
    }
}

const IDEAS: [(Idea, &str); 9] = [
    (Idea::None, "as it ships"),
    (
        Idea::Spray,
        "no spray: one copy from the start, taken by choice only",
    ),
    (
        Idea::Cover,
        "no cover: of the last copies only recipients take theirs",
    ),
    (Idea::Growth, "as many takers whatever the age"),
    (
        Idea::Density,
        "as many takers as among a hundred, whoever is met",
    ),
    (
        Idea::Pressure,
        "as many copies and takers without room as with it",
    ),
    (Idea::Dropping, "chance decides what makes room"),
    (Idea::Order, "chance decides what goes first"),
    (
        Idea::Sizes,
        "sizes count neither for what goes first nor for what makes room",
    ),
];

pub(crate) fn print(seeds: u64) -> Result<(), Box<dyn Error>> {
    println!("Simulated; {seeds} run(s) of each.");
    println!(
        "Each cell: delivered by the oracle; mean delay by the oracle; relays for each message.\n"
    );
    let cases = [Case::rwp200()?, Case::rwp200_heavy()?];
    println!(
        "| the default | {} | {} |\n|---|---|---|",
        cases[0].name, cases[1].name
    );
    for (idea, about) in IDEAS {
        row(about, &cases, seeds, idea, same)?;
    }
    row(
        "no receipts: copies stay until they expire",
        &cases,
        seeds,
        Idea::None,
        |network| network.without_receipts(),
    )?;
    row(
        "a cut transfer begins anew",
        &cases,
        seeds,
        Idea::None,
        |network| network.without_resuming(),
    )?;
    Ok(())
}

fn row(
    about: &str,
    cases: &[Case],
    seeds: u64,
    idea: Idea,
    change: for<'a> fn(Network<'a>) -> Network<'a>,
) -> Result<(), Box<dyn Error>> {
    print!("| {about} |");
    for case in cases {
        let network = change(case.network()?);
        let make = || Box::new(Without::new(idea)) as Box<dyn Policy + Send>;
        print!(
            " {} |",
            cell(case, &measure::sealed(case, &network, &make, seeds))
        );
    }
    println!();
    Ok(())
}

fn cell(case: &Case, measured: &Measured) -> String {
    let oracle = &case.bounds.earliest_arrival;
    format!(
        "{:.3}; {:.2}; {:.0}",
        measured.delivered / oracle.delivered as f64,
        measured.mean_delay / oracle.latency_avg.unwrap_or(1.0),
        measured.relayed / case.messages.len() as f64
    )
}

const fn same(network: Network<'_>) -> Network<'_> {
    network
}
