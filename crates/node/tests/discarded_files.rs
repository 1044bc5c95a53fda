//! Files that are deleted, or that never arrive, leave nothing behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod common;

use chappe_node::{
    Command, ContactId, Content, Draft, Event, FileInfo, Input, MessageId, MessageSelection, Node,
    NodeConfig, Output, Profile, Reply, Store as _, Table,
};
use chappe_testkit::MemoryStore;
use chappe_wire::{BodySize, Duration, Envelope, Instant};
use common::{Stranger, command, node};

/// North knows south, and south will know north from its first message.
fn acquainted() -> (Node<MemoryStore>, ContactId, Node<MemoryStore>) {
    let (mut north, mut south) = (node(1), node(2));
    let Reply::Invite(uri) = command(&mut south, Command::Invite) else {
        panic!("no contact URI");
    };
    let add = Command::AddContact {
        uri,
        name: None,
        scanned: true,
    };
    let Reply::Contact(contact) = command(&mut north, add) else {
        panic!("no contact");
    };
    (north, contact.id, south)
}

fn send_file(north: &mut Node<MemoryStore>, south: ContactId, length: usize) {
    let draft = Draft::File {
        name: "photo.jpg".into(),
        media_type: "image/jpeg".into(),
        data: vec![7; length],
    };
    command(north, Command::Send(south, draft, None));
}

fn files(node: &mut Node<MemoryStore>) -> Vec<(MessageId, FileInfo)> {
    let Reply::Inbox(list) = command(node, Command::Inbox { after: None }) else {
        panic!("no inbox");
    };
    let files = list
        .into_iter()
        .filter_map(|message| match message.content {
            Content::File(file) => Some((message.id, file)),
            _ => None,
        });
    files.collect()
}

/// Lets time pass; returns how many files were given up.
fn wait(node: &mut Node<MemoryStore>, until: Instant) -> usize {
    node.handle_input(until, Input::Timeout);
    let mut given_up = 0;
    for _ in 0..10_000 {
        match node.poll_output() {
            Some(Output::Event(Event::FileGivenUp(_))) => given_up += 1,
            Some(Output::Timeout(at)) if at > until => break,
            Some(Output::Timeout(_)) => node.handle_input(until, Input::Timeout),
            Some(_) => {}
            None => break,
        }
    }
    given_up
}

/// The process ends, and another goes on with its store. How many pieces of files that holds comes with it.
fn restarted(node: Node<MemoryStore>, at: Instant) -> (Node<MemoryStore>, usize) {
    let profile = Profile {
        name: "somebody".into(),
        jid: None,
        identity: None,
    };
    let store = node.into_store();
    let pieces = store.scan(Table::Chunks, None, usize::MAX).unwrap().len();
    let node = Node::new(at, NodeConfig::person(profile), store, [9; 32]).unwrap();
    (node, pieces)
}

/// Carries envelopes from one node to the other, those that `carries` says.
fn carry(
    from: &mut Node<MemoryStore>,
    to: &mut Node<MemoryStore>,
    carries: impl Fn(&Envelope) -> bool,
) {
    let mut bag: Vec<Envelope> = Vec::new();
    let meet = |bag: &[Envelope], node: &mut Node<MemoryStore>| {
        let mut courier = Stranger::speaking_our_version();
        bag.iter()
            .for_each(|envelope| courier.give(envelope.clone()));
        courier.meet(node);
        courier.envelopes()
    };
    // A meeting is too short for everything.
    for _ in 0..4 {
        bag = meet(&bag, from);
    }
    bag.retain(carries);
    for _ in 0..4 {
        meet(&bag, to);
    }
}

#[test]
fn the_pieces_of_a_deleted_file_are_deleted_also_if_the_process_ends_in_between() {
    let (mut north, contact, mut south) = acquainted();
    send_file(&mut north, contact, 1_100_000);
    carry(&mut north, &mut south, |_| true);
    let (message, file) = files(&mut south).remove(0);
    assert!(file.complete, "{file:?}");

    let delete = Command::DeleteMessages(MessageSelection::These(vec![message]));
    assert!(matches!(command(&mut south, delete), Reply::Deleted(1)));
    let (mut south, left) = restarted(south, Instant::ZERO);
    assert!(
        left > 0 && left < file.chunks as usize,
        "{left} pieces are left"
    );
    wait(&mut south, Instant::ZERO.after(Duration::from_secs(1)));
    let (mut south, left) = restarted(south, Instant::ZERO);
    assert_eq!(left, 0);
    assert!(files(&mut south).is_empty());
}

#[test]
fn files_whose_pieces_never_come_are_given_up_and_make_place_for_others() {
    let (mut north, contact, mut south) = acquainted();
    for _ in 0..20 {
        send_file(&mut north, contact, 3_000);
    }
    // The messages come, the pieces do not.
    let piece = BodySize::B4096.bytes();
    carry(&mut north, &mut south, |envelope| {
        envelope.body().len() < piece
    });
    let told = files(&mut south);
    assert_eq!(told.len(), 20);
    assert!(told.iter().all(|(_, file)| file.chunks_here == 0));

    let later = Instant::ZERO.after(Duration::from_days(30));
    assert_eq!(wait(&mut south, later), 0);
    let (mut south, _) = restarted(south, later);
    let later = later.after(Duration::from_days(2));
    assert_eq!(wait(&mut south, later), 20);
    assert_eq!(files(&mut south).len(), 20, "their messages stay");
}
