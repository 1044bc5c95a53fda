//! `chappe-sim routers`.

use std::fmt::Write as _;

use chappe_sim::routers::ROUTERS;

use super::{Failure, say};

/// Arguments of `routers`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    let mut text = String::new();
    for router in &ROUTERS {
        let mark = match (router.sees_destinations(), router.is_sealed()) {
            (true, _) => " (sees destinations, which sealed traffic hides: runs in The ONE's way)",
            (_, false) => " (sees paths, which sealed traffic hides: runs in The ONE's way)",
            _ => "",
        };
        let _ = writeln!(text, "{:<16} {}{mark}", router.name, router.about);
    }
    say(&text)
}
