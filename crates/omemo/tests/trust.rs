//! Whose key is whose: first use, changed keys, and what verified devices tell each other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

use chappe_omemo::sce::{Content, Padding};
use chappe_omemo::trust::{
    KeyOwner, MAX_KEYS_OF_OWNER, Trust, TrustBook, TrustError, TrustMessage, TrustUriError,
};
use chappe_omemo::{DeviceId, Flavour, Identity, IdentityKey};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;

const ME: &str = "me@example.org";
const CAROL: &str = "carol@example.org";
const DAVE: &str = "dave@example.org";

fn key(number: u8) -> IdentityKey {
    Identity::from_seed(&[number; 32]).public()
}

fn device(number: u32) -> DeviceId {
    DeviceId::new(number).unwrap()
}

/// We know a second device of ours (1), two of Carol (2, 3) and one of Dave (4), as from an XMPP server.
fn book() -> TrustBook {
    let mut book = TrustBook::new(ME);
    for (jid, number) in [(ME, 1), (CAROL, 2), (CAROL, 3), (DAVE, 4)] {
        let key = key(number as u8);
        assert!(book.meet(jid, device(number), key).is_ok());
        assert!(book.decide(jid, &key.fingerprint(), Trust::FirstUse));
        assert_eq!(book.meet(jid, device(number), key), Ok(Trust::FirstUse));
    }
    book
}

fn says(jid: &str, trusted: &[u8], distrusted: &[u8]) -> TrustMessage {
    let keys = |numbers: &[u8]| numbers.iter().map(|&n| *key(n).as_bytes()).collect();
    TrustMessage {
        flavour: Flavour::Omemo2,
        owners: vec![KeyOwner {
            jid: jid.into(),
            trusted: keys(trusted),
            distrusted: keys(distrusted),
        }],
    }
}

fn trust(book: &TrustBook, jid: &str, number: u8) -> Option<Trust> {
    book.trust(jid, &key(number).fingerprint())
}

/// As XEP-0384 shows them: the Curve25519 form in lower-case hex, in eight groups of eight.
#[test]
fn fingerprints_are_shown_in_eight_groups_of_eight() {
    let shown = key(1).fingerprint().to_string();
    let groups: Vec<&str> = shown.split(' ').collect();
    assert_eq!(groups.len(), 8, "{shown}");
    assert!(groups.iter().all(|group| group.len() == 8), "{shown}");
    let bytes = key(1)
        .curve25519()
        .as_bytes()
        .map(|byte| format!("{byte:02x}"));
    assert_eq!(groups.concat(), bytes.concat());
    assert_eq!(
        key(1).fingerprint().as_bytes(),
        key(1).curve25519().as_bytes()
    );
}

#[test]
fn a_changed_key_is_refused_and_shown_until_a_person_accepts_it() {
    let mut book = book();
    book.decide(CAROL, &key(2).fingerprint(), Trust::Verified);
    for _ in 0..3 {
        let refused = book.meet(CAROL, device(2), key(9));
        let (known, seen) = (key(2).fingerprint(), key(9).fingerprint());
        assert_eq!(refused, Err(TrustError::Changed { known, seen }));
        assert_eq!(
            book.changed().collect::<Vec<_>>(),
            [(CAROL, device(2), known, seen)]
        );
    }
    // The old key is as good as before, and comes with no excuse for the new one.
    assert_eq!(book.meet(CAROL, device(2), key(2)), Ok(Trust::Verified));
    assert_eq!(book.changed().count(), 1);

    assert_eq!(
        book.accept_changed(CAROL, device(2), &key(8).fingerprint()),
        None
    );
    let accepted = book.accept_changed(CAROL, device(2), &key(9).fingerprint());
    assert_eq!(accepted, Some(key(9)));
    assert_eq!(book.meet(CAROL, device(2), key(9)), Ok(Trust::FirstUse));
    assert_eq!(book.changed().count(), 0);
    // Nobody removed the old one; but nobody vouches for it either.
    assert_eq!(book.meet(CAROL, device(9), key(2)), Ok(Trust::Unvouched));
}

#[test]
fn a_verified_device_vouches_for_its_own_account_only() {
    let mut book = book();
    book.decide(CAROL, &key(2).fingerprint(), Trust::Verified);
    assert_eq!(book.receive(CAROL, &key(2), &says(CAROL, &[3], &[])), 1);
    assert_eq!(trust(&book, CAROL, 3), Some(Trust::Verified));
    assert_eq!(book.receive(CAROL, &key(2), &says(DAVE, &[4], &[])), 0);
    assert_eq!(book.receive(CAROL, &key(2), &says(ME, &[1], &[])), 0);
    assert_eq!(trust(&book, DAVE, 4), Some(Trust::FirstUse));
}

