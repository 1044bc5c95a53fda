//! One content for many devices, rooms with sender keys, links to files, and where sessions are kept.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use aes_gcm::aead::{Aead as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Nonce};
use chappe_omemo::media::AesgcmLink;
use chappe_omemo::room::{
    MAX_ROOM_JUMP, MAX_ROOM_SKIPPED, Members, RoomError, RoomKey, SenderKey, SenderKeyId,
};
use chappe_omemo::trust::Trust;
use chappe_omemo::{
    Address, DeviceId, EncryptError, Flavour, Message, Recipient, Restored, Sessions, Storage,
};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use support::{FLAVOURS, Party, acquainted_in};

const ROOM: &[u8] = b"room@example.org";

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([3; 32])
}

fn id(number: u32) -> DeviceId {
    DeviceId::new(number).unwrap()
}

#[test]
fn one_content_reaches_all_devices_and_names_those_that_it_does_not() {
    for flavour in FLAVOURS {
        let mut sender = Party::of(flavour, 1);
        let mut readers: Vec<Party> = (2..5).map(|number| Party::of(flavour, number)).collect();
        let mut sessions: Vec<Sessions> = (0..4).map(|_| Sessions::new()).collect();
        for (sessions, reader) in sessions.iter_mut().zip(&readers) {
            sessions
                .start(&mut sender.rng, &sender.device, &reader.bundle())
                .unwrap();
        }
        // The last of them has no session; the second is of our own account: it gets a copy.
        let jids = ["south@x.org", "me@x.org", "south@x.org", "west@x.org"];
        let recipients = sessions
            .iter_mut()
            .zip(jids)
            .zip(2..)
            .map(|((sessions, jid), number)| Recipient {
                jid,
                device: id(number),
                trust: Trust::FirstUse,
                sessions,
            });
        let sent =
            Message::encrypt(&mut sender.rng, flavour, id(1), Some(b"fog"), recipients).unwrap();
        assert_eq!(sent.unreachable.len(), 1);
        let lost = &sent.unreachable[0];
        assert_eq!(
            (&*lost.jid, lost.device, lost.error),
            ("west@x.org", id(5), EncryptError::NoSession)
        );

        let message = Message::from_xml(&sent.message.to_xml().unwrap()).unwrap();
        for (reader, jid) in readers.iter_mut().zip(jids) {
            let incoming = message.incoming(jid, reader.device.id()).unwrap();
            let read = reader
                .sessions
                .decrypt(&mut reader.device, &incoming)
                .ok()
                .unwrap();
            assert_eq!(read.plaintext.as_deref(), Some(&b"fog"[..]));
        }
        assert!(message.incoming("west@x.org", id(5)).is_none());
    }
}

fn pair() -> (SenderKey, RoomKey) {
    let sender = SenderKey::generate(&mut rng());
    let known = RoomKey::from_distribution(&sender.to_distribution()).unwrap();
    (sender, known)
}

#[test]
fn a_room_reads_late_and_out_of_order_but_nothing_twice() {
    let (mut sender, mut known) = pair();
    let sent: Vec<_> = (0..6_u8)
        .map(|n| sender.seal(ROOM, &[n]).unwrap())
        .collect();
    for index in [3, 0, 5, 1, 4, 2] {
        assert_eq!(SenderKeyId::of_message(&sent[index]), Some(known.id()));
        assert_eq!(known.open(ROOM, &sent[index]).unwrap()[..], [index as u8]);
        assert_eq!(known.open(ROOM, &sent[index]), Err(RoomError::Spent));
        let stored = known.to_bytes();
        known = RoomKey::from_bytes(&stored).unwrap();
        assert_eq!(*known.to_bytes(), *stored);
        sender = SenderKey::from_bytes(&sender.to_bytes()).unwrap();
    }
}

#[test]
fn whoever_joins_late_reads_only_what_comes_after() {
    let (mut sender, _) = pair();
    let before = sender.seal(ROOM, b"before").unwrap();
    let mut late = RoomKey::from_distribution(&sender.to_distribution()).unwrap();
    let after = sender.seal(ROOM, b"after").unwrap();
    assert_eq!(late.open(ROOM, &before), Err(RoomError::Spent));
    assert!(late.open(ROOM, &after).is_ok());
}

