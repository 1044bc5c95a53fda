//! What the person asks for.

use alloc::string::String;
use alloc::vec::Vec;

use chappe_envelope::{
    BareJid, ChainRoot, DisplayName, InboxSecret, Invite, InvitePreKey, InviteSignedPreKey,
    PairSecret, ReceiveChain, SendChain,
};
use chappe_omemo::{
    Bundle, Flavour, IdentityKey, PreKey, PreKeyId, Sessions, SignedPreKeyId, VerifiedBundle,
};
use chappe_wire::{ByteCount, Duration, Instant};
use zeroize::Zeroize as _;

use crate::chains::{ChainId, MAX_INVITES, Origin, Route};
use crate::compose::cut;
use crate::contact::{Contact, ContactId, SafetyNumber};
use crate::deliver::{MAX_NAME_LEN, printable};
use crate::input::Command;
use crate::message::{Content, Delivery, FileInfo, InRoom, Incoming, MessageId, Outgoing};
use crate::output::{CarriedEnvelope, CommandError, Refusals, Reply, Status};
use crate::people::Person;
use crate::record::{
    BlobRecord, ContactRecord, InboxRecord, OutboxRecord, for_each, for_each_after, load,
};
use crate::room::RoomId;
use crate::{Node, NodeError, Store, Table};

impl<S: Store> Node<S> {
    pub(crate) fn command(
        &mut self,
        now: Instant,
        command: Command,
    ) -> Result<Reply, CommandError> {
        match command {
            Command::Invite => self.invite().map(Reply::Invite),
            Command::ForgetInvites => self.forget_invites(),
            Command::AddContact { uri, name, scanned } => self
                .add_contact(now, &uri, name, scanned)
                .map(Reply::Contact),
            Command::AddPair {
                name,
                secret,
                initiator,
            } => self.add_pair(&name, secret, initiator).map(Reply::Contact),
            Command::Contacts => Ok(Reply::Contacts(
                self.people
                    .iter()
                    .map(|(id, person)| person.describe(id))
                    .collect(),
            )),
            Command::SafetyNumber(contact) => self.safety_number(contact).map(Reply::SafetyNumber),
            Command::Verify(contact, number) => self.verify(contact, &number),
            Command::Block(contact, blocked) => self.block(now, contact, blocked),
            Command::Lock(contact, lock) => self.lock(now, contact, &lock),
            Command::RemoveContact(contact) => self.remove_contact(now, contact),
            Command::Send(contact, draft, written) => {
                self.send(now, contact, draft, written).map(Reply::Accepted)
            }
            Command::SendOpaque(contact, payload) => {
                self.send_opaque(now, contact, payload).map(Reply::Accepted)
            }
            Command::MakeRoom { name, members } => {
                self.make_room(now, &name, &members).map(Reply::Room)
            }
            Command::ChangeRoom {
                room,
                added,
                removed,
            } => self
                .change_room(now, room, &added, &removed)
                .map(Reply::Room),
            Command::LeaveRoom(room) => self.leave_room(now, room).map(|()| Reply::Done),
            Command::Rooms => Ok(Reply::Rooms(self.list_rooms())),
            Command::SendToRoom(room, text, written) => self
                .send_to_room(now, room, text, written)
                .map(Reply::Accepted),
            Command::TakeBack(message) => self.take_back(now, message).map(|()| Reply::Done),
            Command::Outbox => self.list_outbox(now).map(Reply::Outbox),
            Command::Inbox { after } => self.list_inbox(after).map(Reply::Inbox),
            Command::DeleteMessages(selection) => self.delete_messages(now, &selection),
            Command::File(message) => self.file(message),
            Command::Status => Ok(Reply::Status(self.status(now))),
            Command::Peers => Ok(Reply::Peers(
                self.links
                    .values()
                    .filter_map(|link| link.describe(now))
                    .collect(),
            )),
            Command::Carried => Ok(Reply::Carried(self.carried(now))),
        }
    }

    /// A contact URI with a prekey that is in no other, and an inbox secret from which its first tags come.
    fn invite(&mut self) -> Result<String, CommandError> {
        if self.chains.unused().len() >= MAX_INVITES {
            return Err(CommandError::TooManyInvites);
        }
        let me = self.me.as_mut().ok_or(CommandError::Relay)?;
        let inbox = InboxSecret::generate(&mut self.rng);
        let prekey = me
            .device
            .reserve_prekey(&mut self.rng)
            .map_err(|_| CommandError::TooMany)?;
        let bundle = me.device.bundle();
        let invite = Invite {
            jid: BareJid::new(&me.jid).map_err(|_| CommandError::BadKeys)?,
            name: DisplayName::new(&me.name).map_err(|_| CommandError::BadKeys)?,
            device: me.device.id().number(),
            identity: bundle.identity,
            signed_prekey: InviteSignedPreKey {
                id: bundle.signed_prekey_id.number(),
                key: bundle.signed_prekey,
                signature: bundle.signature,
            },
            prekey: InvitePreKey {
                id: prekey.id.number(),
                key: prekey.key,
            },
            inbox,
        };
        let uri = invite.to_uri();
        self.save_device()?;
        let chain = ReceiveChain::new(ChainRoot::of_inbox(&invite.inbox));
        let chain = self.expect(Origin::Invite(None), None, chain)?;
        self.chains.belongs_to(chain, prekey.id.number());
        self.save_chain(chain)?;
        Ok(uri)
    }

