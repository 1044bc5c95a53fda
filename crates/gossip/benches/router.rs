//! What the router costs without disk and hop, by the clock on the wall.
//!
//! `cargo bench -p chappe-gossip`
#![allow(
    missing_docs,
    reason = "criterion's macros make undocumented functions"
)]

mod workload;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use workload::common::{Net, sample};
use workload::{BATCH, Workload};

fn engine(c: &mut Criterion) {
    let work = Workload::numbered(0);
    let mut group = c.benchmark_group("engine");
    group.throughput(Throughput::Elements(BATCH));
    group.sample_size(30);
    group.bench_function("1,000 envelopes of 512 bytes", |b| {
        b.iter_batched_ref(
            || {
                let mut router = workload::router(10_000);
                work.ask(&mut router);
                router
            },
            |router| work.run(router),
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

criterion_group!(benches, engine, reconcile);
criterion_main!(benches);
