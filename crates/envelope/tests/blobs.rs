//! Files come back byte for byte, and nothing else passes for them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

use chappe_envelope::OpenError;
use chappe_envelope::blob::{
    self, BlobError, BlobKey, BlobPlan, BlobReference, BlobRoot, CHUNK_CONTENT, ChunkIndex,
    MAX_BLOB, MAX_CHUNKS, RootHasher,
};
use chappe_wire::{BodySize, ByteCount, Envelope, Lifetime};
use proptest::prelude::*;

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 % 251) as u8).collect()
}

fn index(number: u32) -> ChunkIndex {
    ChunkIndex::new(number).unwrap()
}

fn seal(content: &[u8]) -> (BlobReference, Vec<Envelope>) {
    let key = BlobKey::new([5; 32]);
    let plan = BlobPlan::new(ByteCount::of(content.len())).unwrap();
    let mut hasher = RootHasher::new(&plan);
    let mut chunks = Vec::new();
    for index in plan.indexes() {
        let piece = plan.chunk(index, content);
        let chunk = blob::seal_chunk(&key, index, Lifetime::WEEK, piece).unwrap();
        hasher.add(&chunk.id());
        chunks.push(chunk);
    }
    (
        BlobReference::new(key, hasher.finish().unwrap(), plan),
        chunks,
    )
}

fn open(reference: &BlobReference, chunks: &[Envelope]) -> Result<Vec<u8>, OpenError> {
    let mut content = Vec::new();
    for (index, chunk) in reference.plan().indexes().zip(chunks) {
        content.extend_from_slice(&reference.open_chunk(index, chunk)?.content);
    }
    Ok(content)
}

#[test]
fn files_of_all_kinds_of_sizes_come_back() {
    let sizes = [
        0,
        1,
        CHUNK_CONTENT - 1,
        CHUNK_CONTENT,
        CHUNK_CONTENT + 1,
        3 * CHUNK_CONTENT,
    ];
    for size in sizes.into_iter().chain([1 << 20]) {
        let content = content(size);
        let (reference, chunks) = seal(&content);
        assert_eq!(chunks.len(), reference.plan().chunks() as usize);
        assert!(
            chunks
                .iter()
                .all(|c| BodySize::of_known_version(c) == Some(BodySize::B4096))
        );
        let tags = reference.tags().map(|(tag, _)| tag);
        assert!(tags.eq(chunks.iter().map(|chunk| chunk.header().tag)));
        assert_eq!(open(&reference, &chunks).unwrap(), content);
        let verified = reference.verify(chunks.iter().map(Envelope::id)).unwrap();
        assert_eq!(verified.size, ByteCount::of(size));
    }
}

#[test]
fn the_number_of_chunks_follows_padme() {
    let plan = |size| BlobPlan::new(ByteCount::new(size)).unwrap();
    // Worked by hand from the definition: 4 significant bits at 10,000 = 2^13 and some.
    let padded = [
        (0, 0),
        (1, 1),
        (9, 10),
        (100, 104),
        (10_000, 10_240),
        (1 << 26, 1 << 26),
    ];
    for (size, padded) in padded {
        assert_eq!(plan(size).padded_size(), ByteCount::new(padded), "{size}");
    }
    assert_eq!(
        [0, 1, 4078, 4079].map(|size| plan(size).chunks()),
        [1, 1, 2, 2]
    );
    assert_eq!(plan(MAX_BLOB.get()).chunks(), MAX_CHUNKS);
    assert_eq!(MAX_CHUNKS, 16_457);
}

#[test]
fn a_file_over_64_mib_is_refused() {
    let size = ByteCount::new(MAX_BLOB.get() + 1);
    assert_eq!(BlobPlan::new(size), Err(BlobError::TooLarge));
    assert_eq!(
        BlobPlan::new(ByteCount::new(u64::MAX)),
        Err(BlobError::TooLarge)
    );
}

#[test]
fn every_chunk_has_a_receipt_of_its_own() {
    let (reference, chunks) = seal(&content(20_000));
    let open = |(at, chunk)| reference.open_chunk(index(at), chunk).unwrap().preimage;
    let mut preimages: Vec<_> = (0..).zip(&chunks).map(open).collect();
    for (preimage, chunk) in preimages.iter().zip(&chunks) {
        assert_eq!(preimage.commitment(), chunk.header().commitment);
    }
    preimages.sort();
    preimages.dedup();
    assert_eq!(preimages.len(), chunks.len());
}

