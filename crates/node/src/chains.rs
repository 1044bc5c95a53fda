//! The tag chains of this node: which tags mean something to it, and which it uses next.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use chappe_envelope::{Claim, Counter, Opened, ReceiveChain, SendChain, TagChanges};
use chappe_omemo::SessionId;
use chappe_wire::{Envelope, Tag};

use crate::NodeError;
use crate::contact::ContactId;
use crate::record::ChainRecord;

/// Contact URIs that wait for their first use, at most. There are no new ones until some are forgotten.
pub(crate) const MAX_INVITES: usize = 64;
/// Chains by which one contact can reach us, at most; the oldest is forgotten for a new one.
pub(crate) const MAX_CHAINS_PER_CONTACT: usize = 6;

/// The number of a chain on this node. Numbers are never used again, so later chains have greater ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChainId(pub(crate) u64);

/// Whose messages come by a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Whoever holds one of our contact URIs; bound to the first who uses it.
    Invite(Option<ContactId>),
    /// A contact.
    Contact(ContactId),
}

/// Where messages on a chain go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// By the contact URI that the contact gave: until it has answered.
    Invite,
    /// By the secret of a session, or by a pair secret (`None`).
    Session(Option<SessionId>),
}

struct Receive {
    origin: Origin,
    /// The one-time prekey in the contact URI.
    prekey: u32,
    session: Option<SessionId>,
    chain: ReceiveChain,
}

struct Send {
    contact: ContactId,
    route: Route,
    chain: SendChain,
}

/// All chains, in memory, with the tags that are expected on them.
#[derive(Default)]
pub(crate) struct Chains {
    receive: BTreeMap<ChainId, Receive>,
    send: BTreeMap<ChainId, Send>,
    expected: BTreeMap<Tag, (ChainId, Counter)>,
    /// Contact URIs by which garbage came.
    garbled: BTreeSet<ChainId>,
}

impl Chains {
    /// The chain and counter that a tag stands for, if it is for this node.
    pub(crate) fn recognise(&self, tag: &Tag) -> Option<(ChainId, Counter)> {
        self.expected.get(tag).copied()
    }

    /// Whose messages come by a chain.
    pub(crate) fn origin(&self, id: ChainId) -> Option<Origin> {
        self.receive.get(&id).map(|receive| receive.origin)
    }

    /// Starts to expect messages. Returns the tags that are new: they may be here already.
    pub(crate) fn expect(
        &mut self,
        id: ChainId,
        origin: Origin,
        session: Option<SessionId>,
        chain: ReceiveChain,
    ) -> Vec<Tag> {
        let tags: Vec<_> = chain.expected().collect();
        let new = tags.iter().map(|(tag, _)| *tag).collect();
        self.expected
            .extend(tags.into_iter().map(|(tag, counter)| (tag, (id, counter))));
        self.receive.insert(
            id,
            Receive {
                origin,
                prekey: 0,
                session,
                chain,
            },
        );
        new
    }

    /// Opens an envelope and moves the window. `None` if it is forged: nothing is changed then.
    pub(crate) fn open(
        &mut self,
        id: ChainId,
        counter: Counter,
        envelope: &Envelope,
    ) -> Option<Opened> {
        let receive = self.receive.get_mut(&id)?;
        let opened = receive.chain.open(counter, envelope).ok()?;
        self.follow(id, &opened.changed);
        Some(opened)
    }

    /// Breaks the seal of an envelope to a contact URI. The window does not move.
    pub(crate) fn unseal(
        &self,
        id: ChainId,
        counter: Counter,
        envelope: &Envelope,
    ) -> Option<Claim> {
        self.receive.get(&id)?.chain.unseal(counter, envelope).ok()
    }

    /// Moves the window of a contact URI, once what came by it was authenticated. Returns the tags that are new.
    pub(crate) fn mark_seen(&mut self, id: ChainId, counter: Counter) -> Vec<Tag> {
        let Some(receive) = self.receive.get_mut(&id) else {
            return Vec::new();
        };
        let Ok(changed) = receive.chain.mark_seen(counter) else {
            return Vec::new();
        };
        self.follow(id, &changed);
        changed.added.iter().map(|(tag, _)| *tag).collect()
    }

    /// Something that nobody can read came by a chain. True the first time in this run.
    pub(crate) fn note_garbage(&mut self, id: ChainId) -> bool {
        self.garbled.insert(id)
    }

    fn follow(&mut self, id: ChainId, changed: &TagChanges) {
        for (tag, _) in &changed.removed {
            self.expected.remove(tag);
        }
        for (tag, counter) in &changed.added {
            self.expected.insert(*tag, (id, *counter));
        }
    }

    /// Binds a contact URI's chain to whoever used it first.
    pub(crate) fn bind(&mut self, id: ChainId, contact: ContactId) {
        if let Some(receive) = self.receive.get_mut(&id) {
            receive.origin = Origin::Invite(Some(contact));
        }
    }

    /// Adds a chain to send on.
    pub(crate) fn send_on(
        &mut self,
        id: ChainId,
        contact: ContactId,
        route: Route,
        chain: SendChain,
    ) {
        self.send.insert(
            id,
            Send {
                contact,
                route,
                chain,
            },
        );
    }

    /// The newest chain on `route` to a contact.
    pub(crate) fn route(&self, contact: ContactId, route: Route) -> Option<ChainId> {
        self.send
            .iter()
            .rev()
            .find(|(_, send)| send.contact == contact && send.route == route)
            .map(|(id, _)| *id)
    }

    /// The chain to send on.
    pub(crate) fn sender(&mut self, id: ChainId) -> Option<&mut SendChain> {
        self.send.get_mut(&id).map(|send| &mut send.chain)
    }

