//! From an envelope that is for this node to a message in the inbox: seal, ratchet, content. Everything that
//! one envelope changes is committed in one transaction.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use chappe_envelope::{ChainRoot, Claim, Counter, Direction, PairSecret, ReceiveChain, SendChain};
use chappe_omemo::{Decrypted, IdentityKey, Incoming, SessionId, Sessions, sce};
use chappe_wire::proto::{OmemoMessage, Parcel, parcel};
use chappe_wire::{Duration, Envelope, Instant, ItemId, Preimage, Tag};
use prost::Message as _;
use rand_core::Rng as _;

use crate::chains::{ChainId, Origin, Route};
use crate::contact::ContactId;
use crate::lock::Reading;
use crate::message::MessageId;
use crate::output::Event;
use crate::people::Person;
use crate::quota::message_cost;
use crate::record::InboxRecord;
use crate::{CommandError, Node, NodeError, Store};

/// The longest name of a contact, in bytes; longer ones are cut.
pub(crate) const MAX_NAME_LEN: usize = 64;

/// An answer without content is sent between this and twice this after a key exchange, unless something else is
/// sent before.
const ANSWER_DELAY: Duration = Duration::from_minutes(10);

/// What one envelope led to.
pub(crate) enum Outcome {
    /// Read, from this contact: a receipt is due.
    Read(ContactId, Preimage),
    /// Not readable; the window of tags moves on. By a contact URI: but for a ratchet, nothing has changed.
    Unreadable(Option<ContactId>),
    /// By a contact URI: anybody could have made it. Nothing has changed, so that nothing is lost by it.
    Unproven,
    /// From a contact that is blocked, or that has used up its share. Nothing has changed; it may be read later.
    Left,
}

/// What an envelope says, and what its receipt is made of.
enum Proof {
    /// Only the contact could seal it: this is the receipt.
    Sealed(Preimage),
    /// Everybody who has seen the contact URI could.
    Claimed(Claim),
}

impl<S: Store> Node<S> {
    /// Takes an envelope whose tag stands for `counter` on `chain`.
    pub(crate) fn deliver(
        &mut self,
        now: Instant,
        chain: ChainId,
        counter: Counter,
        envelope: &Envelope,
    ) -> Result<(), NodeError> {
        let Some(origin) = self.chains.origin(chain) else {
            return Ok(());
        };
        // Whoever does not know the secret cannot make this succeed; a forger changes nothing.
        let (parcel, proof, added) = match origin {
            Origin::Contact(_) => {
                let Some(opened) = self.chains.open(chain, counter, envelope) else {
                    return Ok(());
                };
                self.save_chain(chain)?;
                let added: Vec<Tag> = opened.changed.added.iter().map(|(tag, _)| *tag).collect();
                let parcel = Parcel::decode(opened.plaintext.as_slice());
                (parcel, Proof::Sealed(opened.preimage), added)
            }
            Origin::Invite(_) => {
                let Some(claim) = self.chains.unseal(chain, counter, envelope) else {
                    return Ok(());
                };
                let parcel = Parcel::decode(claim.plaintext());
                (parcel, Proof::Claimed(claim), Vec::new())
            }
        };
        let claimed = matches!(proof, Proof::Claimed(_));
        let outcome = match parcel {
            Ok(Parcel {
                content: Some(content),
            }) => self.read(now, chain, origin, content, proof)?,
            _ if claimed => Outcome::Unproven,
            _ => Outcome::Unreadable(origin.contact()),
        };
        let moves = match outcome {
            Outcome::Read(contact, preimage) => {
                self.receipt_due(now, contact, preimage, envelope)?;
                true
            }
            Outcome::Unreadable(contact) => {
                self.count_unreadable();
                self.tell(Event::Undecryptable { contact });
                true
            }
            Outcome::Unproven => {
                self.count_unreadable();
                if self.chains.note_garbage(chain) {
                    self.tell(Event::Undecryptable { contact: None });
                }
                false
            }
            Outcome::Left => false,
        };
        self.rescan(&added);
        if claimed && moves {
            let added = self.chains.mark_seen(chain, counter);
            self.save_chain(chain)?;
            self.rescan(&added);
        }
        Ok(())
    }

    pub(crate) fn count_unreadable(&mut self) {
        self.counters.undecryptable = self.counters.undecryptable.saturating_add(1);
        self.dirty = true;
    }