#[test]
fn swapped_chunks_do_not_open() {
    let (reference, mut chunks) = seal(&content(20_000));
    chunks.swap(1, 2);
    assert_eq!(open(&reference, &chunks), Err(OpenError));
    let ids = chunks.iter().map(Envelope::id);
    assert_eq!(reference.verify(ids), Err(BlobError::WrongRoot));
}

#[test]
fn a_missing_or_repeated_chunk_is_noticed() {
    let (reference, chunks) = seal(&content(20_000));
    let ids: Vec<_> = chunks.iter().map(Envelope::id).collect();
    let missing = ids[1..].to_vec();
    let repeated = [&ids[..], &ids[..1]].concat();
    assert_eq!(reference.verify(missing), Err(BlobError::ChunkCount));
    assert_eq!(reference.verify(repeated), Err(BlobError::ChunkCount));
    assert_eq!(reference.verify([]), Err(BlobError::ChunkCount));
}

#[test]
fn another_root_is_not_this_blob() {
    let (reference, chunks) = seal(&content(20_000));
    let wrong = BlobReference::new(
        reference.key().clone(),
        BlobRoot::new([0; 32]),
        *reference.plan(),
    );
    let ids = chunks.iter().map(Envelope::id);
    assert_eq!(wrong.verify(ids), Err(BlobError::WrongRoot));
}

#[test]
fn a_chunk_must_be_as_long_as_the_size_says() {
    let (reference, chunks) = seal(&content(5_000));
    let shorter = BlobPlan::new(ByteCount::new(4_999)).unwrap();
    let lying = BlobReference::new(reference.key().clone(), *reference.root(), shorter);
    assert!(lying.open_chunk(index(0), &chunks[0]).is_ok());
    assert_eq!(
        lying.open_chunk(index(1), &chunks[1]).unwrap_err(),
        OpenError
    );

    let beyond = blob::seal_chunk(reference.key(), index(2), Lifetime::WEEK, b"").unwrap();
    assert_eq!(reference.plan().chunks(), 2);
    assert_eq!(
        reference.open_chunk(index(2), &beyond).unwrap_err(),
        OpenError
    );
}

#[test]
fn another_key_opens_nothing() {
    let (reference, chunks) = seal(b"a file");
    let other = BlobKey::new([6; 32]);
    assert_eq!(
        blob::open_chunk(&other, index(0), &chunks[0]).unwrap_err(),
        OpenError
    );
    let tags = |key| blob::chunk_tags(key, 1).next();
    assert_ne!(tags(&other), tags(reference.key()));
    assert_eq!(
        blob::chunk_tags(&other, u32::MAX).count(),
        MAX_CHUNKS as usize
    );
}

#[test]
fn every_flipped_byte_of_a_chunk_is_found() {
    let (reference, chunks) = seal(b"a file");
    for at in 0..chunks[0].as_bytes().len() {
        let mut bytes = chunks[0].as_bytes().to_vec();
        bytes[at] ^= 0x10;
        let Ok(forged) = Envelope::parse(bytes) else {
            continue;
        };
        assert_eq!(
            reference.open_chunk(index(0), &forged).unwrap_err(),
            OpenError
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn padding_costs_at_most_12_percent_and_ranges_cover_the_content(size in 1..=64_u64 << 20) {
        let plan = BlobPlan::new(ByteCount::new(size)).unwrap();
        let padded = plan.padded_size().get();
        prop_assert!(size <= padded && padded <= size + size * 12 / 100 + 1);
        prop_assert_eq!(BlobPlan::new(plan.padded_size()).unwrap().padded_size().get(), padded);
        let mut end = 0;
        for index in plan.indexes() {
            let range = plan.range(index);
            prop_assert_eq!(range.start, end);
            end = range.end;
        }
        prop_assert_eq!(end, size);
    }

    #[test]
    fn arbitrary_envelopes_are_no_chunks(bytes in prop::collection::vec(any::<u8>(), 34..400)) {
        let (reference, _) = seal(b"");
        if let Ok(envelope) = Envelope::parse(bytes) {
            prop_assert!(reference.open_chunk(index(0), &envelope).is_err());
        }
    }
}
