//! What takes the place of a server that hands out each prekey once and vouches for device lists.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_omemo::record::{MIN_REACHABLE_PREKEYS, ReachableRecord, RecordError, Sequence};
use chappe_omemo::{
    Device, DeviceId, Encrypted, Flavour, Identity, KeyExchange, MAX_OLD_SIGNED_PREKEYS, Reason,
    Sessions, VerifiedBundle,
};
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::montgomery::MontgomeryPoint;
use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;
use support::Party;

const DESK: &str = "desk@example.org";
const WEEK: u32 = 7 * 24 * 60;

fn desk() -> Party {
    let mut desk = Party::new(1);
    desk.device.refill(&mut desk.rng, 30);
    desk.device.open_to_strangers(&mut desk.rng, true).unwrap();
    desk
}

fn record(desk: &Party, sequence: u64) -> ReachableRecord {
    ReachableRecord::sign(&desk.device, DESK, Sequence(sequence), WEEK).unwrap()
}

/// A stranger who starts on the one prekey that this bundle has.
fn stranger(number: u32, bundle: &VerifiedBundle) -> (Party, Encrypted) {
    let mut stranger = Party::new(number);
    stranger
        .sessions
        .start(&mut stranger.rng, &stranger.device, bundle)
        .unwrap();
    let sent = stranger.send("help");
    (stranger, sent)
}

fn one_prekey(desk: &Party) -> VerifiedBundle {
    let bundle = desk.device.bundle();
    let prekey = bundle.prekeys[0];
    bundle.with_prekey(prekey).verify().unwrap()
}

fn read(desk: &mut Party, sent: &Encrypted) -> Result<(Sessions, bool), Reason> {
    let mut sessions = Sessions::new();
    let read = sessions.decrypt(&mut desk.device, &sent.incoming());
    let read = read.map_err(|error| error.reason())?;
    assert_eq!(read.plaintext.as_deref(), Some(&b"help"[..]));
    assert!(read.new_session && read.answer_due);
    Ok((sessions, read.shared_prekey))
}

#[test]
fn two_strangers_may_use_the_same_prekey_of_an_open_device() {
    let mut desk = desk();
    let bundle = one_prekey(&desk);
    let before = desk.device.published();
    for number in 2..5 {
        let (mut stranger, sent) = stranger(number, &bundle);
        let (mut sessions, shared) = read(&mut desk, &sent).unwrap();
        assert!(shared, "such a session is marked");
        let answer = sessions.encrypt(&mut desk.rng, None).unwrap();
        assert!(stranger.read(&answer).is_ok());
    }
    // A used one is in no new bundle.
    assert_eq!(desk.device.published(), before - 1);
}

/// Replayed in all forms after the session was lost: as it was, with another name for its ephemeral key,
/// and after a restart.
#[test]
fn no_key_exchange_on_a_kept_prekey_is_accepted_twice() {
    let mut desk = desk();
    let (_, sent) = stranger(2, &one_prekey(&desk));
    read(&mut desk, &sent).unwrap();
    assert_eq!(read(&mut desk, &sent).err(), Some(Reason::UnknownPreKey));
    desk.restart();
    assert_eq!(read(&mut desk, &sent).err(), Some(Reason::UnknownPreKey));

    let exchange = KeyExchange::parse(chappe_omemo::Flavour::Omemo2, &sent.key).unwrap();
    let ephemeral = *exchange.header.ephemeral.as_bytes();
    let at = sent
        .key
        .windows(32)
        .position(|window| window == ephemeral)
        .unwrap();
    let mut bent = sent.clone();
    bent.key[at + 31] |= 0x80;
    assert_eq!(read(&mut desk, &bent).err(), Some(Reason::Malformed));
    let point = MontgomeryPoint(ephemeral).to_edwards(0).unwrap();
    for torsion in &EIGHT_TORSION[1..] {
        let twisted = (point + torsion).to_montgomery().to_bytes();
        bent.key[at..at + 32].copy_from_slice(&twisted);
        assert_eq!(read(&mut desk, &bent).err(), Some(Reason::Key));
    }
}

