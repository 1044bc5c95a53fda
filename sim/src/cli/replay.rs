//! `chappe-sim replay`.

use super::Failure;

/// Arguments of `replay`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::new("`replay` is not built yet"))
}
