//! Any bytes as the state of a chain: what reads them writes them again, and goes on without a panic.
#![no_main]

use chappe_envelope::{ReceiveChain, SendChain};
use chappe_wire::Lifetime;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mut chain) = SendChain::from_bytes(bytes) {
        assert_eq!(*chain.to_bytes(), bytes);
        let _ = chain.seal(Lifetime::WEEK, bytes);
    }
    if let Ok(mut chain) = ReceiveChain::from_bytes(bytes) {
        assert_eq!(*chain.to_bytes(), bytes);
        let (tag, counter) = chain
            .expected()
            .last()
            .expect("something is always expected");
        let body = [0; 256];
        let commitment = chappe_wire::Commitment::new([0; 16]);
        let envelope = chappe_wire::Envelope::compose(Lifetime::WEEK, tag, commitment, &body);
        assert!(
            chain
                .open(counter, &envelope.expect("256 is a size"))
                .is_err()
        );
    }
});
