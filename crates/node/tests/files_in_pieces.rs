//! Files on their way: in pieces, from whoever has some, over as many meetings as it takes, and asked for like anything
//! else.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod common;

use chappe_node::{Command, Content, Draft, Event, NodeConfig, PolicyChoice, Reply};
use chappe_testkit::{NodeIndex, Pair, Side, Weather};
use chappe_wire::{ByteCount, Duration, Envelope};

const FILE: usize = 400_000;
/// A piece as it travels: an envelope, and what frames and hop put around it.
const PIECE: u64 = 4_130;
const PIECES: u64 = (FILE as u64).div_ceil(4_078);

fn file() -> Draft {
    Draft::File {
        name: "map.png".into(),
        media_type: "image/png".into(),
        data: (0..FILE as u32).map(|i| (i * 7 % 251) as u8).collect(),
    }
}

/// A relay that gives everything to everybody.
fn epidemic_relay() -> NodeConfig {
    let mut config = NodeConfig::relay();
    config.policy = PolicyChoice::Epidemic;
    config
}

/// Two people who have met, and so many relays that have taken a file of north's for south.
fn file_at_relays(relays: usize) -> (Pair, Vec<NodeIndex>) {
    let mut pair = Pair::with_config(31, |config| config.policy = PolicyChoice::Epidemic);
    pair.connect(Weather::default());
    pair.run(Duration::from_hours(2));
    pair.disconnect();
    let north = pair.node(Side::North);
    let command = Command::Send(pair.contact(Side::North), file(), None);
    assert!(matches!(
        pair.world.command(north, command),
        Ok(Reply::Accepted(_))
    ));
    let relays = (0..relays).map(|_| {
        let relay = pair.world.add(epidemic_relay());
        let link = pair.world.connect(north, relay, Weather::default());
        pair.run(Duration::from_minutes(2));
        pair.world.disconnect(link);
        relay
    });
    let relays = relays.collect();
    (pair, relays)
}

fn is_complete(pair: &mut Pair) -> bool {
    let south = pair.node(Side::South);
    let Ok(Reply::Inbox(inbox)) = pair.world.command(south, Command::Inbox { after: None }) else {
        panic!()
    };
    inbox
        .iter()
        .any(|incoming| matches!(&incoming.content, Content::File(file) if file.complete))
}

#[test]
fn several_neighbours_give_their_parts_at_once() {
    let (mut pair, relays) = file_at_relays(2);
    let south = pair.node(Side::South);
    pair.events(Side::South);
    let links =
        [relays[0], relays[1]].map(|relay| pair.world.connect(south, relay, Weather::default()));
    pair.run(Duration::from_minutes(2));
    assert!(is_complete(&mut pair));
    let mut from = [0; 2];
    for event in pair.events(Side::South) {
        if let Event::Taken { link, .. } = event {
            let relay = links.iter().position(|other| *other == link).unwrap();
            from[relay] += 1;
        }
    }
    assert_eq!(from[0] + from[1], PIECES + 1, "each once: {from:?}");
    let share = PIECES / 4;
    assert!(from[0] > share && from[1] > share, "{from:?}");
    let bytes: u64 = links.iter().map(|link| pair.world.sent(*link).get()).sum();
    let least = PIECES * PIECE;
    // What one neighbour had on its way when the other brought it came twice.
    assert!(bytes < least * 3 / 2, "{bytes} bytes for {least}");
}

#[test]
fn meetings_that_end_early_go_on_where_the_last_one_stopped() {
    let (mut pair, relays) = file_at_relays(1);
    let (south, relay) = (pair.node(Side::South), relays[0]);
    let (mut meetings, mut bytes) = (0, 0);
    while !is_complete(&mut pair) {
        meetings += 1;
        assert!(meetings < 60, "it never ends");
        let link = pair.world.connect(south, relay, Weather::default());
        pair.run(Duration::from_millis(40));
        bytes += pair.world.sent(link).get();
        pair.world.disconnect(link);
        // Both forget what they have not written down.
        if meetings % 2 == 0 {
            pair.crash(Side::South);
            pair.world.crash(relay);
        }
        pair.run(Duration::from_hours(2));
    }
    let least = PIECES * PIECE;
    assert!(meetings >= 4, "{meetings} meetings: nothing was cut");
    // What is lost with each is what was under way.
    assert!(
        bytes < least * 5 / 4,
        "{bytes} bytes for {least} in {meetings} meetings"
    );
}

/// Envelopes of a file that north has sent to south; the first tells of it.
fn envelopes_of_a_file() -> (
    chappe_node::Node<chappe_testkit::MemoryStore>,
    Vec<Envelope>,
) {
    let (mut north, mut south) = (common::node(41), common::node(42));
    let Reply::Invite(uri) = common::command(&mut south, Command::Invite) else {
        panic!()
    };
    let add = Command::AddContact {
        uri,
        name: None,
        scanned: true,
    };
    let Reply::Contact(contact) = common::command(&mut north, add) else {
        panic!()
    };
    common::command(&mut north, Command::Send(contact.id, file(), None));
    let mut carrier = common::Stranger::speaking_our_version();
    carrier.meet(&mut north);
    let mut envelopes = carrier.envelopes();
    envelopes.sort_by_key(Envelope::size);
    (south, envelopes)
}

#[test]
fn the_recipient_asks_for_pieces_as_everybody_does() {
    let (mut south, envelopes) = envelopes_of_a_file();
    let (pieces, others): (Vec<_>, Vec<_>) = envelopes
        .into_iter()
        .partition(|envelope| envelope.size() > ByteCount::new(4_096));
    assert_eq!(pieces.len() as u64, PIECES);
    // South has read of the file and knows its pieces by their tags.
    let mut messenger = common::Stranger::speaking_our_version();
    for envelope in others {
        messenger.give(envelope);
    }
    messenger.meet(&mut south);
    let wanted_of = |node: &mut chappe_node::Node<chappe_testkit::MemoryStore>| {
        let mut holder = common::Stranger::speaking_our_version();
        for piece in &pieces {
            holder.give(piece.clone());
        }
        // Half of what there is is nobody's.
        for number in 0..PIECES {
            holder.give(common::unrelated(number));
        }
        holder.meet(node);
        holder.wanted().to_vec()
    };
    let of_south = wanted_of(&mut south);
    let of_somebody = wanted_of(&mut common::node(43));
    for wanted in [of_south, of_somebody] {
        assert_eq!(wanted.len() as u64, 2 * PIECES, "all of it, once");
        assert!(wanted.is_sorted(), "in the order of this link's short ids");
    }
    let Reply::Inbox(inbox) = common::command(&mut south, Command::Inbox { after: None }) else {
        panic!()
    };
    let complete = |content: &Content| matches!(content, Content::File(file) if file.complete);
    assert!(
        inbox.iter().any(|incoming| complete(&incoming.content)),
        "{inbox:?}"
    );
}
