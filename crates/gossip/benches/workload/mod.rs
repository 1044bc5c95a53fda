//! A thousand envelopes with bodies of 512 bytes from one neighbour into a store: decode, hash, look up, take in, offer
//! to another neighbour, answer.

#[path = "../../tests/common/mod.rs"]
pub(crate) mod common;

use std::hint::black_box;

use chappe_gossip::policies::Epidemic;
use chappe_gossip::{Config, Copies, Handover, Ingress, LinkSetup, OutFrame, Received, Router};
use chappe_wire::proto::Offer;
use chappe_wire::proto::frame::Body;
use chappe_wire::{
    Age, ByteCount, Commitment, Envelope, Instant, Lifetime, LinkId, LinkSalt, ShortId, Tag,
    encode_frame,
};
use common::sample;

/// Envelopes in a run.
pub(crate) const BATCH: u64 = 1_000;
const NOW: Instant = Instant::from_micros(1_000_000);
const SALT: LinkSalt = LinkSalt::new([3; 16]);
const FROM: LinkId = LinkId::new(1);
const TO: LinkId = LinkId::new(2);

/// The frames that arrive.
pub(crate) struct Workload {
    offer: Vec<u8>,
    pub(crate) frames: Vec<Vec<u8>>,
}

impl Workload {
    /// Envelopes that are in no workload with another number.
    pub(crate) fn numbered(number: u64) -> Self {
        let numbers = number * BATCH..(number + 1) * BATCH;
        let envelopes: Vec<Envelope> = numbers.map(envelope).collect();
        let ids = envelopes.iter().map(|e| ShortId::of(&SALT, &e.id()).get());
        let offer = encode_frame(Body::Offer(Offer {
            ids: ids.collect(),
            settled: false,
        }));
        let frame = |envelope: &Envelope| {
            let handover = Handover {
                id: envelope.id(),
                age: Age::NEW,
                copies: Copies::NONE,
                by_tag: false,
            };
            handover.frame(envelope)
        };
        let frames = envelopes.iter().map(frame).collect();
        Self { offer, frames }
    }

    /// The neighbour offers the envelopes, and they are asked for.
    pub(crate) fn ask(&self, router: &mut Router) {
        let _ = router.handle_frame(NOW, FROM, &self.offer);
        drain(router, FROM);
        while router.poll_change().is_some() {}
    }

    /// Everything arrives.
    pub(crate) fn run(&self, router: &mut Router) {
        for frame in &self.frames {
            let Ok(Received::Envelope { arrival, .. }) = router.handle_frame(NOW, FROM, frame)
            else {
                unreachable!("all were asked for");
            };
            let _ = black_box(router.accept(NOW, arrival));
            while let Some(change) = router.poll_change() {
                black_box(change);
            }
            drain(router, FROM);
            drain(router, TO);
        }
    }
}

/// A router that holds so many envelopes, with two neighbours that have the same.
pub(crate) fn router(held: u64) -> Router {
    let mut router = router_alone(held);
    for link in [FROM, TO] {
        meet(&mut router, link);
    }
    router
}

/// A router that holds so many envelopes and has no neighbours.
pub(crate) fn router_alone(held: u64) -> Router {
    let config = Config {
        capacity: ByteCount::from_mib(4_096),
        max_items: 4 << 20,
        max_seen: 8 << 20,
        max_seen_per_ingress: 4 << 20,
        ..Config::default()
    };
    let mut router = Router::new(config, Box::new(Epidemic), [7; 32]);
    router.set_outline_salt(LinkSalt::new([5; 16]));
    for number in 0..held {
        let item = sample(number);
        let _ = router.add_own(NOW, item.id, item.header, item.size);
        while router.poll_change().is_some() {}
    }
    router
}

/// A neighbour comes that has what the router has.
pub(crate) fn meet(router: &mut Router, link: LinkId) {
    let salt = if link == FROM {
        SALT
    } else {
        LinkSalt::new([link.number() as u8 + 2; 16])
    };
    let setup = LinkSetup {
        opener: false,
        salt,
        pinned: false,
        ingress: Ingress::new(link.number()),
    };
    router.link_up(NOW, link, setup);
    let digest = chappe_wire::Digest::of(&salt, router.items().map(|item| &item.id));
    let digest = encode_frame(Body::Digest(chappe_wire::proto::Digest {
        count: digest.count,
        fingerprint: digest.fingerprint.to_le_bytes().to_vec(),
        ..Default::default()
    }));
    let _ = router.handle_frame(NOW, link, &digest);
    drain(router, link);
}

fn drain(router: &mut Router, link: LinkId) {
    while let Some(frame) = router.poll_frame(NOW, link) {
        assert!(matches!(black_box(frame), OutFrame::Bytes(_)));
    }
}

fn envelope(number: u64) -> Envelope {
    let item = sample(1_000_000_000 + number);
    let tag = Tag::new(*item.header.tag.as_bytes());
    let commitment = Commitment::new(*item.header.commitment.as_bytes());
    let envelope = Envelope::compose(Lifetime::WEEK, tag, commitment, &[number as u8; 512]);
    envelope.unwrap_or_else(|_| unreachable!("512 is one of the sizes"))
}
