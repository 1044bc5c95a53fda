//! The policies that come with the router.

mod epidemic;
mod spray_and_wait;

pub use epidemic::Epidemic;
pub use spray_and_wait::SprayAndWait;