#[test]
fn an_own_verified_device_vouches_for_everybody() {
    let mut book = book();
    book.decide(ME, &key(1).fingerprint(), Trust::Verified);
    assert_eq!(book.receive(ME, &key(1), &says(DAVE, &[4], &[])), 1);
    assert_eq!(trust(&book, DAVE, 4), Some(Trust::Verified));
    assert_eq!(book.receive(ME, &key(1), &says(CAROL, &[], &[2])), 1);
    assert_eq!(trust(&book, CAROL, 2), Some(Trust::Distrusted));
}

#[test]
fn what_unverified_devices_say_waits_until_they_are_verified() {
    let mut book = book();
    assert_eq!(book.receive(CAROL, &key(2), &says(CAROL, &[3], &[])), 0);
    assert_eq!(trust(&book, CAROL, 3), Some(Trust::FirstUse));
    book.decide(CAROL, &key(2).fingerprint(), Trust::Verified);
    assert_eq!(trust(&book, CAROL, 3), Some(Trust::Verified));
}

#[test]
fn what_is_said_of_unknown_keys_waits_until_they_are_met() {
    let mut book = book();
    book.decide(CAROL, &key(2).fingerprint(), Trust::Verified);
    assert_eq!(book.receive(CAROL, &key(2), &says(CAROL, &[7], &[])), 0);
    assert_eq!(book.meet(CAROL, device(7), key(7)), Ok(Trust::Verified));
}

#[test]
fn no_device_lifts_a_distrust() {
    let mut book = book();
    book.decide(CAROL, &key(2).fingerprint(), Trust::Verified);
    book.decide(CAROL, &key(3).fingerprint(), Trust::Distrusted);
    assert_eq!(book.receive(CAROL, &key(2), &says(CAROL, &[3], &[])), 0);
    assert_eq!(trust(&book, CAROL, 3), Some(Trust::Distrusted));
}

/// Whoever holds a distrusted key, or another under a verified device's name, is not listened to.
#[test]
fn others_under_a_verified_name_are_not_believed() {
    let mut book = book();
    book.decide(CAROL, &key(2).fingerprint(), Trust::Verified);
    assert_eq!(book.receive(CAROL, &key(9), &says(CAROL, &[3], &[])), 0);
    assert_eq!(book.receive(DAVE, &key(2), &says(DAVE, &[4], &[])), 0);
    book.decide(CAROL, &key(2).fingerprint(), Trust::Distrusted);
    assert_eq!(book.receive(CAROL, &key(2), &says(CAROL, &[3], &[])), 0);
    assert_eq!(trust(&book, CAROL, 3), Some(Trust::FirstUse));
}

#[test]
fn three_comparisons_are_told_to_all_devices_that_need_them() {
    let mut book = book();
    book.decide(ME, &key(1).fingerprint(), Trust::Verified);
    book.decide(CAROL, &key(2).fingerprint(), Trust::Verified);
    let told = book.announcements(Flavour::Omemo2, CAROL, &key(2).fingerprint());
    // Our other device learns of Carol's key, and Carol of our other device's.
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].to, [(ME.to_owned(), device(1))]);
    assert_eq!(told[0].message, says(CAROL, &[2], &[]));
    assert_eq!(told[1].to, [(CAROL.to_owned(), device(2))]);
    assert_eq!(told[1].message, says(ME, &[1], &[]));
    // Nobody is told of a key that nobody compared.
    assert!(
        book.announcements(Flavour::Omemo2, DAVE, &key(4).fingerprint())
            .is_empty()
    );
}

#[test]
fn a_decision_is_about_one_key_of_one_account() {
    let mut book = book();
    book.meet(DAVE, device(5), key(2)).unwrap();
    assert!(book.decide(CAROL, &key(2).fingerprint(), Trust::Verified));
    assert_eq!(trust(&book, CAROL, 2), Some(Trust::Verified));
    assert_eq!(trust(&book, DAVE, 2), Some(Trust::Unvouched));
    assert_eq!(trust(&book, CAROL, 3), Some(Trust::FirstUse));
    assert_eq!(trust(&book, ME, 2), None);
    assert!(!book.decide(CAROL, &key(4).fingerprint(), Trust::Verified));
    assert_eq!(trust(&book, DAVE, 4), Some(Trust::FirstUse));
}

#[test]
fn a_code_that_was_scanned_is_the_decision_of_a_person() {
    let mut book = book();
    book.decide(CAROL, &key(3).fingerprint(), Trust::Distrusted);
    for flavour in [Flavour::Legacy, Flavour::Omemo2] {
        let bytes = |number: u8| match flavour {
            Flavour::Legacy => *key(number).curve25519().as_bytes(),
            Flavour::Omemo2 => *key(number).as_bytes(),
        };
        let shown = KeyOwner {
            jid: CAROL.into(),
            trusted: vec![bytes(2), bytes(3), bytes(7)],
            distrusted: vec![bytes(8)],
        };
        let scanned = TrustMessage::from_uri(&shown.to_uri(flavour)).unwrap();
        assert_eq!(book.scan(&scanned), 2, "{flavour:?}");
        assert_eq!(trust(&book, CAROL, 2), Some(Trust::Verified));
        assert_eq!(
            trust(&book, CAROL, 3),
            Some(Trust::Verified),
            "only a person may"
        );
    }
    assert_eq!(book.meet(CAROL, device(7), key(7)), Ok(Trust::Verified));
    assert_eq!(book.meet(CAROL, device(8), key(8)), Ok(Trust::Distrusted));
    // The same key under another account's name was not scanned.
    assert_eq!(book.meet(DAVE, device(7), key(7)), Ok(Trust::Unvouched));
}

