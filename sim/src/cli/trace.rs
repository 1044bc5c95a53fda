//! `chappe-sim trace`.

use super::Failure;

/// Arguments of `trace`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::new("`trace` is not built yet"))
}
