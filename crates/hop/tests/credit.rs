//! Neither end gets more than it has room for, and no credit is lost for good.
#![cfg(test)]

mod common;

use chappe_hop::{Hop, RECEIVE_WINDOW, Role};
use chappe_wire::Instant;
use common::{
    end,
    neighbour::{ACK, CREDIT, Neighbour, STREAM},
};

const NOW: Instant = Instant::ZERO;

fn meet() -> (Hop, Neighbour) {
    let mut hop = end(NOW, Role::Responder, 1_500, 1);
    let neighbour = Neighbour::meet(&mut hop, NOW);
    (hop, neighbour)
}

#[test]
fn nothing_is_sent_beyond_the_neighbours_credit() {
    let (mut hop, mut neighbour) = meet();
    let mut sent = 0;
    for _ in 0..2_000 {
        while hop.send_frame(vec![1; 1_000]).is_ok() {}
        while let Some(packet) = hop.poll_transmit(NOW) {
            let plaintext = neighbour.open(&packet);
            if plaintext[0] & STREAM != 0 {
                sent += plaintext.len() - 5;
            }
            // Acknowledge everything, grant nothing.
            hop.handle_packet(NOW, &neighbour.record(&[ACK, packet[1], packet[2], 255, 0]))
                .unwrap();
        }
    }
    assert_eq!(sent, RECEIVE_WINDOW);
    let more = (RECEIVE_WINDOW as u64 + 10).to_be_bytes();
    hop.handle_packet(NOW, &neighbour.record(&[&[CREDIT], &more[..]].concat()))
        .unwrap();
    let packet = hop.poll_transmit(NOW).unwrap();
    let plaintext = neighbour.open(&packet);
    assert_eq!(plaintext[0], ACK | STREAM);
    let ack_len = 4 + usize::from(plaintext[4]);
    assert_eq!(
        plaintext.len() - 1 - ack_len - 4,
        10,
        "ten bytes more and no others"
    );
}

/// The credit in the records that a hop sends now.
fn credit_now(hop: &mut Hop, neighbour: &Neighbour, now: Instant) -> Option<u64> {
    let mut credit = None;
    while let Some(packet) = hop.poll_transmit(now) {
        let plaintext = neighbour.open(&packet);
        if plaintext[0] & CREDIT != 0 {
            let ack_len = if plaintext[0] & ACK != 0 {
                4 + usize::from(plaintext[4])
            } else {
                0
            };
            credit = plaintext[1 + ack_len..]
                .first_chunk()
                .map(|bytes| u64::from_be_bytes(*bytes));
        }
    }
    credit
}

#[test]
fn credit_follows_the_frames_that_are_taken_and_is_given_again_if_lost() {
    let (mut hop, mut neighbour) = meet();
    let frame = [&1_000u16.to_be_bytes()[..], &[7; 1_000]].concat();
    for number in 0..20 {
        let record = neighbour.stream(number * frame.len() as u32, &frame);
        hop.handle_packet(NOW, &record).unwrap();
    }
    assert_eq!(
        credit_now(&mut hop, &neighbour, NOW),
        None,
        "nothing was taken yet"
    );
    for _ in 0..16 {
        assert!(hop.poll_event().is_some());
    }
    assert_eq!(
        credit_now(&mut hop, &neighbour, NOW),
        None,
        "too little to speak of"
    );
    while hop.poll_event().is_some() {}
    let credit = Some((RECEIVE_WINDOW + 20 * frame.len()) as u64);
    assert_eq!(credit_now(&mut hop, &neighbour, NOW), credit);
    assert_eq!(credit_now(&mut hop, &neighbour, NOW), None);
    // Nobody acknowledges it.
    let mut now = NOW;
    let again = (0..10).find_map(|_| {
        now = hop.poll_timeout();
        hop.handle_timeout(now).unwrap();
        credit_now(&mut hop, &neighbour, now)
    });
    assert_eq!(again, credit);
}
