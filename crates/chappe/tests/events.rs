//! A slow reader of events is told what it lost, and never blocks the node.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::time::Duration;

use chappe::{Builder, Draft, EVENT_BACKLOG, Profile, Update};
use support::{start, wire};

#[tokio::test]
async fn a_slow_reader_is_told_how_much_it_lost() {
    let (one, two) = wire();
    let (north, _unread) = start(Builder::in_memory(Profile::named("north")).transport(one)).await;
    let (south, mut slow) = start(Builder::in_memory(Profile::named("south")).transport(two)).await;
    let pair = north.add_pair("south", [1; 32], true).await.unwrap();
    south.add_pair("north", [1; 32], false).await.unwrap();
    // Each message is an event at least; nobody reads south's.
    let count = EVENT_BACKLOG as u64 + 50;
    for n in 0..count {
        let payload = n.to_be_bytes().to_vec();
        let sent = async { north.send_opaque(pair.id, payload.clone()).await };
        let mut result = sent.await;
        while result == Err(chappe::Error::Command(chappe::CommandError::OutboxFull)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            result = north.send_opaque(pair.id, payload.clone()).await;
        }
        result.unwrap();
    }
    let end = tokio::time::Instant::now() + Duration::from_secs(30);
    while (south.inbox(None).await.unwrap().len() as u64) < count {
        assert!(tokio::time::Instant::now() < end, "the node is blocked");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Nothing more happens while the slow one reads.
    north.close().await;
    south.close().await;
    let Some(Update::Lagged(lost)) = slow.next().await else {
        panic!("nothing was lost");
    };
    assert!(lost >= 50, "{lost}");
    // What is left comes in order, and the stream ends where the node did.
    let mut left = 0;
    while let Some(update) = slow.next().await {
        assert!(matches!(update, Update::Event(_)), "{update:?}");
        left += 1;
    }
    assert_eq!(left, EVENT_BACKLOG);
}

#[tokio::test]
async fn streams_end_when_the_node_is_closed() {
    let (node, mut events) = start(Builder::in_memory(Profile::named("north"))).await;
    let mut second = node.events();
    node.close().await;
    assert!(events.next().await.is_none());
    assert!(second.next().await.is_none());
    assert!(node.events().next().await.is_none());
    let contact = chappe::ContactId(1);
    let refused = node.send(contact, Draft::Text("x".into())).await;
    assert_eq!(refused, Err(chappe::Error::Stopped));
    // Closing twice is fine.
    node.close().await;
}
