//! What physics allows on the same contacts and messages, whoever knows the future.
//!
//! - **Zero time**: everything floods through everyone in reach at once. No router delivers more or sooner.
//! - **Earliest arrival**: each hop takes size by rate, within one contact; each message is alone in the network.
//! - **Schedule**: single copies, in the order of creation; airtime is reserved, with one transfer at a time for each
//!   node; buffers are ignored. What it reaches can be reached, so the optimum lies between this and the one before.
//! - **Fewest relays**: the floor of transfers for what can be delivered.
//!
//! Events of one instant count in the order `up`, `down`, messages, so that a zero-time flood crosses a contact that
//! begins when another ends. A transfer is rounded up to 0.1 s and may end in the instant in which its contact ends. A
//! message counts as delivered if it arrives within its lifetime. The median is The ONE's, the upper one.
//!
//! Jain, Fall, Patra: "Routing in a Delay Tolerant Network", SIGCOMM 2004, for oracles by what they know; Bui-Xuan,
//! Ferreira, Jarry: "Computing shortest, fastest, and foremost journeys in dynamic networks", 2003.

mod contacts;
mod flood;
mod journey;
mod schedule;

use std::time::Duration;

use rayon::prelude::*;
use serde::Serialize;

use crate::event::{ContactTrace, MessageEvent, SimTime};
use crate::units::Rate;
use contacts::Contacts;

/// What an oracle is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The rate of contacts for which the trace tells none.
    pub rate: Rate,
    /// The messages' lifetime.
    pub ttl: Duration,
}

/// The four bounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bounds {
    /// Flooding in no time.
    pub zero_time: Bound,
    /// Each message alone.
    pub earliest_arrival: Bound,
    /// Single copies that share the air.
    pub schedule: Bound,
    /// The fewest transfers for each message that can be delivered.
    pub fewest_relays: Bound,
}

/// One bound. Times are in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bound {
    /// Messages that arrive.
    pub delivered: u64,
    /// Mean time from writing to arrival.
    pub latency_avg: Option<f64>,
    /// The upper median of it.
    pub latency_med: Option<f64>,
    /// Transfers, where they are what is counted.
    pub relayed: Option<u64>,
}

/// How a message arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Arrival {
    at: SimTime,
    hops: u64,
}

/// The bounds. Messages are for nodes that the contacts have.
pub fn bounds(trace: &ContactTrace, messages: &[MessageEvent], question: &Question) -> Bounds {
    let contacts = Contacts::new(trace, question.rate);
    let alone = |fewest: bool| -> Vec<_> {
        messages
            .par_iter()
            .map(|message| {
                if fewest {
                    journey::fewest_hops(&contacts, message, question.ttl)
                } else {
                    journey::foremost(&contacts, message, question.ttl)
                }
            })
            .collect()
    };
    let zero_time = flood::arrivals(trace, &contacts, messages, question.ttl);
    let schedule = schedule::arrivals(&contacts, messages, question.ttl);
    Bounds {
        zero_time: Bound::new(messages, &zero_time, false),
        earliest_arrival: Bound::new(messages, &alone(false), false),
        schedule: Bound::new(messages, &schedule, true),
        fewest_relays: Bound::new(messages, &alone(true), true),
    }
}

impl Bound {
    fn new(messages: &[MessageEvent], arrivals: &[Option<Arrival>], relays: bool) -> Self {
        let both = messages.iter().zip(arrivals);
        let arrived = both.filter_map(|(message, arrival)| Some((message, (*arrival)?)));
        let mut latencies = Vec::new();
        let mut hops = 0;
        for (message, arrival) in arrived {
            latencies.push(arrival.at.since(message.at));
            hops += arrival.hops;
        }
        latencies.sort_unstable();
        let total: Duration = latencies.iter().sum();
        let count = latencies.len();
        Self {
            delivered: count as u64,
            latency_avg: (count > 0).then(|| total.as_secs_f64() / count as f64),
            latency_med: latencies.get(count / 2).map(Duration::as_secs_f64),
            relayed: relays.then_some(hops),
        }
    }
}
