//! How a session begins: prekeys are used once, the identity is pinned, and the key exchange is repeated
//! until it is answered.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_omemo::{
    BundleError, Device, DeviceId, EncryptError, Flavour, IdentityKey, Incoming, KeyExchange,
    MAX_BUNDLE_PREKEYS, MAX_OLD_SIGNED_PREKEYS, MAX_PREKEYS, Reason, Sessions, StartError,
};
use support::{Party, acquainted, strangers};

#[test]
fn it_is_repeated_until_the_first_answer_and_answers_are_due() {
    let (mut alice, mut bob) = strangers();
    alice.start(&bob);
    let sent: Vec<_> = (0..3)
        .map(|number| alice.send(&number.to_string()))
        .collect();
    assert!(sent.iter().all(|message| message.key_exchange));

    let first = bob.expect(&sent[1], "1");
    assert!(first.new_session && first.answer_due);
    let late = bob.expect(&sent[0], "0");
    assert!(!late.new_session && late.answer_due);
    assert_eq!((first.session, late.spent_prekey), (late.session, None));

    let answer = bob.send_empty();
    assert!(!answer.key_exchange);
    assert!(!bob.expect(&sent[2], "2").answer_due);
    assert!(!alice.read(&answer).unwrap().answer_due);
    assert!(!alice.send("3").key_exchange);
}

#[test]
fn both_sides_hold_the_same_session_and_secret() {
    let (mut alice, mut bob) = strangers();
    let session = alice.start(&bob);
    let sent = alice.send("hello");
    assert_eq!(bob.expect(&sent, "hello").session, session);
    let secret = *alice.sessions.exporter(session).unwrap();
    assert_eq!(Some(&secret), bob.sessions.exporter(session));
    assert_eq!(alice.sessions.is_initiator(session), Some(true));
    assert_eq!(bob.sessions.is_initiator(session), Some(false));

    let other = alice.start(&bob);
    assert_ne!(Some(&secret), alice.sessions.exporter(other));
    assert_eq!(bob.sessions.exporter(other), None);
}

#[test]
fn a_prekey_is_used_once() {
    let (mut alice, mut bob) = strangers();
    let mut carol = Party::new(3);
    let prekey = bob.device.reserve_prekey(&mut bob.rng).unwrap();
    let published = bob.device.bundle();
    assert!(published.prekeys.iter().all(|other| other.id != prekey.id));
    let invite = published.with_prekey(prekey).verify().unwrap();

    for guest in [&mut alice, &mut carol] {
        guest
            .sessions
            .start(&mut guest.rng, &guest.device, &invite)
            .unwrap();
    }
    let (first, second) = (alice.send("first"), carol.send("second"));
    assert_eq!(bob.expect(&first, "first").spent_prekey, Some(prekey.id));
    assert_eq!(bob.device.published(), 3);
    // Its id is not given again, so that no old invite fits a new prekey.
    assert_ne!(
        bob.device.reserve_prekey(&mut bob.rng).unwrap().id,
        prekey.id
    );

    let mut to_carol = Sessions::new();
    let refusal = to_carol.decrypt(&mut bob.device, &second.incoming());
    assert_eq!(refusal.err().unwrap().reason(), Reason::UnknownPreKey);
    assert!(to_carol.is_empty());
    // Not even the first guest's own message starts a second session.
    bob.sessions = Sessions::new();
    assert_eq!(
        bob.read(&first).err().unwrap().reason(),
        Reason::UnknownPreKey
    );
}

#[test]
fn a_withdrawn_invite_is_dead() {
    let (mut alice, mut bob) = strangers();
    let prekey = bob.device.reserve_prekey(&mut bob.rng).unwrap();
    let invite = bob.device.bundle().with_prekey(prekey).verify().unwrap();
    alice
        .sessions
        .start(&mut alice.rng, &alice.device, &invite)
        .unwrap();
    assert!(bob.device.drop_prekey(prekey.id));
    assert!(!bob.device.drop_prekey(prekey.id));
    let sent = alice.send("too late");
    assert_eq!(
        bob.read(&sent).err().unwrap().reason(),
        Reason::UnknownPreKey
    );
}

#[test]
fn old_signed_prekeys_stay_usable_for_a_while() {
    for rotations in 0..=MAX_OLD_SIGNED_PREKEYS + 1 {
        let (mut alice, mut bob) = strangers();
        alice.start(&bob);
        let sent = alice.send("under way");
        for _ in 0..rotations {
            bob.device.rotate_signed_prekey(&mut bob.rng);
            bob.restart();
        }
        if rotations <= MAX_OLD_SIGNED_PREKEYS {
            bob.expect(&sent, "under way");
        } else {
            let error = bob.read(&sent).err().unwrap();
            assert_eq!(error.reason(), Reason::UnknownSignedPreKey);
        }
    }
}

