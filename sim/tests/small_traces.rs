//! The smallest of traces: every router comes to an end on them, in either way of running.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use chappe_sim::replay::{Recording, Terms};
use chappe_sim::routers::{ROUTERS, Router};
use chappe_sim::run::Wanted;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn every_router_comes_to_an_end_among_three_nodes() {
    let (_contacts, contacts) = common::file(
        "0 CONN 0 1 up\n10 CONN 0 1 down\n20 CONN 1 2 up\n30.5 CONN 1 2 down\n40 CONN 0 1 up\n",
    );
    let (_messages, messages) = common::file("0 C M1 0 2 1000\n35 C M2 2 0 1000\n41 C M3 1 0 0\n");
    for router in &ROUTERS {
        for one_compat in [Some(Duration::from_millis(100)), None] {
            let delivered = delivered(&contacts, &messages, router, one_compat);
            let name = router.name;
            assert!(
                delivered.is_some_and(|delivered| delivered >= 1),
                "{name}, {one_compat:?}: {delivered:?}"
            );
        }
    }
}

/// How many arrive; `None` where the router does not come to an end.
fn delivered(
    contacts: &Path,
    messages: &Path,
    router: &'static Router,
    one_compat: Option<Duration>,
) -> Option<u64> {
    let recording = Recording::read(contacts, messages).unwrap();
    let (done, result) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let terms = Terms {
            one_compat,
            end: Some(chappe_sim::SimTime::from_secs(60)),
            ..Terms::default()
        };
        let run = recording.run(&terms.suited_to(router), router, 1, Wanted::default());
        let _ = done.send(run.unwrap().course.outcome.delivered);
    });
    result.recv_timeout(PATIENCE).ok()
}
