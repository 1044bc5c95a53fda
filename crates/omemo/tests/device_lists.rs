//! Signed device lists: a device counts when a believed one vouches for it, and no more once one says that it is lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_omemo::record::{
    MAX_REMOVED, ReachableRecord, RecordError, Sequence, SignedDeviceList, VerifiedDeviceList,
};
use chappe_omemo::trust::{
    Admitted, KeyOwner, MAX_KNOWN_DEVICES, MAX_REMEMBERED_REMOVED, Trust, TrustBook, TrustError,
    TrustMessage,
};
use chappe_omemo::{
    Device, DeviceId, EncryptError, Flavour, Identity, IdentityKey, MAX_DEVICES, Message,
    Recipient, Sessions,
};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use support::Party;

const DESK: &str = "desk@example.org";
const ME: &str = "me@example.org";

fn id(number: u32) -> DeviceId {
    DeviceId::new(number).unwrap()
}

fn identity(number: u8) -> Identity {
    Identity::from_seed(&[number; 32])
}

fn key(number: u8) -> IdentityKey {
    identity(number).public()
}

/// A list of devices that have the ids of their keys.
fn list(signer: u8, sequence: u64, devices: &[u8], removed: &[u8]) -> VerifiedDeviceList {
    let devices: Vec<_> = devices.iter().map(|&n| (id(n.into()), key(n))).collect();
    signed(DESK, signer, sequence, &devices, removed)
}

fn signed(
    jid: &str,
    signer: u8,
    sequence: u64,
    devices: &[(DeviceId, IdentityKey)],
    removed: &[u8],
) -> VerifiedDeviceList {
    let removed: Vec<_> = removed.iter().map(|&n| key(n)).collect();
    SignedDeviceList::sign(
        &identity(signer),
        jid,
        Sequence(sequence),
        devices,
        &removed,
    )
    .unwrap()
    .verify()
    .unwrap()
}

fn trust(book: &TrustBook, number: u8) -> Option<Trust> {
    book.trust(DESK, &key(number).fingerprint())
}

/// A book that knows the first device of the desk, and by its word the second and third.
fn book() -> TrustBook {
    let mut book = TrustBook::new(ME);
    assert_eq!(book.meet(DESK, id(1), key(1)), Ok(Trust::FirstUse));
    let admitted = book.admit(&list(1, 1, &[1, 2, 3], &[])).unwrap();
    assert_eq!(admitted.added, [id(2), id(3)]);
    book
}

#[test]
fn a_device_counts_when_a_trusted_one_vouches_for_it() {
    let mut book = TrustBook::new(ME);
    let by_one = list(1, 1, &[1, 2], &[]);
    assert_eq!(book.admit(&by_one), Err(TrustError::Signer));

    assert_eq!(book.meet(DESK, id(1), key(1)), Ok(Trust::FirstUse));
    // One that comes by itself does not count, nor does what it signs.
    assert_eq!(book.meet(DESK, id(2), key(2)), Ok(Trust::Unvouched));
    assert_eq!(book.admit(&list(2, 1, &[4], &[1])), Err(TrustError::Signer));
    assert_eq!(book.admit(&by_one).unwrap().added, [id(2)]);
    assert_eq!(trust(&book, 2), Some(Trust::FirstUse));
    assert_eq!(book.meet(DESK, id(2), key(2)), Ok(Trust::FirstUse));

    book.decide(DESK, &key(1).fingerprint(), Trust::Verified);
    let more = book.admit(&list(1, 2, &[1, 2, 3], &[])).unwrap();
    assert_eq!(more.added, [id(3)]);
    assert_eq!(trust(&book, 3), Some(Trust::Verified));
    assert_eq!(trust(&book, 2), Some(Trust::FirstUse));
}

