//! Both sides start at once, or one starts anew: nothing that was sent is lost, and both end in one session.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_omemo::{MAX_REMEMBERED, MAX_SESSIONS, Reason};
use support::{FLAVOURS, acquainted, strangers, strangers_in};

#[test]
fn first_messages_that_cross_are_both_read() {
    let (mut alice, mut bob) = strangers();
    let (of_alice, of_bob) = (alice.start(&bob), bob.start(&alice));
    let (from_alice, from_bob) = (alice.send("from alice"), bob.send("from bob"));
    let late = alice.send("late, in the session that alice leaves");

    assert_eq!(bob.expect(&from_alice, "from alice").session, of_alice);
    assert_eq!(alice.expect(&from_bob, "from bob").session, of_bob);
    bob.expect(&late, "late, in the session that alice leaves");

    // Each now sends in the session that the other began. The next message settles on one.
    let crossed = alice.send("crossed");
    assert!(!crossed.key_exchange);
    bob.expect(&crossed, "crossed");
    assert_eq!(
        bob.sessions.sending_session(),
        alice.sessions.sending_session()
    );
    let answer = bob.send("settled");
    assert!(!answer.key_exchange);
    alice.expect(&answer, "settled");
    assert_eq!((alice.sessions.len(), bob.sessions.len()), (2, 2));
}

#[test]
fn crossing_starts_survive_any_order_of_delivery() {
    for order in 0..48 {
        let (mut alice, mut bob) = strangers_in(FLAVOURS[order / 24]);
        alice.start(&bob);
        bob.start(&alice);
        let mut sent = vec![
            (true, "a0", alice.send("a0")),
            (true, "a1", alice.send("a1")),
            (false, "b0", bob.send("b0")),
            (false, "b1", bob.send("b1")),
        ];
        let mut rest = order;
        for left in (1..=4).rev() {
            let (by_alice, text, message) = sent.remove(rest % left);
            rest /= left;
            let reader = if by_alice { &mut bob } else { &mut alice };
            reader.expect(&message, text);
            let answer = reader.send("answer");
            let other = if by_alice { &mut alice } else { &mut bob };
            other.expect(&answer, "answer");
        }
    }
}

#[test]
fn a_new_start_leaves_the_old_session_readable() {
    let (mut alice, mut bob) = acquainted();
    let held = bob.send("held back");
    let old = alice.sessions.sending_session();
    let new = alice.start(&bob);
    assert_ne!(old, Some(new));
    let fresh = alice.send("fresh");
    assert!(fresh.key_exchange);
    assert!(bob.expect(&fresh, "fresh").new_session);
    assert_eq!(bob.sessions.sending_session(), Some(new));
    alice.expect(&held, "held back");
}

/// A late message says nothing about which session the other side still has: it must not bring back an old
/// one that the other side has left.
#[test]
fn a_skipped_message_does_not_bring_an_old_session_back() {
    let (mut alice, mut bob) = acquainted();
    let late = alice.send("late");
    let read = alice.send("read");
    bob.expect(&read, "read");
    let new = alice.start(&bob);
    let fresh = alice.send("fresh");
    bob.expect(&fresh, "fresh");
    bob.expect(&late, "late");
    assert_eq!(bob.sessions.sending_session(), Some(new));
}

/// The session that knows most about a message says why it cannot be read, whichever is asked last.
#[test]
fn a_message_that_was_spent_is_told_so_beside_another_session() {
    let (mut alice, mut bob) = acquainted();
    let spent = alice.send("spent");
    bob.expect(&spent, "spent");
    // More than are remembered, so that only the session can tell.
    let old: Vec<_> = (0..=MAX_REMEMBERED).map(|_| alice.send("old")).collect();
    let first = bob.sessions.sending_session();
    alice.start(&bob);
    let anew = alice.send("anew");
    bob.expect(&anew, "anew");
    for message in &old {
        bob.expect(message, "old");
    }
    assert_eq!(
        (bob.sessions.sending_session(), bob.sessions.len()),
        (first, 2)
    );
    assert_eq!(bob.read(&spent).err().unwrap().reason(), Reason::Spent);
}

#[test]
fn sessions_are_bounded_and_the_longest_unused_goes() {
    let (mut alice, mut bob) = acquainted();
    let mut held = Vec::new();
    for number in 0..MAX_SESSIONS {
        bob.device.refill(&mut bob.rng, 3);
        alice.start(&bob);
        let text = format!("start {number}");
        let message = alice.send(&text);
        bob.expect(&message, &text);
        held.push((text, alice.send("held")));
    }
    assert_eq!(bob.sessions.len(), MAX_SESSIONS);
    assert_eq!(alice.sessions.len(), MAX_SESSIONS);
    bob.device.refill(&mut bob.rng, 3);
    alice.start(&bob);
    let one_more = alice.send("one more");
    bob.expect(&one_more, "one more");
    assert_eq!(bob.sessions.len(), MAX_SESSIONS);
    let readable = held.iter().map(|(_, message)| bob.read(message).is_ok());
    assert_eq!(
        readable.filter(|readable| *readable).count(),
        MAX_SESSIONS - 1
    );
}
