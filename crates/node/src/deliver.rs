//! From an envelope that is for this node to a message in the inbox: seal, ratchet, content. Everything that
//! one envelope changes is committed in one transaction.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use chappe_envelope::{
    BareJid, ChainRoot, Counter, Direction, DisplayName, PairSecret, ReceiveChain, SendChain,
};
use chappe_omemo::{
    Decrypted, Flavour, IdentityKey, Incoming, KeyExchange, SessionId, Sessions, sce,
};
use chappe_wire::proto::{OmemoMessage, Parcel, parcel};
use chappe_wire::{Duration, Envelope, Instant, ItemId, Preimage, Tag};
use prost::Message as _;
use rand_core::Rng as _;

use crate::chains::{ChainId, Origin, Route};
use crate::compose::cut;
use crate::contact::ContactId;
use crate::identity::{OWN_DOMAIN, own_jid};
use crate::message::MessageId;
use crate::output::Event;
use crate::people::Person;
use crate::record::{ContactRecord, InboxRecord};
use crate::{CommandError, Node, NodeError, Store};

/// The longest name of a contact, in bytes; longer ones are cut.
pub(crate) const MAX_NAME_LEN: usize = 64;

/// An answer without content is sent between this and twice this after a key exchange, unless something else is
/// sent before.
const ANSWER_DELAY: Duration = Duration::from_minutes(10);

