//! A neighbour that lies, floods or babbles costs a bounded amount of work and bytes, and changes nothing.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_gossip::{Config, MAX_WANTS, Misbehaviour, Stats};
use chappe_wire::proto::frame::Body;
use chappe_wire::proto::{
    Accepted, Cancel, Cells, Digest, List, More, Offer, Receipts, Refused, Take, Transfer, Want,
};
use chappe_wire::{
    Commitment, Duration, Envelope, Lifetime, ShortId, Tag, decode_frame, encode_frame,
};
use common::{SALT, Victim, sample};
use proptest::prelude::*;

const ITEMS: u64 = 1_000;

/// What a neighbour may truly need, which nobody can check: symbols up to the cost of a list, and the list.
const FREE: u64 = 2 * 8 * ITEMS + 4_096;

fn victim(opener: bool) -> Victim {
    Victim::new(Config::default(), ITEMS, opener)
}

fn stats(victim: &Victim) -> Stats {
    *victim.peer.router.stats()
}

fn assert_untouched(victim: &Victim) {
    assert_eq!(victim.peer.items.len() as u64, ITEMS);
    assert!(victim.peer.dropped.is_empty() && victim.peer.receipts.is_empty());
    assert!(victim.peer.carriers.is_empty() && victim.peer.delivered.is_empty());
    victim.peer.check();
}

fn digest(count: u64, byte: u8) -> Body {
    let fingerprint = vec![byte; 16];
    Body::Digest(Digest {
        count,
        fingerprint,
        ..Default::default()
    })
}

#[test]
fn lying_digests_are_answered_a_few_times() {
    let mut victim = victim(false);
    for round in 0..5_000u64 {
        victim.say(digest(1 + round % 2_000, round as u8)).unwrap();
        victim.hear();
    }
    // Each answer is a pass over the store: four at once, then one a minute.
    assert_eq!(stats(&victim).ignored, 4_996);
    victim.wait(Duration::from_secs(60));
    victim.say(digest(5, 5)).unwrap();
    assert!(!victim.hear().is_empty());
    assert!(victim.bytes_out <= 4 * victim.bytes_in + FREE);
    assert_untouched(&victim);
}

#[test]
fn garbage_for_a_sketch_is_answered_as_if_there_were_none() {
    // Of a sum, of the longest that is read, of one more, of all that fits into a frame; and of no whole number of sums.
    for length in [8, 64 * 8, 65 * 8, 8_000, 63] {
        let mut victim = victim(false);
        let sketch = |round: u64| {
            let mut state = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            let byte = |_| {
                state = state.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
                (state >> 56) as u8
            };
            (0..length).map(byte).collect()
        };
        for round in 0..100 {
            let digest = Body::Digest(Digest {
                count: ITEMS,
                fingerprint: vec![round as u8 + 1; 16],
                expected: Some(if round % 2 == 0 { 5 } else { u32::MAX }),
                sketch: sketch(round),
            });
            victim.say(digest).unwrap();
            let answer = victim.hear();
            // Four at once: each is a pass over the store, and a sketch of it at most.
            assert_eq!(
                answer.is_empty(),
                round >= 4,
                "length {length}, round {round}"
            );
            assert!(
                answer
                    .iter()
                    .all(|body| matches!(body, Body::Cells(_) | Body::List(_))),
                "{answer:?}"
            );
        }
        assert_eq!(stats(&victim).ignored, 96);
        assert!(victim.bytes_out <= 4 * victim.bytes_in + FREE);
        assert_untouched(&victim);
    }
}

#[test]
fn answers_come_out_of_a_budget() {
    let mut victim = victim(false);
    for round in 0..60 {
        victim.say(digest(ITEMS, round)).unwrap();
        let mut received = 0;
        for _ in 0..12 {
            for body in victim.hear() {
                if let Body::Cells(cells) = body {
                    received += (cells.symbols.len() / 12) as u32;
                }
            }
            victim
                .say(Body::More(More {
                    start: received,
                    count: 0,
                }))
                .unwrap();
        }
        victim.wait(Duration::from_secs(60));
    }
    // 16 bytes come in a second, whatever is asked.
    let limit = 4 * victim.bytes_in + FREE + 60 * 60 * 16;
    assert!(victim.bytes_out <= limit, "{} bytes", victim.bytes_out);
    assert!(stats(&victim).withheld > 0);
    assert_untouched(&victim);
}

#[test]
fn a_claim_to_have_nothing_is_believed_once() {
    let mut victim = victim(false);
    for _ in 0..100 {
        victim.say(digest(0, 0)).unwrap();
        victim.hear();
    }
    assert!(victim.bytes_out <= 8 * ITEMS + 4 * victim.bytes_in + 200);
}

