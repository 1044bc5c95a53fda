//! `chappe-sim models`.

use super::Failure;

/// Arguments of `models`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::new("`models` is not built yet"))
}