/// What one envelope led to.
enum Outcome {
    /// Read, from this contact: a receipt is due.
    Read(ContactId),
    /// From a contact that is blocked: not shown, and no receipt.
    Blocked,
    /// Not readable, and nothing changed but the window of tags.
    Unreadable(Option<ContactId>),
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
        // Whoever does not know the pair's secret cannot make this succeed; a forger changes nothing.
        let Some(opened) = self.chains.open(chain, counter, envelope) else {
            return Ok(());
        };
        self.save_chain(chain)?;
        let origin = self.chains.origin(chain);
        let outcome = match (Parcel::decode(opened.plaintext.as_slice()), origin) {
            (
                Ok(Parcel {
                    content: Some(content),
                }),
                Some(origin),
            ) => self.read(now, chain, origin, content)?,
            _ => Outcome::Unreadable(origin.and_then(Origin::contact)),
        };
        match outcome {
            Outcome::Read(contact) => {
                self.receipt_due(now, contact, opened.preimage, envelope)?;
            }
            Outcome::Blocked => {}
            Outcome::Unreadable(contact) => {
                self.counters.undecryptable = self.counters.undecryptable.saturating_add(1);
                self.tell(Event::Undecryptable { contact });
            }
        }
        let added: Vec<Tag> = opened.changed.added.iter().map(|(tag, _)| *tag).collect();
        self.rescan(&added);
        Ok(())
    }

    fn read(
        &mut self,
        now: Instant,
        chain: ChainId,
        origin: Origin,
        content: parcel::Content,
    ) -> Result<Outcome, NodeError> {
        match content {
            parcel::Content::Opaque(payload) => match origin {
                Origin::Contact(contact) if self.is_pair(contact) => {
                    let mut record = self.inbox_record(contact)?;
                    record.opaque = Some(payload);
                    self.arrived(contact, record)?;
                    Ok(Outcome::Read(contact))
                }
                origin => Ok(Outcome::Unreadable(origin.contact())),
            },
            parcel::Content::Omemo(message) => self.read_omemo(now, chain, origin, message),
        }
    }

    fn read_omemo(
        &mut self,
        now: Instant,
        chain: ChainId,
        origin: Origin,
        message: OmemoMessage,
    ) -> Result<Outcome, NodeError> {
        let known = match origin.contact() {
            Some(contact) => Some(contact),
            // Nobody is believed to be who they say: the key exchange shows whose key it is.
            None => match KeyExchange::parse(Flavour::Omemo2, &message.key) {
                Ok(exchange) if message.key_exchange => {
                    self.people.holder(&exchange.header.identity)
                }
                _ => return Ok(Outcome::Unreadable(None)),
            },
        };
        if known.is_some_and(|contact| self.is_pair(contact)) {
            return Ok(Outcome::Unreadable(known));
        }
        let Ok(decrypted) = self.decrypt(known, &message) else {
            return Ok(Outcome::Unreadable(known));
        };
        let (decrypted, stranger) = decrypted;
        // The content names its sender; it has to be the one whose session this is (XEP-0420).
        let content = decrypted
            .plaintext
            .as_deref()
            .map(|xml| sce::Content::from_xml(xml).map(|received| received.content))
            .transpose();
        let claimed = match (&content, known) {
            (Ok(Some(content)), _) => content.from.clone(),
            (Ok(None), Some(_)) => message.sender_jid.clone(),
            _ => return self.unread(known, &decrypted),
        };
        let contact = match (known, stranger) {
            (Some(contact), _) => {
                if self
                    .people
                    .person(contact)
                    .map(|person| person.record.jid != claimed)
                    .unwrap_or(true)
                {
                    return self.unread(known, &decrypted);
                }
                contact
            }
            (None, Some(sessions)) => {
                if claimed != message.sender_jid {
                    return self.unread(None, &decrypted);
                }
                match self.meet(&message, &decrypted.identity, sessions)? {
                    Some(contact) => contact,
                    None => return self.unread(None, &decrypted),
                }
            }
            (None, None) => return self.unread(None, &decrypted),
        };
        // Only a key exchange made with this contact URI's prekey shows for whom it was.
        if origin == Origin::Invite(None) && decrypted.new_session {
            self.chains.bind(chain, contact);
            self.save_chain(chain)?;
        }
        self.save_sessions(contact)?;
        if decrypted.new_session {
            // Its one-time prekey is spent.
            self.save_device()?;
            self.new_session(contact, decrypted.session)?;
        }
        if self.is_blocked(contact) {
            // Only a contact URI that nobody had used leads here: whose it is shows after opening.
            return Ok(Outcome::Blocked);
        }
        self.heard(contact)?;
        if let Ok(Some(content)) = content {
            self.received(now, contact, content)?;
        }
        if decrypted.answer_due {
            self.answer_later(now, contact);
        }
        Ok(Outcome::Read(contact))
    }

    /// Without an answer the other side repeats its key exchange with every message (XEP-0384). Whatever is
    /// sent to it in the meantime is one; an answer at once would tell relays when it was read.
    fn answer_later(&mut self, now: Instant, contact: ContactId) {
        let random = self.rng.next_u64() % ANSWER_DELAY.as_micros();
        let at = now.after(ANSWER_DELAY.saturating_add(Duration::from_micros(random)));
        self.answers.entry(contact).or_insert(at);
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
            self.answers.remove(&contact);
            if self.is_blocked(contact) {
                continue;
            }
            // If there is no room for it now, the next key exchange asks for it again.
            if let Err(CommandError::Store(error)) = self.send_hidden(now, contact) {
                return Err(NodeError::Store(error));
            }
        }
        Ok(())
    }

    /// Something decrypted, but its content lies about its sender: the ratchet has moved, nothing is shown.
    fn unread(
        &mut self,
        contact: Option<ContactId>,
        decrypted: &Decrypted,
    ) -> Result<Outcome, NodeError> {
        self.save_device()?;
        if let Some(contact) = contact {
            self.save_sessions(contact)?;
            if decrypted.new_session {
                self.new_session(contact, decrypted.session)?;
            }
        }
        Ok(Outcome::Unreadable(contact))
    }

    /// Decrypts with the sessions of a contact, or with new ones that come back with the result.
    fn decrypt(
        &mut self,
        known: Option<ContactId>,
        message: &OmemoMessage,
    ) -> Result<(Decrypted, Option<Sessions>), NodeError> {
        let me = self.me.as_mut().ok_or(NodeError::Record)?;
        let payload = (!message.payload.is_empty()).then_some(message.payload.as_slice());
        let mut fresh = Sessions::new();
        let (sessions, expected) = match known {
            Some(contact) => {
                let person = self
                    .people
                    .person_mut(contact)
                    .map_err(|_| NodeError::Record)?;
                let identity = person.identity();
                (&mut person.sessions, identity)
            }
            None => (&mut fresh, None),
        };
        // The envelope's tag came from a chain that only a known contact and we can make.
        let incoming = Incoming {
            payload,
            expected,
            proven: known.is_some(),
            ..Incoming::new(message.key_exchange, &message.key)
        };
        let decrypted = sessions
            .decrypt(&mut me.device, &incoming)
            .map_err(|_| NodeError::Record)?;
        Ok((decrypted, known.is_none().then_some(fresh)))
    }

    /// A stranger used one of our contact URIs. `None` if its key is known under another name: refused.
    fn meet(
        &mut self,
        message: &OmemoMessage,
        identity: &IdentityKey,
        sessions: Sessions,
    ) -> Result<Option<ContactId>, NodeError> {
        let name = cut(&printable(&message.name), MAX_NAME_LEN);
        let plain = BareJid::new(&message.sender_jid).is_ok() && DisplayName::new(&name).is_ok();
        // An address that names a key belongs to that key; one of a verified contact belongs to that contact.
        let foreign = message.sender_jid.ends_with(OWN_DOMAIN)
            && message.sender_jid != own_jid(identity.as_bytes());
        let claimed = self
            .people
            .claiming(&message.sender_jid, message.sender_device);
        let taken = claimed
            .and_then(|contact| self.people.person(contact).ok())
            .is_some_and(|person| person.record.verified);
        if !plain
            || foreign
            || taken
            || self.people.holder(identity).is_some()
            || self.people.is_full()
        {
            return Ok(None);
        }
        let contact = self.next_contact();
        let record = ContactRecord {
            name: self.people.free_name(&name),
            jid: message.sender_jid.clone(),
            device: message.sender_device,
            identity: identity.as_bytes().to_vec(),
            verified: false,
            blocked: false,
            heard: true,
        };
        self.people.insert(contact, Person { record, sessions });
        self.save_contact(contact)?;
        if let Ok(person) = self.people.person(contact) {
            let told = person.describe(contact);
            self.tell(Event::ContactAdded(told));
        }
        Ok(Some(contact))
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
    }

    /// Starts to expect messages on a chain, and looks for those that are here already.
    pub(crate) fn expect(
        &mut self,
        origin: Origin,
        session: Option<SessionId>,
        chain: ReceiveChain,
    ) -> Result<(), NodeError> {
        for surplus in self.chains.surplus(origin.contact()) {
            self.forget_chain(surplus)?;
        }
        let id = self.next_chain();
        let tags = self.chains.expect(id, origin, session, chain);
        self.save_chain(id)?;
        self.rescan(&tags);
        Ok(())
    }

    /// Looks for envelopes with these tags among those that are carried, and delivers them a little later.
    pub(crate) fn rescan(&mut self, tags: &[Tag]) {
        for tag in tags {
            // Anybody can copy a tag: there may be several, and one that opens.
            let same = (*tag, ItemId::new([0; 32]))..=(*tag, ItemId::new([0xff; 32]));
            self.found.extend(self.held.range(same).map(|(_, id)| *id));
        }
    }

    fn received(
        &mut self,
        now: Instant,
        contact: ContactId,
        content: sce::Content,
    ) -> Result<(), NodeError> {
        if content.body.is_none() && content.file.is_none() {
            return Ok(());
        }
        let mut record = self.inbox_record(contact)?;
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
        _from: ContactId,
        record: InboxRecord,
    ) -> Result<MessageId, NodeError> {
        let message = self.next_message()?;
        self.save(&message.0.to_be_bytes(), &record)?;
        let told = self.describe_incoming(message, &record)?;
        self.tell(Event::Received(told));
        Ok(message)
    }

    fn heard(&mut self, contact: ContactId) -> Result<(), NodeError> {
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

/// A name as a stranger gives it, without what could disturb a terminal.
pub(crate) fn printable(name: &str) -> String {
    let clean: String = name.chars().filter(|c| !c.is_control()).collect();
    clean.trim().to_string()
}