#[test]
fn endless_more_ends_in_a_list() {
    let mut victim = victim(false);
    victim.say(digest(ITEMS, 1)).unwrap();
    let (mut received, mut listed) = (0, 0);
    for _ in 0..1_000 {
        for body in victim.hear() {
            match body {
                Body::Cells(cells) => received += (cells.symbols.len() / 12) as u32,
                Body::List(list) => listed += list.ids.len() as u64,
                other => panic!("{other:?}"),
            }
        }
        victim
            .say(Body::More(More {
                start: received,
                count: 0,
            }))
            .unwrap();
    }
    assert_eq!(listed, ITEMS);
    assert!(u64::from(received) * 12 <= 8 * ITEMS);
    assert!(stats(&victim).ignored >= 990);
    assert!(victim.bytes_out <= FREE);
}

#[test]
fn more_out_of_turn_is_ignored() {
    let mut victim = victim(false);
    victim.say(Body::More(More { start: 0, count: 0 })).unwrap();
    victim.say(digest(ITEMS, 1)).unwrap();
    for start in [0, 1, 47, 49, u32::MAX] {
        victim.say(Body::More(More { start, count: 0 })).unwrap();
    }
    assert_eq!(stats(&victim).ignored, 6);
    assert_eq!(victim.hear().len(), 1);
}

/// Symbols of random bytes, in proper order, for as long as the victim asks for more.
#[test]
fn cells_that_never_decode_end_at_a_bound() {
    let mut victim = victim(true);
    victim.hear();
    let (mut start, mut asked, mut byte) = (0u32, 0, 1u8);
    loop {
        let count = if start == 0 { 48 } else { start.min(512) };
        let mut symbols = vec![0; 12 * count as usize];
        for place in &mut symbols {
            byte = byte.wrapping_mul(181).wrapping_add(97);
            *place = byte ^ (start as u8);
        }
        if let Err(error) = victim.say(Body::Cells(Cells {
            start,
            symbols,
            until: 0,
        })) {
            assert_eq!(error, Misbehaviour::Reconciliation);
            break;
        }
        start += count;
        asked += victim.hear().len();
        victim.wait(Duration::from_secs(1));
    }
    assert!(start <= chappe_gossip::reconcile::MAX_SYMBOLS);
    assert!(asked <= 12, "asked {asked} times");
    assert_untouched(&victim);
}

#[test]
fn nonsense_answers_are_told_apart() {
    let cells = |start, length| {
        let symbols = vec![1; length];
        Body::Cells(Cells {
            start,
            symbols,
            until: 0,
        })
    };
    let list = |ids: &[u64]| {
        Body::List(List {
            ids: ids.to_vec(),
            last: false,
        })
    };
    let nonsense = [
        cells(0, 0),
        cells(0, 13),
        cells(1, 12),
        cells(0, 12 * 513),
        list(&[2, 1]),
        list(&[1, 1]),
        digest(ITEMS, 3),
        Body::Digest(Digest {
            count: 1,
            fingerprint: vec![0; 15],
            ..Default::default()
        }),
    ];
    for body in nonsense {
        let mut victim = victim(true);
        victim.hear();
        let said = victim.say(body);
        assert_eq!(said, Err(Misbehaviour::Reconciliation));
        assert!(victim.hear().is_empty());
        assert_eq!(stats(&victim).misbehaviour, 1);
    }
    // A list that goes backwards from one frame to the next.
    let mut victim = victim(true);
    victim.hear();
    victim.say(list(&[5, 9])).unwrap();
    assert!(victim.say(list(&[9])).is_err());
}

#[test]
fn an_endless_list_costs_a_bounded_memory() {
    let mut victim = victim(true);
    victim.hear();
    let mut next = 1u64;
    for _ in 0..300 {
        let ids = (next..next + 1_000).map(|id| id << 20).collect();
        next += 1_000;
        victim.say(Body::List(List { ids, last: false })).unwrap();
        victim.wait(Duration::from_secs(1));
    }
    let ids = vec![];
    victim.say(Body::List(List { ids, last: true })).unwrap();
    let said = victim.hear();
    let wants = said.iter().map(|body| match body {
        Body::Want(want) => want.ids.len(),
        _ => 0,
    });
    assert!(wants.sum::<usize>() <= MAX_WANTS);
}