    /// Forgets a chain and its tags.
    pub(crate) fn forget(&mut self, id: ChainId) {
        self.expected.retain(|_, (chain, _)| *chain != id);
        self.receive.remove(&id);
        self.send.remove(&id);
        self.garbled.remove(&id);
    }

    /// The chains of a contact, receiving and sending.
    pub(crate) fn of_contact(&self, contact: ContactId) -> Vec<ChainId> {
        let receive = self
            .receive
            .iter()
            .filter(|(_, receive)| receive.origin.contact() == Some(contact));
        let send = self.send.iter().filter(|(_, send)| send.contact == contact);
        receive
            .map(|(id, _)| *id)
            .chain(send.map(|(id, _)| *id))
            .collect()
    }

    /// The chains on which a contact is written to.
    pub(crate) fn sending_to(&self, contact: ContactId) -> Vec<ChainId> {
        let send = self.send.iter().filter(|(_, send)| send.contact == contact);
        send.map(|(id, _)| *id).collect()
    }

    /// The contact URI of a chain holds this one-time prekey.
    pub(crate) fn belongs_to(&mut self, id: ChainId, prekey: u32) {
        if let Some(receive) = self.receive.get_mut(&id) {
            receive.prekey = prekey;
        }
    }

    /// The contact URIs that nobody has used, with their one-time prekeys.
    pub(crate) fn unused(&self) -> Vec<(ChainId, u32)> {
        self.receive
            .iter()
            .filter(|(_, receive)| receive.origin == Origin::Invite(None))
            .map(|(id, receive)| (*id, receive.prekey))
            .collect()
    }

    /// The oldest chains by which a contact reaches us that have to go so that one more fits.
    pub(crate) fn surplus(&self, contact: ContactId) -> Vec<ChainId> {
        let all: Vec<_> = self
            .receive
            .iter()
            .filter(|(_, receive)| receive.origin.contact() == Some(contact))
            .map(|(id, _)| *id)
            .collect();
        let excess = (all.len() + 1).saturating_sub(MAX_CHAINS_PER_CONTACT);
        all.into_iter().take(excess).collect()
    }

    /// The record of a chain.
    pub(crate) fn record(&self, id: ChainId) -> Option<ChainRecord> {
        if let Some(receive) = self.receive.get(&id) {
            let (kind, contact) = match receive.origin {
                Origin::Invite(contact) => (KIND_INVITE, contact),
                Origin::Contact(contact) => (KIND_CONTACT, Some(contact)),
            };
            return Some(ChainRecord {
                kind,
                contact: contact.map_or(0, |contact| contact.0),
                session: receive.session.map(session_bytes).unwrap_or_default(),
                chain: receive.chain.to_bytes().to_vec(),
                prekey: receive.prekey,
                room: None,
            });
        }
        let send = self.send.get(&id)?;
        let (kind, session) = match send.route {
            Route::Invite => (KIND_TO_INVITE, None),
            Route::Session(session) => (KIND_TO_CONTACT, session),
        };
        Some(ChainRecord {
            kind,
            contact: send.contact.0,
            session: session.map(session_bytes).unwrap_or_default(),
            chain: send.chain.to_bytes().to_vec(),
            prekey: 0,
            room: None,
        })
    }

    /// Takes a chain over from its record.
    pub(crate) fn restore(&mut self, id: ChainId, record: &ChainRecord) -> Result<(), NodeError> {
        let contact = (record.contact != 0).then_some(ContactId(record.contact));
        let session = session_from(&record.session)?;
        match (record.kind, contact) {
            (KIND_INVITE, contact) => {
                let chain =
                    ReceiveChain::from_bytes(&record.chain).map_err(|_| NodeError::Record)?;
                self.expect(id, Origin::Invite(contact), session, chain);
                self.belongs_to(id, record.prekey);
            }
            (KIND_CONTACT, Some(contact)) => {
                let chain =
                    ReceiveChain::from_bytes(&record.chain).map_err(|_| NodeError::Record)?;
                self.expect(id, Origin::Contact(contact), session, chain);
            }
            (KIND_TO_INVITE, Some(contact)) => {
                let chain = SendChain::from_bytes(&record.chain).map_err(|_| NodeError::Record)?;
                self.send_on(id, contact, Route::Invite, chain);
            }
            (KIND_TO_CONTACT, Some(contact)) => {
                let chain = SendChain::from_bytes(&record.chain).map_err(|_| NodeError::Record)?;
                self.send_on(id, contact, Route::Session(session), chain);
            }
            _ => return Err(NodeError::Record),
        }
        Ok(())
    }
}

const KIND_INVITE: u32 = 0;
const KIND_CONTACT: u32 = 1;
const KIND_TO_INVITE: u32 = 2;
const KIND_TO_CONTACT: u32 = 3;
/// Of a sender key in a room.
pub(crate) const KIND_ROOM_VOICE: u32 = 4;
/// Of this node in a room.
pub(crate) const KIND_ROOM: u32 = 5;

impl Origin {
    /// The contact, where there is one.
    pub(crate) fn contact(self) -> Option<ContactId> {
        match self {
            Self::Invite(contact) => contact,
            Self::Contact(contact) => Some(contact),
        }
    }
}

fn session_bytes(session: SessionId) -> Vec<u8> {
    session.as_bytes().to_vec()
}

fn session_from(bytes: &[u8]) -> Result<Option<SessionId>, NodeError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    bytes
        .try_into()
        .map(|bytes| Some(SessionId::from_bytes(bytes)))
        .map_err(|_| NodeError::Record)
}
