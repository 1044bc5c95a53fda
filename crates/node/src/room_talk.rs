//! Making rooms, saying who is in them, and speaking there.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use chappe_omemo::DeviceId;
use chappe_omemo::sce::Timestamp;
use chappe_wire::proto::{Parcel, RoomKey, parcel};
use chappe_wire::{ByteCount, Instant, Lifetime, Preimage};
use prost::Message as _;
use rand_core::Rng as _;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use crate::chains::ChainId;
use crate::compose::{Label, MAX_ENVELOPE_LEN, cut};
use crate::contact::ContactId;
use crate::deliver::{MAX_NAME_LEN, printable};
use crate::message::{MAX_TEXT_LEN, MessageId};
use crate::output::CommandError;
use crate::record::{OutboxRecord, load};
use crate::room::{
    Host, Joined, MAX_ROOM_MEMBERS, MemberName, Mouth, Presence, Room, RoomId, Speaker,
};
use crate::{Node, NodeError, Store, Table};

/// What telling one member of a room may take of the store, in bytes: an envelope, and the session with it.
const TELLING_COST: u64 = 2 * MAX_ENVELOPE_LEN as u64;
/// How often somebody is told that it is in a room no more, or a host that somebody has left.
const MAX_TIMES_TOLD_GONE: u32 = 3;

impl<S: Store> Node<S> {
    /// Makes a room, and tells its members.
    pub(crate) fn make_room(
        &mut self,
        now: Instant,
        name: &str,
        members: &[ContactId],
    ) -> Result<Room, CommandError> {
        let identity = self.identity().ok_or(CommandError::Relay)?;
        let name = cut(&printable(name), MAX_NAME_LEN);
        if name.is_empty() || self.is_room_name_taken(&name) {
            return Err(CommandError::RoomNameTaken);
        }
        let members: BTreeSet<ContactId> = members.iter().copied().collect();
        for member in &members {
            self.can_be_in_a_room(*member)?;
        }
        if members.len() >= MAX_ROOM_MEMBERS {
            return Err(CommandError::RoomFull);
        }
        if self.rooms.is_full() {
            return Err(CommandError::TooManyRooms);
        }
        self.check_room(TELLING_COST.saturating_mul(members.len() as u64))?;
        let mut drawn = [0; RoomId::LEN];
        self.rng.fill_bytes(&mut drawn);
        let id = RoomId::made_by(&identity, &drawn);
        let me = Speaker { room: id, identity };
        let room = Joined {
            chain: self.next_chain(),
            name,
            host: Host::Me(drawn),
            members,
            named: BTreeSet::new(),
            epoch: 0,
            presence: Presence::In,
            mouth: Mouth::new(&mut self.rng, me),
        };
        self.rooms.insert(id, room);
        self.save_room(id)?;
        self.hand_keys_over(now, id)?;
        self.describe_room(id).ok_or(CommandError::NoSuchRoom)
    }

    /// Takes people into a room that was made here, or out of it.
    pub(crate) fn change_room(
        &mut self,
        now: Instant,
        id: RoomId,
        added: &[ContactId],
        removed: &[ContactId],
    ) -> Result<Room, CommandError> {
        for member in added {
            self.can_be_in_a_room(*member)?;
        }
        let room = self.joined(id)?;
        if !matches!(room.host, Host::Me(_)) {
            return Err(CommandError::NotHost);
        }
        if removed.iter().any(|member| !room.members.contains(member)) {
            return Err(CommandError::NotMember);
        }
        let mut members = room.members.clone();
        members.extend(added);
        members.retain(|member| !removed.contains(member));
        if members.len() >= MAX_ROOM_MEMBERS {
            return Err(CommandError::RoomFull);
        }
        self.check_room(TELLING_COST.saturating_mul(members.len() as u64))?;
        self.set_members(now, id, members)?;
        self.hand_keys_over(now, id)?;
        self.describe_room(id).ok_or(CommandError::NoSuchRoom)
    }

    /// Others are in a room that was made here from now on. With other keys all are told, who comes cannot recognise what was
    /// said before, and who goes can read nothing that is said later.
    pub(crate) fn set_members(
        &mut self,
        now: Instant,
        id: RoomId,
        members: BTreeSet<ContactId>,
    ) -> Result<(), CommandError> {
        let me = self.own_speaker(id).ok_or(CommandError::Relay)?;
        let room = self.rooms.room_mut(id).ok_or(CommandError::NoSuchRoom)?;
        if room.members == members {
            return Ok(());
        }
        let gone: Vec<ContactId> = room.members.difference(&members).copied().collect();
        room.members = members;
        room.epoch = room.epoch.saturating_add(1);
        room.mouth.redraw(&mut self.rng, me);
        self.save_room(id)?;
        for member in gone {
            self.tell_gone(now, id, member, 1)?;
        }
        self.hand_keys_over(now, id)
    }

