//! Hearing what others say in rooms.

use alloc::boxed::Box;
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
use crate::room::{
    Host, Joined, MAX_MESSAGES_PER_KEY, MAX_ROOM_MEMBERS, MEMBER_LEN, MemberName, Mouth, Presence,
    RoomId, SpokenWith,
};
use crate::room_talk::{member_name, only_store};
use crate::{Node, NodeError, Store};

/// What a contact tells of a room, as it should be.
struct Told {
    room: RoomId,
    /// Whether the one who tells it has made the room.
    hosts: bool,
    /// Of who is in the room, if the one who tells it has made it.
    epoch: u64,
    news: News,
}

enum News {
    /// What the one who tells it speaks with.
    Speaks {
        name: alloc::string::String,
        with: Box<SpokenWith>,
        /// Who is in the room, if the one who tells it has made it.
        members: BTreeSet<MemberName>,
    },
    /// From the host: this node is in the room no more. To the host: that one is not.
    Gone,
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
        self.heard(contact)?;
        let found_place = match told.news {
            News::Gone if told.hosts => self.is_taken_out(contact, &told).map(|()| true)?,
            News::Gone => self.guest_leaves(now, contact, told.room).map(|()| true)?,
            News::Speaks { .. } => self.hear_in_room(contact, told)?,
        };
        if found_place {
            return Ok(Outcome::Read(contact, preimage));
        }
        // Without a receipt the other side tells it once more, when its message's time is over.
        Ok(Outcome::Unreadable(Some(contact)))
    }

    /// A message to a room, under a tag of somebody's sender key. Whoever is in the room could have sealed the envelope;
    /// only the speaker can have signed what is in it, for this counter. A failure changes nothing, so that nothing is lost by
    /// it, and is not counted: any member can make as many as it likes. The receipt is the sender's alone.
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
        if !room.is_present() || !room.members.contains(&speaker) {
            // The host may not have told yet that he is.
            return Ok(());
        }
        let name = room.name.clone();
        let Some(whose) = self.speaker_of(id, speaker) else {
            return Ok(());
        };
        let claim = self.rooms.unseal(voice, counter, envelope);
        let content = claim.and_then(|claim| match Parcel::decode(claim.plaintext()) {
            Ok(Parcel {
                content: Some(parcel::Content::Room(sealed)),
            }) => self.rooms.read(voice, whose, counter, &sealed),
            _ => None,
        });
        let Some(content) = content else {
            return Ok(());
        };
        self.heard(speaker)?;
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

    /// Somebody tells what it speaks with in a room. False if there is no place for one more room.
    fn hear_in_room(&mut self, contact: ContactId, told: Told) -> Result<bool, NodeError> {
        let Told {
            room: id,
            hosts,
            epoch,
            news:
                News::Speaks {
                    name,
                    with,
                    members,
                },
        } = told
        else {
            return Ok(true);
        };
        let known = self.rooms.room(id);
        if known.is_some_and(|room| room.presence == Presence::Left) {
            return Ok(true);
        }
        let was_present = known.is_some_and(Joined::is_present);
        let is_news = |room: &Joined| matches!(room.host, Host::Untold(_)) || epoch > room.epoch;
        let follows = hosts && known.is_none_or(is_news);
        if follows && !was_present && (self.rooms.is_full() || self.rooms.is_full_of(contact)) {
            return Ok(false);
        }
        if known.is_none() {
            if !follows {
                let Some(surplus) = self.rooms.surplus_untold(contact) else {
                    return Ok(false);
                };
                if let Some(oldest) = surplus {
                    self.forget_room(oldest)?;
                }
            }
            self.hear_of_room(id, contact)?;
        }
        if follows {
            self.follow_host(id, contact, &name, epoch, &members)?;
        }
        if !self.rooms.knows(id, contact, &with.key) {
            let Some(surplus) = self.rooms.surplus(id, contact) else {
                return Ok(false);
            };
            self.hear_voice(id, contact, *with, surplus)?;
        } else if !follows {
            return Ok(true);
        }
        // What came before its key, and before the host said who is in the room.
        let tags = self.rooms.tags_of(id);
        self.rescan(&tags);
        if let Some(room) = self.describe_room(id).filter(|_| follows) {
            self.tell(if was_present {
                Event::RoomChanged(room)
            } else {
                Event::RoomJoined(room)
            });
        }
        Ok(true)
    }

    /// A room that this node has not heard of, and is not in before its host says so.
    fn hear_of_room(&mut self, id: RoomId, first: ContactId) -> Result<(), NodeError> {
        let me = self.own_speaker(id).ok_or(NodeError::Record)?;
        let room = Joined {
            chain: self.next_chain(),
            name: alloc::string::String::new(),
            host: Host::Untold(first),
            members: BTreeSet::new(),
            named: BTreeSet::new(),
            epoch: 0,
            presence: Presence::In,
            mouth: Mouth::new(&mut self.rng, me),
        };
        self.rooms.insert(id, room);
        self.save_room(id)
    }

    /// Looks for what somebody says in a room from now on.
    fn hear_voice(
        &mut self,
        id: RoomId,
        contact: ContactId,
        with: SpokenWith,
        surplus: Option<ChainId>,
    ) -> Result<(), NodeError> {
        let Some(whose) = self.speaker_of(id, contact) else {
            return Ok(());
        };
        self.forget_these(surplus.as_slice())?;
        let voice = self.next_chain();
        self.rooms.hear(voice, contact, whose, with);
        self.save_voice(voice)
    }

    /// Who made the room says who is in it.
    fn follow_host(
        &mut self,
        id: RoomId,
        host: ContactId,
        name: &str,
        epoch: u64,
        members: &BTreeSet<MemberName>,
    ) -> Result<(), NodeError> {
        let me = self.own_speaker(id).ok_or(NodeError::Record)?;
        let mine = member_name(id, &me.identity);
        let name = self.free_room_name(name, id);
        let named: BTreeSet<MemberName> = members
            .iter()
            .filter(|name| **name != mine)
            .copied()
            .collect();
        let known = self.people.iter().filter(|(_, person)| {
            !person.is_pair() && named.contains(&member_name(id, &person.record.identity))
        });
        let members = known.map(|(contact, _)| contact).chain([host]).collect();
        if let Some(room) = self.rooms.room_mut(id) {
            if room.name.is_empty() || room.presence != Presence::In {
                room.name = name;
            }
            room.host = Host::Contact(host);
            room.presence = Presence::In;
            room.epoch = epoch;
            room.named = named;
            room.members = members;
        }
        self.save_room(id)
    }

    /// Who made the room says that this node is in it no more. Its keys stay: it may be taken in again.
    fn is_taken_out(&mut self, host: ContactId, told: &Told) -> Result<(), NodeError> {
        let id = told.room;
        if self.rooms.room(id).is_none() {
            // So that an older word, which comes later, takes it in no more.
            self.hear_of_room(id, host)?;
        }
        let before = self.describe_room(id);
        let surplus = self.rooms.surplus_taken_out(host);
        let Some(room) = self.rooms.room_mut(id) else {
            return Ok(());
        };
        let is_news = matches!(room.host, Host::Untold(_)) || told.epoch > room.epoch;
        if !is_news || room.presence == Presence::Left {
            return Ok(());
        }
        room.host = Host::Contact(host);
        room.presence = Presence::TakenOut;
        room.epoch = told.epoch;
        room.members.clear();
        room.named.clear();
        self.save_room(id)?;
        if let Some(oldest) = surplus.filter(|oldest| *oldest != id) {
            self.forget_room(oldest)?;
        }
        if let Some(room) = before {
            self.tell(Event::RoomLeft(room));
        }
        Ok(())
    }

    /// Somebody has left a room that was made here.
    fn guest_leaves(
        &mut self,
        now: Instant,
        guest: ContactId,
        id: RoomId,
    ) -> Result<(), NodeError> {
        let Some(room) = self.rooms.room(id) else {
            return Ok(());
        };
        let mut members = room.members.clone();
        if !matches!(room.host, Host::Me(_)) || !room.is_present() || !members.remove(&guest) {
            return Ok(());
        }
        only_store(self.set_members(now, id, members))?;
        if let Some(room) = self.describe_room(id) {
            self.tell(Event::RoomChanged(room));
        }
        Ok(())
    }

    /// A contact that is new may be in rooms already.
    pub(crate) fn recognise_in_rooms(&mut self, contact: ContactId) -> Result<(), NodeError> {
        let identity = match self.people.person(contact) {
            Ok(person) if !person.is_pair() => person.record.identity.clone(),
            _ => return Ok(()),
        };
        let rooms: Vec<RoomId> = self
            .rooms
            .iter()
            .filter(|(id, room)| room.named.contains(&member_name(*id, &identity)))
            .map(|(id, _)| id)
            .collect();
        for id in rooms {
            if let Some(room) = self.rooms.room_mut(id) {
                room.members.insert(contact);
            }
            self.save_room(id)?;
        }
        Ok(())
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
        let told = RoomKey::decode(bytes).ok()?;
        let room = RoomId::new(told.room.as_slice().try_into().ok()?);
        let hosts = !told.drawn.is_empty();
        // Nobody else's room can be said to be one's own.
        if hosts && RoomId::made_by(identity, &told.drawn.as_slice().try_into().ok()?) != room {
            return None;
        }
        let epoch = told.epoch;
        let news = if told.gone {
            News::Gone
        } else {
            News::speaks(told)?
        };
        Some(Self {
            room,
            hosts,
            epoch,
            news,
        })
    }
}

impl News {
    fn speaks(told: RoomKey) -> Option<Self> {
        let sender_key = Zeroizing::new(told.sender_key);
        let tag_secret = Zeroizing::new(told.tag_secret);
        let (members, rest) = told.members.as_chunks::<MEMBER_LEN>();
        let name = cut(&printable(&told.name), MAX_NAME_LEN);
        let key = room::RoomKey::from_distribution(&sender_key).ok()?;
        let is_sound = rest.is_empty()
            && members.len() <= MAX_ROOM_MEMBERS
            && !name.is_empty()
            && key.next() <= MAX_MESSAGES_PER_KEY;
        let told = Self::Speaks {
            name,
            with: Box::new(SpokenWith {
                key,
                tags: Zeroizing::new(tag_secret.as_slice().try_into().ok()?),
                generation: told.generation,
            }),
            members: members.iter().copied().collect(),
        };
        is_sound.then_some(told)
    }
}
