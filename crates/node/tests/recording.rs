//! Recordings: every input is read as it was written, failures of a store are replayed, and bad lines are refused.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::cell::RefCell;
use std::rc::Rc;

use chappe_node::recording::{
    self, END, Ending, Entry, FIRST_LINE, RecordedInput, Replay, Sink, Watched,
};
use chappe_node::{
    Command, CommandId, ContactId, Draft, Input, LinkUp, Lock, MemoryStore, MessageId,
    MessageSelection, Node, NodeConfig, Output, PolicyChoice, Profile, RoomId, Store, StoreError,
    Table, Timestamp,
};
use chappe_wire::{ByteCount, Instant, Invitation, LinkId};
use proptest::prelude::*;

#[derive(Clone, Default)]
struct Lines(Rc<RefCell<Vec<String>>>);

impl Sink for Lines {
    fn line(&self, line: &str) {
        self.0.borrow_mut().push(line.to_owned());
    }
}

/// A store in memory that refuses a commit and says of its disk what does not follow from its entries.
#[derive(Clone)]
struct Disk {
    store: Rc<RefCell<MemoryStore>>,
    commits: Rc<RefCell<u32>>,
    refused: u32,
}

impl Store for Disk {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.borrow().get(table, key)
    }
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.store.borrow_mut().put(table, key, value)
    }
    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        self.store.borrow_mut().delete(table, key)
    }
    fn scan(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        self.store.borrow().scan(table, after, limit)
    }
    fn free(&self) -> Result<ByteCount, StoreError> {
        Ok(ByteCount::new(
            9_000_000 - u64::from(*self.commits.borrow()),
        ))
    }
    fn commit(&mut self) -> Result<(), StoreError> {
        *self.commits.borrow_mut() += 1;
        if *self.commits.borrow() == self.refused {
            self.store.borrow_mut().rollback();
            return Err(StoreError::Io);
        }
        self.store.borrow_mut().commit()
    }
    fn rollback(&mut self) {
        self.store.borrow_mut().rollback();
    }
}

fn config() -> NodeConfig {
    let mut config = NodeConfig::person(Profile {
        name: "north wind".into(),
        jid: None,
        identity: Some([5; 32]),
    });
    config.policy = PolicyChoice::SprayAndWait { copies: 6 };
    config.pinned = vec![[1; 32], [2; 32]];
    config
}

/// A recorded node whose store refuses the third commit; built again, it goes on.
fn recorded() -> Vec<String> {
    let lines = Lines::default();
    lines.line(FIRST_LINE);
    let disk = Disk {
        store: Rc::default(),
        commits: Rc::default(),
        refused: 3,
    };
    let mut failures = 0;
    for life in 0..2_u8 {
        let (now, seed) = (Instant::from_micros(u64::from(life) * 1_000), [life; 32]);
        for line in recording::start(now, &config(), &seed) {
            lines.line(&line);
        }
        recording::stored(&disk, |line| lines.line(line)).unwrap();
        let store = Watched::new(disk.clone(), lines.clone());
        let node = Node::new(now, config(), store, seed);
        lines.line(&recording::ready(node.as_ref().map(drop)));
        let mut node = node.unwrap();
        for turn in 0..4 {
            let input = Input::Command(CommandId(turn), Command::Invite);
            lines.line(&recording::input(now, &input));
            node.handle_input(now, input);
            let failed = loop {
                let output = node.poll_output().unwrap();
                lines.line(&recording::output(&output));
                match output {
                    Output::StoreFailed(_) => break true,
                    Output::Timeout(_) => break false,
                    _ => {}
                }
            };
            if failed {
                failures += 1;
                break;
            }
        }
    }
    assert_eq!(failures, 1);
    lines.line(END);
    lines.0.take()
}

#[test]
fn failures_of_a_store_are_replayed() {
    let lines = recorded();
    assert!(lines.iter().any(|line| line.ends_with(" error io")));
    let mut replay = Replay::new();
    for line in &lines {
        assert_eq!(replay.line(line).unwrap(), None, "{line}");
    }
    assert_eq!((replay.nodes(), replay.inputs()), (2, 7));
    assert_eq!(replay.finish(), Ending::Same);
}

#[test]
fn another_answer_of_the_store_is_found() {
    let lines = recorded();
    for (number, line) in lines.iter().enumerate() {
        if !line.starts_with("answer ") {
            continue;
        }
        let mut replay = Replay::new();
        let without = lines.iter().enumerate().filter(|(at, _)| *at != number);
        let mut found = without.map(|(_, line)| replay.line(line).unwrap());
        let difference = found.find_map(|difference| difference);
        let difference = difference.unwrap_or_else(|| panic!("nobody missed {line}"));
        assert_ne!(difference.recorded, difference.now);
    }
}