/// Whoever says that it is a device of ours would get a copy of all that we write.
#[test]
fn another_device_of_our_own_counts_when_it_was_compared() {
    let mut book = TrustBook::new(ME);
    assert_eq!(book.meet(ME, id(1), key(1)), Ok(Trust::Unvouched));
    let by_itself = signed(ME, 1, 1, &[(id(2), key(2))], &[]);
    assert_eq!(book.admit(&by_itself), Err(TrustError::Signer));
    book.decide(ME, &key(1).fingerprint(), Trust::Verified);
    assert_eq!(book.admit(&by_itself).unwrap().added, [id(2)]);
}

#[test]
fn old_lists_changed_keys_and_distrusted_signers_count_for_nothing() {
    let mut book = TrustBook::new(ME);
    book.meet(DESK, id(1), key(1)).unwrap();
    let _ = book.admit(&list(1, 5, &[2], &[])).unwrap();
    for sequence in [4, 5] {
        let old = list(1, sequence, &[3], &[2]);
        assert_eq!(book.admit(&old), Err(TrustError::Old));
    }
    // A book that was stored knows which list was the last.
    let mut again = TrustBook::from_bytes(&book.to_bytes()).unwrap();
    assert_eq!(again.admit(&list(1, 5, &[3], &[])), Err(TrustError::Old));

    let devices = [(id(2), key(9)), (id(3), key(3))];
    let admitted = book.admit(&signed(DESK, 1, 6, &devices, &[])).unwrap();
    let (known, seen) = (key(2).fingerprint(), key(9).fingerprint());
    let changed = TrustError::Changed { known, seen };
    assert_eq!(admitted.refused, [(id(2), changed)]);
    assert_eq!(
        (trust(&book, 9), trust(&book, 2)),
        (None, Some(Trust::FirstUse))
    );
    assert_eq!(book.changed().count(), 1);

    book.decide(DESK, &key(1).fingerprint(), Trust::Distrusted);
    assert_eq!(book.admit(&list(1, 7, &[4], &[])), Err(TrustError::Signer));
    assert_eq!(trust(&book, 4), None);
}

/// Each device counts its own lists: a thief cannot take the highest number and so have the last word.
#[test]
fn a_stolen_device_cannot_outnumber_the_others() {
    let mut book = book();
    let _ = book.admit(&list(2, u64::MAX, &[2], &[])).unwrap();
    let admitted = book.admit(&list(1, 2, &[1, 3, 4], &[2])).unwrap();
    assert_eq!(
        (admitted.added, admitted.removed),
        (vec![id(4)], vec![key(2)])
    );
}

#[test]
fn a_device_that_is_in_no_list_stays() {
    let mut book = book();
    assert_eq!(book.admit(&list(1, 2, &[1], &[])), Ok(Admitted::default()));
    assert_eq!(trust(&book, 2), Some(Trust::FirstUse));
}

#[test]
fn a_removed_device_is_shown_and_not_written_to() {
    let mut sender = Party::new(9);
    let mut lost = Party::new(2);
    let mut sessions = Sessions::new();
    sessions
        .start(&mut sender.rng, &sender.device, &lost.bundle())
        .unwrap();
    let lost_key = lost.device.identity().public();
    let mut book = TrustBook::new(ME);
    book.meet(DESK, id(1), key(1)).unwrap();
    let devices = [(id(2), lost_key)];
    let _ = book.admit(&signed(DESK, 1, 1, &devices, &[])).unwrap();
    let mut write = |book: &mut TrustBook, text: &str| {
        let recipient = Recipient {
            jid: DESK,
            device: id(2),
            trust: book.meet(DESK, id(2), lost_key).unwrap(),
            sessions: &mut sessions,
        };
        let (flavour, text) = (Flavour::Omemo2, Some(text.as_bytes()));
        Message::encrypt(&mut sender.rng, flavour, id(9), text, [recipient]).unwrap()
    };
    let sent = write(&mut book, "before");
    let incoming = sent.message.incoming(DESK, id(2)).unwrap();
    assert!(lost.sessions.decrypt(&mut lost.device, &incoming).is_ok());

    let removed = SignedDeviceList::sign(&identity(1), DESK, Sequence(2), &[], &[lost_key]);
    let removed = removed.unwrap().verify().unwrap();
    assert_eq!(removed.removed(), [lost_key]);
    assert_eq!(book.admit(&removed).unwrap().removed, [lost_key]);
    let shown: Vec<_> = book
        .devices()
        .map(|known| (known.device, known.trust))
        .collect();
    assert_eq!(shown, [(id(1), Trust::FirstUse), (id(2), Trust::Removed)]);
    let sent = write(&mut book, "after");
    assert_eq!(sent.message.keys, []);
    let [unreachable] = &sent.unreachable[..] else {
        panic!("nobody is told");
    };
    assert_eq!(
        (unreachable.device, unreachable.error),
        (id(2), EncryptError::Untrusted)
    );
}

