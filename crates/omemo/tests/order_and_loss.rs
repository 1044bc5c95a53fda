//! Messages that come late, twice, in any order or not at all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_omemo::{AuthenticatedMessage, Encrypted, Flavour, MAX_RECEIVING_CHAINS, Reason};
use proptest::prelude::*;
use support::{FLAVOURS, acquainted, strangers_in};

/// One move of a random walk. Numbers choose among the messages under way.
#[derive(Clone, Debug)]
enum Move {
    Send { by_alice: bool },
    Deliver { which: usize },
    Lose { which: usize },
    Repeat { which: usize },
    Restart { alice: bool },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        6 => any::<bool>().prop_map(|by_alice| Move::Send { by_alice }),
        4 => (0_usize..64).prop_map(|which| Move::Deliver { which }),
        2 => Just(Move::Deliver { which: 0 }),
        1 => (0_usize..64).prop_map(|which| Move::Lose { which }),
        1 => (0_usize..64).prop_map(|which| Move::Repeat { which }),
        1 => any::<bool>().prop_map(|alice| Move::Restart { alice }),
    ];
    prop::collection::vec(one, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever happens on the way, each message that arrives is read once, and none twice.
    #[test]
    fn every_message_is_read_once(moves in moves(), legacy: bool) {
        let (mut alice, mut bob) = strangers_in(FLAVOURS[usize::from(!legacy)]);
        alice.start(&bob);
        let mut under_way: Vec<(bool, String, Encrypted)> = Vec::new();
        let mut delivered = Vec::new();
        let mut bob_knows_alice = false;

        let rest = (0..64).map(|which| Move::Deliver { which });
        for (serial, next) in moves.into_iter().chain(rest).enumerate() {
            match next {
                Move::Send { by_alice } if by_alice || bob_knows_alice => {
                    let from = if by_alice { &mut alice } else { &mut bob };
                    let text = serial.to_string();
                    under_way.push((by_alice, text.clone(), from.send(&text)));
                }
                Move::Deliver { which } if !under_way.is_empty() => {
                    let (by_alice, text, sent) = under_way.remove(which % under_way.len());
                    let to = if by_alice { &mut bob } else { &mut alice };
                    to.expect(&sent, &text);
                    bob_knows_alice |= by_alice;
                    delivered.push((by_alice, sent));
                }
                Move::Lose { which } if !under_way.is_empty() => {
                    under_way.remove(which % under_way.len());
                }
                Move::Repeat { which } if !delivered.is_empty() => {
                    let (by_alice, sent) = &delivered[which % delivered.len()];
                    let to = if *by_alice { &mut bob } else { &mut alice };
                    let before = to.state();
                    prop_assert!(to.read(sent).is_err());
                    prop_assert_eq!(to.state(), before);
                }
                Move::Restart { alice: true } => alice.restart(),
                Move::Restart { alice: false } => bob.restart(),
                _ => {}
            }
        }
    }
}

#[test]
fn late_messages_of_the_last_chains_are_read() {
    let (mut alice, mut bob) = acquainted();
    let old: Vec<_> = (0..5)
        .map(|number| alice.send(&format!("old {number}")))
        .collect();
    bob.expect(&old[1], "old 1");
    let answer = bob.send("step");
    alice.expect(&answer, "step");
    let new: Vec<_> = (0..5)
        .map(|number| alice.send(&format!("new {number}")))
        .collect();
    bob.expect(&new[4], "new 4");
    for number in [3, 0] {
        bob.expect(&new[number], &format!("new {number}"));
    }
    for number in [4, 0, 2, 3] {
        bob.expect(&old[number], &format!("old {number}"));
    }
    bob.restart();
    for number in [1, 2] {
        bob.expect(&new[number], &format!("new {number}"));
    }
}

#[test]
fn a_duplicate_is_told_apart_and_changes_nothing() {
    let (mut alice, mut bob) = acquainted();
    let sent = alice.send("once");
    bob.expect(&sent, "once");
    let before = bob.state();
    assert!(bob.read(&sent).is_err_and(|error| error.is_duplicate()));

    // The same number under another tag is no duplicate: nothing proves that it was ever read.
    let mut forged = sent;
    let tag = forged.key.get_mut(2).unwrap();
    *tag ^= 1;
    let error = bob.read(&forged).err().unwrap();
    assert!(!error.is_duplicate());
    assert_eq!(error.reason(), Reason::Spent);
    assert_eq!(bob.state(), before);
}

#[test]
fn all_failures_read_the_same() {
    let (mut alice, mut bob) = acquainted();
    let sent = alice.send("once");
    bob.expect(&sent, "once");
    let duplicate = bob.read(&sent).err().unwrap();
    let stranger = support::Party::new(3).read(&sent).err().unwrap();
    assert_ne!(duplicate.reason(), stranger.reason());
    assert_eq!(duplicate.to_string(), stranger.to_string());
}

#[test]
fn the_true_length_of_the_last_chain_is_announced() {
    let (mut alice, mut bob) = acquainted();
    let first = alice.send("first of its chain");
    bob.expect(&first, "first of its chain");
    for _ in 0..2 {
        alice.send("lost");
    }
    let last = alice.send("last of its chain");
    let answer = bob.send("step");
    alice.expect(&answer, "step");
    let next = alice.send("next chain");
    let element = AuthenticatedMessage::parse(Flavour::Omemo2, &next.key).unwrap();
    assert_eq!(element.message.previous_length, 4);
    bob.expect(&next, "next chain");
    bob.expect(&last, "last of its chain");
}

/// Some senders announce one message too few. The last one of the old chain is read nevertheless, since the
/// chain itself is kept.
#[test]
fn a_sender_that_announces_one_message_too_few_loses_none() {
    let (mut alice, mut bob) = acquainted();
    let first = alice.send("first of its chain");
    bob.expect(&first, "first of its chain");
    let last = alice.send("last of its chain");
    let answer = bob.send("step");
    alice.expect(&answer, "step");

    // The field "previous length" in alice's state, as `Sessions::to_bytes` draws it: nothing is sent yet in
    // the new chain, so there is no sending chain before it.
    let mut state = alice.sessions.to_bytes();
    let field = &mut state[1 + 1 + 64 + 8 + 2 + 93 + 96 + 1..][..4];
    assert_eq!(field, 2_u32.to_be_bytes());
    field.copy_from_slice(&1_u32.to_be_bytes());
    alice.sessions = chappe_omemo::Sessions::from_bytes(&state).unwrap();

    let next = alice.send("next chain");
    bob.expect(&next, "next chain");
    bob.expect(&last, "last of its chain");
}

/// The keys of messages that are missing when a chain ends are kept longer than the chain.
#[test]
fn a_message_of_a_chain_long_gone_is_read() {
    let (mut alice, mut bob) = acquainted();
    let first = alice.send("first of its chain");
    bob.expect(&first, "first of its chain");
    let late = alice.send("late");
    for _ in 0..2 * MAX_RECEIVING_CHAINS {
        let ping = bob.send("ping");
        alice.expect(&ping, "ping");
        let pong = alice.send("pong");
        bob.expect(&pong, "pong");
    }
    bob.restart();
    bob.expect(&late, "late");
}
