//! Making rooms, saying who is in them, and speaking there.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use chappe_omemo::DeviceId;
use chappe_omemo::sce::Timestamp;
use chappe_wire::proto::{Parcel, RoomKey, parcel};
use chappe_wire::{ByteCount, Instant, Preimage};
use prost::Message as _;
use rand_core::Rng as _;
use sha2::{Digest as _, Sha256};

use crate::compose::{Label, MAX_ENVELOPE_LEN, cut};
use crate::contact::ContactId;
use crate::deliver::{MAX_NAME_LEN, printable};
use crate::message::{MAX_TEXT_LEN, MessageId};
use crate::output::CommandError;
use crate::record::{OutboxRecord, load};
use crate::room::{Host, Joined, MAX_ROOM_MEMBERS, Mouth, Room, RoomId};
use crate::{Node, NodeError, Store, Table};

/// Bytes by which a member is named to the others: whoever has its identity key as well recognises it.
pub(crate) const MEMBER_LEN: usize = 8;

impl<S: Store> Node<S> {
    /// Makes a room, and tells its members.
    pub(crate) fn make_room(
        &mut self,
        now: Instant,
        name: &str,
        members: &[ContactId],
    ) -> Result<Room, CommandError> {
        let me = self.me.as_ref().ok_or(CommandError::Relay)?;
        let identity = *me.device.identity().public().as_bytes();
        let name = cut(&printable(name), MAX_NAME_LEN);
        if name.is_empty() || self.is_room_name_taken(&name) {
            return Err(CommandError::RoomNameTaken);
        }
        let members: BTreeSet<ContactId> = members.iter().copied().collect();
        for member in &members {
            self.can_be_in_a_room(*member)?;
        }
        if self.rooms.is_full() || members.len() >= MAX_ROOM_MEMBERS {
            return Err(CommandError::RoomFull);
        }
        let mut drawn = [0; RoomId::LEN];
        self.rng.fill_bytes(&mut drawn);
        let id = RoomId::made_by(&identity, &drawn);
        let room = Joined {
            chain: self.next_chain(),
            name,
            host: Host::Me(drawn),
            members,
            unknown: 0,
            epoch: 0,
            left: false,
            mouth: Mouth::new(&mut self.rng),
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
        let mut members = room.members.clone();
        members.extend(added);
        members.retain(|member| !removed.contains(member));
        if members.len() >= MAX_ROOM_MEMBERS {
            return Err(CommandError::RoomFull);
        }
        if members != room.members {
            // With another key all are told, and who comes cannot recognise what was said before.
            let mouth = Mouth::new(&mut self.rng);
            if let Some(room) = self.rooms.room_mut(id) {
                room.members = members;
                room.epoch = room.epoch.saturating_add(1);
                room.mouth = mouth;
            }
        }
        self.forget_voices(id, |speaker| removed.contains(&speaker))?;
        self.save_room(id)?;
        self.hand_keys_over(now, id)?;
        self.describe_room(id).ok_or(CommandError::NoSuchRoom)
    }

    /// Leaves a room: nothing is heard of it any more, and its keys are gone.
    pub(crate) fn leave_room(&mut self, id: RoomId) -> Result<(), CommandError> {
        self.joined(id)?;
        self.forget_voices(id, |_| true)?;
        let mouth = Mouth::new(&mut self.rng);
        if let Some(room) = self.rooms.room_mut(id) {
            room.left = true;
            room.members.clear();
            room.unknown = 0;
            room.mouth = mouth;
        }
        Ok(self.save_room(id)?)
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
            .seal(id, content.as_bytes())
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
            ..OutboxRecord::default()
        };
        self.save(&message.0.to_be_bytes(), &record)?;
        Ok(message)
    }