#[test]
fn a_removed_device_cannot_bring_itself_back() {
    let mut book = book();
    let _ = book.admit(&list(1, 2, &[1, 3], &[2])).unwrap();
    for mut book in [TrustBook::from_bytes(&book.to_bytes()).unwrap(), book] {
        // By its own word, by coming again, under another id, or with a new key.
        assert_eq!(
            book.admit(&list(2, 9, &[2, 5], &[1])),
            Err(TrustError::Signer)
        );
        assert_eq!(book.meet(DESK, id(2), key(2)), Ok(Trust::Removed));
        assert_eq!(book.meet(DESK, id(7), key(2)), Ok(Trust::Removed));
        assert_eq!(book.meet(DESK, id(8), key(8)), Ok(Trust::Unvouched));
        // By the word of one that has not heard of it yet.
        let late = book.admit(&list(3, 1, &[1, 2, 3], &[])).unwrap();
        assert_eq!(late.refused, [(id(2), TrustError::Removed)]);
        // By a trust message of a verified device.
        book.decide(DESK, &key(3).fingerprint(), Trust::Verified);
        let says = TrustMessage {
            flavour: Flavour::Omemo2,
            owners: vec![KeyOwner {
                jid: DESK.into(),
                trusted: vec![*key(2).as_bytes()],
                distrusted: Vec::new(),
            }],
        };
        book.receive(DESK, &key(3), &says);
        assert_eq!(trust(&book, 2), Some(Trust::Removed));
        // A person may say otherwise.
        assert!(book.decide(DESK, &key(2).fingerprint(), Trust::Verified));
        assert_eq!(book.meet(DESK, id(7), key(2)), Ok(Trust::Verified));
        assert_eq!(book.admit(&list(3, 2, &[2], &[])), Ok(Admitted::default()));
    }
}

/// The lists of several devices come in any order.
#[test]
fn a_device_that_was_removed_before_it_was_met_stays_away() {
    let mut book = book();
    let admitted = book.admit(&list(1, 2, &[1], &[6])).unwrap();
    assert_eq!(admitted.removed, [key(6)]);
    let mut book = TrustBook::from_bytes(&book.to_bytes()).unwrap();
    let late = book.admit(&list(2, 1, &[6], &[])).unwrap();
    assert_eq!(late.refused, [(id(6), TrustError::Removed)]);
    // Said again it is no news.
    assert_eq!(book.admit(&list(2, 2, &[], &[6])), Ok(Admitted::default()));
    assert_eq!(book.meet(DESK, id(6), key(6)), Ok(Trust::Removed));
    assert_eq!(
        book.meet("other@example.org", id(6), key(6)),
        Ok(Trust::FirstUse)
    );
    assert!(book.decide(DESK, &key(6).fingerprint(), Trust::FirstUse));
    assert_eq!(book.meet(DESK, id(16), key(6)), Ok(Trust::FirstUse));
    // Nothing is left of it once a person has decided.
    assert_eq!(book.admit(&list(2, 3, &[6], &[])), Ok(Admitted::default()));
}

