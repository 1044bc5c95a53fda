//! Bulk moves up from a slow link to a group, and back when the group is gone; nothing is lost or taken twice.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeMap;

use chappe_node::{Command, Content, Draft, Event, Reply, Upgrade};
use chappe_testkit::{NodeIndex, Pair, Side, Weather};
use chappe_wire::{Duration, Invitation, ItemId, LinkId};

const FILE_LEN: usize = 700_000;

fn slow() -> Weather {
    Weather {
        mtu: 185,
        latency: Duration::from_millis(400),
        ..Weather::default()
    }
}

fn fast() -> Weather {
    Weather {
        mtu: 16_382,
        latency: Duration::from_millis(2),
        ..Weather::default()
    }
}

fn invitation(number: u8) -> Invitation {
    Invitation {
        ssid: format!("DIRECT-{number:02}"),
        passphrase: "not a secret".into(),
        frequency: 2_437,
        address: [number; 16],
        port: 4_001,
        key: [number; 32],
    }
}

fn pair(groups: bool) -> Pair {
    Pair::with_config(5, |config| config.groups = groups)
}

fn send_file(pair: &mut Pair, from: Side, length: usize) {
    let draft = Draft::File {
        name: "file.bin".into(),
        media_type: "application/octet-stream".into(),
        data: vec![7; length],
    };
    let command = Command::Send(pair.contact(from), draft, None);
    let node = pair.node(from);
    assert!(matches!(
        pair.world.command(node, command),
        Ok(Reply::Accepted(_))
    ));
}

fn file_is_there(pair: &mut Pair, side: Side) -> bool {
    let node = pair.node(side);
    let Ok(Reply::Inbox(list)) = pair.world.command(node, Command::Inbox { after: None }) else {
        panic!("the inbox was refused");
    };
    list.iter()
        .any(|incoming| matches!(&incoming.content, Content::File(file) if file.complete))
}

/// How often each envelope was taken, and over which links.
#[derive(Default)]
struct Taken(BTreeMap<ItemId, Vec<LinkId>>);

impl Taken {
    fn watch(&mut self, pair: &mut Pair, node: NodeIndex) {
        for event in pair.world.events(node) {
            if let Event::Taken { link, id, .. } = event {
                self.0.entry(id).or_default().push(link);
            }
        }
    }

    fn over(&self, link: LinkId) -> usize {
        self.0
            .values()
            .filter(|links| links.contains(&link))
            .count()
    }
}

/// Runs until bulk has made `from` ask its radio for a group, and the invitation has arrived.
fn agree(pair: &mut Pair, from: Side, link: LinkId) {
    let (giver, taker) = (pair.node(from), pair.node(from.other()));
    let mut asked = Vec::new();
    for _ in 0..100 {
        pair.world.run(Duration::from_millis(100));
        asked.extend(pair.world.upgrades(giver));
        if !asked.is_empty() {
            break;
        }
    }
    assert_eq!(asked, [Upgrade::Invite(link)]);
    assert_eq!(pair.world.upgrades(taker), []);
    pair.world.invitation(giver, link, invitation(1));
    pair.world.run(Duration::from_secs(2));
    assert_eq!(pair.world.upgrades(taker), [Upgrade::Join(invitation(1))]);
}

#[test]
fn bulk_goes_over_the_fast_link_and_nothing_is_taken_twice() {
    let mut pair = pair(true);
    let (north, south) = (pair.node(Side::North), pair.node(Side::South));
    let air = pair.world.connect(north, south, slow());
    pair.world.run(Duration::from_secs(10));
    send_file(&mut pair, Side::North, FILE_LEN);
    agree(&mut pair, Side::North, air);
    assert!(!file_is_there(&mut pair, Side::South));
    let group = pair.world.connect(north, south, fast());
    pair.world.run(Duration::from_secs(20));
    assert!(file_is_there(&mut pair, Side::South));
    let mut taken = Taken::default();
    taken.watch(&mut pair, south);
    assert!(
        taken.over(group) > 50,
        "{} over the group",
        taken.over(group)
    );
    for (id, links) in &taken.0 {
        assert_eq!(links.len(), 1, "{id:?} was taken twice");
    }
}

