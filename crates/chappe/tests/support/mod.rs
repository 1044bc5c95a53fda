//! Nodes that are joined by a wire in memory.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::pin::Pin;
use std::time::Duration;

use chappe::link::{
    Bearer, LinkEnd, LinkInfo, LinkUp, PacketSink, PacketSource, Running, StartError, Transport,
    TransportEvent, link,
};
use chappe::{Builder, Chappe, Contact, Delivery, Event, Events, Incoming, MessageId, Update};
use tokio::sync::mpsc;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One end of a wire, as a radio of a node.
pub(crate) struct Wire(LinkUp);

/// The two ends of a wire that is up until one of its nodes stops.
pub(crate) fn wire() -> (Wire, Wire) {
    let info = |initiator| LinkInfo {
        bearer: Bearer::new("wire"),
        mtu: 1_200,
        initiator,
        reliable: false,
        label: "the other one".into(),
        queue: 16,
    };
    let (one, LinkEnd { source, sink }) = link(info(true));
    let (two, end) = link(info(false));
    tokio::spawn(async move {
        tokio::select! {
            () = carry(source, end.sink) => {}
            () = carry(end.source, sink) => {}
        }
    });
    (Wire(one), Wire(two))
}

async fn carry(mut source: PacketSource, sink: PacketSink) {
    while let Some(packet) = source.next().await {
        if sink.deliver(packet.bytes().to_vec()).await.is_err() {
            return;
        }
    }
}

impl Transport for Wire {
    fn name(&self) -> &str {
        "wire"
    }

    fn start(
        self: Box<Self>,
        events: mpsc::Sender<TransportEvent>,
    ) -> Pin<Box<dyn Future<Output = Result<Running, StartError>> + Send>> {
        Box::pin(async move {
            Ok(Running::spawn(|mut stop| async move {
                if events.send(TransportEvent::LinkUp(self.0)).await.is_ok() {
                    stop.signalled().await;
                }
            }))
        })
    }
}

/// Starts a node that lets its receipts go at once.
pub(crate) async fn start(builder: Builder) -> (Chappe, Events) {
    let hurried = builder.configure(|config| {
        config.receipt_delay = chappe::wire::Duration::ZERO;
        config.receipt_delay_unverified = chappe::wire::Duration::ZERO;
    });
    hurried.start().await.unwrap()
}

/// Each scans the other's contact URI. Answers with north's contact and south's contact.
pub(crate) async fn befriend(north: &Chappe, south: &Chappe) -> (Contact, Contact) {
    let to_south = north
        .add_contact(&south.invite().await.unwrap(), None, true)
        .await
        .unwrap();
    let to_north = south
        .add_contact(&north.invite().await.unwrap(), None, true)
        .await
        .unwrap();
    (to_south, to_north)
}

/// The next event for which `pick` has an answer.
pub(crate) async fn next<T>(events: &mut Events, mut pick: impl FnMut(Event) -> Option<T>) -> T {
    let picked = async {
        loop {
            match events.next().await {
                Some(Update::Event(event)) => {
                    if let Some(picked) = pick(event) {
                        return picked;
                    }
                }
                Some(_) => {}
                None => panic!("the node stopped"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, picked)
        .await
        .expect("it takes too long")
}

/// The next message that arrives.
pub(crate) async fn received(events: &mut Events) -> Incoming {
    next(events, |event| match event {
        Event::Received(message) => Some(message),
        _ => None,
    })
    .await
}

/// Waits until a message that was sent is delivered.
pub(crate) async fn delivered(events: &mut Events, id: MessageId) {
    next(events, |event| match event {
        Event::Sent(sent) if sent.id == id && sent.state == Delivery::Delivered => Some(()),
        _ => None,
    })
    .await;
}
