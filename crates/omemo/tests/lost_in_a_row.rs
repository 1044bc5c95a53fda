//! Thousands of lost messages are normal. What one message may jump over and how many keys are kept are two
//! bounds, and neither ends a session.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_omemo::{Encrypted, MAX_JUMP, MAX_PROVEN_JUMP, MAX_SKIPPED_KEYS, Reason};
use support::{Party, acquainted};

/// Sends this many messages of which the last `keep` are returned.
fn send(from: &mut Party, count: usize, keep: usize) -> Vec<Encrypted> {
    let mut kept = Vec::new();
    for number in 0..count {
        let sent = from.send_empty();
        if number >= count - keep {
            kept.push(sent);
        }
    }
    kept
}

/// How many skipped keys a side keeps, by the size of its state: each takes 68 bytes.
fn skipped_keys(side: &Party) -> usize {
    side.sessions.to_bytes().len() / 68
}

#[test]
fn after_5_000_lost_messages_the_next_one_is_read_if_its_envelope_was_proven() {
    let (mut alice, mut bob) = acquainted();
    let empty = skipped_keys(&bob);
    let late = send(&mut alice, 5_000, MAX_SKIPPED_KEYS + 1);
    let next = alice.send("5,001st");
    let before = bob.state();
    assert!(
        bob.read(&next)
            .is_err_and(|error| error.reason() == Reason::Jump)
    );
    assert_eq!(bob.state(), before);
    let read = bob.read_proven(&next).ok().unwrap();
    assert_eq!(read.plaintext.as_deref(), Some(&b"5,001st"[..]));
    let kept = skipped_keys(&bob) - empty;
    assert!(
        (MAX_SKIPPED_KEYS..=MAX_SKIPPED_KEYS + 2).contains(&kept),
        "{kept}"
    );

    // The keys of the last 2,000 were kept, so these may still come; the one before them is gone.
    assert!(
        bob.read(&late[0])
            .is_err_and(|error| error.reason() == Reason::Spent)
    );
    assert!(bob.read(&late[1]).is_ok());
    assert!(bob.read(&late[MAX_SKIPPED_KEYS]).is_ok());
    assert!(bob.read(&late[1]).is_err_and(|error| error.is_duplicate()));
}

#[test]
fn a_longer_jump_is_refused_and_a_new_ratchet_key_heals() {
    let (mut alice, mut bob) = acquainted();
    let read = alice.send("read");
    bob.expect(&read, "read");
    send(&mut alice, MAX_PROVEN_JUMP as usize + 1, 0);
    let too_far = alice.send("too far");
    let before = bob.state();
    assert!(
        bob.read_proven(&too_far)
            .is_err_and(|error| error.reason() == Reason::Jump)
    );
    assert_eq!(bob.state(), before);

    let answer = bob.send("answer");
    alice.expect(&answer, "answer");
    let healed = alice.send("healed");
    bob.expect(&healed, "healed");
    let back = bob.send("back");
    alice.expect(&back, "back");
}

#[test]
fn the_oldest_keys_go_first_over_several_chains() {
    let (mut alice, mut bob) = acquainted();
    let empty = skipped_keys(&bob);
    let mut late = Vec::new();
    for _ in 0..4 {
        late.push(send(&mut alice, 700, 700));
        let read = alice.send("read");
        bob.expect(&read, "read");
        let answer = bob.send("answer");
        alice.expect(&answer, "answer");
    }
    assert!(skipped_keys(&bob) - empty <= MAX_SKIPPED_KEYS + 12);
    let readable: Vec<usize> = late
        .iter()
        .map(|chain| {
            chain
                .iter()
                .filter(|message| bob.read(message).is_ok())
                .count()
        })
        .collect();
    assert_eq!(readable, [0, 600, 700, 700]);
}

#[test]
fn the_jump_is_bounded_for_a_first_message_too() {
    let mut alice = Party::new(1);
    let mut bob = Party::new(2);
    alice.start(&bob);
    send(&mut alice, MAX_JUMP as usize, 0);
    let farthest = alice.send("farthest");
    let too_far = alice.send("too far");
    let before = bob.state();
    assert!(
        bob.read(&too_far)
            .is_err_and(|error| error.reason() == Reason::Jump)
    );
    assert_eq!(bob.state(), before);
    bob.expect(&farthest, "farthest");
    bob.expect(&too_far, "too far");
}