#[test]
fn a_link_that_is_older_than_the_epoch_rests_and_goes_on_too() {
    let mut pair = pair(true);
    let (north, south) = (pair.node(Side::North), pair.node(Side::South));
    let air = pair.world.connect(north, south, slow());
    // Both call themselves something else on links that come up from now on.
    pair.world.run(Duration::from_minutes(20));
    send_file(&mut pair, Side::North, FILE_LEN);
    agree(&mut pair, Side::North, air);
    let group = pair.world.connect(north, south, fast());
    pair.world.run(Duration::from_secs(20));
    pair.world.events(south);
    send_file(&mut pair, Side::North, FILE_LEN);
    pair.world.run(Duration::from_secs(20));
    let mut taken = Taken::default();
    taken.watch(&mut pair, south);
    assert!(taken.over(group) > 50, "{}", taken.over(group));
    assert_eq!(taken.over(air), 0, "the slow link rests");
    pair.world.disconnect(group);
    pair.send(Side::South, "from below").unwrap();
    pair.run(Duration::from_secs(20));
    assert_eq!(pair.inbox(Side::North), ["from below"]);
}

#[test]
fn when_the_group_is_gone_the_slow_link_goes_on_where_it_stopped() {
    for lost_at in [20, 100] {
        let mut pair = pair(true);
        let (north, south) = (pair.node(Side::North), pair.node(Side::South));
        let air = pair.world.connect(north, south, slow());
        pair.world.run(Duration::from_secs(10));
        send_file(&mut pair, Side::North, FILE_LEN);
        agree(&mut pair, Side::North, air);
        let group = pair.world.connect(north, south, fast());
        pair.world.run(Duration::from_millis(lost_at));
        pair.world.disconnect(group);
        assert_eq!(pair.world.upgrades(south), [Upgrade::Leave]);
        pair.world.run(Duration::from_minutes(20));
        assert!(
            file_is_there(&mut pair, Side::South),
            "lost at {lost_at} ms"
        );
        let mut taken = Taken::default();
        taken.watch(&mut pair, south);
        assert!(taken.0.values().all(|links| links.len() == 1));
        pair.send(Side::South, "and back").unwrap();
        pair.run(Duration::from_secs(30));
        assert_eq!(pair.inbox(Side::North), ["and back"]);
    }
}

#[test]
fn one_end_that_notices_later_is_told() {
    let mut pair = pair(true);
    let (north, south) = (pair.node(Side::North), pair.node(Side::South));
    pair.world.connect(north, south, slow());
    let group = pair.world.connect(north, south, fast());
    pair.world.run(Duration::from_secs(10));
    // Only the south learns at first that the group is gone.
    pair.world
        .input_without_commit(south, chappe_node::Input::LinkDown(group));
    pair.send(Side::South, "from below").unwrap();
    pair.run(Duration::from_secs(20));
    assert_eq!(pair.inbox(Side::North), ["from below"]);
}

#[test]
fn little_is_not_worth_a_group() {
    let mut pair = pair(true);
    let (north, south) = (pair.node(Side::North), pair.node(Side::South));
    pair.world.connect(north, south, slow());
    send_file(&mut pair, Side::North, 20_000);
    pair.world.run(Duration::from_minutes(5));
    assert!(file_is_there(&mut pair, Side::South));
    assert_eq!(pair.world.upgrades(north), []);
}

#[test]
fn who_cannot_join_is_not_asked() {
    let mut pair = pair(false);
    let (north, south) = (pair.node(Side::North), pair.node(Side::South));
    let air = pair.world.connect(north, south, slow());
    send_file(&mut pair, Side::North, FILE_LEN);
    pair.world.run(Duration::from_minutes(1));
    assert_eq!(pair.world.upgrades(north), []);
    pair.world.invitation(north, air, invitation(1));
    pair.world.run(Duration::from_minutes(1));
    assert_eq!(pair.world.upgrades(south), []);
}

#[test]
fn of_two_that_invite_at_once_one_has_its_way() {
    let mut pair = pair(true);
    let (north, south) = (pair.node(Side::North), pair.node(Side::South));
    let air = pair.world.connect(north, south, slow());
    pair.world.run(Duration::from_secs(10));
    for (side, node) in [(Side::North, north), (Side::South, south)] {
        send_file(&mut pair, side, FILE_LEN);
        pair.world.run(Duration::from_millis(1));
        assert_eq!(pair.world.upgrades(node), []);
    }
    pair.world.run(Duration::from_secs(30));
    for node in [north, south] {
        assert_eq!(pair.world.upgrades(node), [Upgrade::Invite(air)]);
    }
    pair.world.invitation(north, air, invitation(1));
    pair.world.invitation(south, air, invitation(2));
    pair.world.run(Duration::from_secs(5));
    // The north opened the link.
    assert_eq!(pair.world.upgrades(south), [Upgrade::Join(invitation(1))]);
    assert_eq!(pair.world.upgrades(north), []);
}
