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
/// The most rooms of a node, those that were left with them.
pub(crate) const MAX_ROOMS: usize = 64;
/// Of these, those that one contact has brought this node into.
const MAX_ROOMS_PER_CONTACT: usize = 16;
/// Sender keys of one person in one room: the one in use, and those before it that late messages are sealed with.
const MAX_VOICES_PER_SPEAKER: usize = 3;

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
    pub(crate) unknown: u32,
    /// How often the host has changed who is in it, as far as is known: its word may come in another order.
    pub(crate) epoch: u64,
    pub(crate) left: bool,
    pub(crate) mouth: Mouth,
}

/// Who made a room, and says who is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// A contact.
    Contact(ContactId),
    /// This node, with these bytes.
    Me([u8; RoomId::LEN]),
    /// Some other member's key came before the host has told of the room.
    Untold,
}

/// What this node speaks with in one room.
pub(crate) struct Mouth {
    /// The sender key, and who has it.
    members: Members,
    chain: SendChain,
    /// What the chain comes from; the others are told.
    tags: Zeroizing<[u8; 32]>,
    /// What receipts depend on; nobody is told.
    receipts: Zeroizing<[u8; 32]>,
}

/// A sender key of somebody in a room.
struct Voice {
    room: RoomId,
    speaker: ContactId,
    key: RoomKey,
    chain: ReceiveChain,
}

impl Mouth {
    /// Fresh keys, which nobody has.
    pub(crate) fn new(rng: &mut impl CryptoRng) -> Self {
        let [tags, receipts] = [fresh(rng), fresh(rng)];
        Self {
            members: Members::new(rng),
            chain: SendChain::new(ChainRoot::of_room_sender(&tags)),
            tags,
            receipts,
        }
    }

    /// Says who is in the room now. Who lacks the key comes back; if somebody is gone who had it, those are all, for it
    /// is another one then, with other tags. `None` if they are too many.
    pub(crate) fn update(
        &mut self,
        rng: &mut impl CryptoRng,
        present: &BTreeSet<(String, DeviceId)>,
    ) -> Option<Vec<(String, DeviceId)>> {
        let before = self.members.key().id();
        let lacking = self.members.update(rng, present).ok()?;
        if self.members.key().id() != before {
            let [tags, receipts] = [fresh(rng), fresh(rng)];
            self.chain = SendChain::new(ChainRoot::of_room_sender(&tags));
            self.tags = tags;
            self.receipts = receipts;
        }
        Some(lacking)
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

    /// Seals for all who have the key.
    pub(crate) fn seal(&mut self, room: RoomId, content: &[u8]) -> Option<Vec<u8>> {
        self.members.key().seal(room.as_bytes(), content).ok()
    }

    /// The chain on which envelopes to the room go, and what their receipts depend on.
    pub(crate) fn chain(&mut self) -> (&mut SendChain, ReceiptSecret) {
        let secret = ReceiptSecret::of_room_sender(&self.receipts);
        (&mut self.chain, secret)
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
        self.rooms.len() >= MAX_ROOMS
    }

    /// Whether a contact has brought this node into as many rooms as one may.
    pub(crate) fn is_full_of(&self, contact: ContactId) -> bool {
        let untold = self
            .voices
            .values()
            .filter(|voice| voice.speaker == contact);
        let brought = self.rooms.iter().filter(|(id, room)| match room.host {
            Host::Contact(host) => host == contact,
            Host::Me(_) => false,
            Host::Untold => untold.clone().any(|voice| voice.room == **id),
        });
        brought.count() >= MAX_ROOMS_PER_CONTACT
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

    /// Whether a sender key is known already.
    pub(crate) fn knows(&self, room: RoomId, key: &RoomKey) -> bool {
        let mut voices = self.voices.values();
        voices.any(|voice| voice.room == room && voice.key.id() == key.id())
    }

    /// Hears somebody from now on. Gives the tags that are looked for: some may be here.
    pub(crate) fn hear(
        &mut self,
        id: ChainId,
        room: RoomId,
        speaker: ContactId,
        key: RoomKey,
        tags: &[u8; 32],
    ) -> Vec<Tag> {
        let chain = ReceiveChain::new(ChainRoot::of_room_sender(tags));
        let voice = Voice {
            room,
            speaker,
            key,
            chain,
        };
        self.expect(id, voice)
    }

    /// The oldest sender keys of somebody that have to go so that one more fits.
    pub(crate) fn surplus(&self, room: RoomId, speaker: ContactId) -> Vec<ChainId> {
        let known = self.voices_of(room, |other| other == speaker);
        let excess = (known.len() + 1).saturating_sub(MAX_VOICES_PER_SPEAKER);
        known.into_iter().take(excess).collect()
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

    /// Forgets a sender key and its tags.
    pub(crate) fn forget_voice(&mut self, id: ChainId) {
        self.voices.remove(&id);
        self.expected.retain(|_, (voice, _)| *voice != id);
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

    /// Reads what only the speaker can have sealed. `None` if somebody else did: nothing has changed then.
    pub(crate) fn read(&mut self, voice: ChainId, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let voice = self.voices.get_mut(&voice)?;
        voice.key.open(voice.room.as_bytes(), sealed).ok()
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
                ..RoomRecord::default()
            }),
            ..ChainRecord::default()
        })
    }

