//! What goes first to a neighbour that wants several things.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_gossip::policies::SprayAndPull;
use chappe_gossip::{Config, Copies};
use chappe_wire::{Age, ByteCount, Duration, ItemId, LinkId};
use common::{LINK, Sample, Victim, sample};

fn phone() -> Victim {
    let policy = || Box::new(SprayAndPull::PHONES) as _;
    Victim::with(Config::default(), 0, true, policy)
}

fn long(number: u64) -> Sample {
    Sample {
        size: ByteCount::new(4_130),
        ..sample(number)
    }
}

/// Somebody else brings it with so many copies.
fn bring(phone: &mut Victim, sample: &Sample, copies: u32) {
    let link = LinkId::new(2);
    phone.link_up(link, false, 2, false);
    assert!(phone.bring_copies(link, sample, Age::NEW, Copies::new(copies)));
    phone.peer.router.link_down(phone.now, link);
}

fn given(phone: &mut Victim, samples: &[Sample]) -> Vec<ItemId> {
    phone.link_up(LINK, true, 1, false);
    phone.give(samples)
}

#[test]
fn what_is_young_and_short_goes_first() {
    let (oldest, older, young) = (sample(1), sample(2), long(3));
    let mut phone = phone();
    phone.write(&oldest);
    phone.wait(Duration::from_minutes(60));
    phone.write(&older);
    phone.wait(Duration::from_minutes(3));
    phone.write(&young);
    let given = given(&mut phone, &[oldest, older, young]);
    assert_eq!(given, [older.id, young.id, oldest.id]);
}

#[test]
fn what_has_most_of_its_copies_left_goes_before_what_is_young_and_short() {
    let (written, brought, nearly_spent) = (long(1), sample(2), sample(3));
    let mut phone = phone();
    phone.write(&written);
    phone.wait(Duration::from_minutes(60));
    bring(&mut phone, &brought, 8);
    phone.wait(Duration::from_minutes(60));
    bring(&mut phone, &nearly_spent, 2);
    let given = given(&mut phone, &[nearly_spent, brought, written]);
    assert_eq!(given, [written.id, brought.id, nearly_spent.id]);
}

#[test]
fn who_declares_more_copies_than_anybody_begins_with_gains_nothing() {
    let (declared, written) = (sample(1), sample(2));
    let mut phone = phone();
    bring(&mut phone, &declared, 4_096);
    phone.wait(Duration::from_minutes(60));
    phone.write(&written);
    let given = given(&mut phone, &[declared, written]);
    assert_eq!(given, [written.id, declared.id]);
}
