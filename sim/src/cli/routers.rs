//! `chappe-sim routers`.

use super::Failure;

/// Arguments of `routers`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::new("`routers` is not built yet"))
}
