//! Rooms: what this node speaks with in each, and whom it hears.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use chappe_envelope::{
    ChainRoot, Claim, Counter, ReceiptSecret, ReceiveChain, SendChain, TagChanges,
};
use chappe_omemo::DeviceId;
use chappe_omemo::room::{Members, RoomKey, SenderKey};
use chappe_wire::{Envelope, Tag};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::NodeError;
use crate::chains::{ChainId, KIND_ROOM, KIND_ROOM_VOICE};
use crate::contact::ContactId;
use crate::record::{ChainRecord, HandedRecord, RoomRecord};

/// The most people in a room, this node's with them.
pub const MAX_ROOM_MEMBERS: usize = 200;
/// The most rooms that a node is in.
pub(crate) const MAX_ROOMS: usize = 64;
/// Of these, those that one contact has brought this node into.
const MAX_ROOMS_PER_CONTACT: usize = 16;
/// Rooms that this node has left and remembers, so that late words bring it back into none of them.
const MAX_ROOMS_LEFT: usize = 64;
/// The same of those that one host has taken it out of.
const MAX_TAKEN_OUT_PER_HOST: usize = 16;
/// Rooms of which a contact has told first, without having made them, and of which their host has not told yet.
const MAX_UNTOLD_PER_CONTACT: usize = 4;
/// Sender keys of one person in one room: the one in use, and those before it that late messages are sealed with.
const MAX_VOICES_PER_SPEAKER: usize = 3;
/// Sender keys of all people in all rooms.
const MAX_VOICES: usize = 4_096;
/// Messages that are sealed with one sender key before another one is drawn. Finding the tags of somebody costs whoever
/// comes late one hash for 64 of them.
pub(crate) const MAX_MESSAGES_PER_KEY: u32 = 1 << 16;
/// What a node whose store is an older copy adds to its counts, so that they are higher than those it has forgotten.
const FORGOTTEN: u64 = 1 << 32;

/// Names a room: 16 bytes that depend on whoever made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId([u8; Self::LEN]);

impl RoomId {
    /// Length in bytes.
    pub const LEN: usize = 16;

    /// The room that whoever holds this identity key has made, with bytes it has drawn: nobody else can say that it is
    /// theirs.
    pub(crate) fn made_by(identity: &[u8], drawn: &[u8; Self::LEN]) -> Self {
        let hash = Sha256::new()
            .chain_update(b"chappe room v1")
            .chain_update(identity)
            .chain_update(drawn)
            .finalize();
        Self(hash.first_chunk().copied().unwrap_or_default())
    }

    /// The id with these bytes.
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Display for RoomId {
    /// 32 digits of hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A room, as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// What it is called.
    pub name: String,
    /// Who made it, and says who is in it; `None` if that is this node.
    pub host: Option<ContactId>,
    /// The contacts that are in it.
    pub members: Vec<ContactId>,
    /// How many others are in it who are no contacts here: they hear nothing from here, and are not heard.
    pub unknown: u32,
    /// Members that have not been given this node's key yet, and cannot read it.
    pub without_key: u32,
}

/// All rooms, in memory, with the tags that are expected in them.
#[derive(Default)]
pub(crate) struct Rooms {
    rooms: BTreeMap<RoomId, Joined>,
    voices: BTreeMap<ChainId, Voice>,
    expected: BTreeMap<Tag, (ChainId, Counter)>,
}

/// A room that this node is in, or has left.
pub(crate) struct Joined {
    pub(crate) chain: ChainId,
    pub(crate) name: String,
    pub(crate) host: Host,
    pub(crate) members: BTreeSet<ContactId>,
    /// All others that are in it, as the host has named them: some may be no contacts yet. Empty if this node is the host.
    pub(crate) named: BTreeSet<MemberName>,
    /// How often the host has changed who is in it, as far as is known: its word may come in another order.
    pub(crate) epoch: u64,
    pub(crate) presence: Presence,
    pub(crate) mouth: Mouth,
}

/// How a member is named to those who have its identity key.
pub(crate) type MemberName = [u8; MEMBER_LEN];

/// Bytes by which a member is named to the others: whoever has its identity key as well recognises it.
pub(crate) const MEMBER_LEN: usize = 8;

/// Whether this node is in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    In,
    /// Of its own will, and for good.
    Left,
    /// The host has taken it out, and may take it in again.
    TakenOut,
}

