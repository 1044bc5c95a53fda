//! `chappe-sim trace generate`.

use std::path::PathBuf;

use chappe_sim::movement::Contacts;
use chappe_sim::scenario::Scenario;
use chappe_sim::scenario::quantity::Seconds;
use chappe_sim::trace;

use super::convert::write_to;
use crate::cli::Failure;

/// What to write.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Who is in range of whom, as The ONE's events.
    Contacts,
    /// Links, after discovery, set-up and limits of the radios, as The ONE's events.
    Links,
    /// Messages, as The ONE's events.
    Messages,
    /// Where nodes are, as The ONE's `ExternalMovement` reads it.
    OneMovement,
    /// Where nodes go, as ns-2's `setdest`.
    Setdest,
}

/// Arguments of `trace generate`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The scenario.
    scenario: PathBuf,
    /// What to write.
    #[arg(value_enum)]
    what: What,
    /// The seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Sets a key of the scenario, before what it says: `--set groups.people.count=20`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// How often The ONE's movement tells where nodes are.
    #[arg(long, default_value = "1s")]
    every: Seconds,
    /// Where to; gzipped if the name ends in `.gz`. Standard output if not given.
    #[arg(long, short)]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let scenario = Scenario::load(&args.scenario, &args.settings)?;
    let end = scenario.file.duration.as_time();
    let output = args.output.as_ref();
    if matches!(args.what, What::Links | What::Messages) {
        let world = scenario.build(args.seed)?;
        return write_to(output, |out| match args.what {
            What::Links => trace::write_contacts(out, world.contacts),
            _ => trace::write_messages(out, world.messages),
        });
    }
    let Some(fleet) = scenario.fleet(args.seed)? else {
        return Err(Failure::new(
            "this scenario has its contacts from a trace and no movement; ask for `links` or `messages`",
        ));
    };
    write_to(output, |out| match args.what {
        What::OneMovement => trace::write_one_movement(out, fleet, end, args.every.as_time()),
        What::Setdest => trace::write_setdest(out, fleet, end),
        _ => trace::write_contacts(out, Contacts::new(fleet, end)),
    })
}
