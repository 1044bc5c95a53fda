//! `chappe-sim compare`.

use super::Failure;

/// Arguments of `compare`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::new("`compare` is not built yet"))
}