    /// Frees a message to a room everywhere, whether all have read it or not: only its sender can.
    pub(crate) fn take_back(
        &mut self,
        now: Instant,
        message: MessageId,
    ) -> Result<(), CommandError> {
        let key = message.0.to_be_bytes();
        let record: OutboxRecord = load(&self.store, &key)?.ok_or(CommandError::NoSuchMessage)?;
        let preimage = record.receipt.as_slice().try_into();
        let preimage = Preimage::new(preimage.map_err(|_| CommandError::WrongKind)?);
        self.delete(Table::Outbox, &key)?;
        let lifetime = self.config.lifetime;
        self.router.add_receipt(now, preimage, lifetime);
        Ok(())
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
                Host::Me(_) | Host::Untold => None,
            },
            members: room.members.iter().copied().collect(),
            unknown: room.unknown,
            without_key: u32::try_from(room.members.iter().filter(lacks).count())
                .unwrap_or(u32::MAX),
        })
    }

    /// Gives this node's key to the members that lack it; to all, if somebody has left since, for it is another one then.
    /// Members who have not answered yet, and those who are blocked, wait.
    fn hand_keys_over(&mut self, now: Instant, id: RoomId) -> Result<(), CommandError> {
        let room = self.joined(id)?;
        let members: Vec<ContactId> = room.members.iter().copied().collect();
        let reachable = |member: &ContactId| {
            let person = self.people.person(*member).ok()?;
            let speaks = person.record.heard && !person.record.blocked;
            speaks.then(|| self.device_of(*member)).flatten()
        };
        let present: Vec<(ContactId, (String, DeviceId))> = members
            .iter()
            .filter_map(|member| Some((*member, reachable(member)?)))
            .collect();
        let devices = present.iter().map(|(_, device)| device.clone()).collect();
        let named = self.named_members(id);
        let room = self.rooms.room_mut(id).ok_or(CommandError::NoSuchRoom)?;
        let lacking = room
            .mouth
            .update(&mut self.rng, &devices)
            .ok_or(CommandError::RoomFull)?;
        let drawn = match room.host {
            Host::Me(drawn) => drawn.to_vec(),
            Host::Contact(_) | Host::Untold => Vec::new(),
        };
        let told = RoomKey {
            drawn,
            room: id.as_bytes().to_vec(),
            name: room.name.clone(),
            sender_key: room.mouth.distribution().to_vec(),
            tag_secret: room.mouth.tags().to_vec(),
            members: named,
            epoch: room.epoch,
        };
        let told = zeroize::Zeroizing::new(told.encode_to_vec());
        for (member, (jid, device)) in present {
            if !lacking.contains(&(jid.clone(), device)) {
                continue;
            }
            let label = Label::hidden();
            match self.send_encrypted(
                now,
                member,
                &told,
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

    fn joined(&self, id: RoomId) -> Result<&Joined, CommandError> {
        let room = self.rooms.room(id);
        let room = room.filter(|room| !room.left && room.host != Host::Untold);
        room.ok_or(CommandError::NoSuchRoom)
    }

    pub(crate) fn is_room_name_taken(&self, name: &str) -> bool {
        let mut rooms = self.rooms.iter().filter(|(_, room)| !room.left);
        rooms.any(|(_, room)| room.name == name)
    }

    /// A contact is none any more: it is in no room.
    pub(crate) fn leaves_rooms(&mut self, contact: ContactId) -> Result<(), NodeError> {
        let rooms: Vec<RoomId> = self.rooms.iter().map(|(id, _)| id).collect();
        for id in rooms {
            self.forget_voices(id, |speaker| speaker == contact)?;
            if let Some(room) = self.rooms.room_mut(id)
                && room.members.remove(&contact)
            {
                let unknown = u32::from(!matches!(room.host, Host::Me(_)));
                room.unknown = room.unknown.saturating_add(unknown);
                self.save_room(id)?;
            }
        }
        Ok(())
    }

    /// Forgets the sender keys of those in a room whom `of` tells.
    pub(crate) fn forget_voices(
        &mut self,
        id: RoomId,
        of: impl Fn(ContactId) -> bool,
    ) -> Result<(), NodeError> {
        for voice in self.rooms.voices_of(id, of) {
            self.rooms.forget_voice(voice);
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
pub(crate) fn member_name(room: RoomId, identity: &[u8]) -> [u8; MEMBER_LEN] {
    let hash = Sha256::new()
        .chain_update(b"chappe room member v1")
        .chain_update(room.as_bytes())
        .chain_update(identity)
        .finalize();
    hash.first_chunk().copied().unwrap_or_default()
}
