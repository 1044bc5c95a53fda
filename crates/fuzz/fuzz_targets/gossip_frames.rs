//! Frames from two neighbours into one router: it never panics, keeps its own items and stays in bounds.
//! Input: frames, each after a byte that chooses the neighbour and a byte that is its length.
#![no_main]

use chappe_gossip::policies::Epidemic;
use chappe_gossip::{Config, Ingress, LinkSetup, Received, Router};
use chappe_wire::{
    ByteCount, Commitment, Duration, Header, ItemId, Lifetime, LinkId, LinkSalt, Tag,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut now = chappe_wire::Instant::ZERO;
    let mut router = Router::new(Config::default(), Box::new(Epidemic), [7; 32]);
    let own: Vec<ItemId> = (0..100u8).map(|number| ItemId::of(&[number])).collect();
    let header = Header {
        version: 1,
        lifetime: Lifetime::WEEK,
        tag: Tag::new([1; 16]),
        commitment: Commitment::new([2; 16]),
    };
    for id in &own {
        router
            .add_own(now, *id, header, ByteCount::new(290))
            .unwrap();
    }
    for (number, opener) in [(0, true), (1, false)] {
        let setup = LinkSetup {
            opener,
            salt: LinkSalt::new([number; 16]),
            pinned: false,
            ingress: Ingress::new(number.into()),
        };
        router.link_up(now, LinkId::new(number.into()), setup);
    }
    let mut rest = bytes;
    while let [link, length, tail @ ..] = rest {
        let (frame, tail) = tail.split_at(tail.len().min((*length).into()));
        rest = tail;
        now = now.after(Duration::from_millis(u64::from(*link) << 4));
        let link = LinkId::new(u64::from(link & 1));
        if let Ok(Received::Envelope { arrival, .. }) = router.handle_frame(now, link, frame) {
            let _ = router.accept(now, arrival);
        }
        while router.poll_frame(now, link).is_some() {}
        while router.poll_change().is_some() {}
    }
    assert!(own.iter().all(|id| router.holds(id)));
});
