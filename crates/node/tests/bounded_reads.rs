//! What is asked often reads what it needs of the store, however much is there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod common;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chappe_envelope::{ChainRoot, Direction, PairSecret, SendChain};
use chappe_node::{
    Command, CommandId, Input, Node, NodeConfig, Output, Profile, Reply, Store, StoreError, Table,
};
use chappe_testkit::MemoryStore;
use chappe_wire::{ByteCount, Duration, Envelope, Instant, Lifetime};
use common::Stranger;

/// How many entries of each table were read.
type Reads = Rc<Cell<BTreeMap<Table, usize>>>;

/// A store that counts the entries that are read from it.
struct Counting {
    inner: MemoryStore,
    reads: Reads,
}

impl Counting {
    fn count(&self, table: Table, entries: usize) {
        let mut reads = self.reads.take();
        *reads.entry(table).or_default() += entries;
        self.reads.set(reads);
    }
}

impl Store for Counting {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.count(table, 1);
        self.inner.get(table, key)
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.inner.put(table, key, value)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        self.inner.delete(table, key)
    }

    fn scan(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let page = self.inner.scan(table, after, limit)?;
        self.count(table, page.len());
        Ok(page)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.inner.commit()
    }

    fn rollback(&mut self) {
        self.inner.rollback();
    }
}

const MESSAGES: usize = 300;
const SECRET: [u8; 32] = [5; 32];

fn node(store: Counting) -> Node<Counting> {
    let profile = Profile {
        name: "somebody".into(),
        jid: None,
        identity: None,
    };
    Node::new(Instant::ZERO, NodeConfig::person(profile), store, [1; 32]).unwrap()
}

fn command(node: &mut Node<Counting>, now: Instant, command: Command) -> Reply {
    node.handle_input(now, Input::Command(CommandId(1), command));
    let mut answer = None;
    loop {
        match node.poll_output() {
            Some(Output::Reply(_, reply)) => answer = Some(reply.unwrap()),
            Some(Output::Timeout(_)) | None => return answer.unwrap(),
            Some(_) => {}
        }
    }
}

/// A node with many messages in its inbox, whose receipts wait.
fn full_inbox() -> (Node<Counting>, Reads, Instant) {
    let reads = Reads::default();
    let mut node = node(Counting {
        inner: MemoryStore::new(ByteCount::from_mib(64)),
        reads: Rc::clone(&reads),
    });
    let add = Command::AddPair {
        name: "pair".into(),
        secret: SECRET,
        initiator: false,
    };
    command(&mut node, Instant::ZERO, add);
    let root = ChainRoot::of_pair(&PairSecret::new(SECRET), Direction::InitiatorToResponder);
    let mut chain = SendChain::new(root);
    let envelopes: Vec<Envelope> = (0..MESSAGES)
        .map(|number| {
            // A parcel whose only field, the second, holds the payload.
            let payload = [&[0x12, 4][..], &(number as u32).to_be_bytes()].concat();
            chain.seal(Lifetime::WEEK, &payload).unwrap().0
        })
        .collect();
    for _ in 0..10 {
        let mut stranger = Stranger::speaking_our_version();
        for envelope in &envelopes {
            stranger.give(envelope.clone());
        }
        stranger.meet(&mut node);
        let now = stranger.now();
        let Reply::Inbox(list) = command(&mut node, now, Command::Inbox { after: None }) else {
            panic!("no inbox");
        };
        if list.len() == MESSAGES {
            return (node, reads, now);
        }
    }
    panic!("not all messages arrived");
}

#[test]
fn the_end_of_the_inbox_is_read_alone() {
    let (mut node, reads, now) = full_inbox();
    let Reply::Inbox(list) = command(&mut node, now, Command::Inbox { after: None }) else {
        panic!("no inbox");
    };
    let after = Some(list[MESSAGES - 3].id.0);
    reads.take();
    let Reply::Inbox(list) = command(&mut node, now, Command::Inbox { after }) else {
        panic!("no inbox");
    };
    assert_eq!(list.len(), 2);
    let read = reads.take();
    assert_eq!(read.get(&Table::Inbox), Some(&2), "{read:?}");
}

#[test]
fn receipts_are_let_go_without_looking_through_those_that_are_on_their_way() {
    let (mut node, reads, now) = full_inbox();
    let receipts = |node: &mut Node<Counting>| match command(node, now, Command::Status) {
        Reply::Status(status) => status.receipts,
        other => panic!("{other:?}"),
    };
    assert_eq!(receipts(&mut node), 0, "all of them wait");
    reads.take();
    node.handle_input(now.after(Duration::from_minutes(2)), Input::Timeout);
    while !matches!(node.poll_output(), Some(Output::Timeout(_)) | None) {}
    let read = reads.take();
    assert_eq!(read.get(&Table::Receipts), None, "{read:?}");
    assert_eq!(receipts(&mut node), MESSAGES as u64);
}
