//! `chappe-sim merge`.

use super::Failure;

/// Arguments of `merge`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::new("`merge` is not built yet"))
}