#[test]
fn codes_have_the_form_of_xep_0434() {
    let owner = KeyOwner {
        jid: "a b&c;d?@example.org".into(),
        trusted: vec![[0xab; 32]],
        distrusted: vec![[1; 32], [2; 32]],
    };
    let uri = owner.to_uri(Flavour::Omemo2);
    let hex = |byte: &str| byte.repeat(32);
    assert_eq!(
        uri,
        format!(
            "xmpp:a%20b%26c%3Bd%3F@example.org?trust-message;encryption=urn:xmpp:omemo:2;trust={};distrust={};distrust={}",
            hex("ab"),
            hex("01"),
            hex("02")
        )
    );
    let read = TrustMessage::from_uri(&format!(" {uri};name=x\n")).unwrap();
    assert_eq!(
        (read.flavour, &read.owners[..]),
        (Flavour::Omemo2, &[owner][..])
    );
    let key = hex("ab");
    for bad in [
        uri.replace("xmpp:", "https:"),
        uri.replace("trust-message", "message"),
        uri.replace("omemo:2", "omemo:1"),
        uri.replace("encryption=urn:xmpp:omemo:2;", ""),
        uri.replace(&key, &key[2..]),
        uri.replace(&key, &format!("{key}00")),
        uri.replace(&key, &key.replace('b', "g")),
        uri.replace("%20", "%2z"),
        uri.replace("%20", "%ff"),
        uri.replace(";trust", ";trust;x"),
        "xmpp:?trust-message;encryption=urn:xmpp:omemo:2".into(),
        format!("{uri}{}", format!(";trust={key}").repeat(MAX_KEYS_OF_OWNER)),
    ] {
        assert_eq!(TrustMessage::from_uri(&bad), Err(TrustUriError), "{bad}");
    }
}

/// Decisions, keys that changed, and what waits for others to be known: none of it heals by a restart.
#[test]
fn a_book_that_was_stored_knows_everything_again() {
    let mut before = book();
    before.decide(CAROL, &key(3).fingerprint(), Trust::Distrusted);
    before.meet(CAROL, device(2), key(9)).unwrap_err();
    before.receive(DAVE, &key(4), &says(DAVE, &[6], &[]));
    before.scan(&says(CAROL, &[7], &[8]));
    let bytes = before.to_bytes();
    let mut book = TrustBook::from_bytes(&bytes).unwrap();
    assert_eq!(book.to_bytes(), bytes);

    assert_eq!(trust(&book, CAROL, 3), Some(Trust::Distrusted));
    let (known, seen) = (key(2).fingerprint(), key(9).fingerprint());
    assert_eq!(
        book.changed().collect::<Vec<_>>(),
        [(CAROL, device(2), known, seen)]
    );
    assert_eq!(book.meet(CAROL, device(7), key(7)), Ok(Trust::Verified));
    assert_eq!(book.meet(CAROL, device(8), key(8)), Ok(Trust::Distrusted));
    assert_eq!(book.meet(DAVE, device(6), key(6)), Ok(Trust::Unvouched));
    book.decide(DAVE, &key(4).fingerprint(), Trust::Verified);
    assert_eq!(trust(&book, DAVE, 6), Some(Trust::Verified));

    for length in 0..bytes.len() {
        assert!(TrustBook::from_bytes(&bytes[..length]).is_err(), "{length}");
    }
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        if let Ok(read) = TrustBook::from_bytes(&changed) {
            assert_eq!(read.to_bytes(), changed, "{at}");
        }
    }
    let long = "x".repeat(3_072);
    let met = book.meet(&long, device(1), key(1));
    assert_eq!(met, Err(TrustError::Address));
    let met = book.meet(&long[1..], device(1), key(1));
    assert_eq!(met, Ok(Trust::FirstUse));
}

#[test]
fn trust_messages_travel_inside_the_content() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let mut content = Content::text(ME, "");
    content.body = None;
    content.trust = Some(says("a&b@example.org", &[1, 2], &[3]));
    let xml = content.to_xml(&mut rng, Padding::Random).unwrap();
    assert_eq!(Content::from_xml(xml.as_bytes()).unwrap().content, content);

    let other = xml.replace("urn:xmpp:atm:1", "urn:example:1");
    let read = Content::from_xml(other.as_bytes()).unwrap();
    assert_eq!((read.content.trust, read.unknown.len()), (None, 1));
    let key = "<trust>";
    assert!(Content::from_xml(xml.replace(key, "<trust>AA").as_bytes()).is_err());
}
