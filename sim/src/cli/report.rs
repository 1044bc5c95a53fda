//! `chappe-sim report`.

use super::Failure;

/// Arguments of `report`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::new("`report` is not built yet"))
}