#[test]
fn every_input_is_read_as_it_was_written() {
    let text = || "a b%\n\u{2028}é".to_owned();
    let number = "123456789012345678901234567890";
    let (contact, message) = (ContactId(7), MessageId(u64::MAX));
    let commands = vec![
        Command::Invite,
        Command::ForgetInvites,
        Command::AddContact {
            uri: text(),
            name: None,
            scanned: true,
        },
        Command::AddPair {
            name: text(),
            secret: [9; 32],
            initiator: false,
        },
        Command::Contacts,
        Command::SafetyNumber(contact),
        Command::Verify(contact, number.parse().unwrap()),
        Command::Block(contact, true),
        Command::RemoveContact(contact),
        Command::Send(contact, Draft::Text(String::new()), None),
        Command::Lock(contact, Lock::Off),
        Command::Lock(contact, Lock::Key([3; 32].into())),
        Command::Lock(contact, Lock::Passphrase(text().into())),
        Command::MakeRoom {
            name: text(),
            members: vec![contact],
        },
        Command::ChangeRoom {
            room: RoomId::new([6; 16]),
            added: vec![],
            removed: vec![contact, ContactId(8)],
        },
        Command::LeaveRoom(RoomId::new([6; 16])),
        Command::Rooms,
        Command::SendToRoom(RoomId::new([6; 16]), text(), Timestamp::from_unix(-7)),
        Command::TakeBack(message),
        Command::Send(
            contact,
            Draft::File {
                name: text(),
                media_type: "image/jpeg".into(),
                data: vec![0, 255],
            },
            Timestamp::from_unix(1_700_000_000),
        ),
        Command::SendOpaque(contact, vec![]),
        Command::Outbox,
        Command::Inbox { after: None },
        Command::Inbox { after: Some(3) },
        Command::DeleteMessages(MessageSelection::All),
        Command::DeleteMessages(MessageSelection::Of(contact)),
        Command::DeleteMessages(MessageSelection::These(vec![message, MessageId(0)])),
        Command::File(message),
        Command::Status,
        Command::Peers,
        Command::Carried,
    ];
    let link = LinkId::new(4);
    let mut inputs: Vec<Input<'_>> = commands
        .into_iter()
        .map(|command| Input::Command(CommandId(11), command))
        .collect();
    inputs.extend([
        Input::Invitation(link, None),
        Input::Invitation(
            link,
            Some(Invitation {
                ssid: "DIRECT-ab".into(),
                passphrase: "not a secret".into(),
                frequency: 2437,
                address: [0xfe; 16],
                port: 4001,
                key: [7; 32],
            }),
        ),
        Input::LinkUp(LinkUp {
            link,
            mtu: 517,
            initiator: true,
            reliable: true,
            queue: 8,
            bearer: "ble".into(),
            label: text(),
        }),
        Input::LinkDown(link),
        Input::Received {
            link,
            packet: &[1, 2, 3],
        },
        Input::Drained { link, packets: 2 },
        Input::Timeout,
    ]);
    let now = Instant::from_micros(123);
    for input in inputs {
        let line = recording::input(now, &input);
        let Entry::Input { now, input } = Entry::parse(&line).unwrap() else {
            panic!("{line}");
        };
        let again = match &input {
            RecordedInput::Received { link, packet } => recording::input(
                now,
                &Input::Received {
                    link: *link,
                    packet,
                },
            ),
            RecordedInput::Other(input) => recording::input(now, input),
            other => panic!("{other:?}"),
        };
        assert_eq!(again, line);
        assert!(Entry::parse(&format!("{line} more")).is_err(), "{line}");
    }
}

#[test]
fn every_setting_is_read_as_it_was_written() {
    let mut relay = NodeConfig::relay();
    relay.groups = true;
    relay.receipts_to_unverified = false;
    let mut epidemic = NodeConfig::relay();
    epidemic.policy = PolicyChoice::Epidemic;
    let mut measured = config();
    measured.policy = PolicyChoice::MeasuredSpray;
    for config in [config(), relay, epidemic, measured] {
        let [_, line] = recording::start(Instant::ZERO, &config, &[3; 32]);
        let Entry::Config(read) = Entry::parse(&line).unwrap() else {
            panic!("{line}");
        };
        let [_, again] = recording::start(Instant::ZERO, &read, &[3; 32]);
        assert_eq!(again, line);
    }
}

#[test]
fn lines_in_the_wrong_place_are_refused() {
    let refused = |lines: &[&str]| {
        let mut replay = Replay::new();
        let (last, before) = lines.split_last().unwrap();
        for line in before {
            replay.line(line).unwrap();
        }
        replay.line(last).unwrap_err().to_string()
    };
    let start = format!("start 0 x{}", "00".repeat(32));
    assert_eq!(
        refused(&["chappe-recording 1"]),
        "there is `chappe-recording 1`; expected the first line, `chappe-recording 2`"
    );
    assert!(refused(&[FIRST_LINE, "in 0 timeout"]).ends_with("expected start or end"));
    assert!(refused(&[FIRST_LINE, "answer 1 free 2"]).ends_with("expected start or end"));
    assert!(refused(&[FIRST_LINE, END, "in 0 timeout"]).ends_with("expected nothing after `end`"));
    assert!(refused(&[FIRST_LINE, &start, "ready"]).ends_with("expected `config` before it"));
    assert!(refused(&[FIRST_LINE, &start, "in 0 timeout"]).contains("expected answer, config"));
    assert!(refused(&[FIRST_LINE, "stored 12 x00 x00"]).contains("table 12"));
}

proptest! {
    #[test]
    fn no_line_is_too_bad(line in ".{0,80}") {
        let _ = Entry::parse(&line);
        let mut replay = Replay::new();
        let _ = replay.line(&line);
    }

    #[test]
    fn a_changed_line_is_refused_or_read(at in 0_usize..40, byte in 32_u8..127) {
        let line = "in 123 received 4 x00ff00ff00ff00ff00ff00ff";
        let mut changed = line.as_bytes().to_vec();
        changed[at] = byte;
        let changed = String::from_utf8(changed).unwrap();
        if let Ok(Entry::Input { now, input: RecordedInput::Received { link, packet } }) = Entry::parse(&changed) {
            let line = |link, packet: &[u8]| recording::input(now, &Input::Received { link, packet });
            let again = line(link, &packet);
            let read = match Entry::parse(&again) {
                Ok(Entry::Input { input: RecordedInput::Received { link, packet }, .. }) => line(link, &packet),
                _ => String::new(),
            };
            prop_assert_eq!(read, again);
        }
    }
}
