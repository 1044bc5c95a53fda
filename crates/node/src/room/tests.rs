//! What a member of a room cannot do to another, whatever it says.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::*;

const ROOM: RoomId = RoomId::new([1; 16]);
const SPEAKER: ContactId = ContactId(1);
const MALLORY: ContactId = ContactId(2);

fn of(contact: ContactId) -> Speaker {
    Speaker {
        room: ROOM,
        identity: [contact.0 as u8; 32],
    }
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

fn told(mouth: &mut Mouth) -> SpokenWith {
    SpokenWith {
        key: RoomKey::from_distribution(&mouth.distribution()).unwrap(),
        tags: mouth.tags.clone(),
        generation: mouth.generation,
    }
}

fn take(with: &mut SpokenWith) -> SpokenWith {
    SpokenWith {
        key: RoomKey::from_bytes(&with.key.to_bytes()).unwrap(),
        tags: with.tags.clone(),
        generation: with.generation,
    }
}

#[test]
fn who_passes_the_secrets_of_another_as_its_own_silences_nobody() {
    let mut mouth = Mouth::new(&mut rng(), of(SPEAKER));
    let mut rooms = Rooms::default();
    let tags = rooms.hear(ChainId(1), SPEAKER, of(SPEAKER), told(&mut mouth));
    let copied = rooms.hear(ChainId(2), MALLORY, of(MALLORY), told(&mut mouth));
    assert!(copied.iter().all(|tag| !tags.contains(tag)));
    for tag in &tags {
        assert_eq!(rooms.recognise(tag).unwrap().0, ChainId(1));
    }
    // Nor are the words of the one read as those of the other.
    let sealed = mouth.seal(of(SPEAKER), b"words").unwrap();
    assert!(
        rooms
            .read(ChainId(2), of(MALLORY), Counter::FIRST, &sealed)
            .is_none()
    );
    assert!(
        rooms
            .read(ChainId(1), of(SPEAKER), Counter::FIRST, &sealed)
            .is_some()
    );
}

#[test]
fn a_message_is_read_at_its_own_place_only() {
    let mut mouth = Mouth::new(&mut rng(), of(SPEAKER));
    let mut rooms = Rooms::default();
    rooms.hear(ChainId(1), SPEAKER, of(SPEAKER), told(&mut mouth));
    let sealed = mouth.seal(of(SPEAKER), b"words").unwrap();
    let elsewhere = Counter::new(8_192).unwrap();
    assert!(
        rooms
            .read(ChainId(1), of(SPEAKER), elsewhere, &sealed)
            .is_none()
    );
    assert!(
        rooms
            .read(ChainId(1), of(SPEAKER), Counter::FIRST, &sealed)
            .is_some()
    );
}

#[test]
fn a_key_is_known_of_the_one_who_speaks_with_it() {
    let mut mouth = Mouth::new(&mut rng(), of(SPEAKER));
    let mut rooms = Rooms::default();
    rooms.hear(ChainId(1), MALLORY, of(MALLORY), told(&mut mouth));
    let key = told(&mut mouth).key;
    assert!(rooms.knows(ROOM, MALLORY, &key));
    assert!(!rooms.knows(ROOM, SPEAKER, &key), "it is news from there");
}

#[test]
fn the_oldest_keys_go_in_whichever_order_they_came() {
    let mut rooms = Rooms::default();
    let mut mouth = Mouth::new(&mut rng(), of(SPEAKER));
    let mut rng = rng();
    let mut keys = Vec::new();
    for _ in 0..5 {
        keys.push(told(&mut mouth));
        mouth.redraw(&mut rng, of(SPEAKER));
    }
    let [newest, others @ ..] = &mut keys.into_iter().rev().collect::<Vec<_>>()[..] else {
        panic!()
    };
    let newest = rooms.hear(ChainId(9), SPEAKER, of(SPEAKER), take(newest));
    for (number, with) in others.iter_mut().enumerate() {
        if let Some(surplus) = rooms.surplus(ROOM, SPEAKER).unwrap() {
            rooms.forget_voices(&[surplus]);
        }
        rooms.hear(ChainId(number as u64), SPEAKER, of(SPEAKER), take(with));
    }
    assert_eq!(
        rooms.voices_of(ROOM, |_| true).len(),
        MAX_VOICES_PER_SPEAKER
    );
    assert_eq!(rooms.recognise(&newest[0]).unwrap().0, ChainId(9));
}

#[test]
fn counts_of_a_store_that_is_an_older_copy_pass_what_others_have_heard() {
    let mut rng = rng();
    let mut room = Joined {
        chain: ChainId(1),
        name: String::new(),
        host: Host::Me([0; 16]),
        members: BTreeSet::new(),
        named: BTreeSet::new(),
        epoch: 3,
        presence: Presence::In,
        mouth: Mouth::new(&mut rng, of(SPEAKER)),
    };
    let before = told(&mut room.mouth);
    room.go_past_what_is_forgotten(&mut rng, of(SPEAKER));
    assert!(room.epoch > 1_000_000 && room.mouth.generation > 1_000_000);
    assert_ne!(*before.tags, *room.mouth.tags);
}

#[test]
fn a_contact_tells_of_so_many_rooms_that_are_not_its_own_and_the_oldest_go() {
    let mut rng = rng();
    let mut rooms = Rooms::default();
    for number in 0..MAX_UNTOLD_PER_CONTACT as u8 {
        assert_eq!(rooms.surplus_untold(MALLORY), Some(None));
        let room = Joined {
            chain: ChainId(number.into()),
            name: String::new(),
            host: Host::Untold(MALLORY),
            members: BTreeSet::new(),
            named: BTreeSet::new(),
            epoch: 0,
            presence: Presence::In,
            mouth: Mouth::new(&mut rng, of(SPEAKER)),
        };
        rooms.insert(RoomId::new([9 - number; 16]), room);
    }
    assert_eq!(
        rooms.surplus_untold(MALLORY),
        Some(Some(RoomId::new([9; 16])))
    );
    assert_eq!(rooms.surplus_untold(SPEAKER), Some(None));
    assert!(!rooms.is_full() && !rooms.is_full_of(MALLORY));
    // Others are heard in all of them: what they have told stays, and the new one is not taken.
    for number in 0..MAX_UNTOLD_PER_CONTACT as u8 {
        let room = RoomId::new([9 - number; 16]);
        let identity = of(SPEAKER).identity;
        let mut mouth = Mouth::new(&mut rng, Speaker { room, identity });
        let whose = Speaker { room, identity };
        rooms.hear(
            ChainId(100 + u64::from(number)),
            SPEAKER,
            whose,
            told(&mut mouth),
        );
    }
    assert_eq!(rooms.surplus_untold(MALLORY), None);
}

#[test]
fn who_may_have_a_key_counts_as_having_it_when_it_is_gone() {
    let device = |jid: &str| (String::from(jid), DeviceId::new(1).unwrap());
    let (host, guest) = (device("host"), device("guest"));
    let all = BTreeSet::from([host.clone(), guest.clone()]);
    let mut mouth = Mouth::new(&mut rng(), of(SPEAKER));
    for (jid, device) in mouth.update(&mut rng(), of(SPEAKER), &all).unwrap() {
        mouth.handed_to(jid, device);
    }
    // No receipt for the guest's came in time.
    mouth.lost_by(&guest.0, guest.1);
    let lacking = mouth.update(&mut rng(), of(SPEAKER), &all).unwrap();
    assert_eq!((lacking, mouth.generation()), ([guest].into(), 0));
    let lacking = mouth.update(&mut rng(), of(SPEAKER), &BTreeSet::from([host.clone()]));
    assert_eq!((lacking.unwrap(), mouth.generation()), ([host].into(), 1));
}
