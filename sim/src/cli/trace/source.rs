//! The trace that a command looks at: contacts, or movement and a range.

use std::path::PathBuf;

use chappe_sim::movement::{Contacts, Fleet, Group};
use chappe_sim::scenario::quantity::{Metres, Seconds};
use chappe_sim::trace::{self, Format, MovementTrace};
use chappe_sim::{ContactTrace, SimTime};

use crate::cli::Failure;

#[derive(clap::Args)]
pub(super) struct Source {
    /// The trace, plain or gzipped.
    pub(super) file: PathBuf,
    /// Its format, where the first line does not tell: bonnmotion, csv, haggle, one, setdest, sociopatterns.
    #[arg(long)]
    pub(super) format: Option<Format>,
    /// Of movement: how far a radio reaches.
    #[arg(long)]
    range: Option<Metres>,
    /// Of movement: until when, if not until the last node has arrived.
    #[arg(long)]
    until: Option<Seconds>,
}

impl Source {
    /// The format, as given or as the file begins.
    pub(super) fn format(&self) -> Result<Format, Failure> {
        Ok(match self.format {
            Some(format) => format,
            None => trace::recognise(&self.file)?,
        })
    }

    /// Contacts: as the file has them, or as they follow from its movement.
    pub(super) fn contacts(&self) -> Result<ContactTrace, Failure> {
        if !self.format()?.is_movement() {
            return Ok(trace::read_contacts_as(&self.file, self.format)?);
        }
        let Some(range) = self.range else {
            return Err(Failure::new(
                "this trace has movement; give `--range 30m` for the contacts that follow from it",
            ));
        };
        let (fleet, end) = self.fleet(range.0)?;
        let nodes = fleet.nodes();
        let events = Contacts::new(fleet, end).collect();
        Ok(ContactTrace { nodes, events, end })
    }

    /// The nodes of the file on their ways, and when they end.
    pub(super) fn fleet(&self, range: f64) -> Result<(Fleet, SimTime), Failure> {
        let movement: MovementTrace = trace::read_movement(&self.file, self.format)?;
        let end = self.until.map_or(movement.end, Seconds::as_time);
        let group = Group {
            count: movement.nodes(),
            model: Box::new(movement),
            range,
            radio: 0,
        };
        Ok((Fleet::new(0, vec![group]), end))
    }
}
