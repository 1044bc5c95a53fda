//! The policies that come with the router, and the baselines of the literature.

mod direct_delivery;
mod epidemic;
mod first_contact;
mod max_prop;
mod measured_spray;
mod prophet;
mod random_order;
mod spray_and_pull;
mod spray_and_wait;
mod spread;

pub use direct_delivery::DirectDelivery;
pub use epidemic::Epidemic;
pub use first_contact::FirstContact;
pub use max_prop::MaxProp;
pub use measured_spray::MeasuredSpray;
pub use prophet::Prophet;
pub use random_order::RandomOrder;
pub use spray_and_pull::SprayAndPull;
pub use spray_and_wait::SprayAndWait;
