//! The routers by name. To add one: a policy in `crates/gossip/src/policies/`, and an entry here.

use chappe_gossip::Copies;
use chappe_gossip::policies::{
    DirectDelivery, Epidemic, FirstContact, MaxProp, MeasuredSpray, Prophet, RandomOrder,
    SprayAndPull, SprayAndWait,
};
use chappe_gossip::policy::{Habits, Policy};

use chappe_node::PolicyChoice;

use crate::compat::Replay;
use crate::event::ContactEvent;
use crate::log::Keep;
use crate::outcome::{Course, Outcome};
use crate::routing::{self, Network};
use crate::scenario::World;

/// A router that can be asked for by name.
#[derive(Debug)]
pub struct Router {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    habits: fn() -> Habits,
    policy: fn() -> Box<dyn Policy + Send>,
    replay: fn(&Replay<'_>, u64, Keep) -> Course,
}

/// The copies of spray and wait: The ONE's default scenario has 6.
const COPIES: Copies = Copies::new(6);

macro_rules! router {
    ($name:literal, $about:literal, $policy:expr) => {
        Router {
            name: $name,
            about: $about,
            habits: || $policy.habits(),
            policy: || Box::new($policy),
            replay: |replay, seed, keep| replay.course(|| $policy, seed, keep),
        }
    };
}

/// Every router.
pub const ROUTERS: [Router; 11] = [
    router!(
        "default",
        "what phones do: a few carriers at once, more the longer it takes; recipients take theirs among others",
        SprayAndPull::PHONES
    ),
    router!(
        "direct-delivery",
        "who wrote a message keeps it until it meets the recipient",
        DirectDelivery
    ),
    router!(
        "epidemic",
        "everyone carries everything",
        RandomOrder(Epidemic)
    ),
    router!(
        "first-contact",
        "one copy goes to whoever comes first",
        FirstContact
    ),
    router!(
        "maxprop",
        "few hops first, then the cheapest path; acknowledgements are flooded",
        MaxProp::default()
    ),
    router!(
        "measured-spray",
        "sixteen copies, halved at each hand-over; what has spread most makes room",
        MeasuredSpray::default()
    ),
    router!(
        "prophet",
        "carriers that are likelier to meet the recipient",
        Prophet::new()
    ),
    router!(
        "prophet-v2",
        "the same, harder to mislead by short encounters",
        Prophet::v2()
    ),
    router!(
        "relays",
        "what relays do: as phones, but they take all that is shown",
        SprayAndPull::RELAYS
    ),
    router!(
        "selective",
        "the fewest transmissions: 20 copies; of the last ones only recipients take theirs, which tells who they are",
        SprayAndPull::SELECTIVE
    ),
    router!(
        "spray-and-wait",
        "six copies, halved at each hand-over; the last waits for the recipient",
        RandomOrder(SprayAndWait { copies: COPIES })
    ),
];

impl Router {
    /// The router with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ROUTERS.iter().find(|router| router.name == name)
    }

    /// Whether it decides by destinations, which sealed traffic hides.
    pub fn sees_destinations(&self) -> bool {
        (self.habits)().sees_destinations
    }

    /// Whether devices could run it: sealed traffic tells all that it needs.
    pub fn is_sealed(&self) -> bool {
        let habits = (self.habits)();
        let ranks = habits.ranks;
        habits
            == Habits {
                ranks,
                ..Habits::default()
            }
    }

    /// Its policy, for one node.
    pub fn policy(&self) -> Box<dyn Policy + Send> {
        (self.policy)()
    }

    /// The setting of a device that makes it route so; `None` where no device does.
    pub fn device(&self) -> Option<PolicyChoice> {
        match self.name {
            "default" => Some(PolicyChoice::SprayAndPull(SprayAndPull::PHONES)),
            "measured-spray" => Some(PolicyChoice::MeasuredSpray),
            "relays" => Some(PolicyChoice::SprayAndPull(SprayAndPull::RELAYS)),
            "selective" => Some(PolicyChoice::SprayAndPull(SprayAndPull::SELECTIVE)),
            "spray-and-wait" => Some(PolicyChoice::SprayAndWait {
                copies: COPIES.count(),
            }),
            _ => None,
        }
    }

    /// One run of the router that devices run; `None` unless it [is sealed](Self::is_sealed).
    pub fn route(&self, network: &Network<'_>, seed: u64) -> Option<Outcome> {
        let course = self.route_course(network, seed, Keep::Figures);
        course.map(|course| course.outcome)
    }

    /// The same, and what happened in it.
    pub fn route_course(&self, network: &Network<'_>, seed: u64, keep: Keep) -> Option<Course> {
        self.is_sealed()
            .then(|| network.course(&self.policy, seed, keep))
    }

    /// One run of the router that devices run, on the links of a world, which are taken as they come. The router has to
    /// be [sealed](Self::is_sealed): destinations are not told.
    pub fn route_world(
        &self,
        world: &World,
        links: impl Iterator<Item = ContactEvent>,
        seed: u64,
        keep: Keep,
    ) -> Course {
        routing::run_world(world, links, &self.policy, seed, keep)
    }

    /// One run in The ONE's way.
    pub fn replay(&self, replay: &Replay<'_>, seed: u64) -> Outcome {
        self.replay_course(replay, seed, Keep::Figures).outcome
    }

    /// The same, and what happened in it.
    pub fn replay_course(&self, replay: &Replay<'_>, seed: u64, keep: Keep) -> Course {
        (self.replay)(replay, seed, keep)
    }
}
