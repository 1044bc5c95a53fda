//! What cannot be sent is not encrypted: the session is as it was.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_node::{
    Command, CommandError, CommandId, ContactId, Draft, Input, Node, NodeConfig, Output, Profile,
    Reply, Store as _, Table,
};
use chappe_testkit::MemoryStore;
use chappe_wire::{ByteCount, Instant};

fn small(store: MemoryStore, seed: u8) -> Node<MemoryStore> {
    let profile = Profile {
        name: "somebody".into(),
        jid: None,
        identity: None,
    };
    let mut config = NodeConfig::person(profile);
    config.capacity = ByteCount::new(40_000);
    Node::new(Instant::ZERO, config, store, [seed; 32]).unwrap()
}

fn ask(node: &mut Node<MemoryStore>, command: Command) -> Result<Reply, CommandError> {
    node.handle_input(Instant::ZERO, Input::Command(CommandId(1), command));
    let mut answer = None;
    loop {
        match node.poll_output() {
            Some(Output::Reply(_, reply)) => answer = Some(reply),
            Some(Output::Timeout(_)) | None => return answer.unwrap(),
            Some(_) => {}
        }
    }
}

fn send(node: &mut Node<MemoryStore>, to: ContactId, draft: Draft) -> Option<CommandError> {
    ask(node, Command::Send(to, draft, None)).err()
}

#[test]
fn a_full_outbox_leaves_the_session_as_it_was() {
    let empty = || MemoryStore::new(ByteCount::from_mib(64));
    let Ok(Reply::Invite(uri)) = ask(&mut small(empty(), 1), Command::Invite) else {
        panic!("no contact URI");
    };
    let mut north = small(empty(), 2);
    let add = Command::AddContact {
        uri,
        name: None,
        scanned: true,
    };
    let Ok(Reply::Contact(contact)) = ask(&mut north, add) else {
        panic!("no contact");
    };
    let text = || Draft::Text("x".repeat(2_000));
    let file = Draft::File {
        name: "photo.jpg".into(),
        media_type: "image/jpeg".into(),
        data: vec![7; 60_000],
    };
    let mut sent = 0;
    while send(&mut north, contact.id, text()).is_none() {
        sent += 1;
    }
    assert!(sent > 3, "{sent} fitted");

    let store = north.into_store();
    let session = |store: &MemoryStore| {
        let entries = store.scan(Table::Sessions, None, 2).unwrap();
        assert_eq!(entries.len(), 1);
        entries
    };
    let before = session(&store);
    let mut north = small(store, 3);
    for draft in [text(), file] {
        assert_eq!(
            send(&mut north, contact.id, draft),
            Some(CommandError::OutboxFull)
        );
    }
    assert_eq!(session(&north.into_store()), before);
}
