//! `chappe-sim presets`.

use super::Failure;

/// Arguments of `presets`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::new("`presets` is not built yet"))
}
