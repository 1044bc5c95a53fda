//! `chappe-sim trace convert`.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use chappe_sim::trace::{self, Format, Sink};

use crate::cli::Failure;

/// Arguments of `trace convert`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The trace, plain or gzipped.
    file: PathBuf,
    /// Its format, where the first line does not tell: bonnmotion, csv, haggle, one, setdest, sociopatterns.
    #[arg(long)]
    format: Option<Format>,
    /// Where to; gzipped if the name ends in `.gz`. Standard output if not given.
    #[arg(long, short)]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let contacts = trace::read_contacts_as(&args.file, args.format)?.events;
    write_to(args.output.as_ref(), |out| {
        trace::write_contacts(out, contacts)
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