/// Who made a room, and says who is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// A contact.
    Contact(ContactId),
    /// This node, with these bytes.
    Me([u8; RoomId::LEN]),
    /// This contact's key came before the host has told of the room.
    Untold(ContactId),
}

/// Somebody in a room: tags and signatures are tied to both, so that nobody passes the keys of somebody else as its own.
#[derive(Clone, Copy)]
pub(crate) struct Speaker {
    pub(crate) room: RoomId,
    /// The identity key, in Ed25519 form.
    pub(crate) identity: [u8; 32],
}

impl Speaker {
    fn root(&self, tags: &[u8; 32]) -> ChainRoot {
        ChainRoot::of_room_sender(tags, &self.room.0, &self.identity)
    }

    /// What is signed with a message besides the message: room, identity key, and the number of the envelope's tag.
    fn context(&self, number: u64) -> Vec<u8> {
        [&self.room.0[..], &self.identity, &number.to_be_bytes()].concat()
    }
}

/// What this node speaks with in one room.
pub(crate) struct Mouth {
    /// The sender key, and who has it.
    members: Members,
    /// Who is given it once more, and may have it all the same.
    may_have: BTreeSet<(String, DeviceId)>,
    chain: SendChain,
    /// What the chain comes from; the others are told.
    tags: Zeroizing<[u8; 32]>,
    /// What receipts depend on; nobody is told.
    receipts: Zeroizing<[u8; 32]>,
    /// How often the keys were drawn anew.
    generation: u64,
}

/// A sender key of somebody in a room.
struct Voice {
    room: RoomId,
    speaker: ContactId,
    key: RoomKey,
    chain: ReceiveChain,
    /// How often its speaker had drawn its keys anew before: they may come in another order.
    generation: u64,
}

impl Mouth {
    /// Fresh keys, which nobody has.
    pub(crate) fn new(rng: &mut impl CryptoRng, me: Speaker) -> Self {
        let [tags, receipts] = [fresh(rng), fresh(rng)];
        Self {
            members: Members::new(rng),
            may_have: BTreeSet::new(),
            chain: SendChain::new(me.root(&tags)),
            tags,
            receipts,
            generation: 0,
        }
    }

    /// Other keys from now on.
    pub(crate) fn redraw(&mut self, rng: &mut impl CryptoRng, me: Speaker) {
        let generation = self.generation.saturating_add(1);
        *self = Self {
            generation,
            ..Self::new(rng, me)
        };
    }

    /// Says who is in the room now. Who lacks the key comes back; if somebody is gone who had it, those are all, for it
    /// is another one then, with other tags. `None` if they are too many.
    pub(crate) fn update(
        &mut self,
        rng: &mut impl CryptoRng,
        me: Speaker,
        present: &BTreeSet<(String, DeviceId)>,
    ) -> Option<Vec<(String, DeviceId)>> {
        let is_spent = self.members.key().count() >= MAX_MESSAGES_PER_KEY;
        let holders = || self.members.handed().chain(&self.may_have);
        if is_spent || holders().any(|device| !present.contains(device)) {
            self.redraw(rng, me);
        }
        self.members.update(rng, present).ok()
    }

    /// A device may lack the key after all: it is given it once more, and counts as one that has it.
    pub(crate) fn lost_by(&mut self, jid: &str, device: DeviceId) {
        if self.is_known_to(jid, device) {
            self.members.lost_by(jid, device);
            self.may_have.insert((jid.to_string(), device));
        }
    }

    /// How often the keys were drawn anew.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// A device will have been given the key before any message.
    pub(crate) fn handed_to(&mut self, jid: String, device: DeviceId) {
        self.members.handed_to(jid, device);
    }

    /// Whether a device has the key.
    pub(crate) fn is_known_to(&self, jid: &str, device: DeviceId) -> bool {
        let mut handed = self.members.handed();
        handed.any(|(other, number)| other == jid && *number == device)
    }

    /// What others need to read from the next message on.
    pub(crate) fn distribution(&mut self) -> Zeroizing<Vec<u8>> {
        self.members.key().to_distribution()
    }