/// Both halves of the plane have this X25519 key, and its holder can sign with either.
#[test]
fn a_removed_device_does_not_come_back_with_the_other_sign() {
    let mut book = book();
    let _ = book.admit(&list(1, 2, &[], &[2])).unwrap();
    let sign = key(2).as_bytes()[31] & 0x80 != 0;
    let other = IdentityKey::from_curve25519(*key(2).curve25519().as_bytes(), !sign).unwrap();
    assert_ne!(other, key(2));
    assert_eq!(book.meet(DESK, id(7), other), Ok(Trust::Removed));
    let devices = [(id(7), other)];
    let again = book.admit(&signed(DESK, 1, 3, &devices, &[])).unwrap();
    assert_eq!(again.refused, [(id(7), TrustError::Removed)]);
}

#[test]
fn who_came_by_the_word_of_a_removed_device_alone_goes_with_it() {
    let mut book = book();
    // The thief of 2 brings in 4, and that 5.
    let _ = book.admit(&list(2, 1, &[4], &[])).unwrap();
    let _ = book.admit(&list(4, 1, &[5], &[])).unwrap();
    let mut book = TrustBook::from_bytes(&book.to_bytes()).unwrap();
    let admitted = book.admit(&list(1, 2, &[1, 3], &[2])).unwrap();
    assert_eq!(admitted.removed, [key(2)]);
    let doubted = [4, 5].map(|number| (DESK.to_owned(), id(number)));
    assert_eq!(admitted.doubted, doubted);
    assert_eq!(trust(&book, 5), Some(Trust::Unvouched));
    assert_eq!(trust(&book, 3), Some(Trust::FirstUse));
    assert_eq!(book.admit(&list(4, 2, &[2], &[1])), Err(TrustError::Signer));
}

/// A last list of the thief's, in which the stolen device removes itself so that nobody need remove it.
#[test]
fn what_a_device_said_when_it_went_falls_with_it() {
    let mut book = book();
    let last = book.admit(&list(2, 1, &[4], &[2])).unwrap();
    assert_eq!((last.added, last.removed), (vec![id(4)], vec![key(2)]));
    let admitted = book.admit(&list(1, 2, &[1], &[2])).unwrap();
    assert_eq!(admitted.doubted, [(DESK.to_owned(), id(4))]);
}

/// The phone that was compared is lost; the tablet came by its word.
#[test]
fn a_device_can_remove_the_one_that_brought_it() {
    let mut book = book();
    book.decide(DESK, &key(1).fingerprint(), Trust::FirstUse);
    let admitted = book.admit(&list(2, 1, &[3, 4], &[1])).unwrap();
    assert_eq!(admitted.removed, [key(1)]);
    assert_eq!(admitted.added, [id(4)], "the third was believed before");
    assert_eq!(admitted.doubted, [], "the third is in the list");
    assert_eq!(trust(&book, 2), Some(Trust::FirstUse));
    assert_eq!(trust(&book, 3), Some(Trust::FirstUse));
    // Now they stand by themselves.
    assert_eq!(book.admit(&list(2, 2, &[2], &[1])), Ok(Admitted::default()));
}

#[test]
fn who_was_compared_is_removed_by_one_that_was_compared() {
    let mut book = book();
    book.decide(DESK, &key(1).fingerprint(), Trust::Verified);
    let admitted = book.admit(&list(2, 1, &[2], &[1])).unwrap();
    assert_eq!((admitted.removed, admitted.kept), (vec![], vec![id(1)]));
    assert_eq!(trust(&book, 1), Some(Trust::Verified));
    // Nor does it cost others what they have by its word.
    assert_eq!(trust(&book, 3), Some(Trust::FirstUse));
    book.decide(DESK, &key(2).fingerprint(), Trust::Verified);
    let admitted = book.admit(&list(2, 2, &[2], &[1])).unwrap();
    assert_eq!(admitted.removed, [key(1)]);
}