    /// The record of a room, and the chain under which it is kept.
    pub(crate) fn record(&mut self, id: RoomId) -> Option<(ChainId, ChainRecord)> {
        let room = self.rooms.get_mut(&id)?;
        let mouth = &mut room.mouth;
        let handed = mouth.members.handed().map(|(jid, device)| HandedRecord {
            jid: jid.clone(),
            device: device.number(),
        });
        let record = RoomRecord {
            id: id.0.to_vec(),
            handed: handed.collect(),
            key: mouth.members.key().to_bytes().to_vec(),
            name: room.name.clone(),
            members: room.members.iter().map(|member| member.0).collect(),
            unknown: room.unknown,
            epoch: room.epoch,
            left: room.left,
            drawn: match room.host {
                Host::Me(drawn) => drawn.to_vec(),
                Host::Contact(_) | Host::Untold => Vec::new(),
            },
            tags: mouth.tags.to_vec(),
            receipts: mouth.receipts.to_vec(),
        };
        let record = ChainRecord {
            kind: KIND_ROOM,
            contact: match room.host {
                Host::Contact(host) => host.0,
                Host::Me(_) | Host::Untold => 0,
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
                };
                self.expect(chain, voice);
            }
            KIND_ROOM => {
                let mouth = Mouth {
                    members: Members::restore(
                        SenderKey::from_bytes(&room.key).map_err(|_| NodeError::Record)?,
                        handed(room)?,
                    ),
                    chain: SendChain::from_bytes(&record.chain).map_err(|_| NodeError::Record)?,
                    tags: secret(&room.tags)?,
                    receipts: secret(&room.receipts)?,
                };
                let joined = Joined {
                    chain,
                    name: room.name.to_string(),
                    host: match room.drawn.as_slice().try_into() {
                        Ok(drawn) => Host::Me(drawn),
                        Err(_) if contact.0 != 0 => Host::Contact(contact),
                        Err(_) => Host::Untold,
                    },
                    members: room.members.iter().copied().map(ContactId).collect(),
                    unknown: room.unknown,
                    epoch: room.epoch,
                    left: room.left,
                    mouth,
                };
                self.rooms.insert(id, joined);
            }
            _ => return Err(NodeError::Record),
        }
        Ok(())
    }
}

fn handed(room: &RoomRecord) -> Result<Vec<(String, DeviceId)>, NodeError> {
    let device = |handed: &HandedRecord| {
        let device = DeviceId::new(handed.device).ok_or(NodeError::Record)?;
        Ok((handed.jid.clone(), device))
    };
    room.handed.iter().map(device).collect()
}

fn secret(bytes: &[u8]) -> Result<Zeroizing<[u8; 32]>, NodeError> {
    let bytes = bytes.try_into().map_err(|_| NodeError::Record)?;
    Ok(Zeroizing::new(bytes))
}
