//! Content of a hostile sender: what is read can be written, and is read again as the same.
#![no_main]

use chappe_omemo::sce::{Content, Padding};
use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fuzz_target!(|data: &[u8]| {
    if let Ok(received) = Content::from_xml(data) {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        // Escaping can make a text longer than an envelope may be.
        if let Ok(xml) = received.content.to_xml(&mut rng, Padding::Exactly(0)) {
            assert_eq!(
                Content::from_xml(xml.as_bytes()).unwrap().content,
                received.content
            );
        }
    }
});