    /// What others find the envelopes by.
    pub(crate) fn tags(&self) -> &[u8; 32] {
        &self.tags
    }

    /// Whether nobody has the key: whatever is sealed with it now, nobody will ever read.
    pub(crate) fn is_unheard(&self) -> bool {
        self.members.handed().next().is_none()
    }

    /// Seals for all who have the key.
    pub(crate) fn seal(&mut self, me: Speaker, content: &[u8]) -> Option<Vec<u8>> {
        let context = me.context(self.chain.sealed());
        self.members.key().seal(&context, content).ok()
    }

    /// The chain on which envelopes to the room go, and what their receipts depend on.
    pub(crate) fn chain(&mut self) -> (&mut SendChain, ReceiptSecret) {
        let secret = ReceiptSecret::of_room_sender(&self.receipts);
        (&mut self.chain, secret)
    }
}

/// What somebody speaks with in a room, as it has told.
pub(crate) struct SpokenWith {
    pub(crate) key: RoomKey,
    pub(crate) tags: Zeroizing<[u8; 32]>,
    pub(crate) generation: u64,
}

impl Joined {
    /// Whether this node is in the room, as far as the host has told.
    pub(crate) fn is_present(&self) -> bool {
        self.presence == Presence::In && !matches!(self.host, Host::Untold(_))
    }

    /// What the room's id was made with, if this node has made it.
    pub(crate) fn drawn(&self) -> Vec<u8> {
        match self.host {
            Host::Me(drawn) => drawn.to_vec(),
            Host::Contact(_) | Host::Untold(_) => Vec::new(),
        }
    }

    /// How many others are in it who are no contacts here.
    pub(crate) fn unknown(&self) -> u32 {
        let unknown = self.named.len().saturating_sub(self.members.len());
        u32::try_from(unknown).unwrap_or(u32::MAX)
    }

    /// The store is an older copy of itself: the keys may have been used since, and others have heard higher counts.
    pub(crate) fn go_past_what_is_forgotten(&mut self, rng: &mut impl CryptoRng, me: Speaker) {
        self.mouth.redraw(rng, me);
        self.mouth.generation = self.mouth.generation.saturating_add(FORGOTTEN);
        if matches!(self.host, Host::Me(_)) {
            self.epoch = self.epoch.saturating_add(FORGOTTEN);
        }
    }
}

fn fresh(rng: &mut impl CryptoRng) -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *bytes);
    bytes
}

impl Rooms {
    /// The room that this node is in under this id, or has left.
    pub(crate) fn room(&self, id: RoomId) -> Option<&Joined> {
        self.rooms.get(&id)
    }

    /// The same, to change it.
    pub(crate) fn room_mut(&mut self, id: RoomId) -> Option<&mut Joined> {
        self.rooms.get_mut(&id)
    }