    /// Leaves a room: nothing is heard of it any more, and its keys are gone. Its host is told; without its host a room is
    /// over.
    pub(crate) fn leave_room(&mut self, now: Instant, id: RoomId) -> Result<(), CommandError> {
        let room = self.joined(id)?;
        let told: Vec<ContactId> = match room.host {
            Host::Me(_) => room.members.iter().copied().collect(),
            Host::Contact(host) | Host::Untold(host) => Vec::from([host]),
        };
        if let Some(room) = self.rooms.room_mut(id) {
            room.epoch = room.epoch.saturating_add(1);
        }
        for contact in told {
            self.tell_gone(now, id, contact, 1)?;
        }
        let me = self.own_speaker(id).ok_or(CommandError::Relay)?;
        if let Some(oldest) = self.rooms.surplus_left() {
            self.forget_room(oldest)?;
        }
        self.forget_voices(id, |_| true)?;
        if let Some(room) = self.rooms.room_mut(id) {
            room.presence = Presence::Left;
            room.members.clear();
            room.named.clear();
            room.mouth.redraw(&mut self.rng, me);
        }
        Ok(self.save_room(id)?)
    }

    /// Tells a contact that it is in a room no more, or, if that is its host, that this node is not; the `time`th time. If it
    /// cannot be told, what it says there goes to nobody.
    fn tell_gone(
        &mut self,
        now: Instant,
        id: RoomId,
        contact: ContactId,
        time: u32,
    ) -> Result<(), CommandError> {
        let room = self.rooms.room(id).ok_or(CommandError::NoSuchRoom)?;
        let told = RoomKey {
            room: id.as_bytes().to_vec(),
            drawn: room.drawn(),
            epoch: room.epoch,
            gone: true,
            ..RoomKey::default()
        };
        if !self.can_be_told(contact) {
            return Ok(());
        }
        let wrap = parcel::Content::RoomKey;
        let told = told.encode_to_vec();
        let label = Label::gone_from(id, time);
        let sent = self.send_encrypted(now, contact, &told, wrap, Vec::new(), label);
        Ok(only_store(sent.map(|_| ()))?)
    }

    /// Says something in a room: one envelope for all. Members that lack the key of this node are given it before.
    pub(crate) fn send_to_room(
        &mut self,
        now: Instant,
        id: RoomId,
        text: String,
        written: Option<Timestamp>,
    ) -> Result<MessageId, CommandError> {
        self.joined(id)?;
        if text.is_empty() {
            return Err(CommandError::Empty);
        }
        if text.len() > MAX_TEXT_LEN {
            return Err(CommandError::TooLarge);
        }
        self.check_room(0)?;
        let content = self.text_for(id.to_string(), text.clone(), written)?;
        self.hand_keys_over(now, id)?;
        let me = self.own_speaker(id).ok_or(CommandError::Relay)?;
        let room = self.rooms.room(id).ok_or(CommandError::NoSuchRoom)?;
        if room.mouth.is_unheard() {
            return Err(CommandError::NobodyHears);
        }
        // Nothing is encrypted that cannot be sent: a sender key does not go back.
        if !self
            .router
            .has_room_for_own(1, ByteCount::of(MAX_ENVELOPE_LEN))
        {
            return Err(CommandError::OutboxFull);
        }
        let lifetime = self.config.lifetime;
        let room = self.rooms.room_mut(id).ok_or(CommandError::NoSuchRoom)?;
        let name = room.name.clone();
        let sealed = room
            .mouth
            .seal(me, content.as_bytes())
            .ok_or(CommandError::TooLarge)?;
        let parcel = Parcel {
            content: Some(parcel::Content::Room(sealed)),
        };
        let (chain, secret) = room.mouth.chain();
        let (envelope, sealed) = chain
            .seal_with_receipt_of(lifetime, &parcel.encode_to_vec(), &secret)
            .map_err(|_| CommandError::TooLarge)?;
        self.save_room(id)?;
        let message = self.next_message()?;
        self.keep_message(now, message, &[envelope])?;
        let record = OutboxRecord {
            name,
            size: text.len() as u64,
            summary: text,
            created: now.as_micros(),
            outstanding: 1,
            room: id.as_bytes().to_vec(),
            receipt: sealed.preimage.as_bytes().to_vec(),
            lifetime: u32::from(lifetime.code()),
            ..OutboxRecord::default()
        };
        self.save(&message.0.to_be_bytes(), &record)?;
        Ok(message)
    }

