//! People who walk about at the density of the trace rwp200, and what a run of them costs in one thread.

use std::error::Error;

use chappe_sim::Outcome;
use chappe_sim::cost::{Cost, Meter};
use chappe_sim::log::Keep;
use chappe_sim::routers::Router;
use chappe_sim::run::{self, Wanted};
use chappe_sim::scenario::Scenario;

/// Random waypoint: 0.5 to 1.5 m/s, rests of up to two minutes, 30 m of range, 200 people on 1,500 m x 1,500 m.
pub(crate) struct Walkers {
    pub(crate) nodes: u32,
    pub(crate) minutes: u64,
    /// How often each of them writes, in seconds, on average.
    pub(crate) each_writes_every: f64,
    /// Bytes of a message.
    pub(crate) sizes: &'static str,
    /// Further keys of the scenario.
    pub(crate) keys: &'static str,
}

impl Walkers {
    /// One run with this router, and its cost. Memory is the most that the process ever had, so a process measures one run.
    pub(crate) fn run(&self, router: &str, seed: u64) -> Result<(Outcome, Cost), Box<dyn Error>> {
        let scenario = Scenario::parse(&self.scenario(), "walkers.toml".as_ref(), &[])?;
        let router = Router::named(router).ok_or("no such router")?;
        let wanted = Wanted {
            oracle: false,
            keep: Keep::Figures,
        };
        let meter = Meter::start();
        let outcome = run::run(&scenario, router, seed, wanted)?.course.outcome;
        Ok((outcome, meter.read()))
    }

    fn scenario(&self) -> String {
        let Self {
            nodes,
            minutes,
            sizes,
            keys,
            ..
        } = self;
        let side = 1500.0 * (f64::from(*nodes) / 200.0).sqrt();
        let every = self.each_writes_every / f64::from(*nodes);
        format!(
            r#"
                about = "Many people who walk about and write"
                duration = "{minutes}min"
                {keys}
                [[groups]]
                name = "walkers"
                count = {nodes}
                radio = "ideal"
                range = "30m"
                movement.random-waypoint = {{ area = "{side:.1}m x {side:.1}m", speed = "0.5..1.5m/s", pause = "0s..2min" }}
                [[traffic]]
                when.poisson = {{ every = "{every:.4}s" }}
                size = "{sizes}"
            "#
        )
    }
}