    /// All rooms, those that were left with them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (RoomId, &Joined)> {
        self.rooms.iter().map(|(id, room)| (*id, room))
    }

    pub(crate) fn is_full(&self) -> bool {
        self.present().count() >= MAX_ROOMS
    }

    /// Whether a contact has brought this node into as many rooms as one may.
    pub(crate) fn is_full_of(&self, contact: ContactId) -> bool {
        let brought = self
            .present()
            .filter(|room| room.host == Host::Contact(contact));
        brought.count() >= MAX_ROOMS_PER_CONTACT
    }

    fn present(&self) -> impl Iterator<Item = &Joined> {
        self.rooms.values().filter(|room| room.is_present())
    }

    /// What has to go so that a contact can be the first to tell of one more room: the oldest of those that it alone has
    /// told of. `None` if the new one has to, for others have told of all of them since.
    pub(crate) fn surplus_untold(&self, contact: ContactId) -> Option<Option<RoomId>> {
        let untold = |room: &Joined| room.host == Host::Untold(contact);
        let count = self.rooms.values().filter(|room| untold(room)).count();
        if count < MAX_UNTOLD_PER_CONTACT {
            return Some(None);
        }
        let alone = |id: RoomId| self.voices_of(id, |speaker| speaker != contact).is_empty();
        let theirs = self.rooms.iter().filter(|(_, room)| untold(room));
        let oldest = theirs
            .filter(|(id, _)| alone(**id))
            .min_by_key(|(_, room)| room.chain);
        oldest.map(|(id, _)| Some(*id))
    }

    /// The oldest of the rooms that this node has left, if they are too many.
    pub(crate) fn surplus_left(&self) -> Option<RoomId> {
        self.oldest_beyond(MAX_ROOMS_LEFT, |room| room.presence == Presence::Left)
    }

    /// The same of those that a host has taken it out of.
    pub(crate) fn surplus_taken_out(&self, host: ContactId) -> Option<RoomId> {
        self.oldest_beyond(MAX_TAKEN_OUT_PER_HOST, |room| {
            room.presence == Presence::TakenOut && room.host == Host::Contact(host)
        })
    }

    fn oldest_beyond(&self, bound: usize, of: impl Fn(&Joined) -> bool) -> Option<RoomId> {
        let found = || self.rooms.iter().filter(|(_, room)| of(room));
        let oldest = found().min_by_key(|(_, room)| room.chain);
        let (id, _) = oldest.filter(|_| found().count() >= bound)?;
        Some(*id)
    }

    /// Somebody who is heard in a room.
    pub(crate) fn speaker_in(&self, room: RoomId) -> Option<ContactId> {
        let mut voices = self.voices.values();
        voices
            .find(|voice| voice.room == room)
            .map(|voice| voice.speaker)
    }

    /// Forgets a room. Gives the chain that its record is under.
    pub(crate) fn remove(&mut self, id: RoomId) -> Option<ChainId> {
        self.rooms.remove(&id).map(|room| room.chain)
    }

    /// A device of somebody lacks this node's keys. Gives the rooms in which it had them.
    pub(crate) fn lost_by(&mut self, jid: &str, device: DeviceId) -> Vec<RoomId> {
        let mut changed = Vec::new();
        for (id, room) in &mut self.rooms {
            if room.mouth.is_known_to(jid, device) {
                room.mouth.lost_by(jid, device);
                changed.push(*id);
            }
        }
        changed
    }

    pub(crate) fn insert(&mut self, id: RoomId, room: Joined) {
        self.rooms.insert(id, room);
    }

    /// The sender key and counter that a tag stands for.
    pub(crate) fn recognise(&self, tag: &Tag) -> Option<(ChainId, Counter)> {
        self.expected.get(tag).copied()
    }

    /// Whose sender key it is, and in which room.
    pub(crate) fn speaker(&self, voice: ChainId) -> Option<(RoomId, ContactId)> {
        let voice = self.voices.get(&voice)?;
        Some((voice.room, voice.speaker))
    }

    /// Whether a sender key of somebody is known already.
    pub(crate) fn knows(&self, room: RoomId, speaker: ContactId, key: &RoomKey) -> bool {
        let mut voices = self.voices.values();
        voices.any(|voice| {
            (voice.room, voice.speaker) == (room, speaker) && voice.key.id() == key.id()
        })
    }

    /// Hears somebody from now on. Gives the tags that are looked for: some may be here.
    pub(crate) fn hear(
        &mut self,
        id: ChainId,
        speaker: ContactId,
        whose: Speaker,
        told: SpokenWith,
    ) -> Vec<Tag> {
        let first = Counter::new(told.key.next().into()).unwrap_or(Counter::FIRST);
        let voice = Voice {
            room: whose.room,
            speaker,
            chain: ReceiveChain::starting_at(whose.root(&told.tags), first),
            key: told.key,
            generation: told.generation,
        };
        self.expect(id, voice)
    }

    /// The sender key that has to go so that one more of somebody fits: that of its own with the least generation, or, if
    /// there are too many of all, one that its speaker has drawn anew since, or one of somebody who is not in the room.
    /// `None` if the new one has to.
    pub(crate) fn surplus(&self, room: RoomId, speaker: ContactId) -> Option<Option<ChainId>> {
        let own = |voice: &Voice| (voice.room, voice.speaker) == (room, speaker);
        let known: Vec<_> = self.voices.iter().filter(|(_, voice)| own(voice)).collect();
        let least = known.iter().min_by_key(|(_, voice)| voice.generation);
        let least = least.map(|(id, _)| **id);
        let is_full = self.voices.len() >= MAX_VOICES;
        if known.len() >= MAX_VOICES_PER_SPEAKER || (is_full && known.len() > 1) {
            return Some(least);
        }
        if !is_full {
            return Some(None);
        }
        let mut latest = BTreeMap::new();
        for voice in self.voices.values() {
            let of = latest.entry((voice.room, voice.speaker)).or_insert(0);
            *of = voice.generation.max(*of);
        }
        let is_idle = |voice: &Voice| {
            let of = (voice.room, voice.speaker);
            let is_past = latest.get(&of).is_some_and(|last| *last > voice.generation);
            let room = self.rooms.get(&voice.room);
            is_past || room.is_none_or(|room| !room.members.contains(&voice.speaker))
        };
        let mut idle = self.voices.iter().filter(|(_, voice)| is_idle(voice));
        idle.next().map(|(id, _)| Some(*id))
    }

    /// The sender keys in a room of those whom `of` tells.
    pub(crate) fn voices_of(&self, room: RoomId, of: impl Fn(ContactId) -> bool) -> Vec<ChainId> {
        self.voices
            .iter()
            .filter(|(_, voice)| voice.room == room && of(voice.speaker))
            .map(|(id, _)| *id)
            .collect()
    }

    /// The tags that are looked for in a room.
    pub(crate) fn tags_of(&self, room: RoomId) -> Vec<Tag> {
        let of_room = |id: &ChainId| self.voices.get(id).is_some_and(|voice| voice.room == room);
        self.expected
            .iter()
            .filter(|(_, (id, _))| of_room(id))
            .map(|(tag, _)| *tag)
            .collect()
    }

    /// Forgets sender keys and their tags.
    pub(crate) fn forget_voices(&mut self, ids: &[ChainId]) {
        for id in ids {
            self.voices.remove(id);
        }
        if !ids.is_empty() {
            self.expected.retain(|_, (voice, _)| !ids.contains(voice));
        }
    }

    /// Breaks the seal of an envelope. Everybody in the room can seal: [`Rooms::read`] tells who did.
    pub(crate) fn unseal(
        &self,
        voice: ChainId,
        counter: Counter,
        envelope: &Envelope,
    ) -> Option<Claim> {
        let chain = &self.voices.get(&voice)?.chain;
        chain.unseal(counter, envelope).ok()
    }

    /// Reads what only the speaker can have sealed, for this place in its chain. `None` if somebody else did: nothing has
    /// changed then.
    pub(crate) fn read(
        &mut self,
        voice: ChainId,
        whose: Speaker,
        counter: Counter,
        sealed: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let voice = self.voices.get_mut(&voice)?;
        voice.key.open(&whose.context(counter.get()), sealed).ok()
    }

    /// Moves the window of tags, once an envelope was read. Gives the tags that are new.
    pub(crate) fn mark_seen(&mut self, id: ChainId, counter: Counter) -> Vec<Tag> {
        let Some(voice) = self.voices.get_mut(&id) else {
            return Vec::new();
        };
        let Ok(TagChanges { added, removed, .. }) = voice.chain.mark_seen(counter) else {
            return Vec::new();
        };
        for (tag, _) in &removed {
            self.expected.remove(tag);
        }
        for (tag, counter) in &added {
            self.expected.insert(*tag, (id, *counter));
        }
        added.iter().map(|(tag, _)| *tag).collect()
    }

    fn expect(&mut self, id: ChainId, voice: Voice) -> Vec<Tag> {
        let tags: Vec<_> = voice.chain.expected().collect();
        let new = tags.iter().map(|(tag, _)| *tag).collect();
        let entries = tags.into_iter();
        self.expected
            .extend(entries.map(|(tag, counter)| (tag, (id, counter))));
        self.voices.insert(id, voice);
        new
    }

    /// The record of a sender key.
    pub(crate) fn voice_record(&self, id: ChainId) -> Option<ChainRecord> {
        let voice = self.voices.get(&id)?;
        Some(ChainRecord {
            kind: KIND_ROOM_VOICE,
            contact: voice.speaker.0,
            chain: voice.chain.to_bytes().to_vec(),
            room: Some(RoomRecord {
                id: voice.room.0.to_vec(),
                key: voice.key.to_bytes().to_vec(),
                generation: voice.generation,
                ..RoomRecord::default()
            }),
            ..ChainRecord::default()
        })
    }

    /// The record of a room, and the chain under which it is kept.
    pub(crate) fn record(&mut self, id: RoomId) -> Option<(ChainId, ChainRecord)> {
        let room = self.rooms.get_mut(&id)?;
        let drawn = room.drawn();
        let mouth = &mut room.mouth;
        let named = |(jid, device): &(String, DeviceId)| HandedRecord {
            jid: jid.clone(),
            device: device.number(),
        };
        let record = RoomRecord {
            id: id.0.to_vec(),
            handed: mouth.members.handed().map(named).collect(),
            may_have: mouth.may_have.iter().map(named).collect(),
            key: mouth.members.key().to_bytes().to_vec(),
            name: room.name.clone(),
            members: room.members.iter().map(|member| member.0).collect(),
            named: room.named.iter().flatten().copied().collect(),
            epoch: room.epoch,
            left: room.presence == Presence::Left,
            taken_out: room.presence == Presence::TakenOut,
            untold: matches!(room.host, Host::Untold(_)),
            drawn,
            tags: mouth.tags.to_vec(),
            receipts: mouth.receipts.to_vec(),
            generation: mouth.generation,
        };
        let record = ChainRecord {
            kind: KIND_ROOM,
            contact: match room.host {
                Host::Contact(contact) | Host::Untold(contact) => contact.0,
                Host::Me(_) => 0,
            },
            chain: mouth.chain.to_bytes().to_vec(),
            room: Some(record),
            ..ChainRecord::default()
        };
        Some((room.chain, record))
    }

    /// Takes a room or a sender key over from its record.
    pub(crate) fn restore(
        &mut self,
        chain: ChainId,
        record: &ChainRecord,
        room: &RoomRecord,
    ) -> Result<(), NodeError> {
        let id = room.id.as_slice().try_into();
        let id = RoomId(id.map_err(|_| NodeError::Record)?);
        let contact = ContactId(record.contact);
        match record.kind {
            KIND_ROOM_VOICE => {
                let voice = Voice {
                    room: id,
                    speaker: contact,
                    key: RoomKey::from_bytes(&room.key).map_err(|_| NodeError::Record)?,
                    chain: ReceiveChain::from_bytes(&record.chain)
                        .map_err(|_| NodeError::Record)?,
                    generation: room.generation,
                };
                self.expect(chain, voice);
            }
            KIND_ROOM => {
                let mouth = Mouth {
                    members: Members::restore(
                        SenderKey::from_bytes(&room.key).map_err(|_| NodeError::Record)?,
                        devices(&room.handed)?,
                    ),
                    may_have: devices(&room.may_have)?.into_iter().collect(),
                    chain: SendChain::from_bytes(&record.chain).map_err(|_| NodeError::Record)?,
                    tags: secret(&room.tags)?,
                    receipts: secret(&room.receipts)?,
                    generation: room.generation,
                };
                let (named, _) = room.named.as_chunks();
                let joined = Joined {
                    chain,
                    name: room.name.to_string(),
                    host: match room.drawn.as_slice().try_into() {
                        Ok(drawn) => Host::Me(drawn),
                        Err(_) if room.untold => Host::Untold(contact),
                        Err(_) => Host::Contact(contact),
                    },
                    members: room.members.iter().copied().map(ContactId).collect(),
                    named: named.iter().copied().collect(),
                    epoch: room.epoch,
                    presence: match (room.left, room.taken_out) {
                        (true, _) => Presence::Left,
                        (false, true) => Presence::TakenOut,
                        (false, false) => Presence::In,
                    },
                    mouth,
                };
                self.rooms.insert(id, joined);
            }
            _ => return Err(NodeError::Record),
        }
        Ok(())
    }
}

fn devices(records: &[HandedRecord]) -> Result<Vec<(String, DeviceId)>, NodeError> {
    let device = |handed: &HandedRecord| {
        let device = DeviceId::new(handed.device).ok_or(NodeError::Record)?;
        Ok((handed.jid.clone(), device))
    };
    records.iter().map(device).collect()
}

fn secret(bytes: &[u8]) -> Result<Zeroizing<[u8; 32]>, NodeError> {
    let bytes = bytes.try_into().map_err(|_| NodeError::Record)?;
    Ok(Zeroizing::new(bytes))
}

#[cfg(test)]
mod tests;