    /// Frees a message to a room everywhere, whether all have read it or not: only its sender can. Its receipt waits with others,
    /// so that it does not tell whose message it was.
    pub(crate) fn take_back(
        &mut self,
        now: Instant,
        message: MessageId,
    ) -> Result<(), CommandError> {
        let key = message.0.to_be_bytes();
        let record: OutboxRecord = load(&self.store, &key)?.ok_or(CommandError::NoSuchMessage)?;
        let preimage = record.receipt.as_slice().try_into();
        let preimage = Preimage::new(preimage.map_err(|_| CommandError::NotToRoom)?);
        self.delete(Table::Outbox, &key)?;
        let lifetime = u8::try_from(record.lifetime).unwrap_or(u8::MAX);
        let lifetime = Lifetime::from_code(lifetime);
        Ok(self.hold_receipt(now, preimage, lifetime, true)?)
    }

    /// The rooms that this node is in.
    pub(crate) fn list_rooms(&self) -> Vec<Room> {
        let rooms = self.rooms.iter();
        rooms.filter_map(|(id, _)| self.describe_room(id)).collect()
    }

    /// A room as people see it; `None` if it was left, or never was.
    pub(crate) fn describe_room(&self, id: RoomId) -> Option<Room> {
        let room = self.joined(id).ok()?;
        let lacks = |member: &&ContactId| {
            let device = self.device_of(**member);
            !device.is_some_and(|(jid, device)| room.mouth.is_known_to(&jid, device))
        };
        Some(Room {
            id,
            name: room.name.clone(),
            host: match room.host {
                Host::Contact(host) => Some(host),
                Host::Me(_) | Host::Untold(_) => None,
            },
            members: room.members.iter().copied().collect(),
            unknown: room.unknown(),
            without_key: u32::try_from(room.members.iter().filter(lacks).count())
                .unwrap_or(u32::MAX),
        })
    }

    /// Gives this node's key to the members that lack it; to all, if somebody is gone since, for it is another one then.
    /// Members who have not answered yet, and those who are blocked, wait.
    fn hand_keys_over(&mut self, now: Instant, id: RoomId) -> Result<(), CommandError> {
        let room = self.joined(id)?;
        let listens = |member: &ContactId| {
            let record = &self.people.person(*member).ok()?.record;
            let device = self.device_of(*member)?;
            (record.heard && !record.blocked).then_some((*member, device))
        };
        let present: Vec<(ContactId, (String, DeviceId))> =
            room.members.iter().filter_map(listens).collect();
        let devices = present.iter().map(|(_, device)| device.clone()).collect();
        let named = match room.host {
            Host::Me(_) => self.named_members(id),
            Host::Contact(_) | Host::Untold(_) => Vec::new(),
        };
        let me = self.own_speaker(id).ok_or(CommandError::Relay)?;
        let room = self.rooms.room_mut(id).ok_or(CommandError::NoSuchRoom)?;
        let lacking = room
            .mouth
            .update(&mut self.rng, me, &devices)
            .ok_or(CommandError::RoomFull)?;
        let mut told = RoomKey {
            drawn: room.drawn(),
            room: id.as_bytes().to_vec(),
            name: room.name.clone(),
            sender_key: room.mouth.distribution().to_vec(),
            tag_secret: room.mouth.tags().to_vec(),
            members: named,
            epoch: room.epoch,
            generation: room.mouth.generation(),
            gone: false,
        };
        let encoded = Zeroizing::new(told.encode_to_vec());
        told.sender_key.zeroize();
        told.tag_secret.zeroize();
        for (member, (jid, device)) in present {
            let lacks = lacking.contains(&(jid.clone(), device)) && self.can_be_told(member);
            // Without room in the store, they wait as well.
            if !lacks || self.check_room(TELLING_COST).is_err() {
                continue;
            }
            let label = Label::key_of(id);
            match self.send_encrypted(
                now,
                member,
                &encoded,
                parcel::Content::RoomKey,
                Vec::new(),
                label,
            ) {
                Ok(_) => {}
                // It waits like those who have not answered.
                Err(CommandError::NoSession | CommandError::OutboxFull) => continue,
                Err(error) => {
                    self.save_room(id)?;
                    return Err(error);
                }
            }
            if let Some(room) = self.rooms.room_mut(id) {
                room.mouth.handed_to(jid, device);
            }
        }
        Ok(self.save_room(id)?)
    }

