//! Who has seen a contact URI that was meant for somebody else can neither spoil the messages that go by it nor
//! make their receipts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod common;

use chappe_envelope::{ChainRoot, Invite, ReceiveChain, SendChain};
use chappe_node::{Command, Content, Draft, Node, Reply};
use chappe_testkit::MemoryStore;
use chappe_wire::{Envelope, Lifetime};
use common::{Stranger, command, node};

struct Scene {
    south: Node<MemoryStore>,
    /// What everybody who has seen south's URI can grow chains from.
    root: ChainRoot,
    /// North's introduction and a message, by that URI.
    envelopes: Vec<Envelope>,
}

fn scene() -> Scene {
    let (mut north, mut south) = (node(1), node(2));
    let Reply::Invite(uri) = command(&mut south, Command::Invite) else {
        panic!("no contact URI");
    };
    let root = ChainRoot::of_inbox(&Invite::from_uri(&uri).unwrap().inbox);
    let add = Command::AddContact {
        uri,
        name: None,
        scanned: true,
    };
    let Reply::Contact(contact) = command(&mut north, add) else {
        panic!("no contact");
    };
    let text = Draft::Text("honest".into());
    command(&mut north, Command::Send(contact.id, text, None));
    let mut courier = Stranger::speaking_our_version();
    courier.meet(&mut north);
    Scene {
        south,
        root,
        envelopes: courier.envelopes(),
    }
}

fn bring(node: &mut Node<MemoryStore>, envelopes: impl IntoIterator<Item = Envelope>) {
    let mut courier = Stranger::speaking_our_version();
    for envelope in envelopes {
        courier.give(envelope);
    }
    courier.meet(node);
}

fn texts(node: &mut Node<MemoryStore>) -> Vec<String> {
    let Reply::Inbox(list) = command(node, Command::Inbox { after: None }) else {
        panic!("no inbox");
    };
    let texts = list
        .into_iter()
        .filter_map(|message| match message.content {
            Content::Text(text) => Some(text),
            _ => None,
        });
    texts.collect()
}

#[test]
fn garbage_under_the_tags_of_a_uri_takes_nothing_from_the_honest_messages() {
    let mut scene = scene();
    let mut liar = SendChain::new(scene.root.clone());
    let garbage = (0..70).map(|_| liar.seal(Lifetime::WEEK, b"garbage").unwrap().0);
    bring(&mut scene.south, garbage);
    assert!(texts(&mut scene.south).is_empty());
    bring(&mut scene.south, scene.envelopes);
    assert_eq!(texts(&mut scene.south), ["honest"]);
}

#[test]
fn honest_content_that_somebody_else_seals_anew_is_not_taken_and_takes_nothing() {
    let mut scene = scene();
    let reader = ReceiveChain::new(scene.root.clone());
    let mut parcels: Vec<_> = reader
        .expected()
        .filter_map(|(tag, counter)| {
            let same = |envelope: &&Envelope| envelope.header().tag == tag;
            let envelope = scene.envelopes.iter().find(same)?;
            let claim = reader.unseal(counter, envelope).unwrap();
            Some((counter, claim.plaintext().to_vec()))
        })
        .collect();
    parcels.sort();
    let mut liar = SendChain::new(scene.root.clone());
    let copies: Vec<_> = parcels
        .iter()
        .map(|(_, parcel)| liar.seal(Lifetime::WEEK, parcel).unwrap().0)
        .collect();
    assert_eq!(copies.len(), 2);
    bring(&mut scene.south, copies);
    let Reply::Contacts(contacts) = command(&mut scene.south, Command::Contacts) else {
        panic!("no contacts");
    };
    assert!(contacts.is_empty() && texts(&mut scene.south).is_empty());
    bring(&mut scene.south, scene.envelopes);
    assert_eq!(texts(&mut scene.south), ["honest"]);
}

#[test]
fn the_uri_makes_no_receipt_of_what_goes_by_it() {
    let scene = scene();
    for envelope in &scene.envelopes {
        let mut reader = ReceiveChain::new(scene.root.clone());
        let (_, counter) = reader
            .expected()
            .find(|(tag, _)| *tag == envelope.header().tag)
            .unwrap();
        assert!(reader.open(counter, envelope).is_err());
    }
}
