//! What the baselines of the literature decide, which see destinations.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use chappe_gossip::policies::{
    DirectDelivery, Epidemic, FirstContact, MaxProp, Prophet, SprayAndWait,
};
use chappe_gossip::policy::{
    Candidate, Clear, Custody, Endpoint, Neighbour, Policy, Priority, Sharing, Surroundings,
};
use chappe_gossip::{Class, Copies};
use chappe_wire::{Age, ByteCount, Commitment, Header, Instant, Lifetime, Tag};

const HEADER: Header = Header {
    version: 1,
    lifetime: Lifetime::WEEK,
    tag: Tag::new([0; 16]),
    commitment: Commitment::new([0; 16]),
};

#[test]
fn prophet_gives_to_who_is_likelier_to_meet_the_destination() {
    let [mut a, mut b] = [Prophet::new(), Prophet::new()];
    let to_c = item(2, 0);
    assert_eq!(
        a.sharing(&to_c, &neighbour(1, &b), &Surroundings::default()),
        Sharing::TagOnly,
        "nobody knows more"
    );
    b.meet(at(0), Endpoint::new(2));
    assert_eq!(
        a.sharing(&to_c, &neighbour(1, &b), &Surroundings::default()),
        Sharing::Push
    );
    assert_eq!(
        b.sharing(&to_c, &neighbour(0, &a), &Surroundings::default()),
        Sharing::TagOnly
    );
    a.meet(at(0), Endpoint::new(2));
    a.meet(at(0), Endpoint::new(2));
    assert_eq!(
        a.sharing(&to_c, &neighbour(1, &b), &Surroundings::default()),
        Sharing::TagOnly
    );
}

#[test]
fn prophet_fades_and_passes_on() {
    let [mut a, mut b] = [Prophet::new(), Prophet::new()];
    b.meet(at(0), Endpoint::new(2));
    assert!((b.predictability(Endpoint::new(2)) - 0.75).abs() < 1e-12);
    for (one, other) in [(&mut a, 1), (&mut b, 0)] {
        one.meet(at(30), Endpoint::new(other));
    }
    a.learn(at(30), Endpoint::new(1), &b);
    // 0.75 x (0.75 x 0.98) x 0.25
    let passed_on = a.predictability(Endpoint::new(2));
    assert!((passed_on - 0.137_812_5).abs() < 1e-12, "{passed_on}");
    let near = neighbour(1, &b);
    let (likely, unlikely) = (
        a.priority(&item(2, 0), &near),
        a.priority(&item(3, 0), &near),
    );
    assert!(likely < unlikely);
}

#[test]
fn prophet_v2_is_not_impressed_by_meeting_often() {
    let mut a = Prophet::v2();
    a.meet(at(0), Endpoint::new(1));
    let once = a.predictability(Endpoint::new(1));
    a.meet(at(18), Endpoint::new(1));
    let gain = a.predictability(Endpoint::new(1)) - once;
    assert!((0.0..0.01).contains(&gain), "{gain}");
    a.meet(at(3_618), Endpoint::new(1));
    assert!(a.predictability(Endpoint::new(1)) > 0.7);
}

#[test]
fn max_prop_sends_what_is_cheapest_from_the_neighbour() {
    let [mut a, mut b] = [MaxProp::default(), MaxProp::default()];
    b.meet(at(0), Endpoint::new(3));
    b.meet(at(1), Endpoint::new(2));
    a.meet(at(2), Endpoint::new(1));
    b.meet(at(2), Endpoint::new(0));
    a.learn(at(2), Endpoint::new(1), &b);
    let items = [item(2, 1), item(3, 1), item(4, 1)];
    let custody = Custody {
        capacity: ByteCount::new(1_000),
        items: &items,
    };
    a.survey(Endpoint::new(0), Endpoint::new(1), &custody);
    let near = neighbour(1, &b);
    let order: Vec<Priority> = items.iter().map(|item| a.priority(item, &near)).collect();
    assert!(
        order.is_sorted() && order.first() < order.last(),
        "{order:?}"
    );
}

#[test]
fn max_prop_ends_its_search_for_who_is_out_of_reach() {
    let (done, result) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let [mut a, mut b] = [MaxProp::default(), MaxProp::default()];
        // Each has met the other only, so that a step between them costs nothing.
        a.meet(at(0), Endpoint::new(1));
        b.meet(at(0), Endpoint::new(0));
        a.learn(at(0), Endpoint::new(1), &b);
        let items = [item(1, 1), item(2, 1)];
        let custody = Custody {
            capacity: ByteCount::new(1_000),
            items: &items,
        };
        a.survey(Endpoint::new(0), Endpoint::new(0), &custody);
        done.send(items.map(|item| a.keeping(&item))).unwrap();
    });
    let [near, nowhere] = result
        .recv_timeout(std::time::Duration::from_secs(20))
        .expect("the search goes on for ever");
    assert!(near < nowhere);
}

#[test]
fn max_prop_puts_few_hops_before_cheap_paths() {
    let mut a = MaxProp::default();
    a.part(ByteCount::new(150));
    let items = [item(2, 3), item(3, 0), item(4, 1)];
    let custody = Custody {
        capacity: ByteCount::new(1_000),
        items: &items,
    };
    a.meet(at(0), Endpoint::new(2));
    a.survey(Endpoint::new(0), Endpoint::new(0), &custody);
    let [far, written, near] = items.map(|item| a.keeping(&item));
    assert!(written < near && near < far);
}

#[test]
fn who_sees_what_is_said() {
    let sees = |policy: &dyn Policy| policy.habits().sees_destinations;
    assert!(sees(&Prophet::new()) && sees(&Prophet::v2()) && sees(&MaxProp::default()));
    let spray = SprayAndWait {
        copies: Copies::new(6),
    };
    assert!(!sees(&Epidemic) && !sees(&spray) && !sees(&DirectDelivery));
    assert!(!FirstContact.habits().keeps_copy);
}

fn at(secs: u64) -> Instant {
    Instant::from_micros(secs * 1_000_000)
}

fn item(destination: u32, hops: u32) -> Candidate<'static> {
    Candidate {
        header: &HEADER,
        size: ByteCount::new(100),
        age: Age::NEW,
        class: Class::Stranger,
        copies: Copies::NONE,
        carriers: 0,
        clear: Some(Clear {
            destination: Endpoint::new(destination),
            hops,
        }),
    }
}

fn neighbour<P: Policy>(number: u32, policy: &P) -> Neighbour<'_> {
    Neighbour {
        pinned: false,
        clear: Some((Endpoint::new(number), policy)),
    }
}
