//! What the router costs without disk and hop.
//!
//! `cargo bench -p chappe-gossip`
#![allow(
    missing_docs,
    reason = "criterion's macros make undocumented functions"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use chappe_gossip::policies::Epidemic;
use chappe_gossip::{Config, Ingress, LinkSetup, OutFrame, Received, Router};
use chappe_wire::proto::Offer;
use chappe_wire::proto::frame::Body;
use chappe_wire::{
    Age, Commitment, Envelope, Instant, Lifetime, LinkId, LinkSalt, ShortId, Tag, encode_frame,
};
use common::{Net, sample};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const BATCH: u64 = 1_000;
const NOW: Instant = Instant::from_micros(1_000_000);
const SALT: LinkSalt = LinkSalt::new([3; 16]);
const FROM: LinkId = LinkId::new(1);
const TO: LinkId = LinkId::new(2);

/// A thousand envelopes with bodies of 512 bytes from one neighbour into a store of ten thousand: decode, hash,
/// look up, take in, offer to another neighbour, answer.
fn engine(c: &mut Criterion) {
    let envelopes: Vec<Envelope> = (0..BATCH).map(envelope).collect();
    let frames: Vec<Vec<u8>> = envelopes
        .iter()
        .map(|envelope| {
            chappe_gossip::Handover {
                id: envelope.id(),
                age: Age::NEW,
                copies: chappe_gossip::Copies::NONE,
            }
            .frame(envelope)
        })
        .collect();
    let ids = envelopes.iter().map(|e| ShortId::of(&SALT, &e.id()).get());
    let offer = encode_frame(Body::Offer(Offer { ids: ids.collect() }));
    let mut group = c.benchmark_group("engine");
    group.throughput(Throughput::Elements(BATCH));
    group.sample_size(30);
    group.bench_function("1,000 envelopes of 512 bytes", |b| {
        b.iter_batched(
            || ready(&offer),
            |mut router| {
                for frame in &frames {
                    let Ok(Received::Envelope { arrival, .. }) =
                        router.handle_frame(NOW, FROM, frame)
                    else {
                        unreachable!("all were asked for");
                    };
                    let _ = black_box(router.accept(NOW, arrival));
                    while let Some(change) = router.poll_change() {
                        black_box(change);
                    }
                    drain(&mut router, FROM);
                    drain(&mut router, TO);
                }
                router
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// Two routers of ten thousand items that differ in ten, from the digest until nothing is left to say.
fn reconcile(c: &mut Criterion) {
    let mut net = Net::new(2);
    for number in 0..10_000 {
        net.add_own(0, &sample(number));
        net.add_own(1, &sample(number));
    }
    let mut extra = 10_000;
    let mut group = c.benchmark_group("reconcile");
    group.sample_size(20);
    group.bench_function(
        "10,000 items, 10 differences, both ends, link up included",
        |b| {
            b.iter_batched_ref(
                || (),
                |()| {
                    for peer in 0..10 {
                        net.add_own(peer % 2, &sample(extra));
                        extra += 1;
                    }
                    net.connect(0, 1);
                    net.run_in_turns(0, 1);
                    net.disconnect(0, 1);
                },
                BatchSize::PerIteration,
            );
        },
    );
    group.finish();
}

fn ready(offer: &[u8]) -> Router {
    let mut router = Router::new(Config::default(), Box::new(Epidemic), [7; 32]);
    for number in 0..10_000 {
        let item = sample(number);
        let _ = router.add_own(NOW, item.id, item.header, item.size);
    }
    for (link, salt) in [(FROM, SALT), (TO, LinkSalt::new([4; 16]))] {
        let setup = LinkSetup {
            opener: false,
            salt,
            pinned: false,
            ingress: Ingress::new(link.number()),
        };
        router.link_up(NOW, link, setup);
        // The neighbour has the same store.
        let digest = chappe_wire::Digest::of(&salt, router.items().map(|item| &item.id));
        let digest = encode_frame(Body::Digest(chappe_wire::proto::Digest {
            count: digest.count,
            fingerprint: digest.fingerprint.to_le_bytes().to_vec(),
        }));
        let _ = router.handle_frame(NOW, link, &digest);
        drain(&mut router, link);
    }
    let _ = router.handle_frame(NOW, FROM, offer);
    drain(&mut router, FROM);
    while router.poll_change().is_some() {}
    router
}

fn drain(router: &mut Router, link: LinkId) {
    while let Some(frame) = router.poll_frame(NOW, link) {
        assert!(matches!(black_box(frame), OutFrame::Bytes(_)));
    }
}

fn envelope(number: u64) -> Envelope {
    let item = sample(1_000_000 + number);
    let tag = Tag::new(*item.header.tag.as_bytes());
    let commitment = Commitment::new(*item.header.commitment.as_bytes());
    let envelope = Envelope::compose(Lifetime::WEEK, tag, commitment, &[number as u8; 512]);
    envelope.unwrap_or_else(|_| unreachable!("512 is one of the sizes"))
}

criterion_group!(benches, engine, reconcile);
criterion_main!(benches);
