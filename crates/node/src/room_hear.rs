//! Hearing what others say in rooms.

use alloc::collections::BTreeSet;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use chappe_envelope::Counter;
use chappe_omemo::{room, sce};
use chappe_wire::proto::{OmemoMessage, Parcel, RoomKey, parcel};
use chappe_wire::{Envelope, Instant, Preimage};
use prost::Message as _;
use zeroize::Zeroizing;

use crate::chains::ChainId;
use crate::compose::cut;
use crate::contact::ContactId;
use crate::deliver::{MAX_NAME_LEN, Outcome, printable};
use crate::output::Event;
use crate::room::{Host, Joined, MAX_ROOM_MEMBERS, Mouth, RoomId};
use crate::room_talk::{MEMBER_LEN, member_name};
use crate::{Node, NodeError, Store};

/// What a contact tells of a room, as it should be.
struct Told {
    room: RoomId,
    /// Whether the one who tells it has made the room.
    hosts: bool,
    name: alloc::string::String,
    key: room::RoomKey,
    tags: Zeroizing<[u8; 32]>,
    members: BTreeSet<[u8; MEMBER_LEN]>,
    /// Of who is in the room, if the one who tells it has made it.
    epoch: u64,
}

impl<S: Store> Node<S> {
    /// A contact's key for a room, in an OMEMO message: from now on it is heard there.
    pub(crate) fn read_room_key(
        &mut self,
        now: Instant,
        contact: ContactId,
        message: &OmemoMessage,
        preimage: Preimage,
    ) -> Result<Outcome, NodeError> {
        let Ok(decrypted) = self.decrypt(contact, message, true) else {
            return Ok(Outcome::Unreadable(Some(contact)));
        };
        self.settle_session(now, contact, &decrypted)?;
        let identity = self
            .people
            .person(contact)
            .map(|who| who.record.identity.clone());
        let told = decrypted.plaintext.as_deref();
        let told = told.zip(identity.ok());
        let Some(told) = told.and_then(|(bytes, identity)| Told::parse(bytes, &identity)) else {
            return Ok(Outcome::Unreadable(Some(contact)));
        };
        self.hear_in_room(contact, told)?;
        Ok(Outcome::Read(contact, preimage))
    }

    /// A message to a room, under a tag of somebody's sender key. Whoever is in the room could have sealed the envelope;
    /// only the speaker can have signed what is in it. A failure changes nothing, so that nothing is lost by it; the
    /// receipt is the sender's alone.
    pub(crate) fn deliver_to_room(
        &mut self,
        voice: ChainId,
        counter: Counter,
        envelope: &Envelope,
    ) -> Result<(), NodeError> {
        let Some((id, speaker)) = self.rooms.speaker(voice) else {
            return Ok(());
        };
        let Some(room) = self.rooms.room(id) else {
            return Ok(());
        };
        if !room.members.contains(&speaker) {
            // The host may not have told yet that he is.
            return Ok(());
        }
        let name = room.name.clone();
        let claim = self.rooms.unseal(voice, counter, envelope);
        let content = claim.and_then(|claim| match Parcel::decode(claim.plaintext()) {
            Ok(Parcel {
                content: Some(parcel::Content::Room(sealed)),
            }) => self.rooms.read(voice, &sealed),
            _ => None,
        });
        let Some(content) = content else {
            self.count_unreadable();
            return Ok(());
        };
        let added = self.rooms.mark_seen(voice, counter);
        self.save_voice(voice)?;
        self.rescan(&added);
        let jid = self
            .people
            .person(speaker)
            .map(|who| who.record.jid.clone());
        let content = sce::Content::from_xml(&content).map(|read| read.content);
        match content {
            Ok(content)
                if jid.as_ref() == Ok(&content.from) && content.to == Some(id.to_string()) =>
            {
                let Some(text) = content.body else {
                    return Ok(());
                };
                let mut record = self.inbox_record(speaker)?;
                record.text = Some(text);
                record.sent = content.time.map(|time| time.to_string());
                record.room = id.as_bytes().to_vec();
                record.room_name = name;
                self.arrived(speaker, record).map(|_| ())
            }
            _ => {
                self.count_unreadable();
                let contact = Some(speaker);
                self.tell(Event::Undecryptable { contact });
                Ok(())
            }
        }
    }