    fn read(
        &mut self,
        now: Instant,
        chain: ChainId,
        origin: Origin,
        content: parcel::Content,
        proof: Proof,
    ) -> Result<Outcome, NodeError> {
        match (content, origin, proof) {
            (
                parcel::Content::Opaque(payload),
                Origin::Contact(contact),
                Proof::Sealed(preimage),
            ) if self.is_pair(contact) => {
                let mut record = self.inbox_record(contact)?;
                record.opaque = Some(payload);
                self.arrived(contact, record)?;
                Ok(Outcome::Read(contact, preimage))
            }
            (parcel::Content::Opaque(_), _, Proof::Claimed(_)) => Ok(Outcome::Unproven),
            (parcel::Content::Opaque(_), origin, Proof::Sealed(_)) => {
                Ok(Outcome::Unreadable(origin.contact()))
            }
            (
                parcel::Content::Omemo(message),
                Origin::Contact(contact),
                Proof::Sealed(preimage),
            ) => self.read_omemo(now, contact, message, preimage),
            (
                parcel::Content::RoomKey(message),
                Origin::Contact(contact),
                Proof::Sealed(preimage),
            ) if !self.is_pair(contact) => self.read_room_key(now, contact, &message, preimage),
            (parcel::Content::RoomKey(_) | parcel::Content::Room(_), _, Proof::Claimed(_)) => {
                Ok(Outcome::Unproven)
            }
            (parcel::Content::RoomKey(_) | parcel::Content::Room(_), origin, Proof::Sealed(_)) => {
                Ok(Outcome::Unreadable(origin.contact()))
            }
            (parcel::Content::Omemo(message), origin, Proof::Claimed(claim)) => {
                self.read_claimed(now, chain, origin, message, claim)
            }
            (parcel::Content::Omemo(_), Origin::Invite(_), Proof::Sealed(_)) => {
                Ok(Outcome::Unproven)
            }
        }
    }

    /// A message on a chain that only the contact and this node know.
    fn read_omemo(
        &mut self,
        now: Instant,
        contact: ContactId,
        message: OmemoMessage,
        preimage: Preimage,
    ) -> Result<Outcome, NodeError> {
        if self.is_pair(contact) {
            return Ok(Outcome::Unreadable(Some(contact)));
        }
        let Ok(decrypted) = self.decrypt(contact, &message, true) else {
            return Ok(Outcome::Unreadable(Some(contact)));
        };
        if !self.take_in(now, contact, &message, decrypted)? {
            return Ok(Outcome::Unreadable(Some(contact)));
        }
        Ok(Outcome::Read(contact, preimage))
    }

    /// Takes what was decrypted: sessions, content, an answer that is due. False if the content lies about its
    /// sender: the ratchet has moved then, and nothing is shown.
    pub(crate) fn take_in(
        &mut self,
        now: Instant,
        contact: ContactId,
        message: &OmemoMessage,
        decrypted: Decrypted,
    ) -> Result<bool, NodeError> {
        self.settle_session(now, contact, &decrypted)?;
        let known = self.people.person(contact);
        let jid = known.map(|person| person.record.jid.clone());
        let Some(reading) = self.reading(contact, decrypted.plaintext.as_deref()) else {
            return Ok(false);
        };
        let claimed = match &reading {
            Reading::Content(content) => &content.from,
            Reading::Empty | Reading::Locked(_) => &message.sender_jid,
        };
        if jid.as_ref() != Ok(claimed) {
            return Ok(false);
        }
        self.heard(contact)?;
        self.catch_up_later(now, contact)?;
        let mut record = self.inbox_record(contact)?;
        match reading {
            Reading::Content(content) => self.received(now, contact, record, *content)?,
            Reading::Empty => {}
            Reading::Locked(locked) => {
                record.locked = Some(locked);
                self.arrived(contact, record)?;
            }
        }
        Ok(true)
    }

    /// Writes down what a message has changed in the sessions with a contact.
    pub(crate) fn settle_session(
        &mut self,
        now: Instant,
        contact: ContactId,
        decrypted: &Decrypted,
    ) -> Result<(), NodeError> {
        self.save_sessions(contact)?;
        if decrypted.new_session {
            // Its one-time prekey is spent.
            self.save_device()?;
            self.new_session(contact, decrypted.session)?;
            // Whoever starts anew may have lost more than the session.
            self.keys_were_lost(contact)?;
        }
        if decrypted.answer_due {
            self.answer_later(now, contact)?;
        }
        Ok(())
    }

