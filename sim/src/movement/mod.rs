//! Where nodes go, and whom they meet.
//!
//! A [`Model`] tells a node's next [`Leg`]; a [`Fleet`] has all nodes of a world on their legs; [`Contacts`] is the stream
//! of contacts that follows.

mod contacts;
mod crossing;
mod fleet;
mod grid;
mod model;
mod roads;
mod route;
mod schedule;
mod space;
mod stationary;
mod walk;
mod waypoint;
mod working_day;

pub use contacts::Contacts;
pub use fleet::{Fleet, Group};
pub use model::{Memory, Model, Moment, Span};
pub use roads::{MapError, Roads, RoadsModel};
pub use route::Route;
pub use schedule::Schedule;
pub use space::{Area, Leg, Point};
pub use stationary::Stationary;
pub use walk::RandomWalk;
pub use waypoint::{Clusters, RandomWaypoint};
pub use working_day::WorkingDay;