    /// Makes contact URIs useless that nobody has used: their tags and their prekeys go.
    fn forget_invites(&mut self) -> Result<Reply, CommandError> {
        if self.me.is_none() {
            return Err(CommandError::Relay);
        }
        self.forget_unused_invites()?;
        Ok(Reply::Done)
    }

    pub(crate) fn forget_unused_invites(&mut self) -> Result<(), NodeError> {
        for (chain, prekey) in self.chains.unused() {
            if let (Some(me), Some(prekey)) = (self.me.as_mut(), PreKeyId::new(prekey)) {
                me.device.drop_prekey(prekey);
            }
            self.forget_chain(chain)?;
        }
        self.save_device()
    }

    fn add_contact(
        &mut self,
        now: Instant,
        uri: &str,
        name: Option<String>,
        scanned: bool,
    ) -> Result<Contact, CommandError> {
        let me = self.me.as_ref().ok_or(CommandError::Relay)?;
        let invite = Invite::from_uri(uri)?;
        let bundle = bundle_of(&invite).ok_or(CommandError::BadKeys)?;
        let identity = *bundle.identity();
        if identity == me.device.identity().public() {
            return Err(CommandError::OwnInvite);
        }
        let jid = String::from(invite.jid.as_str());
        let known = self.people.claiming(&jid, invite.device);
        let holder = self.people.holder(&identity);
        if known != holder {
            return Err(CommandError::KeyChanged);
        }
        let wanted = name
            .as_deref()
            .map(printable)
            .filter(|name| !name.is_empty());
        if let Some(name) = &wanted
            && self.people.is_taken(name, known)
        {
            return Err(CommandError::NameTaken);
        }
        if known.is_none() && self.people.is_full() {
            return Err(CommandError::TooMany);
        }
        // Nothing has changed up to here.
        let contact = match known {
            Some(contact) => contact,
            None => {
                let contact = self.next_contact();
                let name = wanted.clone().unwrap_or_else(|| {
                    self.people
                        .free_name(&cut(invite.name.as_str(), MAX_NAME_LEN))
                });
                let record = ContactRecord {
                    name,
                    jid,
                    device: invite.device,
                    identity: identity.as_bytes().to_vec(),
                    ..ContactRecord::default()
                };
                self.people
                    .insert(contact, Person::new(record, Sessions::new()));
                self.recognise_in_rooms(contact)?;
                contact
            }
        };
        let me = self.me.as_ref().ok_or(CommandError::Relay)?;
        let person = self.people.person_mut(contact)?;
        if let Some(name) = wanted {
            person.record.name = name;
        }
        person.record.verified |= scanned;
        let session = person
            .sessions
            .start(&mut self.rng, &me.device, &bundle)
            .map_err(|_| CommandError::BadKeys)?;
        self.save_contact(contact)?;
        self.save_sessions(contact)?;
        let chain = self.next_chain();
        let sender = SendChain::new(ChainRoot::of_inbox(&invite.inbox));
        self.chains.send_on(chain, contact, Route::Invite, sender);
        self.save_chain(chain)?;
        self.new_session(contact, session)?;
        if known.is_some() {
            // Whoever asks for a new session may have lost more than the old one.
            self.keys_were_lost(contact)?;
        }
        // So that the other side can answer without a contact URI of ours.
        if !self.is_blocked(contact) {
            // Without room for it, the first message introduces us.
            if let Err(CommandError::Store(error)) = self.send_hidden(now, contact) {
                return Err(error.into());
            }
        }
        Ok(self.people.person(contact)?.describe(contact))
    }