    /// Without an answer the other side repeats its key exchange with every message (XEP-0384). Whatever is
    /// sent to it in the meantime is one; an answer at once would tell relays when it was read.
    pub(crate) fn answer_later(
        &mut self,
        now: Instant,
        contact: ContactId,
    ) -> Result<(), NodeError> {
        let random = self.rng.next_u64() % ANSWER_DELAY.as_micros();
        let at = now.after(ANSWER_DELAY.saturating_add(Duration::from_micros(random)));
        if self.answers.contains_key(&contact) {
            return Ok(());
        }
        self.answers.insert(contact, at);
        self.save_answer(contact, at.as_micros())
    }

    /// Something is sent to a contact: that answers its key exchange.
    pub(crate) fn answered(&mut self, contact: ContactId) -> Result<(), NodeError> {
        match self.answers.remove(&contact) {
            Some(_) => self.save_answer(contact, 0),
            None => Ok(()),
        }
    }

    fn save_answer(&mut self, contact: ContactId, at: u64) -> Result<(), NodeError> {
        if let Ok(person) = self.people.person_mut(contact) {
            person.record.answer_at = at;
        }
        self.save_contact(contact)
    }

    /// Sends the answers whose time has come.
    pub(crate) fn answer_due(&mut self, now: Instant) -> Result<(), NodeError> {
        let due: Vec<ContactId> = self
            .answers
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(contact, _)| *contact)
            .collect();
        for contact in due {
            self.answered(contact)?;
            if self.is_blocked(contact) {
                continue;
            }
            // A room's key is an answer like any other.
            if self.catch_up(now, contact)? {
                continue;
            }
            // If there is no room for it now, the next key exchange asks for it again.
            if let Err(CommandError::Store(error)) = self.send_hidden(now, contact) {
                return Err(NodeError::Store(error));
            }
        }
        Ok(())
    }

    /// Decrypts with the sessions of a contact. On an error nothing has changed. `proven` says that the tag came
    /// from a chain that only this contact and we can make.
    pub(crate) fn decrypt(
        &mut self,
        contact: ContactId,
        message: &OmemoMessage,
        proven: bool,
    ) -> Result<Decrypted, Undecryptable> {
        let person = self.people.person_mut(contact).map_err(|_| Undecryptable)?;
        let mut sessions = core::mem::take(&mut person.sessions);
        let identity = person.identity();
        let decrypted = self.decrypt_with(&mut sessions, identity.as_ref(), message, proven);
        if let Ok(person) = self.people.person_mut(contact) {
            person.sessions = sessions;
        }
        decrypted
    }

    pub(crate) fn decrypt_with(
        &mut self,
        sessions: &mut Sessions,
        expected: Option<&IdentityKey>,
        message: &OmemoMessage,
        proven: bool,
    ) -> Result<Decrypted, Undecryptable> {
        let me = self.me.as_mut().ok_or(Undecryptable)?;
        let payload = (!message.payload.is_empty()).then_some(message.payload.as_slice());
        let incoming = Incoming {
            payload,
            expected: expected.copied(),
            proven,
            ..Incoming::new(message.key_exchange, &message.key)
        };
        sessions
            .decrypt(&mut me.device, &incoming)
            .map_err(|_| Undecryptable)
    }

    /// A session's secret makes a chain each way.
    pub(crate) fn new_session(
        &mut self,
        contact: ContactId,
        session: SessionId,
    ) -> Result<(), NodeError> {
        let Ok(person) = self.people.person(contact) else {
            return Ok(());
        };
        let Some(secret) = person.sessions.exporter(session) else {
            return Ok(());
        };
        let initiator = person.sessions.is_initiator(session).unwrap_or_default();
        self.pair_chains(contact, Some(session), &PairSecret::new(*secret), initiator)
    }

    /// A pair's secret makes a chain each way.
    pub(crate) fn pair_chains(
        &mut self,
        contact: ContactId,
        session: Option<SessionId>,
        secret: &PairSecret,
        initiator: bool,
    ) -> Result<(), NodeError> {
        let out = if initiator {
            Direction::InitiatorToResponder
        } else {
            Direction::ResponderToInitiator
        };
        let send = self.next_chain();
        self.chains.send_on(
            send,
            contact,
            Route::Session(session),
            SendChain::new(ChainRoot::of_pair(secret, out)),
        );
        self.save_chain(send)?;
        self.expect(
            Origin::Contact(contact),
            session,
            ReceiveChain::new(ChainRoot::of_pair(secret, out.reversed())),
        )
        .map(|_| ())
    }

    /// Starts to expect messages on a chain, and looks for those that are here already.
    pub(crate) fn expect(
        &mut self,
        origin: Origin,
        session: Option<SessionId>,
        chain: ReceiveChain,
    ) -> Result<ChainId, NodeError> {
        if let Some(contact) = origin.contact() {
            for surplus in self.chains.surplus(contact) {
                self.forget_chain(surplus)?;
            }
        }
        let id = self.next_chain();
        let tags = self.chains.expect(id, origin, session, chain);
        self.save_chain(id)?;
        self.rescan(&tags);
        Ok(id)
    }

    /// Looks for envelopes with these tags among those that are carried, and delivers them a little later.
    pub(crate) fn rescan(&mut self, tags: &[Tag]) {
        for tag in tags {
            // Anybody can copy a tag: there may be several, and one that opens.
            let same = (*tag, ItemId::new([0; 32]))..=(*tag, ItemId::new([0xff; 32]));
            self.found.extend(self.held.range(same).map(|(_, id)| *id));
        }
    }

    /// Shows a content to the person. `record` says from whom it is.
    pub(crate) fn received(
        &mut self,
        now: Instant,
        contact: ContactId,
        mut record: InboxRecord,
        content: sce::Content,
    ) -> Result<(), NodeError> {
        if content.body.is_none() && content.file.is_none() {
            return Ok(());
        }
        record.sent = content.time.map(|time| time.to_string());
        record.text = content.body;
        if let Some(file) = content.file {
            return self.expect_file(now, contact, record, file);
        }
        self.arrived(contact, record).map(|_| ())
    }

    pub(crate) fn inbox_record(&self, contact: ContactId) -> Result<InboxRecord, NodeError> {
        let person = self.people.person(contact).map_err(|_| NodeError::Record)?;
        Ok(InboxRecord {
            contact: contact.0,
            name: person.record.name.clone(),
            verified: person.record.verified,
            ..InboxRecord::default()
        })
    }

    /// Puts a message into the inbox and tells of it.
    pub(crate) fn arrived(
        &mut self,
        from: ContactId,
        record: InboxRecord,
    ) -> Result<MessageId, NodeError> {
        let message = self.next_message()?;
        self.save(&message.0.to_be_bytes(), &record)?;
        self.charge(from, message_cost(&record))?;
        let told = self.describe_incoming(message, &record)?;
        self.tell(Event::Received(told));
        Ok(message)
    }

    pub(crate) fn heard(&mut self, contact: ContactId) -> Result<(), NodeError> {
        let Ok(person) = self.people.person_mut(contact) else {
            return Ok(());
        };
        if person.record.heard {
            return Ok(());
        }
        person.record.heard = true;
        self.save_contact(contact)
    }

    fn is_pair(&self, contact: ContactId) -> bool {
        self.people.person(contact).is_ok_and(Person::is_pair)
    }

    pub(crate) fn is_blocked(&self, contact: ContactId) -> bool {
        self.people
            .person(contact)
            .is_ok_and(|person| person.record.blocked)
    }

    /// Remembers that a receipt is to be let go, some time later.
    fn receipt_due(
        &mut self,
        now: Instant,
        contact: ContactId,
        preimage: Preimage,
        envelope: &Envelope,
    ) -> Result<(), NodeError> {
        let verified = self
            .people
            .person(contact)
            .is_ok_and(|person| person.record.verified);
        self.hold_receipt(now, preimage, envelope.header().lifetime, verified)
    }
}

/// The message does not decrypt; nothing has changed.
pub(crate) struct Undecryptable;

/// What was decrypted, and the address that it claims to be from: the content names its sender (XEP-0420).
pub(crate) fn content_of(
    message: &OmemoMessage,
    decrypted: &Decrypted,
) -> Option<(String, Option<sce::Content>)> {
    let Some(xml) = &decrypted.plaintext else {
        return Some((message.sender_jid.clone(), None));
    };
    let content = sce::Content::from_xml(xml).ok()?.content;
    Some((content.from.clone(), Some(content)))
}

/// A name as a stranger gives it, without what could disturb a terminal.
pub(crate) fn printable(name: &str) -> String {
    let clean: String = name.chars().filter(|c| !c.is_control()).collect();
    clean.trim().to_string()
}
