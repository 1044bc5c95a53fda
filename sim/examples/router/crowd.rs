//! Five hundred people who stand, each in range of thirty and linked to six at most.

use std::error::Error;

use chappe_sim::log::{Keep, What};
use chappe_sim::routers::Router;
use chappe_sim::scenario::Scenario;
use chappe_wire::HEADER_LEN;

use crate::cases::folder;

/// What is on the air in the crowd.
pub(crate) struct Crowd {
    /// How often an envelope crosses a link for each node that gets it.
    pub(crate) crossings: f64,
    /// Bytes that are no envelope, by those that are.
    pub(crate) control: f64,
    delivered: f64,
}

pub(crate) fn print(_seeds: u64) -> Result<(), Box<dyn Error>> {
    println!(
        "Simulated: sim/scenarios/dense-crowd.toml, the default router. The header is of the envelope's 512 bytes.\n"
    );
    let crowd = crowd()?;
    println!(
        "| crossings for each node that gets an envelope | control by data | delivered |\n|---|---|---|"
    );
    println!(
        "| {:.3} | {:.1} % | {:.1} % |",
        crowd.crossings,
        crowd.control * 100.0,
        crowd.delivered * 100.0
    );
    Ok(())
}

pub(crate) fn crowd() -> Result<Crowd, Box<dyn Error>> {
    let path = folder().join("scenarios/dense-crowd.toml");
    // The engine puts the header on top of a message.
    let body = format!("traffic.0.size={}B", 512 - HEADER_LEN);
    let scenario = Scenario::load(&path, &[body, "duration=20min".to_owned()])?;
    let mut world = scenario.build(1)?;
    let links = std::mem::replace(&mut world.contacts, Box::new(std::iter::empty()));
    let router = Router::named("default").ok_or("there is no default")?;
    let course = router.route_world(&world, links, 1, Keep::Everything);
    let (mut handed, mut taken) = (0_u64, 0_u64);
    for happening in &course.log.happenings {
        match happening.what {
            What::Handed(_) => handed += 1,
            What::Taken { .. } => taken += 1,
            _ => {}
        }
    }
    // Who writes a message holds it too.
    let got = taken.saturating_sub(course.outcome.created) as f64;
    let headers = handed as f64 * HEADER_LEN as f64;
    let data = course.outcome.data_bytes as f64 + headers;
    Ok(Crowd {
        crossings: handed as f64 / got,
        control: (course.outcome.control_bytes as f64 - headers) / data,
        delivered: course.outcome.delivery_prob,
    })
}