#[test]
fn floods_of_wants_are_met_once() {
    let mut victim = victim(false);
    victim.say(digest(ITEMS, 1)).unwrap();
    victim.hear();
    let before = victim.bytes_out;
    let all: Vec<u64> = (0..ITEMS)
        .map(|number| ShortId::of(&SALT, &sample(number).id).get())
        .collect();
    let mut transfers = 0;
    for _ in 0..50 {
        let ids = all.clone();
        victim.say(Body::Want(Want { ids })).unwrap();
        let said = victim.hear();
        transfers += said
            .iter()
            .filter(|body| matches!(body, Body::Transfer(_)))
            .count();
        // It claims that it had no room, and asks again.
        let refused = Refused {
            ids: all.clone(),
            reason: 1,
        };
        victim.say(Body::Refused(refused)).unwrap();
        victim.wait(Duration::from_secs(1));
    }
    assert_eq!(transfers as u64, ITEMS);
    assert!(victim.bytes_out - before <= ITEMS * 546 + 100);
}

#[test]
fn floods_of_unknown_ids_echo_at_most_themselves() {
    let mut victim = victim(false);
    for round in 0..100u64 {
        let ids: Vec<u64> = (0..900).map(|id| round * 1_000 + id).collect();
        let frames = [
            Body::Want(Want { ids: ids.clone() }),
            Body::Offer(Offer {
                ids: ids.clone(),
                settled: false,
            }),
            Body::Cancel(Cancel { ids: ids.clone() }),
            Body::Accepted(Accepted { ids: ids.clone() }),
            Body::Refused(Refused { ids, reason: 3 }),
            Body::Take(Take {
                tags: vec![7; 1_600],
            }),
        ];
        for frame in frames {
            victim.say(frame).unwrap();
            victim.hear();
        }
        victim.wait(Duration::from_secs(1));
    }
    assert!(victim.bytes_out <= victim.bytes_in);
    assert_untouched(&victim);
}

#[test]
fn offers_are_asked_for_up_to_a_bound() {
    let mut victim = victim(false);
    let mut wanted = 0;
    for round in 0..100u64 {
        let ids = (0..1_000).map(|id| round * 1_000 + id).collect();
        victim
            .say(Body::Offer(Offer {
                ids,
                settled: false,
            }))
            .unwrap();
        for body in victim.hear() {
            if let Body::Want(want) = body {
                wanted += want.ids.len();
            }
        }
        victim.wait(Duration::from_secs(1));
    }
    assert!(wanted <= MAX_WANTS, "{wanted} wanted");
    // 100,000 offers, of which so many are kept in mind.
    assert!(stats(&victim).ignored >= 100_000 - 65_536 - MAX_WANTS as u64);
}

#[test]
fn what_nobody_asked_for_is_not_taken() {
    let mut victim = victim(false);
    let body = [5; 256];
    let (tag, commitment) = (Tag::new([1; 16]), Commitment::new([2; 16]));
    let envelope = Envelope::compose(Lifetime::DAY, tag, commitment, &body).unwrap();
    let transfer = Transfer {
        envelope: envelope.as_bytes().to_vec(),
        age_minutes: 0,
        copies: 0,
    };
    victim.say(Body::Transfer(transfer.clone())).unwrap();
    assert_untouched(&victim);
    assert_eq!(stats(&victim).unsolicited, 1);
    assert!(victim.hear().is_empty());
    // Asked for: taken, once.
    let ids = vec![ShortId::of(&SALT, &envelope.id()).get()];
    victim
        .say(Body::Offer(Offer {
            ids,
            settled: false,
        }))
        .unwrap();
    victim.hear();
    victim.say(Body::Transfer(transfer.clone())).unwrap();
    victim.say(Body::Transfer(transfer)).unwrap();
    assert_eq!(victim.peer.items.len() as u64, ITEMS + 1);
    assert_eq!(stats(&victim).unsolicited, 2);
}

#[test]
fn a_flood_of_frames_is_dropped_undecoded() {
    let mut victim = victim(false);
    let mut dropped = 0;
    for _ in 0..20_000 {
        let said = victim.say(Body::Cancel(Cancel { ids: vec![1] }));
        dropped += u64::from(matches!(said, Err(Misbehaviour::OverBudget(_))));
    }
    assert_eq!(dropped, 20_000 - 8_192);
    assert_eq!(stats(&victim).over_budget, dropped);
    // A second later the link is worth 500 frames again; another link was never concerned.
    victim.wait(Duration::from_secs(1));
    for _ in 0..500 {
        victim.say(Body::Cancel(Cancel { ids: vec![1] })).unwrap();
    }
    assert!(victim.say(Body::Cancel(Cancel { ids: vec![1] })).is_err());
}

