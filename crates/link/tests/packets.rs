//! The air's framing: packets come out of a stream as they went in, and nothing else does.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

use chappe_link::air::{PacketDecoder, PacketError, encode_packet};
use proptest::prelude::*;

const LIMIT: usize = 300;

/// Pushes `bytes` in pieces and takes all packets after each.
fn decode(bytes: &[u8], piece: usize) -> (Vec<Vec<u8>>, Result<(), PacketError>, PacketDecoder) {
    let mut decoder = PacketDecoder::new(LIMIT);
    let mut packets = Vec::new();
    for piece in bytes.chunks(piece) {
        decoder.push(piece);
        loop {
            match decoder.next_packet() {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => break,
                Err(error) => return (packets, Err(error), decoder),
            }
        }
        assert!(decoder.buffered() < LIMIT + 2, "more than one packet waits");
    }
    (packets, Ok(()), decoder)
}

fn packets() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 1..=LIMIT), 0..8)
}

fn encode(packets: &[Vec<u8>]) -> Vec<u8> {
    packets
        .iter()
        .flat_map(|packet| encode_packet(packet).unwrap())
        .collect()
}

#[test]
fn a_packet_of_no_bytes_or_too_many_is_not_encoded() {
    assert_eq!(encode_packet(&[]), Err(PacketError::Empty));
    assert!(encode_packet(&[0; 65_535]).is_ok());
    let error = PacketError::TooLong {
        length: 65_536,
        limit: 65_535,
    };
    assert_eq!(encode_packet(&[0; 65_536]), Err(error));
}

#[test]
fn a_length_of_zero_is_refused_behind_a_packet() {
    let (packets, end, _) = decode(&[0, 1, 9, 0, 0, 0, 1, 9], 8);
    assert_eq!((packets, end), (vec![vec![9]], Err(PacketError::Empty)));
}

#[test]
fn a_wrong_length_is_refused_before_its_packet_arrives_and_for_good() {
    let mut decoder = PacketDecoder::new(LIMIT);
    decoder.push(&[1, 45]);
    let error = PacketError::TooLong {
        length: 301,
        limit: 300,
    };
    assert_eq!(decoder.next_packet(), Err(error));
    decoder.push(&[0; 301]);
    assert_eq!(decoder.next_packet(), Err(error));

    let mut decoder = PacketDecoder::new(LIMIT);
    decoder.push(&[1, 44]);
    assert_eq!(decoder.next_packet(), Ok(None));
    decoder.push(&[9; 300]);
    assert_eq!(decoder.next_packet(), Ok(Some(vec![9; 300])));
}

proptest! {
    #[test]
    fn packets_come_out_as_they_went_in(packets in packets(), piece in 1..700_usize) {
        let (decoded, end, decoder) = decode(&encode(&packets), piece);
        prop_assert_eq!(decoded, packets);
        prop_assert_eq!(end, Ok(()));
        prop_assert_eq!(decoder.buffered(), 0);
    }

    #[test]
    fn a_flipped_bit_makes_nothing_longer_than_the_stream(packets in packets(), bit: prop::sample::Index) {
        let mut bytes = encode(&packets);
        prop_assume!(!bytes.is_empty());
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let (decoded, _, decoder) = decode(&bytes, 64);
        prop_assert!(bytes.starts_with(&encode(&decoded)));
        prop_assert!(decoder.buffered() <= bytes.len());
    }

    #[test]
    fn arbitrary_bytes_give_what_encodes_to_them(bytes in prop::collection::vec(any::<u8>(), 0..2_000), piece in 1..700_usize) {
        let (decoded, end, decoder) = decode(&bytes, piece);
        prop_assert!(bytes.starts_with(&encode(&decoded)));
        if end.is_ok() {
            prop_assert_eq!(encode(&decoded).len() + decoder.buffered(), bytes.len());
        }
    }
}

proptest! {
    // Each case cuts at every byte.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_stream_cut_anywhere_gives_the_packets_before_the_cut(packets in packets()) {
        let bytes = encode(&packets);
        for cut in 0..bytes.len() {
            let (decoded, end, decoder) = decode(&bytes[..cut], 64);
            prop_assert_eq!(end, Ok(()));
            prop_assert_eq!(&decoded[..], &packets[..decoded.len()]);
            prop_assert_eq!(encode(&decoded).len() + decoder.buffered(), cut);
        }
    }
}