#[test]
fn a_closed_device_and_a_reserved_prekey_accept_one_start() {
    let mut closed = Party::new(1);
    let bundle = one_prekey(&closed);
    let ((_, first), (_, second)) = (stranger(2, &bundle), stranger(3, &bundle));
    assert!(read(&mut closed, &first).is_ok_and(|(_, shared)| !shared));
    assert_eq!(
        read(&mut closed, &second).err(),
        Some(Reason::UnknownPreKey)
    );

    let mut desk = desk();
    let prekey = desk.device.reserve_prekey(&mut desk.rng).unwrap();
    let bundle = desk.device.bundle().with_prekey(prekey).verify().unwrap();
    let ((_, first), (_, second)) = (stranger(2, &bundle), stranger(3, &bundle));
    assert!(read(&mut desk, &first).is_ok_and(|(_, shared)| !shared));
    assert_eq!(read(&mut desk, &second).err(), Some(Reason::UnknownPreKey));
}

#[test]
fn the_window_ends_with_the_signed_prekey() {
    let mut desk = desk();
    let bundle = one_prekey(&desk);
    let (_, first) = stranger(2, &bundle);
    read(&mut desk, &first).unwrap();
    for number in 0..MAX_OLD_SIGNED_PREKEYS as u32 {
        let (_, late) = stranger(3 + number, &bundle);
        desk.device.rotate_signed_prekey(&mut desk.rng);
        assert!(read(&mut desk, &late).is_ok(), "{number}");
        desk.restart();
    }
    let (_, too_late) = stranger(20, &bundle);
    desk.device.rotate_signed_prekey(&mut desk.rng);
    let gone = [
        Some(Reason::UnknownPreKey),
        Some(Reason::UnknownSignedPreKey),
    ];
    assert!(gone.contains(&read(&mut desk, &too_late).err()));
}

#[test]
fn the_last_resort_is_for_when_all_others_are_gone_and_rotates() {
    let mut desk = desk();
    for prekey in desk.device.bundle().prekeys {
        assert!(desk.device.drop_prekey(prekey.id));
    }
    let last = desk.device.bundle();
    assert_eq!((desk.device.published(), last.prekeys.len()), (0, 1));
    let bundle = last.verify().unwrap();
    for number in 2..5 {
        let (_, sent) = stranger(number, &bundle);
        assert!(read(&mut desk, &sent).is_ok_and(|(_, shared)| shared));
    }
    assert_eq!(desk.device.bundle(), last, "it is used again");
    desk.device.rotate_signed_prekey(&mut desk.rng);
    assert_ne!(desk.device.bundle().prekeys, last.prekeys);
    let (_, late) = stranger(9, &bundle);
    assert!(
        read(&mut desk, &late).is_ok(),
        "the old one opens what is under way"
    );

    desk.device.open_to_strangers(&mut desk.rng, false).unwrap();
    let (_, after) = stranger(10, &bundle);
    assert_eq!(read(&mut desk, &after).err(), Some(Reason::UnknownPreKey));
    assert!(desk.device.bundle().prekeys.is_empty());
}

#[test]
fn a_record_lets_strangers_start() {
    let mut desk = desk();
    let record = record(&desk, 1);
    let read_record = ReachableRecord::from_bytes(record.as_bytes().to_vec())
        .verify()
        .unwrap();
    assert_eq!(
        (read_record.jid(), read_record.lifetime_minutes()),
        (DESK, WEEK)
    );
    let (_, sent) = stranger(2, read_record.bundle());
    assert!(read(&mut desk, &sent).is_ok());
}

#[test]
fn the_later_record_of_the_same_device_holds() {
    let (desk, other) = (desk(), {
        let mut other = Party::new(9);
        other.device.refill(&mut other.rng, 30);
        other
            .device
            .open_to_strangers(&mut other.rng, true)
            .unwrap();
        other
    });
    let verify = |party: &Party, sequence| record(party, sequence).verify().unwrap();
    assert!(verify(&desk, 2).supersedes(&verify(&desk, 1)));
    assert!(!verify(&desk, 1).supersedes(&verify(&desk, 1)));
    assert!(!verify(&desk, 1).supersedes(&verify(&desk, 2)));
    assert!(!verify(&other, 3).supersedes(&verify(&desk, 1)));
    // The same identity on another device.
    let mut twin = desk;
    let before = verify(&twin, 1);
    let seed = Identity::from_seed(twin.device.identity().seed());
    let eight = DeviceId::new(8).unwrap();
    twin.device = Device::with_identity(&mut twin.rng, Flavour::Omemo2, seed, eight, 30);
    twin.device.open_to_strangers(&mut twin.rng, true).unwrap();
    assert_eq!(verify(&twin, 3).device(), eight);
    assert!(!verify(&twin, 3).supersedes(&before));
}

