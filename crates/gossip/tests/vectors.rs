//! `proto/vectors/gossip.json` says what this implementation does.
//!
//! `CHAPPE_WRITE_VECTORS=1 cargo test -p chappe-gossip --test vectors` writes it anew.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

use std::fmt::Write as _;

use chappe_gossip::reconcile::{Decoder, Encoder, Mapping, Sketch};
use chappe_wire::{Digest, ItemId, LinkSalt, NodeNonce, Outline, Preimage, ShortId};

const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../proto/vectors/gossip.json"
);
const SALT: [u8; 16] = *b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f";

#[test]
fn the_vectors_are_current() {
    let current = vectors();
    if std::env::var_os("CHAPPE_WRITE_VECTORS").is_some() {
        std::fs::write(PATH, &current).unwrap();
    }
    let there = std::fs::read_to_string(PATH).unwrap();
    assert_eq!(there, current);
}

/// An independent reading of the rule: the first symbol index that satisfies it, found by trying.
#[test]
fn the_mapping_is_the_smallest_index_that_satisfies_the_rule() {
    for number in 0..200u64 {
        let id = short(&item(number));
        let mut mapping = Mapping::new(id);
        let (mut state, mut index) = (id.get(), 0u128);
        while mapping.index() < 3_000 {
            assert_eq!(u128::from(mapping.index()), index);
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let r = u128::from(((z ^ (z >> 31)) >> 34).max(1));
            let mut next = index;
            while next < 4_000 && (next + 1) * (next + 2) * r < ((index + 1) * (index + 2)) << 30 {
                next += 1;
            }
            index = next;
            mapping.advance();
        }
    }
}

/// Items are in symbol k with probability 2 / (k + 2).
#[test]
fn the_mapping_thins_out_as_it_should() {
    let mut hits = [0u32; 200];
    for number in 0..20_000u64 {
        let mut mapping = Mapping::new(short(&item(number)));
        while let Some(count) = hits.get_mut(mapping.index() as usize) {
            *count += 1;
            mapping.advance();
        }
    }
    for (k, count) in hits.into_iter().enumerate() {
        let p = 2.0 / (k as f64 + 2.0);
        let deviation = (20_000.0 * p * (1.0 - p)).sqrt();
        assert!(
            (f64::from(count) - 20_000.0 * p).abs() <= 5.0 * deviation + 1.0,
            "{k}: {count}"
        );
    }
}

fn item(number: u64) -> ItemId {
    ItemId::of(&number.to_le_bytes())
}

fn short(id: &ItemId) -> ShortId {
    ShortId::of(&LinkSalt::new(SALT), id)
}

fn vectors() -> String {
    let salt = LinkSalt::new(SALT);
    let mut json = String::from("{\n");
    let _ = writeln!(json, "  \"salt\": \"{}\",", hex(&SALT));
    json.push_str("  \"items\": [\n");
    for number in 0..8 {
        let id = item(number);
        let mut mapping = Mapping::new(short(&id));
        let mut indices = Vec::new();
        while indices.len() < 10 {
            indices.push(mapping.index());
            mapping.advance();
        }
        let _ = writeln!(
            json,
            "    {{ \"id\": \"{}\", \"short_id\": \"{:016x}\", \"check\": \"{:08x}\", \"symbols\": {indices:?} }}{}",
            hex(id.as_bytes()),
            short(&id).get(),
            short(&id).check(&salt),
            if number == 7 { "" } else { "," }
        );
    }
    json.push_str("  ],\n");
    let items: Vec<ItemId> = (0..8).map(item).collect();
    let digest = Digest::of(&salt, &items);
    let _ = writeln!(
        json,
        "  \"digest\": {{ \"count\": {}, \"fingerprint\": \"{}\" }},",
        digest.count,
        hex(&digest.fingerprint.to_le_bytes())
    );
    let mut encoder = Encoder::new(&salt, items.iter().map(short));
    let symbols = encoder.produce(16);
    json.push_str("  \"symbols_of_all_items\": [\n");
    for (index, symbol) in symbols.iter().enumerate() {
        let comma = if index == 15 { "" } else { "," };
        let _ = writeln!(json, "    \"{}\"{comma}", hex(&symbol.to_bytes()));
    }
    json.push_str("  ],\n");
    // An end that has items 3 to 9 reads the difference out of them.
    let mut decoder = Decoder::new(&salt, (3..10).map(|number| short(&item(number))));
    while !decoder.is_complete() {
        let next = decoder.received() as usize;
        decoder.push(&symbols[next..=next]);
    }
    let found: Vec<String> = decoder
        .difference()
        .map(|id| format!("\"{:016x}\"", id.get()))
        .collect();
    let _ = writeln!(
        json,
        "  \"decoded_by_an_end_with_items_3_to_9\": {{ \"item_8\": \"{:016x}\", \"item_9\": \"{:016x}\", \"after_symbols\": {}, \"difference\": [{}] }},",
        short(&item(8)).get(),
        short(&item(9)).get(),
        decoder.received(),
        found.join(", ")
    );
    let sketch = |numbers: std::ops::Range<u64>| Sketch::of(numbers.map(|n| short(&item(n))), 5);
    let both = sketch(0..8).combined(&sketch(3..10)).unwrap();
    let read: Vec<String> = both
        .items(1)
        .unwrap()
        .iter()
        .map(|id| format!("\"{:016x}\"", id.get()))
        .collect();
    let _ = writeln!(
        json,
        "  \"sketch_of_all_items\": \"{}\",\n  \"sketch_of_items_3_to_9\": \"{}\",\n  \"read_from_both\": [{}],",
        hex(&sketch(0..8).to_bytes()),
        hex(&sketch(3..10).to_bytes()),
        read.join(", ")
    );
    let mut outline = Outline::default();
    for id in &items {
        outline.insert(&Outline::salt(NodeNonce::new(SALT)), id);
    }
    let _ = writeln!(
        json,
        "  \"outline_of_all_items\": {{ \"node_nonce\": \"{}\", \"count\": {}, \"counters\": \"{}\" }},",
        hex(&SALT),
        outline.count(),
        hex(outline.counters())
    );
    let preimage = Preimage::new(SALT);
    let _ = writeln!(
        json,
        "  \"receipt\": {{ \"preimage\": \"{}\", \"commitment\": \"{}\", \"id\": \"{}\" }}",
        hex(preimage.as_bytes()),
        hex(preimage.commitment().as_bytes()),
        hex(preimage.commitment().receipt_id().as_bytes())
    );
    json.push_str("}\n");
    json
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