/// A decision of a person stands on nobody else's word.
#[test]
fn whom_a_person_decided_about_does_not_go_with_the_one_that_brought_them() {
    let mut book = book();
    assert!(book.decide(DESK, &key(3).fingerprint(), Trust::FirstUse));
    let _ = book.admit(&list(2, 1, &[4], &[])).unwrap();
    let _ = book.admit(&list(4, 1, &[], &[1])).unwrap();
    assert_eq!(trust(&book, 1), Some(Trust::Removed));
    assert_eq!(
        trust(&book, 2),
        Some(Trust::Unvouched),
        "it came by the word of 1"
    );
    assert_eq!(trust(&book, 3), Some(Trust::FirstUse));
    assert_eq!(
        trust(&book, 4),
        Some(Trust::FirstUse),
        "nobody doubts the signer"
    );
}

/// Our own devices tell each other about contacts (XEP-0450), too.
#[test]
fn what_a_lost_device_of_ours_said_about_others_is_taken_back() {
    let mut book = TrustBook::new(ME);
    for number in [1, 2] {
        book.meet(ME, id(number), key(number as u8)).unwrap();
        book.decide(ME, &key(number as u8).fingerprint(), Trust::Verified);
    }
    book.meet(DESK, id(3), key(3)).unwrap();
    book.meet(DESK, id(4), key(4)).unwrap();
    book.decide(DESK, &key(3).fingerprint(), Trust::Verified);
    let says = TrustMessage {
        flavour: Flavour::Omemo2,
        owners: vec![KeyOwner {
            jid: DESK.into(),
            trusted: vec![*key(3).as_bytes(), *key(4).as_bytes()],
            distrusted: Vec::new(),
        }],
    };
    book.receive(ME, &key(2), &says);
    assert_eq!(trust(&book, 4), Some(Trust::Verified));
    let admitted = book.admit(&signed(ME, 1, 1, &[], &[2])).unwrap();
    assert_eq!(admitted.doubted, [(DESK.to_owned(), id(4))]);
    assert_eq!(
        trust(&book, 3),
        Some(Trust::Verified),
        "a person compared it"
    );
    // An account cannot do so to another one.
    book.decide(DESK, &key(4).fingerprint(), Trust::FirstUse);
    let mut theirs = TrustBook::from_bytes(&book.to_bytes()).unwrap();
    let _ = theirs
        .admit(&signed(DESK, 3, 1, &[(id(5), key(5))], &[]))
        .unwrap();
    theirs.meet("m@example.org", id(6), key(6)).unwrap();
    let _ = theirs
        .admit(&signed("m@example.org", 6, 1, &[], &[3]))
        .unwrap();
    assert_eq!(trust(&theirs, 5), Some(Trust::Verified));
}

#[test]
fn our_own_list_names_who_was_compared_and_who_was_removed() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let phone = Device::generate(&mut rng, id(10), 1);
    let mut book = TrustBook::new(ME);
    for number in 1..=5 {
        book.meet(ME, id(number), key(number as u8)).unwrap();
    }
    for (number, trust) in [
        (1, Trust::Verified),
        (2, Trust::Removed),
        (3, Trust::Distrusted),
    ] {
        book.decide(ME, &key(number).fingerprint(), trust);
    }
    // Another device of ours says that one is gone that was never seen here, and that we are.
    let ours = phone.identity().public();
    let said = SignedDeviceList::sign(&identity(1), ME, Sequence(1), &[], &[key(6), ours]);
    let said = book.admit(&said.unwrap().verify().unwrap()).unwrap();
    assert_eq!(said.removed, [key(6), ours]);
    // What is known of others is nothing of ours.
    book.meet(DESK, id(7), key(7)).unwrap();
    book.decide(DESK, &key(7).fingerprint(), Trust::Verified);
    let _ = book.admit(&signed(DESK, 7, 1, &[], &[8])).unwrap();

    let list = book
        .sign_list(&phone, Sequence(3))
        .unwrap()
        .verify()
        .unwrap();
    assert_eq!(
        (list.jid(), list.sequence(), list.signer()),
        (ME, Sequence(3), &ours)
    );
    assert_eq!(list.devices(), [(id(10), ours), (id(1), key(1))]);
    assert_eq!(list.removed(), [key(2), key(6)]);
}

