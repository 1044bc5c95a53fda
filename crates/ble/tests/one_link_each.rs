//! Two nodes that find each other end with one link, whoever connects, and whenever.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod common;

use chappe_ble::{LinkKey, Neighbours, Opening, Side, Token, Verdict};
use common::{Clock, node, token};
use proptest::prelude::*;

fn open(neighbours: &mut Neighbours, clock: &Clock, theirs: Token, side: Side) -> Verdict {
    let own = neighbours.own();
    let opening = Opening {
        token: theirs,
        side,
        own,
    };
    neighbours.open(clock.now, opening)
}

fn kept(verdict: Verdict) -> Option<LinkKey> {
    match verdict {
        Verdict::Keep { key, .. } => Some(key),
        Verdict::Refuse => None,
    }
}

#[test]
fn the_smaller_token_connects_at_once_and_the_other_after_a_while() {
    let (mut small, mut large, mut clock) = (node(1), node(2), Clock::new());
    small.heard(clock.now, token(2), true);
    large.heard(clock.now, token(1), true);
    assert_eq!(small.next_dial(clock.now).unwrap().token, token(2));
    assert_eq!(large.next_dial(clock.now), None);
    clock.pass(19);
    assert_eq!(large.next_dial(clock.now), None);
    clock.pass(1);
    assert_eq!(large.next_dial(clock.now).unwrap().token, token(1));
}

#[test]
fn a_node_never_connects_to_itself() {
    let (mut one, clock) = (node(1), Clock::new());
    one.heard(clock.now, token(1), true);
    assert_eq!(one.next_dial(clock.now), None);
    assert_eq!(
        open(&mut one, &clock, token(1), Side::Accepted),
        Verdict::Refuse
    );
}

#[test]
fn whoever_is_dialling_in_vain_takes_the_link_of_the_smaller_token() {
    let (mut small, mut large, clock) = (node(1), node(2), Clock::new());
    small.heard(clock.now, token(2), true);
    large.heard(clock.now, token(1), true);
    small.dialling(token(2));
    large.dialling(token(1));
    assert_eq!(
        open(&mut small, &clock, token(2), Side::Accepted),
        Verdict::Refuse
    );
    assert!(kept(open(&mut large, &clock, token(1), Side::Accepted)).is_some());
}

#[test]
fn whoever_connects_anew_has_lost_the_link_before() {
    let (mut one, clock) = (node(1), Clock::new());
    let first = kept(open(&mut one, &clock, token(2), Side::Accepted)).unwrap();
    let Verdict::Keep { instead_of, .. } = open(&mut one, &clock, token(2), Side::Accepted) else {
        panic!("it is refused");
    };
    assert_eq!((instead_of, one.len()), (Some(first), 1));
}

#[test]
fn a_new_token_is_another_neighbour() {
    let (mut one, clock) = (node(1), Clock::new());
    open(&mut one, &clock, token(2), Side::Accepted);
    one.rotate(clock.now, token(5));
    assert_eq!((one.own(), one.len()), (token(5), 1));
}

proptest! {
    /// Both connect; the two links come up in any order at either end. Each end keeps the same one of the two.
    #[test]
    fn two_links_at_once_become_the_same_one_at_both_ends(
        a in any::<[u8; 8]>(),
        b in any::<[u8; 8]>(),
        order in any::<[bool; 2]>(),
    ) {
        prop_assume!(a != b);
        let clock = Clock::new();
        let tokens = [Token::new(a), Token::new(b)];
        let mut holds = Vec::new();
        for (end, first_dialled) in [(0, order[0]), (1, order[1])] {
            let theirs = tokens[1 - end];
            let mut node = Neighbours::new(&common::options(), tokens[end]);
            let sides = if first_dialled { [Side::Dialled, Side::Accepted] } else { [Side::Accepted, Side::Dialled] };
            let mut held = None;
            for side in sides {
                if kept(open(&mut node, &clock, theirs, side)).is_some() {
                    held = Some(side);
                }
            }
            prop_assert_eq!(node.len(), 1);
            holds.push(held.unwrap());
        }
        // One dialled it, the other accepted it.
        prop_assert_ne!(holds[0], holds[1]);
    }
}
