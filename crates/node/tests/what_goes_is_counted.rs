//! Every envelope that a node has taken is still there, or it is counted why not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod common;

use chappe_node::{Command, Node, NodeConfig, Output, PolicyChoice, Reply, Status};
use chappe_testkit::MemoryStore;
use chappe_wire::{ByteCount, Duration, Instant, Preimage};

const ROOM: u64 = 1 << 20;
/// Each takes the most that an envelope can.
const ENVELOPES: u64 = 400;

fn relay() -> Node<MemoryStore> {
    let mut config = NodeConfig::relay();
    config.capacity = ByteCount::new(ROOM);
    config.policy = PolicyChoice::Epidemic;
    let store = MemoryStore::new(ByteCount::from_mib(64));
    Node::new(Instant::ZERO, config, store, [51; 32]).unwrap()
}

fn status(node: &mut Node<MemoryStore>) -> Status {
    match common::command(node, Command::Status) {
        Reply::Status(status) => status,
        other => panic!("{other:?}"),
    }
}

fn gone(status: &Status) -> u64 {
    status.freed + status.expired + status.evicted + status.withdrawn
}

#[test]
fn what_was_evicted_refused_freed_or_has_expired_is_told_by_reason() {
    let mut node = relay();
    let mut stranger = common::Stranger::speaking_our_version();
    for number in 0..ENVELOPES {
        stranger.give(common::unrelated(number));
    }
    stranger.meet(&mut node);
    let full = status(&mut node);
    assert!(full.bytes.get() <= ROOM);
    assert!(full.envelopes > 200, "{} are held", full.envelopes);
    assert_eq!(full.taken, full.envelopes + gone(&full));
    assert!(
        full.evicted + full.refused.no_room > 0,
        "there was too little room"
    );
    assert_eq!((full.freed, full.expired, full.withdrawn), (0, 0, 0));
    assert_eq!((full.refused.expired, full.refused.store_full), (0, 0));

    // Receipts for half of them come later.
    let mut messenger = common::Stranger::speaking_our_version();
    for number in 0..ENVELOPES / 2 {
        messenger.give_receipt(preimage(number));
    }
    messenger.meet(&mut node);
    let freed = status(&mut node);
    assert_eq!(freed.receipts, ENVELOPES / 2);
    assert_eq!(freed.freed, full.envelopes - freed.envelopes);
    assert!(freed.freed > 50 && freed.taken == freed.envelopes + gone(&freed));

    // The others live for a week.
    let later = Instant::ZERO.after(Duration::from_days(8));
    node.handle_input(later, chappe_node::Input::Timeout);
    while !matches!(node.poll_output(), Some(Output::Timeout(_)) | None) {}
    let over = status(&mut node);
    assert_eq!((over.envelopes, over.expired), (0, freed.envelopes));
    assert_eq!(over.taken, gone(&over));
}

/// What frees [`common::unrelated`].
fn preimage(number: u64) -> Preimage {
    Preimage::new(*common::unrelated(number).header().tag.as_bytes())
}