/// The lists that two devices of an account have signed, in either order.
#[test]
fn lists_come_in_any_order_and_all_agree_on_who_is_gone() {
    let lists = [
        list(1, 2, &[1, 2, 3], &[]),
        list(1, 3, &[1, 2], &[3]),
        list(2, 1, &[1, 2, 3, 4], &[]),
        list(2, 2, &[1, 2], &[4]),
    ];
    for start in 0..lists.len() {
        for step in [1, 3] {
            let mut book = book();
            for turn in 0..lists.len() {
                let _ = book.admit(&lists[(start + turn * step) % lists.len()]);
            }
            let believed = (1..=4).filter(|&n| trust(&book, n).is_some_and(Trust::is_believed));
            assert_eq!(believed.collect::<Vec<_>>(), [1, 2], "{start} {step}");
        }
    }
}

/// What finds no room is told, and nothing that was removed needs room.
#[test]
fn a_book_is_bounded() {
    let mut book = TrustBook::new(ME);
    for number in 1..MAX_KNOWN_DEVICES as u32 {
        let met = book.meet(DESK, id(number), key(1));
        assert_eq!(met, Ok(Trust::FirstUse));
    }
    let (last, beyond) = (90_001, 90_002);
    let two = [(id(last), key(2)), (id(beyond), key(3))];
    let admitted = book.admit(&signed(DESK, 1, 1, &two, &[])).unwrap();
    assert_eq!(admitted.added, [id(last)]);
    assert_eq!(admitted.refused, [(id(beyond), TrustError::Full)]);
    assert_eq!(trust(&book, 3), None);
    assert_eq!(book.devices().count(), MAX_KNOWN_DEVICES);
    let met = book.meet(DESK, id(beyond), key(3));
    assert_eq!(met, Err(TrustError::Full));
    assert_eq!(book.meet(DESK, id(last), key(2)), Ok(Trust::FirstUse));
    let admitted = book.admit(&signed(DESK, 1, 2, &[], &[2, 3])).unwrap();
    assert_eq!(admitted.removed, [key(2), key(3)]);
}

fn never_met(number: usize) -> IdentityKey {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    Identity::from_seed(&seed).public()
}

/// Who has a stolen device names so many others that a list has no room for it.
#[test]
fn a_stolen_device_cannot_keep_itself_off_our_list() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let phone = Device::generate(&mut rng, id(10), 1);
    let mut book = TrustBook::new(ME);
    book.meet(ME, id(1), key(1)).unwrap();
    book.decide(ME, &key(1).fingerprint(), Trust::Verified);
    let all: Vec<_> = (0..MAX_REMOVED + 1).map(never_met).collect();
    for (sequence, part) in (1..).zip(all.chunks(MAX_REMOVED)) {
        let list = SignedDeviceList::sign(&identity(1), ME, Sequence(sequence), &[], part);
        let _ = book.admit(&list.unwrap().verify().unwrap()).unwrap();
    }
    book.decide(ME, &key(1).fingerprint(), Trust::Removed);
    let list = book.sign_list(&phone, Sequence(1)).unwrap().verify();
    let list = list.unwrap();
    assert_eq!(list.removed().len(), MAX_REMOVED);
    assert_eq!(list.removed()[0], key(1));
}

#[test]
fn removed_devices_that_were_never_met_are_bounded() {
    let mut book = TrustBook::new(ME);
    book.meet(DESK, id(1), key(1)).unwrap();
    let other = "other@example.org";
    book.meet(other, id(5), key(5)).unwrap();
    let _ = book.admit(&signed(other, 5, 1, &[], &[6])).unwrap();
    let all: Vec<_> = (0..MAX_REMEMBERED_REMOVED).map(never_met).collect();
    for (sequence, part) in (1..).zip(all.chunks(MAX_REMOVED)) {
        let list = SignedDeviceList::sign(&identity(1), DESK, Sequence(sequence), &[], part);
        let admitted = book.admit(&list.unwrap().verify().unwrap()).unwrap();
        assert_eq!(admitted.removed, part);
    }
    assert_eq!(book.meet(DESK, id(2), all[0]), Ok(Trust::Unvouched));
    assert_eq!(book.meet(DESK, id(3), all[1]), Ok(Trust::Removed));
    assert_eq!(book.meet(DESK, id(4), all[2]), Ok(Trust::Removed));
    // It is its own that an account pushes out.
    assert_eq!(book.meet(other, id(6), key(6)), Ok(Trust::Removed));
}

