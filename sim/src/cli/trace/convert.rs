//! `chappe-sim trace convert`.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use chappe_sim::scenario::quantity::Seconds;
use chappe_sim::trace::{self, Sink};

use super::source::Source;
use crate::cli::Failure;

/// What to write.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Target {
    /// The ONE's contact events.
    One,
    /// The ONE's movement (`ExternalMovement`).
    OneMovement,
    /// ns-2's movement (`setdest`).
    Setdest,
}

/// Arguments of `trace convert`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// What to write.
    #[arg(long, value_enum, default_value = "one")]
    to: Target,
    /// How often The ONE's movement tells where nodes are.
    #[arg(long, default_value = "1s")]
    every: Seconds,
    /// Where to; gzipped if the name ends in `.gz`. Standard output if not given.
    #[arg(long, short)]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.to == Target::One {
        let contacts = args.source.contacts()?.events;
        return write_to(args.output.as_ref(), |out| {
            trace::write_contacts(out, contacts)
        });
    }
    if !args.source.format()?.is_movement() {
        return Err(Failure::new(
            "this trace has contacts, from which no movement follows; convert it to `one`",
        ));
    }
    let (fleet, end) = args.source.fleet(0.0)?;
    write_to(args.output.as_ref(), |out| match args.to {
        Target::OneMovement => trace::write_one_movement(out, fleet, end, args.every.as_time()),
        _ => trace::write_setdest(out, fleet, end),
    })
}

/// Writes a file that appears when it is whole, or standard output.
pub(super) fn write_to(
    output: Option<&PathBuf>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let Some(path) = output else {
        let mut out = BufWriter::new(io::stdout().lock());
        write(&mut out)?;
        return Ok(out.flush()?);
    };
    let failed = |error: io::Error| {
        Failure::new(format_args!(
            "{} cannot be written: {error}",
            path.display()
        ))
    };
    let mut sink = Sink::create(path).map_err(failed)?;
    write(&mut sink).map_err(failed)?;
    sink.finish().map_err(failed)
}