#[test]
fn malformed_bytes_inside_good_frames_are_told_apart() {
    let mut victim = victim(false);
    let receipts = Receipts {
        preimages: vec![0; 17],
        age_minutes: vec![0],
    };
    assert_eq!(
        victim.say(Body::Receipts(receipts)),
        Err(Misbehaviour::Receipts)
    );
    let receipts = Receipts {
        preimages: vec![0; 16],
        age_minutes: vec![0, 1],
    };
    assert_eq!(
        victim.say(Body::Receipts(receipts)),
        Err(Misbehaviour::Receipts)
    );
    let take = Take { tags: vec![0; 17] };
    assert_eq!(victim.say(Body::Take(take)), Err(Misbehaviour::Tags));
    let transfer = Transfer {
        envelope: vec![0; 20],
        ..Transfer::default()
    };
    assert!(matches!(
        victim.say(Body::Transfer(transfer)),
        Err(Misbehaviour::Envelope(_))
    ));
    assert!(matches!(
        victim.say_bytes(&[0xff; 9_000]),
        Err(Misbehaviour::Frame(_))
    ));
    assert_untouched(&victim);
}

/// Frames that an honest neighbour might send at some time.
fn any_frame() -> impl Strategy<Value = Body> {
    let known = (0..ITEMS).prop_map(|n| ShortId::of(&SALT, &sample(n).id).get());
    let ids = prop::collection::vec(prop_oneof![known, any::<u64>()], 0..40);
    prop_oneof![
        (0..2 * ITEMS, any::<u8>()).prop_map(|(count, byte)| digest(count, byte)),
        (
            0..2 * ITEMS,
            any::<Option<u32>>(),
            prop::collection::vec(any::<u8>(), 0..600)
        )
            .prop_map(|(count, expected, sketch)| Body::Digest(Digest {
                count,
                fingerprint: vec![9; 16],
                expected,
                sketch,
            })),
        (0u32..200, prop::collection::vec(any::<u8>(), 0..1_200)).prop_map(|(start, symbols)| {
            Body::Cells(Cells {
                start,
                symbols,
                until: 0,
            })
        }),
        (0u32..200).prop_map(|start| Body::More(More { start, count: 0 })),
        (ids.clone(), any::<bool>()).prop_map(|(ids, last)| Body::List(List { ids, last })),
        ids.clone().prop_map(|ids| Body::Offer(Offer {
            ids,
            settled: false
        })),
        ids.clone().prop_map(|ids| Body::Want(Want { ids })),
        ids.clone().prop_map(|ids| Body::Cancel(Cancel { ids })),
        ids.clone().prop_map(|ids| Body::Accepted(Accepted { ids })),
        (ids, 0..7).prop_map(|(ids, reason)| Body::Refused(Refused { ids, reason })),
        prop::collection::vec(any::<u8>(), 0..64).prop_map(|tags| Body::Take(Take { tags })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_frames_in_any_order_cost_what_they_may(
        opener: bool,
        frames in prop::collection::vec(any_frame(), 1..60),
    ) {
        let mut victim = victim(opener);
        let mut transfers = 0;
        for frame in frames {
            let _ = victim.say(frame);
            for body in victim.hear() {
                transfers += u64::from(matches!(body, Body::Transfer(_)));
            }
        }
        prop_assert!(transfers <= ITEMS);
        // Offers of the store are owed once, too.
        let limit = 4 * victim.bytes_in + FREE + 8 * ITEMS + transfers * 546;
        prop_assert!(victim.bytes_out <= limit);
        prop_assert_eq!(victim.peer.items.len() as u64, ITEMS);
    }

    #[test]
    fn any_bytes_are_harmless(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..40)) {
        let mut victim = Victim::new(Config::default(), 20, true);
        for frame in frames {
            let _ = victim.say_bytes(&frame);
            victim.hear();
        }
        prop_assert_eq!(victim.peer.items.len(), 20);
    }

    #[test]
    fn damaged_frames_are_harmless(frame in any_frame(), flip in any::<prop::sample::Index>(), bit in 0u8..8) {
        let good = encode_frame(frame);
        let mut victim = Victim::new(Config::default(), 20, false);
        // Every truncation, and one flipped bit.
        for length in 0..good.len() {
            let _ = victim.say_bytes(&good[..length]);
        }
        let mut flipped = good.clone();
        if !flipped.is_empty() {
            let at = flip.index(flipped.len());
            flipped[at] ^= 1 << bit;
        }
        let _ = victim.say_bytes(&flipped);
        victim.hear();
        prop_assert_eq!(victim.peer.items.len(), 20);
        prop_assert!(decode_frame(&good).is_ok());
    }
}
