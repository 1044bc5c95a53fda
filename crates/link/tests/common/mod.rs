//! What the tests share: nodes in an air, and waiting with a limit.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]
#![allow(dead_code, reason = "each test file uses a part")]

use std::path::Path;
use std::time::Duration;

use chappe_link::air::{AirOptions, AirTransport, Hearing, NodeName, Range};
use chappe_link::{
    Bearer, LinkEnd, LinkInfo, LinkUp, Running, StartError, Transport, TransportEvent, link,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Long enough for several looks at the folder: what has not happened by then does not happen.
pub(crate) const A_WHILE: Duration = Duration::from_millis(400);

pub(crate) struct Node {
    pub(crate) running: Running,
    pub(crate) events: mpsc::Receiver<TransportEvent>,
}

impl Node {
    pub(crate) async fn start(air: &Path, node: &str) -> Self {
        Self::try_start(air, node).await.unwrap()
    }

    pub(crate) async fn try_start(air: &Path, node: &str) -> Result<Self, StartError> {
        let (events, heard) = mpsc::channel(16);
        let options = AirOptions {
            poll: Duration::from_millis(20),
            seed: 1,
        };
        let air = Box::new(AirTransport::new(air, name(node), options));
        Ok(Self {
            running: air.start(events).await?,
            events: heard,
        })
    }

    pub(crate) async fn event(&mut self) -> TransportEvent {
        soon(self.events.recv()).await.expect("the transport runs")
    }

    pub(crate) async fn link_up(&mut self) -> LinkUp {
        match self.event().await {
            TransportEvent::LinkUp(link) => link,
            other => panic!("{other:?}"),
        }
    }

    /// Asserts that nothing happens for a while.
    pub(crate) async fn hears_nothing(&mut self) {
        if let Ok(event) = timeout(A_WHILE, self.events.recv()).await {
            panic!("{event:?}");
        }
    }
}

pub(crate) fn name(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

pub(crate) fn set_range(air: &Path, words: &[&str]) {
    let hearing = Hearing::from_words(words.iter().copied()).unwrap();
    Range {
        hearing,
        ..Range::default()
    }
    .save(air)
    .unwrap();
}

pub(crate) fn nobody_hears(air: &Path) {
    Range {
        hearing: Hearing::NOBODY,
        ..Range::default()
    }
    .save(air)
    .unwrap();
}

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it happens in time")
}

pub(crate) async fn is_down(link: &mut LinkUp) {
    soon(async { while link.incoming.recv().await.is_some() {} }).await;
}

/// Asserts that packets pass both ways.
pub(crate) async fn talk(one: &mut LinkUp, other: &mut LinkUp) {
    for (from, to) in [
        (&one.outgoing, &mut other.incoming),
        (&other.outgoing, &mut one.incoming),
    ] {
        from.send(b"hello".to_vec()).await.unwrap();
        assert_eq!(soon(to.recv()).await.as_deref(), Some(&b"hello"[..]));
    }
}

pub(crate) fn memory_link(mtu: usize, queue: usize) -> (LinkUp, LinkEnd) {
    let bearer = Bearer::new("memory");
    link(LinkInfo {
        bearer,
        mtu,
        initiator: true,
        reliable: true,
        label: "other".into(),
        queue,
    })
}
