//! The lines with which a recording, and each node in it, begins.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use chappe_gossip::Copies;
use chappe_gossip::policies::SprayAndPull;
use chappe_wire::{ByteCount, Duration, Instant, Lifetime};

use super::EntryError;
use super::words::{Line, Words};
use crate::{NodeConfig, NodeError, PolicyChoice, Profile, Role, Store, StoreError, Table};

/// The first line of a recording; the number is the format's version.
pub const FIRST_LINE: &str = "chappe-recording 2";
/// The last line of a recording that did not break off.
pub const END: &str = "end";

/// How many entries of a store are read at once.
const PAGE: usize = 64;

/// The two lines that say how a node is built.
pub fn start(now: Instant, config: &NodeConfig, seed: &[u8; 32]) -> [String; 2] {
    let start = Line::of("start").number(now.as_micros()).bytes(seed);
    [start.done(), configured(config)]
}

/// A line for each entry of a store, handed to `each`.
///
/// # Errors
/// As the store.
pub fn stored(store: &impl Store, mut each: impl FnMut(&str)) -> Result<(), StoreError> {
    for table in Table::ALL {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = store.scan(table, after.as_deref(), PAGE)?;
            for (key, value) in &page {
                let line = Line::of("stored").number(table as u8);
                each(&line.bytes(key).bytes(value).done());
            }
            match page.into_iter().last() {
                Some((last, _)) => after = Some(last),
                None => break,
            }
        }
    }
    Ok(())
}

/// The line that says whether the node could be built.
pub fn ready(built: Result<(), &NodeError>) -> String {
    match built {
        Ok(()) => Line::of("ready").done(),
        Err(error) => Line::of("refused").text(&error.to_string()).done(),
    }
}

fn configured(config: &NodeConfig) -> String {
    let NodeConfig {
        role,
        capacity,
        lifetime,
        policy,
        receipt_delay,
        receipt_delay_unverified,
        receipts_to_unverified,
        quota_per_contact,
        pinned,
        groups,
    } = config;
    let line = match role {
        Role::Relay => Line::of("config").word("relay"),
        Role::Person(Profile {
            name,
            jid,
            identity,
        }) => Line::of("config")
            .word("person")
            .text(name)
            .maybe(jid.as_deref(), Line::text)
            .maybe(identity.as_ref(), |line, seed| line.bytes(seed)),
    };
    let line = line.number(capacity.get()).number(lifetime.code());
    let line = match policy {
        PolicyChoice::Epidemic => line.word("epidemic"),
        PolicyChoice::MeasuredSpray => line.word("measured-spray"),
        PolicyChoice::SprayAndPull(policy) => line
            .word("spray-and-pull")
            .number(policy.copies.count())
            .number(policy.cover)
            .number(policy.doubling.as_micros()),
        PolicyChoice::SprayAndWait { copies } => line.word("spray-and-wait").number(*copies),
    };
    line.number(receipt_delay.as_micros())
        .number(receipt_delay_unverified.as_micros())
        .flag(*receipts_to_unverified)
        .number(quota_per_contact.get())
        .list(pinned, |line, key| line.bytes(key))
        .flag(*groups)
        .done()
}

/// What a line that begins with `config` says after it.
pub(super) fn read_config(words: &mut Words<'_>) -> Result<NodeConfig, EntryError> {
    let duration = |words: &mut Words<'_>| words.number().map(Duration::from_micros);
    let role = match words.word("a role")? {
        "relay" => Role::Relay,
        "person" => Role::Person(Profile {
            name: words.text()?,
            jid: words.maybe(Words::text)?,
            identity: words.maybe(Words::array)?,
        }),
        other => return Err(EntryError::word(other, "`person` or `relay`")),
    };
    Ok(NodeConfig {
        role,
        capacity: ByteCount::new(words.number()?),
        lifetime: Lifetime::from_code(words.small()?),
        policy: match words.word("a policy")? {
            "epidemic" => PolicyChoice::Epidemic,
            "measured-spray" => PolicyChoice::MeasuredSpray,
            "spray-and-pull" => PolicyChoice::SprayAndPull(SprayAndPull {
                copies: Copies::new(words.small()?),
                cover: words.small()?,
                doubling: duration(words)?,
            }),
            "spray-and-wait" => PolicyChoice::SprayAndWait {
                copies: words.small()?,
            },
            other => return Err(EntryError::word(other, "a policy that a node can have")),
        },
        receipt_delay: duration(words)?,
        receipt_delay_unverified: duration(words)?,
        receipts_to_unverified: words.flag()?,
        quota_per_contact: ByteCount::new(words.number()?),
        pinned: words.list(Words::array)?,
        groups: words.flag()?,
    })
}