    fn add_pair(
        &mut self,
        name: &str,
        mut secret: [u8; 32],
        initiator: bool,
    ) -> Result<Contact, CommandError> {
        let name = cut(&printable(name), MAX_NAME_LEN);
        if name.is_empty() || self.people.is_taken(&name, None) {
            return Err(CommandError::NameTaken);
        }
        if self.people.is_full() {
            return Err(CommandError::TooMany);
        }
        let contact = self.next_contact();
        let record = ContactRecord {
            name,
            verified: true,
            ..ContactRecord::default()
        };
        self.people
            .insert(contact, Person::new(record, Sessions::new()));
        self.save_contact(contact)?;
        let pair = PairSecret::new(secret);
        secret.zeroize();
        self.pair_chains(contact, None, &pair, initiator)?;
        Ok(self.people.person(contact)?.describe(contact))
    }

    fn safety_number(&self, contact: ContactId) -> Result<SafetyNumber, CommandError> {
        let me = self.me.as_ref().ok_or(CommandError::Relay)?;
        let person = self.people.person(contact)?;
        let other: IdentityKey = person.identity().ok_or(CommandError::WrongKind)?;
        Ok(SafetyNumber::of(
            me.device.identity().public().as_bytes(),
            other.as_bytes(),
        ))
    }

    fn verify(&mut self, contact: ContactId, number: &SafetyNumber) -> Result<Reply, CommandError> {
        if self.safety_number(contact)? != *number {
            return Err(CommandError::NumberDiffers);
        }
        self.people.person_mut(contact)?.record.verified = true;
        self.save_contact(contact)?;
        Ok(Reply::Done)
    }

    fn block(
        &mut self,
        now: Instant,
        contact: ContactId,
        blocked: bool,
    ) -> Result<Reply, CommandError> {
        self.people.person_mut(contact)?.record.blocked = blocked;
        self.save_contact(contact)?;
        if !blocked {
            // What came meanwhile is here still, unless its lifetime was over.
            self.look_again();
            self.catch_up(now, contact)?;
        }
        Ok(Reply::Done)
    }

    fn remove_contact(&mut self, now: Instant, contact: ContactId) -> Result<Reply, CommandError> {
        self.people.person(contact)?;
        self.leaves_rooms(now, contact)?;
        self.people.remove(contact);
        self.delete(Table::Contacts, &contact.0.to_be_bytes())?;
        self.delete(Table::Sessions, &contact.0.to_be_bytes())?;
        for chain in self.chains.of_contact(contact) {
            self.forget_chain(chain)?;
        }
        for file in self.files.from(contact) {
            self.discard_file(file, contact)?;
        }
        Ok(Reply::Done)
    }

    fn list_outbox(&self, now: Instant) -> Result<Vec<Outgoing>, CommandError> {
        let mut list = Vec::new();
        for_each::<OutboxRecord>(&self.store, |key, record| {
            let Ok(key) = key.try_into() else {
                return Err(NodeError::Record);
            };
            if !record.hidden {
                list.push(describe_outgoing(
                    now,
                    MessageId(u64::from_be_bytes(key)),
                    &record,
                ));
            }
            Ok(())
        })?;
        Ok(list)
    }

    fn list_inbox(&self, after: Option<u64>) -> Result<Vec<Incoming>, CommandError> {
        let mut list = Vec::new();
        let after = after.map(u64::to_be_bytes);
        let after = after.as_ref().map(<[u8; 8]>::as_slice);
        for_each_after::<InboxRecord>(&self.store, after, |key, record| {
            let Ok(key) = key.try_into() else {
                return Err(NodeError::Record);
            };
            let number = u64::from_be_bytes(key);
            list.push(self.describe_incoming(MessageId(number), &record)?);
            Ok(())
        })?;
        Ok(list)
    }

    pub(crate) fn describe_incoming(
        &self,
        id: MessageId,
        record: &InboxRecord,
    ) -> Result<Incoming, NodeError> {
        let contact = ContactId(record.contact);
        let content = if let Some(file) = &record.file {
            let blob: Option<BlobRecord> = load(&self.store, &id.0.to_be_bytes())?;
            let complete = blob.is_some_and(|blob| blob.complete);
            let chunks = self.chunk_count(file.size);
            let missing = if complete {
                0
            } else {
                self.files.missing(id).map_or(chunks, to_u32)
            };
            Content::File(FileInfo {
                name: file.name.clone(),
                media_type: file.media_type.clone(),
                size: ByteCount::new(file.size),
                chunks_here: chunks.saturating_sub(missing),
                chunks,
                complete,
            })
        } else if let Some(payload) = &record.opaque {
            Content::Opaque(payload.clone())
        } else if record.locked.is_some() {
            Content::Locked
        } else {
            Content::Text(record.text.clone().unwrap_or_default())
        };
        Ok(Incoming {
            id,
            room: room_id(&record.room).map(|id| InRoom {
                id,
                name: record.room_name.clone(),
            }),
            contact,
            name: self
                .people
                .person(contact)
                .map_or_else(|_| record.name.clone(), |person| person.record.name.clone()),
            trust: if record.verified {
                crate::Trust::Verified
            } else {
                crate::Trust::Unverified
            },
            content,
            sent: record.sent.clone(),
        })
    }