/// In a bundle only the signed prekey is signed; in a record everything is.
#[test]
fn a_carrier_can_change_nothing_in_a_record() {
    let bytes = record(&desk(), 1).as_bytes().to_vec();
    for index in 0..bytes.len() {
        let mut forged = bytes.clone();
        forged[index] ^= 1;
        assert!(
            ReachableRecord::from_bytes(forged).verify().is_err(),
            "{index}"
        );
        assert!(
            ReachableRecord::from_bytes(bytes[..index].to_vec())
                .verify()
                .is_err()
        );
    }
    // 36 bytes for a prekey, before the signature of 64.
    let mut stripped = bytes.clone();
    stripped.drain(bytes.len() - 100..bytes.len() - 64);
    assert!(ReachableRecord::from_bytes(stripped).verify().is_err());
}

#[test]
fn only_open_devices_with_prekeys_enough_make_a_record() {
    let mut few = Party::new(1);
    few.device
        .refill(&mut few.rng, MIN_REACHABLE_PREKEYS as u16 - 1);
    few.device.open_to_strangers(&mut few.rng, true).unwrap();
    assert_eq!(few.device.published(), MIN_REACHABLE_PREKEYS - 1);
    let refused = Some(RecordError::Form);
    assert_eq!(
        ReachableRecord::sign(&few.device, DESK, Sequence(1), WEEK).err(),
        refused
    );
    few.device
        .refill(&mut few.rng, MIN_REACHABLE_PREKEYS as u16);
    assert!(ReachableRecord::sign(&few.device, DESK, Sequence(1), WEEK).is_ok());
    let mut closed = Party::new(1);
    closed.device.refill(&mut closed.rng, 30);
    assert_eq!(
        ReachableRecord::sign(&closed.device, DESK, Sequence(1), WEEK).err(),
        refused
    );
    closed
        .device
        .open_to_strangers(&mut closed.rng, true)
        .unwrap();
    assert!(ReachableRecord::sign(&closed.device, DESK, Sequence(1), WEEK).is_ok());
    assert!(ReachableRecord::sign(&closed.device, "", Sequence(1), WEEK).is_err());
}

/// A record with fewer prekeys than are demanded, and nothing else wrong with it.
#[test]
fn a_record_of_few_prekeys_is_refused_though_it_is_signed() {
    let sign = |prekeys: usize| {
        let mut desk = Party::new(1);
        desk.device.refill(&mut desk.rng, 30);
        desk.device.open_to_strangers(&mut desk.rng, true).unwrap();
        let record = record(&desk, 1);
        let body = record.as_bytes();
        // The number of prekeys, then 36 bytes for each, then the signature of 64.
        let at = body.len() - 64 - 30 * 36 - 2;
        let mut forged = body[..at].to_vec();
        forged.extend_from_slice(&(prekeys as u16).to_be_bytes());
        forged.extend_from_slice(&body[at + 2..at + 2 + prekeys * 36]);
        let signed = [b"Chappe reachable record\0", &forged[..]].concat();
        let key = SigningKey::from_bytes(desk.device.identity().seed());
        forged.extend_from_slice(&key.sign(&signed).to_bytes());
        ReachableRecord::from_bytes(forged).verify()
    };
    let least = sign(MIN_REACHABLE_PREKEYS).unwrap();
    assert_eq!(least.jid(), DESK);
    let few = sign(MIN_REACHABLE_PREKEYS - 1);
    assert_eq!(few.err(), Some(RecordError::Form));
}

#[test]
fn an_open_device_is_stored_whole() {
    let mut desk = desk();
    let (_, sent) = stranger(2, &one_prekey(&desk));
    read(&mut desk, &sent).unwrap();
    let bytes = desk.device.to_bytes();
    assert_eq!(*Device::from_bytes(&bytes).unwrap().to_bytes(), *bytes);
    for cut in 0..bytes.len() {
        assert!(Device::from_bytes(&bytes[..cut]).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_bytes_are_no_records(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Some(version) = bytes.first_mut() {
            *version = 1;
        }
        prop_assert!(ReachableRecord::from_bytes(bytes).verify().is_err());
    }
}
