//! `chappe-sim sweep`.

use super::Failure;

/// Arguments of `sweep`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::new("`sweep` is not built yet"))
}
