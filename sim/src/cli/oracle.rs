//! `chappe-sim oracle`.

use super::Failure;

/// Arguments of `oracle`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::new("`oracle` is not built yet"))
}
