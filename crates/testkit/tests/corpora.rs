//! What fuzzing has seen stays fixed: each fuzz target's own code runs on its corpus, without a fuzzer.
//!
//! The sources of the targets are used as they are. In them, `libfuzzer_sys` is this very file: its
//! `fuzz_target!` makes a function of what libFuzzer's would make a program.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a fuzz target tells what it found"
)]

extern crate self as libfuzzer_sys;

use std::fs;
use std::path::Path;

/// Stands for libFuzzer's `fuzz_target!`.
macro_rules! target_function {
    (|$data:ident: &[u8]| $body:expr) => {
        pub(crate) fn run($data: &[u8]) {
            $body
        }
    };
}
pub(crate) use target_function as fuzz_target;

macro_rules! replay {
    ($target:ident, $path:literal) => {
        #[path = $path]
        #[allow(unused_attributes, reason = "`no_main` is for the fuzzer")]
        mod $target;

        #[test]
        fn $target() {
            replay(stringify!($target), $target::run);
        }
    };
}

// codegen: begin (`cargo xtask codegen` lists crates/fuzz/fuzz_targets here)
replay!(ble_strangers, "../../fuzz/fuzz_targets/ble_strangers.rs");
replay!(envelope_open, "../../fuzz/fuzz_targets/envelope_open.rs");
replay!(envelope_parse, "../../fuzz/fuzz_targets/envelope_parse.rs");
replay!(envelope_state, "../../fuzz/fuzz_targets/envelope_state.rs");
replay!(gossip_frames, "../../fuzz/fuzz_targets/gossip_frames.rs");
replay!(hop_handshake, "../../fuzz/fuzz_targets/hop_handshake.rs");
replay!(hop_packets, "../../fuzz/fuzz_targets/hop_packets.rs");
replay!(invite_uri, "../../fuzz/fuzz_targets/invite_uri.rs");
replay!(ip_roster, "../../fuzz/fuzz_targets/ip_roster.rs");
replay!(key_file, "../../fuzz/fuzz_targets/key_file.rs");
replay!(
    link_air_packet,
    "../../fuzz/fuzz_targets/link_air_packet.rs"
);
replay!(link_range, "../../fuzz/fuzz_targets/link_range.rs");
replay!(
    omemo_key_element,
    "../../fuzz/fuzz_targets/omemo_key_element.rs"
);
replay!(omemo_record, "../../fuzz/fuzz_targets/omemo_record.rs");
replay!(omemo_room, "../../fuzz/fuzz_targets/omemo_room.rs");
replay!(omemo_sce, "../../fuzz/fuzz_targets/omemo_sce.rs");
replay!(omemo_session, "../../fuzz/fuzz_targets/omemo_session.rs");
replay!(omemo_state, "../../fuzz/fuzz_targets/omemo_state.rs");
replay!(omemo_xml, "../../fuzz/fuzz_targets/omemo_xml.rs");
replay!(
    passphrase_header,
    "../../fuzz/fuzz_targets/passphrase_header.rs"
);
replay!(wire_envelope, "../../fuzz/fuzz_targets/wire_envelope.rs");
replay!(wire_frame, "../../fuzz/fuzz_targets/wire_frame.rs");
replay!(wire_hello, "../../fuzz/fuzz_targets/wire_hello.rs");
replay!(
    wire_invitation,
    "../../fuzz/fuzz_targets/wire_invitation.rs"
);
// codegen: end

/// Runs `target` on a few inputs that suit any, then on each file of its corpus and on every beginning of
/// the small ones.
fn replay(target: &str, run: fn(&[u8])) {
    for byte in [0, 1, 0x7f, 0xff] {
        for length in 0..70 {
            run(&vec![byte; length]);
        }
    }
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target);
    for seed in fs::read_dir(&corpus).into_iter().flatten() {
        let bytes = fs::read(seed.unwrap().path()).unwrap();
        run(&bytes);
        for length in 0..bytes.len().min(512) {
            run(&bytes[..length]);
        }
    }
}
