//! The cost of one envelope at its two ends.
#![allow(clippy::unwrap_used, reason = "a bench that fails may panic")]

use chappe_envelope::{ChainRoot, Direction, PairSecret, ReceiveChain, SendChain};
use chappe_wire::Lifetime;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn root() -> ChainRoot {
    ChainRoot::of_pair(&PairSecret::new([7; 32]), Direction::InitiatorToResponder)
}

/// Seal and open an envelope with a body of 512 bytes, in order, state kept on both sides.
fn seal_and_open(c: &mut Criterion) {
    let plaintext = [1; 480];
    let mut group = c.benchmark_group("chain");
    group.bench_function("seal 512", |b| {
        let mut north = SendChain::new(root());
        b.iter(|| north.seal(Lifetime::WEEK, &plaintext).unwrap());
    });
    group.bench_function("seal and open 512", |b| {
        let mut north = SendChain::new(root());
        let mut south = ReceiveChain::new(root());
        b.iter(|| {
            let (envelope, sealed) = north.seal(Lifetime::WEEK, &plaintext).unwrap();
            south.open(sealed.counter, &envelope).unwrap()
        });
    });
    group.bench_function("open after 8,128 lost", |b| {
        let mut north = SendChain::new(root());
        let mut last = None;
        for _ in 0..=8_128 {
            last = Some(north.seal(Lifetime::WEEK, &plaintext).unwrap());
        }
        let (envelope, sealed) = last.unwrap();
        let fresh = || ReceiveChain::new(root());
        let open = |mut south: ReceiveChain| south.open(sealed.counter, &envelope).unwrap();
        b.iter_batched(fresh, open, BatchSize::SmallInput);
    });
    group.finish();
}

/// All tags that an idle chain looks for.
fn expected(c: &mut Criterion) {
    let south = ReceiveChain::new(root());
    c.bench_function("expected tags of a fresh chain", |b| {
        b.iter(|| south.expected().count())
    });
}

criterion_group!(benches, seal_and_open, expected);
criterion_main!(benches);