    fn file(&self, message: MessageId) -> Result<Reply, CommandError> {
        let record: Option<InboxRecord> = load(&self.store, &message.0.to_be_bytes())?;
        if record.is_none_or(|record| record.file.is_none()) {
            return Err(CommandError::NoSuchFile);
        }
        self.file_content(message)?
            .map(Reply::File)
            .ok_or(CommandError::Incomplete)
    }

    fn status(&self, now: Instant) -> Status {
        let router = self.router.stats();
        let me = self.me.as_ref();
        Status {
            relay: me.is_none(),
            name: me.map(|me| me.name.clone()).unwrap_or_default(),
            jid: me.map(|me| me.jid.clone()).unwrap_or_default(),
            fingerprint: me.map(|me| me.fingerprint()).unwrap_or_default(),
            hop_key: self.hop_identity.lasting_key().map(|key| *key.as_bytes()),
            peers: self
                .links
                .values()
                .filter(|link| link.describe(now).is_some())
                .count() as u64,
            envelopes: self.router.items().len() as u64,
            bytes: self
                .router
                .items()
                .fold(ByteCount::ZERO, |sum, item| sum.saturating_add(item.size)),
            capacity: self.config.capacity,
            receipts: self.router.receipts().len() as u64,
            pending: self.outbox.len() as u64,
            taken: self.counters.taken,
            handed_over: self.counters.handed_over,
            freed: self.counters.freed,
            expired: self.counters.expired,
            evicted: self.counters.evicted,
            withdrawn: self.counters.withdrawn,
            refused: Refusals {
                no_room: router.refused_no_room,
                expired: router.refused_expired,
                known: router.refused_known,
                store_full: router.refused_by_node,
            },
            receipts_evicted: router.receipts_evicted,
            receipts_refused: router.receipts_refused,
            undecryptable: self.counters.undecryptable,
            held_back: self.counters.held_back,
            powered: self.clock.total(now),
        }
    }

    fn carried(&self, now: Instant) -> Vec<CarriedEnvelope> {
        self.router
            .items()
            .map(|item| CarriedEnvelope {
                id: item.id,
                version: item.header.version,
                lifetime: item.header.lifetime,
                tag: item.header.tag,
                commitment: item.header.commitment,
                size: item.size,
                age: item.age_at(now),
                own: item.class == chappe_gossip::Class::Own,
            })
            .collect()
    }

    pub(crate) fn forget_chain(&mut self, chain: ChainId) -> Result<(), NodeError> {
        self.chains.forget(chain);
        self.delete(Table::Chains, &chain.0.to_be_bytes())
    }
}

/// The OMEMO bundle of a contact URI, checked.
fn bundle_of(invite: &Invite) -> Option<VerifiedBundle> {
    let bundle = Bundle {
        flavour: Flavour::Omemo2,
        identity: invite.identity,
        signed_prekey_id: SignedPreKeyId::new(invite.signed_prekey.id)?,
        signed_prekey: invite.signed_prekey.key,
        signature: invite.signed_prekey.signature,
        prekeys: Vec::from([PreKey {
            id: PreKeyId::new(invite.prekey.id)?,
            key: invite.prekey.key,
        }]),
    };
    bundle.verify().ok()
}

/// A sent message as people see it.
pub(crate) fn describe_outgoing(now: Instant, id: MessageId, record: &OutboxRecord) -> Outgoing {
    let state = match record {
        OutboxRecord { outstanding: 0, .. } => Delivery::Delivered,
        OutboxRecord { expired: true, .. } => Delivery::Expired,
        OutboxRecord { carriers: 0, .. } => Delivery::Accepted,
        OutboxRecord { carriers, .. } => Delivery::Carried {
            carriers: *carriers,
        },
    };
    Outgoing {
        id,
        contact: (record.contact != 0).then_some(ContactId(record.contact)),
        room: room_id(&record.room),
        name: record.name.clone(),
        summary: record.summary.clone(),
        size: ByteCount::new(record.size),
        age: now
            .since(Instant::from_micros(record.created))
            .max(Duration::ZERO),
        state,
    }
}

/// The room of a message; `None` if it is for a contact.
pub(crate) fn room_id(bytes: &[u8]) -> Option<RoomId> {
    bytes.try_into().ok().map(RoomId::new)
}

fn to_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl From<NodeError> for CommandError {
    fn from(error: NodeError) -> Self {
        match error {
            NodeError::Store(error) => Self::Store(error),
            _ => Self::Store(crate::StoreError::Corrupt),
        }
    }
}
