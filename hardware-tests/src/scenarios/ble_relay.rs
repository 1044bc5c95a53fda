//! `ble-relay`: two people who are never in range of each other; a relay carries, and the answer comes back.

use std::time::{Duration, Instant};

use crate::lab::Lab;
use crate::node::introduce;
use crate::report::Shown;
use crate::wait;

const LIMIT: Duration = Duration::from_secs(150);

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios(3)?;
    let mut north = lab.node("north", "ble:hci0").person()?;
    let mut south = lab.node("south", "ble:hci1").person()?;
    let mut relay = lab.node("relay", "ble:hci2").relay()?;
    // Nobody is on the air yet: a contact URI goes by paper.
    introduce(&north, &south)?;

    let began = Instant::now();
    north.say(&["send", "south", "where are you?"])?;
    relay.start()?;
    north.start()?;
    wait::until("the relay to take custody", LIMIT, || {
        let outbox = north.json(&["outbox"])?;
        let carried = outbox
            .iter()
            .any(|sent| sent.get("state").is_some_and(|it| it == "carried"));
        Ok(carried.then_some(()))
    })?;
    north.stop();

    south.start()?;
    south.receives("where are you?", LIMIT)?;
    south.say(&["send", "north", "in the south"])?;
    wait::until("the relay to take the answer", LIMIT, || {
        let outbox = south.json(&["outbox"])?;
        let carried = outbox
            .iter()
            .any(|sent| sent.get("state").is_some_and(|it| it == "carried"));
        Ok(carried.then_some(()))
    })?;
    south.stop();

    north.start()?;
    north.receives("in the south", LIMIT)?;
    let mut shown = Shown::new("two people never in range of each other talked through a relay");
    shown.figure(
        "question and answer",
        began.elapsed().as_secs_f64(),
        "s",
        None,
    );
    Ok(shown)
}
