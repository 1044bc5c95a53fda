//! `chappe-sim routers`.

use chappe_sim::routers::ROUTERS;

use super::Failure;

/// Arguments of `routers`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    for router in &ROUTERS {
        let mark = if router.sees_destinations() {
            " (sees destinations)"
        } else {
            ""
        };
        println!("{:<16} {}{mark}", router.name, router.about);
    }
    Ok(())
}
