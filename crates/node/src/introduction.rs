//! Messages by a contact URI. Everybody who has seen the URI can write them: only a key exchange shows who did.

use alloc::vec::Vec;

use chappe_envelope::{BareJid, Claim, DisplayName, PairSecret, ReceiptSecret};
use chappe_omemo::{Decrypted, Device, Flavour, KeyExchange, Sessions};
use chappe_wire::Instant;
use chappe_wire::proto::OmemoMessage;
use zeroize::Zeroizing;

use crate::chains::{ChainId, Origin};
use crate::compose::cut;
use crate::contact::ContactId;
use crate::deliver::{MAX_NAME_LEN, Outcome, content_of, printable};
use crate::identity::{OWN_DOMAIN, own_jid};
use crate::output::Event;
use crate::people::Person;
use crate::quota::MAX_MESSAGE_COST;
use crate::record::ContactRecord;
use crate::{Node, NodeError, Store};

/// Private keys as they were.
struct Keys {
    device: Zeroizing<Vec<u8>>,
    sessions: Option<Zeroizing<Vec<u8>>>,
}

impl<S: Store> Node<S> {
    /// A message by a contact URI. Nobody is believed to be who they say: the key exchange shows whose key it is,
    /// and that the envelope was sealed by its holder.
    pub(crate) fn read_claimed(
        &mut self,
        now: Instant,
        chain: ChainId,
        origin: Origin,
        message: OmemoMessage,
        claim: Claim,
    ) -> Result<Outcome, NodeError> {
        let exchange = match KeyExchange::parse(Flavour::Omemo2, &message.key) {
            Ok(exchange) if message.key_exchange => exchange,
            _ => return Ok(Outcome::Unproven),
        };
        let holder = self.people.holder(&exchange.header.identity);
        if holder != origin.contact() && origin != Origin::Invite(None) {
            return Ok(Outcome::Unproven);
        }
        if let Some(contact) = holder {
            if self.is_blocked(contact) {
                return Ok(Outcome::Left);
            }
            if !self.has_share(contact, MAX_MESSAGE_COST) {
                self.hold_back(contact);
                return Ok(Outcome::Left);
            }
        }
        let before = self.keys_of(holder)?;
        let (decrypted, stranger) = match holder {
            Some(contact) => (self.decrypt(contact, &message, false), None),
            None => {
                let mut sessions = Sessions::new();
                let decrypted = self.decrypt_with(&mut sessions, None, &message, false);
                (decrypted, Some(sessions))
            }
        };
        let Ok(decrypted) = decrypted else {
            return Ok(Outcome::Unproven);
        };
        let sessions = match (holder, &stranger) {
            (Some(contact), _) => self
                .people
                .person(contact)
                .ok()
                .map(|known| &known.sessions),
            (None, stranger) => stranger.as_ref(),
        };
        let secret = sessions.and_then(|sessions| sessions.exporter(decrypted.session));
        let preimage = secret.and_then(|secret| {
            let secret = ReceiptSecret::of_session(&PairSecret::new(*secret));
            claim.receipt(&secret).ok()
        });
        let Some(preimage) = preimage else {
            // Somebody else sealed it anew; the one that its author sealed is still to be read.
            self.restore_keys(holder, &before)?;
            return Ok(Outcome::Unproven);
        };
        let contact = match (holder, stranger) {
            (Some(contact), _) => contact,
            (None, stranger) => match self.meet(&message, &decrypted, stranger)? {
                Some(contact) => contact,
                None => {
                    self.restore_keys(None, &before)?;
                    return Ok(Outcome::Unproven);
                }
            },
        };
        // Only a key exchange made with this contact URI's prekey shows for whom it was.
        if origin == Origin::Invite(None) && decrypted.new_session {
            self.chains.bind(chain, contact);
        }
        if !self.take_in(now, contact, &message, decrypted)? {
            return Ok(Outcome::Unreadable(Some(contact)));
        }
        Ok(Outcome::Read(contact, preimage))
    }

    /// The private keys that reading a message can change, as they are now.
    fn keys_of(&self, contact: Option<ContactId>) -> Result<Keys, NodeError> {
        let me = self.me.as_ref().ok_or(NodeError::Record)?;
        let person = contact.and_then(|contact| self.people.person(contact).ok());
        Ok(Keys {
            device: me.device.to_bytes(),
            sessions: person.map(|person| person.sessions.to_bytes()),
        })
    }

    /// Makes it as if a message had not been read.
    fn restore_keys(&mut self, contact: Option<ContactId>, keys: &Keys) -> Result<(), NodeError> {
        let me = self.me.as_mut().ok_or(NodeError::Record)?;
        me.device = Device::from_bytes(&keys.device).map_err(|_| NodeError::Record)?;
        if let (Some(contact), Some(sessions)) = (contact, &keys.sessions)
            && let Ok(person) = self.people.person_mut(contact)
        {
            person.sessions = Sessions::from_bytes(sessions).map_err(|_| NodeError::Record)?;
        }
        Ok(())
    }

    /// A stranger used one of our contact URIs. `None` if it is refused: its content lies about its sender, or its
    /// key is known under another name.
    fn meet(
        &mut self,
        message: &OmemoMessage,
        decrypted: &Decrypted,
        sessions: Option<Sessions>,
    ) -> Result<Option<ContactId>, NodeError> {
        let identity = &decrypted.identity;
        let honest = content_of(message, decrypted)
            .is_some_and(|(claimed, content)| content.is_some() && claimed == message.sender_jid);
        let (true, Some(sessions)) = (honest, sessions) else {
            return Ok(None);
        };
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
            stored: 0,
            answer_at: 0,
        };
        self.people.insert(contact, Person::new(record, sessions));
        self.save_contact(contact)?;
        self.recognise_in_rooms(contact)?;
        if let Ok(person) = self.people.person(contact) {
            let told = person.describe(contact);
            self.tell(Event::ContactAdded(told));
        }
        Ok(Some(contact))
    }
}