#[test]
fn nobody_else_speaks_with_a_key_and_no_message_moves_to_another_room() {
    let (mut sender, mut known) = pair();
    let sent = sender.seal(ROOM, b"fog on the hill").unwrap();
    let before = known.to_bytes();
    for index in 0..sent.len() {
        let mut forged = sent.clone();
        forged[index] ^= 1;
        assert_eq!(
            known.open(ROOM, &forged),
            Err(RoomError::Unreadable),
            "{index}"
        );
        assert_eq!(known.open(ROOM, &sent[..index]), Err(RoomError::Unreadable));
    }
    assert_eq!(
        known.open(b"other@example.org", &sent),
        Err(RoomError::Unreadable)
    );
    // A member has the chain key, but cannot sign.
    let mut state = sender.to_bytes().to_vec();
    let at = state.len() - 32;
    state[at..].fill(9);
    let mut member = SenderKey::from_bytes(&state).unwrap();
    let forged = member.seal(ROOM, b"forged").unwrap();
    assert_eq!(known.open(ROOM, &forged), Err(RoomError::Unreadable));
    assert_eq!(*known.to_bytes(), *before);
    assert!(known.open(ROOM, &sent).is_ok());
}

#[test]
fn jumps_and_kept_keys_of_a_room_are_bounded() {
    let (mut sender, mut known) = pair();
    let first = sender.seal(ROOM, b"first").unwrap();
    for _ in 1..MAX_ROOM_JUMP {
        sender.seal(ROOM, b"").unwrap();
    }
    let farthest = sender.seal(ROOM, b"farthest").unwrap();
    let too_far = sender.seal(ROOM, b"too far").unwrap();
    assert_eq!(known.open(ROOM, &too_far), Err(RoomError::Jump));
    assert!(known.open(ROOM, &farthest).is_ok());
    assert_eq!(known.open(ROOM, &first), Err(RoomError::Spent));
    assert!(known.to_bytes().len() < 100 + MAX_ROOM_SKIPPED * 36);
    assert!(known.open(ROOM, &too_far).is_ok());
}

#[test]
fn the_key_rotates_when_a_member_leaves_and_not_when_one_joins() {
    let mut rng = rng();
    let mut room = Members::new(&mut rng);
    let there = |numbers: &[u32]| -> BTreeSet<(String, DeviceId)> {
        numbers
            .iter()
            .map(|&n| (format!("{n}@x.org"), id(n)))
            .collect()
    };
    assert_eq!(room.update(&mut rng, &there(&[2, 3])).unwrap().len(), 2);
    room.handed_to("2@x.org", id(2));
    room.handed_to("3@x.org", id(3));
    let first = room.key().id();
    assert_eq!(room.update(&mut rng, &there(&[2, 3])).unwrap(), []);
    let joined = room.update(&mut rng, &there(&[2, 3, 4])).unwrap();
    assert_eq!(joined, [("4@x.org".to_owned(), id(4))]);
    assert_eq!(room.key().id(), first);
    room.handed_to("4@x.org", id(4));

    // What was stored knows who has the key.
    let key = SenderKey::from_bytes(&room.key().to_bytes()).unwrap();
    room = Members::restore(key, room.handed().cloned().collect::<Vec<_>>());
    assert_eq!(room.update(&mut rng, &there(&[2, 3, 4])).unwrap(), []);
    assert_eq!(room.key().id(), first);

    let mut gone = RoomKey::from_distribution(&room.key().to_distribution()).unwrap();
    let owed = room.update(&mut rng, &there(&[3, 4])).unwrap();
    assert_eq!(owed.len(), 2, "all who stay need the new key");
    assert_ne!(room.key().id(), first);
    let sent = room.key().seal(ROOM, b"without 2").unwrap();
    assert_eq!(gone.open(ROOM, &sent), Err(RoomError::Unreadable));
}