#[test]
fn the_first_identity_is_pinned() {
    let (mut alice, mut bob) = acquainted();
    let mut mallory = Party::new(3);
    assert_eq!(
        bob.sessions.identity(),
        Some(&alice.device.identity().public())
    );
    mallory.start(&bob);
    let forged = mallory.send("it is me, alice, with a new phone");
    let before = bob.state();
    assert_eq!(bob.read(&forged).err().unwrap().reason(), Reason::Identity);
    assert_eq!(bob.state(), before);
    let start = bob
        .sessions
        .start(&mut bob.rng, &bob.device, &mallory.bundle());
    assert_eq!(start, Err(StartError::Identity));
    let sent = alice.send("still here");
    bob.expect(&sent, "still here");
}

#[test]
fn the_expected_identity_is_required() {
    let (mut alice, mut bob) = strangers();
    alice.start(&bob);
    let sent = alice.send("hello");
    let (own, alices) = (
        bob.device.identity().public(),
        alice.device.identity().public(),
    );
    let mut read = |expected: &IdentityKey| {
        let Party {
            device, sessions, ..
        } = &mut bob;
        let incoming = Incoming {
            expected: Some(*expected),
            ..sent.incoming()
        };
        sessions.decrypt(device, &incoming)
    };
    assert_eq!(read(&own).err().unwrap().reason(), Reason::Identity);
    assert_eq!(read(&alices).unwrap().identity, alices);
}

#[test]
fn nobody_talks_to_oneself() {
    let (mut alice, bob) = strangers();
    let own = alice.bundle();
    let start = alice.sessions.start(&mut alice.rng, &alice.device, &own);
    assert_eq!(start, Err(StartError::Identity));
    alice.start(&bob);
    let sent = alice.send("reflected");
    assert_eq!(alice.read(&sent).err().unwrap().reason(), Reason::Identity);
}

#[test]
fn bundles_are_refused_for_what_is_wrong_with_them() {
    let (alice, bob) = strangers();
    let good = bob.device.bundle();
    let refused = |change: &dyn Fn(&mut chappe_omemo::Bundle)| {
        let mut bundle = good.clone();
        change(&mut bundle);
        bundle.verify().err()
    };
    assert_eq!(refused(&|_| ()), None);
    assert_eq!(
        refused(&|bundle| bundle.signature[3] ^= 1),
        Some(BundleError::Signature)
    );
    let other = alice.device.bundle();
    let swap = |bundle: &mut chappe_omemo::Bundle| bundle.identity = other.identity;
    assert_eq!(refused(&swap), Some(BundleError::Signature));
    let swap = |bundle: &mut chappe_omemo::Bundle| bundle.signed_prekey = other.signed_prekey;
    assert_eq!(refused(&swap), Some(BundleError::Signature));
    assert_eq!(
        refused(&|bundle| bundle.prekeys.clear()),
        Some(BundleError::NoPreKey)
    );
    let most = |bundle: &mut chappe_omemo::Bundle| {
        bundle.prekeys = [bundle.prekeys[0]; MAX_BUNDLE_PREKEYS].into();
    };
    assert_eq!(refused(&most), None);
    let many = |bundle: &mut chappe_omemo::Bundle| {
        bundle.prekeys = [bundle.prekeys[0]; MAX_BUNDLE_PREKEYS + 1].into();
    };
    assert_eq!(refused(&many), Some(BundleError::TooManyPreKeys));
}

#[test]
fn all_prekeys_of_a_bundle_are_chosen() {
    let (mut alice, bob) = strangers();
    let mut chosen = std::collections::BTreeSet::new();
    for _ in 0..64 {
        alice.start(&bob);
        let sent = alice.send_empty();
        chosen.insert(
            KeyExchange::parse(Flavour::Omemo2, &sent.key)
                .unwrap()
                .header
                .prekey_id
                .number(),
        );
    }
    assert_eq!(chosen.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_long_silence_makes_an_answer_due() {
    let (mut alice, mut bob) = acquainted();
    for number in 0..60 {
        let sent = alice.send("monologue");
        let read = bob.expect(&sent, "monologue");
        assert_eq!(read.answer_due, number >= 53, "{number}");
    }
    bob.send("answered");
    let sent = alice.send("monologue");
    assert!(!bob.expect(&sent, "monologue").answer_due);
}

#[test]
fn without_a_session_nothing_is_encrypted() {
    let (mut alice, mut bob) = strangers();
    let none = alice.sessions.encrypt(&mut alice.rng, None);
    assert_eq!(none, Err(EncryptError::NoSession));
    let (mut carol, mut dave) = acquainted();
    let sent = carol.send("for dave");
    assert_eq!(bob.read(&sent).err().unwrap().reason(), Reason::NoSession);
    dave.expect(&sent, "for dave");
}

#[test]
fn prekeys_are_bounded() {
    let mut party = Party::new(1);
    party.device = Device::generate(&mut party.rng, DeviceId::new(1).unwrap(), u16::MAX);
    assert_eq!(party.device.published(), MAX_PREKEYS);
    assert!(party.device.reserve_prekey(&mut party.rng).is_err());
}