    /// The members of a room as each of them is named to the others, this node first.
    fn named_members(&self, id: RoomId) -> Vec<u8> {
        let mut named = Vec::new();
        if let Some(me) = &self.me {
            named.extend(member_name(id, me.device.identity().public().as_bytes()));
        }
        let members = self.rooms.room(id).map(|room| room.members.iter());
        for member in members.into_iter().flatten() {
            if let Ok(person) = self.people.person(*member) {
                named.extend(member_name(id, &person.record.identity));
            }
        }
        named
    }

    fn device_of(&self, contact: ContactId) -> Option<(String, DeviceId)> {
        let record = &self.people.person(contact).ok()?.record;
        Some((record.jid.clone(), DeviceId::new(record.device)?))
    }

    fn can_be_in_a_room(&self, contact: ContactId) -> Result<(), CommandError> {
        let person = self.people.person(contact)?;
        if person.is_pair() {
            return Err(CommandError::WrongKind);
        }
        if person.record.blocked {
            return Err(CommandError::Blocked);
        }
        Ok(())
    }

    /// Whether what is told to a contact now can be read: it has answered, and a message to it is no key exchange. Whoever has
    /// one of those can be anybody, so nothing of rooms is believed then.
    fn can_be_told(&self, contact: ContactId) -> bool {
        let Ok(person) = self.people.person(contact) else {
            return false;
        };
        let session = person.sessions.sending_session();
        session.is_some_and(|session| person.sessions.is_answered(session))
            && !person.record.blocked
    }

    fn joined(&self, id: RoomId) -> Result<&Joined, CommandError> {
        let room = self.rooms.room(id);
        let room = room.filter(|room| room.is_present());
        room.ok_or(CommandError::NoSuchRoom)
    }

    fn is_room_name_taken(&self, name: &str) -> bool {
        let mut rooms = self.rooms.iter().filter(|(_, room)| room.is_present());
        rooms.any(|(_, room)| room.name == name)
    }

    /// `name`, or that with as many digits of the room's id as make it the only one.
    pub(crate) fn free_room_name(&self, name: &str, id: RoomId) -> String {
        if !self.is_room_name_taken(name) {
            return name.to_string();
        }
        let digits = id.to_string();
        let with = |count: usize| {
            let name = cut(name, MAX_NAME_LEN.saturating_sub(count + 1));
            alloc::format!("{name} {}", cut(&digits, count))
        };
        let mut candidates = [4, 8, digits.len()].into_iter().map(with);
        let free = candidates.find(|name| !self.is_room_name_taken(name));
        free.unwrap_or(digits)
    }

    /// A contact will be none any more: it is in no room.
    pub(crate) fn leaves_rooms(
        &mut self,
        now: Instant,
        contact: ContactId,
    ) -> Result<(), CommandError> {
        let rooms: Vec<RoomId> = self.rooms.iter().map(|(id, _)| id).collect();
        for id in rooms {
            self.forget_voices(id, |speaker| speaker == contact)?;
            match self
                .rooms
                .room(id)
                .map(|room| (room.host, room.is_present()))
            {
                // Nobody else can say who is in it.
                Some((Host::Contact(host), is_present)) if host == contact => {
                    if is_present {
                        self.tell_gone(now, id, host, 1)?;
                    }
                    self.forget_room(id)?;
                }
                Some((Host::Untold(first), _)) if first == contact => {
                    let other = self.rooms.speaker_in(id);
                    match (other, self.rooms.room_mut(id)) {
                        (Some(other), Some(room)) => {
                            room.host = Host::Untold(other);
                            self.save_room(id)?;
                        }
                        _ => self.forget_room(id)?,
                    }
                }
                _ => {}
            }
            let Some(room) = self.rooms.room_mut(id) else {
                continue;
            };
            let mut members = room.members.clone();
            if !members.remove(&contact) {
                continue;
            }
            if matches!(room.host, Host::Me(_)) {
                self.set_members(now, id, members)?;
            } else {
                room.members = members;
                self.save_room(id)?;
            }
        }
        Ok(())
    }

    /// A contact lacks this node's keys in rooms, which it had, or which were on their way: it is given them once more.
    pub(crate) fn keys_were_lost(&mut self, contact: ContactId) -> Result<(), NodeError> {
        let Some((jid, device)) = self.device_of(contact) else {
            return Ok(());
        };
        for id in self.rooms.lost_by(&jid, device) {
            self.save_room(id)?;
        }
        Ok(())
    }