#[test]
fn aesgcm_links_are_read() {
    for length in [12, 16] {
        let (iv, key) = (vec![1; length], [2; 32]);
        let hex = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|byte| format!("{byte:02X}"))
                .collect::<String>()
        };
        let link = format!("aesgcm://h.example:80/a%20b.jpg#{}{}", hex(&iv), hex(&key));
        let link = AesgcmLink::parse(&link).unwrap();
        assert_eq!(link.url(), "https://h.example:80/a%20b.jpg");
        assert!(!format!("{link:?}").contains("2, 2"));
        if length == 12 {
            let nonce = Nonce::try_from(&iv[..]).unwrap();
            let mut file = Aes256Gcm::new((&key).into())
                .encrypt(&nonce, &b"picture"[..])
                .unwrap();
            assert_eq!(link.open(&file).unwrap(), b"picture");
            file[0] ^= 1;
            assert_eq!(link.open(&file), None);
        }
    }
    let good = format!("aesgcm://h/f#{}", "00".repeat(44));
    assert!(AesgcmLink::parse(&good).is_some());
    for bad in [
        good.replace("aesgcm", "https"),
        good.replace("#0", "#"),
        good.replace("#0", "#g"),
        good.replace("h/f", ""),
        good.replace("h/f", "h/\u{202e}f"),
        format!("{good}{}", "00".repeat(5)),
        "aesgcm://h/f".into(),
    ] {
        assert!(AesgcmLink::parse(&bad).is_none(), "{bad}");
    }
}

#[derive(Default)]
struct Memory {
    states: BTreeMap<Address, Vec<u8>>,
    generations: BTreeMap<Address, u64>,
}

impl Storage for Memory {
    type Error = Infallible;

    fn load(&self, address: &Address) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.states.get(address).cloned())
    }

    fn save(&mut self, address: &Address, state: &[u8]) -> Result<(), Infallible> {
        self.states.insert(address.clone(), state.to_vec());
        Ok(())
    }

    fn highest_generation(&self, address: &Address) -> Result<u64, Infallible> {
        Ok(self.generations.get(address).copied().unwrap_or_default())
    }

    fn raise_generation(&mut self, address: &Address, to: u64) -> Result<(), Infallible> {
        self.generations.insert(address.clone(), to);
        Ok(())
    }
}

/// A backup comes back. Its keys were used: it must neither encrypt nor decrypt, and everyone is to see it.
#[test]
fn a_state_that_was_rolled_back_is_noticed_and_answered_with_a_new_session() {
    let (mut alice, mut bob) = acquainted_in(Flavour::Omemo2);
    let address = Address {
        jid: "bob@x.org".into(),
        device: bob.device.id(),
    };
    let mut storage = Memory::default();
    alice.sessions.save(&mut storage, &address).unwrap();
    let backup = storage.states.clone();
    let sent = alice.send("after the backup");
    bob.expect(&sent, "after the backup");
    alice.sessions.save(&mut storage, &address).unwrap();
    assert!(matches!(
        Sessions::load(&storage, &address),
        Ok(Restored::Current(_))
    ));

    storage.states = backup;
    let Ok(Restored::RolledBack(sessions)) = Sessions::load(&storage, &address) else {
        panic!("nobody noticed");
    };
    let identity = bob.device.identity().public();
    assert_eq!(
        sessions.identity(),
        Some(&identity),
        "the identity stays pinned"
    );
    alice.sessions = sessions;
    assert!(alice.sessions.encrypt(&mut alice.rng, Some(b"x")).is_err());
    alice.start(&bob);
    let anew = alice.send("anew");
    assert!(bob.expect(&anew, "anew").new_session);
    alice.sessions.save(&mut storage, &address).unwrap();
    assert!(matches!(
        Sessions::load(&storage, &address),
        Ok(Restored::Current(_))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300), text in ".{0,80}") {
        if let Some(version) = bytes.first_mut() {
            *version = 1;
        }
        let (_, mut known) = pair();
        prop_assert!(known.open(ROOM, &bytes).is_err());
        let _ = (RoomKey::from_distribution(&bytes), RoomKey::from_bytes(&bytes), SenderKey::from_bytes(&bytes));
        let link = format!("aesgcm://h#{text}");
        let read = AesgcmLink::parse(&link);
        prop_assert!(read.is_none());
    }
}