/// A device of which another key was accepted is not forgotten if it was removed.
#[test]
fn a_removed_key_stays_removed_when_another_takes_its_place() {
    let mut book = book();
    let _ = book.admit(&list(1, 2, &[], &[2])).unwrap();
    assert!(matches!(
        book.meet(DESK, id(2), key(8)),
        Err(TrustError::Changed { .. })
    ));
    let accepted = book.accept_changed(DESK, id(2), &key(8).fingerprint());
    assert_eq!(accepted, Some(key(8)));
    assert_eq!(book.meet(DESK, id(2), key(8)), Ok(Trust::FirstUse));
    assert_eq!(book.meet(DESK, id(9), key(2)), Ok(Trust::Removed));
}

#[test]
fn a_list_has_an_address_that_fits_and_not_too_many_devices() {
    let sign = |jid: &str, count: usize, removed: usize| {
        let devices: Vec<_> = (1..=count as u32).map(|n| (id(n), key(1))).collect();
        SignedDeviceList::sign(
            &identity(1),
            jid,
            Sequence(7),
            &devices,
            &vec![key(2); removed],
        )
    };
    let longest = "x".repeat(3_071);
    let most = sign(&longest, MAX_DEVICES, MAX_REMOVED).unwrap();
    let most = most.verify().unwrap();
    assert_eq!((most.jid(), most.devices().len()), (&*longest, MAX_DEVICES));
    assert_eq!(most.removed().len(), MAX_REMOVED);
    assert_eq!(most.sequence(), Sequence(7));
    assert_eq!(most.signer(), &key(1));
    for (jid, count, removed) in [
        (&*"x".repeat(3_072), 1, 0),
        ("", 1, 0),
        (DESK, MAX_DEVICES + 1, 0),
        (DESK, 1, MAX_REMOVED + 1),
    ] {
        let refused = sign(jid, count, removed);
        assert_eq!(refused.err(), Some(RecordError::Form));
    }
}

#[test]
fn nobody_changes_a_list_and_no_other_record_passes_for_one() {
    let devices = [(id(1), key(1)), (id(2), key(2))];
    let list = SignedDeviceList::sign(&identity(1), DESK, Sequence(1), &devices, &[key(3)]);
    let bytes = list.unwrap().as_bytes().to_vec();
    let read = SignedDeviceList::from_bytes(bytes.clone())
        .verify()
        .unwrap();
    assert_eq!(
        (read.devices(), read.removed()),
        (&devices[..], &[key(3)][..])
    );
    for index in 0..bytes.len() {
        let mut forged = bytes.clone();
        forged[index] ^= 1;
        let forged = SignedDeviceList::from_bytes(forged).verify();
        assert!(forged.is_err(), "{index}");
    }
    let mut desk = Party::new(1);
    desk.device.refill(&mut desk.rng, 30);
    desk.device.open_to_strangers(&mut desk.rng, true).unwrap();
    let record = ReachableRecord::sign(&desk.device, DESK, Sequence(1), 60).unwrap();
    let record = record.as_bytes().to_vec();
    assert!(SignedDeviceList::from_bytes(record).verify().is_err());
    assert!(ReachableRecord::from_bytes(bytes).verify().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_bytes_are_no_lists(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Some(version) = bytes.first_mut() {
            *version = 2;
        }
        prop_assert!(SignedDeviceList::from_bytes(bytes).verify().is_err());
    }
}