    /// What was told of a room did not reach a contact in time, as far as is known: it is told once more.
    pub(crate) fn room_word_expired(
        &mut self,
        now: Instant,
        id: RoomId,
        contact: ContactId,
        gone: u32,
    ) -> Result<(), NodeError> {
        let device = self.device_of(contact);
        let Some(room) = self.rooms.room_mut(id) else {
            return Ok(());
        };
        if gone > 0 {
            let is_so = room.presence == Presence::Left || !room.members.contains(&contact);
            if is_so && gone < MAX_TIMES_TOLD_GONE {
                only_store(self.tell_gone(now, id, contact, gone.saturating_add(1)))?;
            }
            return Ok(());
        }
        let Some((jid, device)) = device else {
            return Ok(());
        };
        room.mouth.lost_by(&jid, device);
        self.save_room(id)?;
        self.catch_up_later(now, contact)
    }

    /// If a contact lacks the key of a room that was made here, it is told a little later: at once would tell relays when
    /// something of it was read.
    pub(crate) fn catch_up_later(
        &mut self,
        now: Instant,
        contact: ContactId,
    ) -> Result<(), NodeError> {
        if self.rooms_to_tell(contact).is_empty() {
            return Ok(());
        }
        self.answer_later(now, contact)
    }

    /// Gives a contact the keys of rooms made here that it lacks. True if there were any.
    pub(crate) fn catch_up(&mut self, now: Instant, contact: ContactId) -> Result<bool, NodeError> {
        let rooms = self.rooms_to_tell(contact);
        for id in &rooms {
            only_store(self.hand_keys_over(now, *id))?;
        }
        Ok(!rooms.is_empty())
    }

    fn rooms_to_tell(&self, contact: ContactId) -> Vec<RoomId> {
        let Some((jid, device)) = self
            .device_of(contact)
            .filter(|_| self.can_be_told(contact))
        else {
            return Vec::new();
        };
        let lacks = |room: &Joined| {
            matches!(room.host, Host::Me(_))
                && room.is_present()
                && room.members.contains(&contact)
                && !room.mouth.is_known_to(&jid, device)
        };
        let rooms = self.rooms.iter().filter(|(_, room)| lacks(room));
        rooms.map(|(id, _)| id).collect()
    }

    /// Forgets a room, with all that is heard there.
    pub(crate) fn forget_room(&mut self, id: RoomId) -> Result<(), NodeError> {
        self.forget_voices(id, |_| true)?;
        match self.rooms.remove(id) {
            Some(chain) => self.delete(Table::Chains, &chain.0.to_be_bytes()),
            None => Ok(()),
        }
    }

    /// This node, in a room; `None` for a relay.
    pub(crate) fn own_speaker(&self, room: RoomId) -> Option<Speaker> {
        let identity = self.identity()?;
        Some(Speaker { room, identity })
    }

    /// A contact, in a room.
    pub(crate) fn speaker_of(&self, room: RoomId, contact: ContactId) -> Option<Speaker> {
        let identity = self.people.person(contact).ok()?.record.identity.as_slice();
        let identity = identity.try_into().ok()?;
        Some(Speaker { room, identity })
    }

    fn identity(&self) -> Option<[u8; 32]> {
        let me = self.me.as_ref()?;
        Some(*me.device.identity().public().as_bytes())
    }

    /// Forgets the sender keys of those in a room whom `of` tells.
    pub(crate) fn forget_voices(
        &mut self,
        id: RoomId,
        of: impl Fn(ContactId) -> bool,
    ) -> Result<(), NodeError> {
        let voices = self.rooms.voices_of(id, of);
        self.forget_these(&voices)
    }

    pub(crate) fn forget_these(&mut self, voices: &[ChainId]) -> Result<(), NodeError> {
        self.rooms.forget_voices(voices);
        for voice in voices {
            self.delete(Table::Chains, &voice.0.to_be_bytes())?;
        }
        Ok(())
    }

    pub(crate) fn save_room(&mut self, id: RoomId) -> Result<(), NodeError> {
        let Some((chain, record)) = self.rooms.record(id) else {
            return Ok(());
        };
        self.save(&chain.0.to_be_bytes(), &record)
    }
}

/// How a member is named to those who have its identity key: the first 8 bytes of SHA-256 of `"chappe room member v1"`,
/// the room's id and the key.
pub(crate) fn member_name(room: RoomId, identity: &[u8]) -> MemberName {
    let hash = Sha256::new()
        .chain_update(b"chappe room member v1")
        .chain_update(room.as_bytes())
        .chain_update(identity)
        .finalize();
    hash.first_chunk().copied().unwrap_or_default()
}

/// What could not be told to somebody now is no failure; what could not be stored is.
pub(crate) fn only_store(result: Result<(), CommandError>) -> Result<(), NodeError> {
    match result {
        Err(CommandError::Store(error)) => Err(NodeError::Store(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
