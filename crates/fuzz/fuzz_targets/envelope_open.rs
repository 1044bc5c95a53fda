//! Any bytes as the next envelope of a chain and as a chunk: nothing opens, and no state changes.
#![no_main]

use chappe_envelope::blob::{self, BlobKey, ChunkIndex};
use chappe_envelope::{ChainRoot, Counter, Direction, PairSecret, ReceiveChain};
use chappe_wire::Envelope;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(envelope) = Envelope::parse(bytes) else {
        return;
    };
    let secret = PairSecret::new([7; 32]);
    let root = ChainRoot::of_pair(&secret, Direction::InitiatorToResponder);
    let mut chain = ReceiveChain::new(root);
    let before = chain.to_bytes();
    assert!(chain.open(Counter::FIRST, &envelope).is_err());
    assert_eq!(chain.to_bytes(), before);
    if let Some(index) = ChunkIndex::new(0) {
        assert!(blob::open_chunk(&BlobKey::new([5; 32]), index, &envelope).is_err());
    }
});
