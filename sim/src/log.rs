//! What happens in a run, one thing after the other, for tables and maps.

use std::time::Duration;

use crate::event::{MessageIndex, NodeIndex, SimTime};

/// How much of a run is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The [log](Log) too: 40 bytes for each thing that happens.
    Everything,
    /// The figures only.
    #[default]
    Figures,
}

/// What happened in a run, in order of time; empty unless [everything](Keep::Everything) is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// One thing after the other.
    pub happenings: Vec<Happening>,
    /// Of each node, how long it was on the air.
    pub air: Vec<Air>,
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub at: SimTime,
    /// What.
    pub what: What,
}

/// What can happen. A message is `None` where it is none of the scenario, such as junk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// What is handed over next was only shown: who gets it has chosen it by its tag.
    Chosen {
        /// Which message.
        message: MessageIndex,
        /// Who has chosen it.
        by: NodeIndex,
        /// How old it was then.
        age: Duration,
    },
    /// A transfer was cut off.
    Cut {
        /// Who had it.
        from: NodeIndex,
        /// Who was to have it.
        to: NodeIndex,
        /// Which message.
        message: Option<MessageIndex>,
    },
    /// A message arrived for the first time, and in time.
    Delivered {
        /// Which message.
        message: MessageIndex,
        /// After how many transfers.
        hops: u32,
    },
    /// A link ends.
    Down {
        /// The node that is named first.
        a: NodeIndex,
        /// The other node.
        b: NodeIndex,
    },
    /// A transfer was completed.
    Handed(Handed),
    /// A node no longer holds a copy.
    Released {
        /// Which node.
        node: NodeIndex,
        /// Of which message.
        message: Option<MessageIndex>,
        /// Bytes.
        size: u64,
        /// Evicted or expired; else given up because it was handed on or delivered.
        dropped: bool,
    },
    /// A node holds a copy from now on.
    Taken {
        /// Which node.
        node: NodeIndex,
        /// Of which message.
        message: Option<MessageIndex>,
        /// Bytes.
        size: u64,
    },
    /// A link begins.
    Up {
        /// The node that is named first.
        a: NodeIndex,
        /// The other node.
        b: NodeIndex,
    },
    /// A message was written.
    Written {
        /// Which.
        message: MessageIndex,
    },
}

/// A transfer that was completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handed {
    /// Who had it.
    pub from: NodeIndex,
    /// Who has it now.
    pub to: NodeIndex,
    /// Which message; `None` for what is no message of the scenario, such as junk.
    pub message: Option<MessageIndex>,
}

/// How long a node was on the air, in microseconds, and with how much, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Air {
    /// Sending.
    pub sends: u64,
    /// Receiving.
    pub receives: u64,
    /// Sent.
    pub sent: u64,
    /// Received.
    pub received: u64,
}

impl Log {
    /// The transfers that were completed, and when.
    pub fn handovers(&self) -> impl Iterator<Item = (SimTime, Handed)> + '_ {
        self.happenings
            .iter()
            .filter_map(|happening| match happening.what {
                What::Handed(handed) => Some((happening.at, handed)),
                _ => None,
            })
    }
}
