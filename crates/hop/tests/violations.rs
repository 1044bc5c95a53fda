//! An authenticated neighbour that breaks the protocol ends the hop with an error that says how.
#![cfg(test)]

mod common;

use chappe_hop::{Hop, HopError, HopEvent, RECEIVE_WINDOW, Role, Violation};
use chappe_wire::{Instant, MAX_FRAME_LEN};
use common::{
    end,
    neighbour::{ACK, CREDIT, Neighbour, PING, STREAM},
};
use proptest::prelude::*;

const NOW: Instant = Instant::ZERO;

fn meet() -> (Hop, Neighbour) {
    let mut hop = end(NOW, Role::Responder, 1_500, 1);
    let neighbour = Neighbour::meet(&mut hop, NOW);
    (hop, neighbour)
}

fn result_of(blocks: &[u8]) -> Result<(), HopError> {
    let (mut hop, mut neighbour) = meet();
    hop.handle_packet(NOW, &neighbour.record(blocks))
}

fn assert_violation(blocks: &[u8], violation: Violation) {
    assert_eq!(
        result_of(blocks),
        Err(HopError::Violation(violation)),
        "{blocks:02x?}"
    );
}

#[test]
fn what_keeps_the_protocol_is_taken() {
    assert_eq!(result_of(&[PING]), Ok(()));
    assert_eq!(result_of(&[0]), Ok(()));
    assert_eq!(result_of(&[&[CREDIT], &[0xff; 8][..]].concat()), Ok(()));
    assert_eq!(result_of(&[STREAM, 0, 0, 0, 0, 0, 1, 7]), Ok(()));
}

#[test]
fn malformed_records() {
    let malformed: [&[u8]; 7] = [
        &[],
        &[16],
        &[PING, 0],
        &[ACK, 0, 0],
        &[ACK, 0, 0, 0, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1],
        &[CREDIT, 0, 0, 0],
        &[STREAM, 0, 0, 0, 0],
    ];
    for blocks in malformed {
        assert_violation(blocks, Violation::MalformedRecord);
    }
}

#[test]
fn acknowledgements_of_records_that_were_not_sent() {
    assert_violation(&[ACK, 0, 0, 0, 0], Violation::UnsentAcknowledged);
    let (mut hop, mut neighbour) = meet();
    assert!(hop.poll_transmit(NOW).is_some());
    assert_eq!(
        hop.handle_packet(NOW, &neighbour.record(&[ACK, 0, 0, 255, 0])),
        Ok(())
    );
    for unsent in [1u16, 2, 1_000, 30_000, 60_000] {
        let (mut hop, mut neighbour) = meet();
        assert!(hop.poll_transmit(NOW).is_some());
        let [high, low] = unsent.to_be_bytes();
        let result = hop.handle_packet(NOW, &neighbour.record(&[ACK, high, low, 0, 0]));
        assert_eq!(
            result,
            Err(HopError::Violation(Violation::UnsentAcknowledged))
        );
    }
}

#[test]
fn data_beyond_the_credit() {
    let window = RECEIVE_WINDOW as u32;
    let stream = |offset: u32| [&[STREAM], &offset.to_be_bytes()[..], &[7]].concat();
    assert_eq!(result_of(&stream(window - 1)), Ok(()));
    for offset in [
        window,
        window + 1,
        1 << 24,
        i32::MAX as u32,
        1 << 31,
        u32::MAX - 9,
        u32::MAX,
    ] {
        assert_violation(&stream(offset), Violation::CreditExceeded);
    }
}

#[test]
fn frames_of_a_forbidden_length() {
    let framed = |length: u16| [&[STREAM, 0, 0, 0, 0], &length.to_be_bytes()[..]].concat();
    assert_eq!(result_of(&framed(1)), Ok(()));
    assert_eq!(result_of(&framed(MAX_FRAME_LEN as u16)), Ok(()));
    for length in [0, MAX_FRAME_LEN as u16 + 1, u16::MAX] {
        assert_violation(&framed(length), Violation::FrameLength);
    }
}

#[test]
fn data_that_comes_twice_or_in_pieces_is_delivered_once() {
    let (mut hop, mut neighbour) = meet();
    let stream = [&[0, 6][..], b"ABCDEF"].concat();
    for (start, end) in [
        (4, 8),
        (2, 5),
        (0, 1),
        (4, 8),
        (0, 3),
        (0, 8),
        (6, 8),
        (0, 3),
        (7, 8),
    ] {
        let record = neighbour.stream(start as u32, &stream[start..end]);
        hop.handle_packet(NOW, &record).unwrap();
    }
    assert_eq!(hop.poll_event(), Some(HopEvent::Frame(b"ABCDEF".to_vec())));
    assert_eq!(hop.poll_event(), None);
}

proptest! {
    #[test]
    fn any_authentic_plaintext_is_taken_or_ends_the_hop(
        records in prop::collection::vec(
            (0u8..16, prop::collection::vec(any::<u8>(), 0..40)), 1..20
        ),
    ) {
        let (mut hop, mut neighbour) = meet();
        for (flags, blocks) in records {
            let packet = neighbour.record(&[&[flags], &blocks[..]].concat());
            if hop.handle_packet(NOW, &packet).is_err() {
                break;
            }
            while hop.poll_transmit(NOW).is_some() {}
            while hop.poll_event().is_some() {}
        }
    }
}