    fn hear_in_room(&mut self, contact: ContactId, told: Told) -> Result<(), NodeError> {
        let id = told.room;
        if self.rooms.room(id).is_some_and(|room| room.left) || self.rooms.knows(id, &told.key) {
            return Ok(());
        }
        let was_told = self.describe_room(id).is_some();
        let is_new = self.rooms.room(id).is_none();
        if is_new {
            if self.rooms.is_full() || self.rooms.is_full_of(contact) {
                return Ok(());
            }
            let room = Joined {
                chain: self.next_chain(),
                name: alloc::string::String::new(),
                host: Host::Untold,
                members: BTreeSet::new(),
                unknown: 0,
                epoch: 0,
                left: false,
                mouth: Mouth::new(&mut self.rng),
            };
            self.rooms.insert(id, room);
        }
        let is_news = |room: &Joined| room.host == Host::Untold || told.epoch > room.epoch;
        if told.hosts && self.rooms.room(id).is_some_and(is_news) {
            self.follow_host(id, contact, &told)?;
        } else if is_new {
            self.save_room(id)?;
        }
        for surplus in self.rooms.surplus(id, contact) {
            self.rooms.forget_voice(surplus);
            self.delete(crate::Table::Chains, &surplus.0.to_be_bytes())?;
        }
        let voice = self.next_chain();
        self.rooms.hear(voice, id, contact, told.key, &told.tags);
        self.save_voice(voice)?;
        // What came before its key, and before the host said who is in the room.
        let tags = self.rooms.tags_of(id);
        self.rescan(&tags);
        if !was_told && let Some(room) = self.describe_room(id) {
            self.tell(Event::RoomJoined(room));
        }
        Ok(())
    }

    /// Who made the room says who is in it.
    fn follow_host(&mut self, id: RoomId, host: ContactId, told: &Told) -> Result<(), NodeError> {
        let me = self.me.as_ref().ok_or(NodeError::Record)?;
        let mine = member_name(id, me.device.identity().public().as_bytes());
        let known: Vec<ContactId> = self
            .people
            .iter()
            .filter(|(_, person)| !person.is_pair())
            .filter(|(_, person)| {
                let name = member_name(id, &person.record.identity);
                told.members.contains(&name)
            })
            .map(|(contact, _)| contact)
            .collect();
        let others = told.members.iter().filter(|name| **name != mine).count();
        let name = match told.name.as_str() {
            name if !self.is_room_name_taken(name) => told.name.clone(),
            name => cut(&alloc::format!("{name} {}", short(id)), MAX_NAME_LEN),
        };
        if let Some(room) = self.rooms.room_mut(id) {
            room.host = Host::Contact(host);
            room.epoch = told.epoch;
            if room.name.is_empty() {
                room.name = name;
            }
            room.unknown = u32::try_from(others.saturating_sub(known.len())).unwrap_or(u32::MAX);
            room.members = known.into_iter().chain([host]).collect();
            let members = room.members.clone();
            self.forget_voices(id, |speaker| !members.contains(&speaker))?;
        }
        self.save_room(id)
    }

    fn save_voice(&mut self, voice: ChainId) -> Result<(), NodeError> {
        let Some(record) = self.rooms.voice_record(voice) else {
            return Ok(());
        };
        self.save(&voice.0.to_be_bytes(), &record)
    }
}

impl Told {
    /// `identity` is the key of the one who tells it.
    fn parse(bytes: &[u8], identity: &[u8]) -> Option<Self> {
        let RoomKey {
            room,
            drawn,
            name,
            sender_key,
            tag_secret,
            members,
            epoch,
        } = RoomKey::decode(bytes).ok()?;
        let sender_key = Zeroizing::new(sender_key);
        let tag_secret = Zeroizing::new(tag_secret);
        let (members, rest) = members.as_chunks::<MEMBER_LEN>();
        let name = cut(&printable(&name), MAX_NAME_LEN);
        let room = RoomId::new(room.as_slice().try_into().ok()?);
        let hosts = !drawn.is_empty();
        // Nobody else's room can be said to be one's own.
        if hosts && RoomId::made_by(identity, &drawn.as_slice().try_into().ok()?) != room {
            return None;
        }
        let is_sound = rest.is_empty() && members.len() <= MAX_ROOM_MEMBERS && !name.is_empty();
        let told = Self {
            room,
            hosts,
            name,
            key: room::RoomKey::from_distribution(&sender_key).ok()?,
            tags: Zeroizing::new(tag_secret.as_slice().try_into().ok()?),
            members: members.iter().copied().collect(),
            epoch,
        };
        is_sound.then_some(told)
    }
}

/// The first digits of a room's id, to tell it from others of its name.
fn short(id: RoomId) -> alloc::string::String {
    id.to_string().chars().take(4).collect()
}
