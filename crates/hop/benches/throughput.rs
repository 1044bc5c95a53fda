//! Throughput of a hop in memory, beside bare snow with the same cryptography.

mod measure;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use measure::{BareSnow, FRAME_LEN, Hops};

const FRAMES: usize = 256;

fn throughput(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("throughput");
    group.throughput(Throughput::Bytes((FRAMES * FRAME_LEN) as u64));
    let mut snow = BareSnow::new();
    group.bench_function("bare snow", |bench| bench.iter(|| snow.move_frames(FRAMES)));
    for mtu in [65_535, 16_384, 4_096, 512, 247, 20] {
        let mut hops = Hops::new(mtu);
        group.bench_function(format!("hop, MTU {mtu}"), |bench| {
            bench.iter(|| hops.move_frames(FRAMES));
        });
    }
    group.finish();
}

criterion_group!(benches, throughput);
criterion_main!(benches);
