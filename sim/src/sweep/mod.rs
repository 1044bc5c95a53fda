//! Many runs: a plan, its shards, and what becomes of them.
//!
//! A plan names a scenario or a recording, routers, seeds and axes; each combination is a run, whose number is a hash of what
//! goes in. A shard of a plan has every N-th number, whatever else is in the plan, so that plans can be extended and shards
//! be run anywhere. Each run is kept as soon as it is done; a shard's file appears when all its runs are.

mod merge;
mod plan;
mod shard;

pub use merge::{MergeError, Merged, merge};
pub use plan::{Job, JobError, Plan, PlanError};
pub use shard::{Progress, Shard, ShardError, SweepError, sweep};
