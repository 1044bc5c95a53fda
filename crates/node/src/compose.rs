//! From a draft to sealed envelopes in custody: content, ratchet, seal, outbox.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use chappe_envelope::blob::{BlobKey, BlobPlan, RootHasher, seal_chunk};
use chappe_envelope::{PairSecret, ReceiptSecret};
use chappe_omemo::SessionId;
use chappe_omemo::sce::{self, FileReference, Timestamp};
use chappe_wire::proto::{OmemoMessage, Parcel, parcel};
use chappe_wire::{BodySize, ByteCount, Envelope, HEADER_LEN, Instant};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::chains::{ChainId, Route};
use crate::contact::ContactId;
use crate::message::{Draft, MAX_FILE_LEN, MAX_TEXT_LEN, MessageId};
use crate::output::CommandError;
use crate::quota::file_cost;
use crate::record::OutboxRecord;
use crate::room::RoomId;
use crate::{Node, Store};

/// Longest payload of `SendOpaque`, in bytes.
pub const MAX_OPAQUE_LEN: usize = 4_000;
/// The longest content, as XML, that fits into one envelope with the longest key element and addresses.
pub(crate) const MAX_CONTENT_LEN: usize = 3_500;
/// The longest envelope, in bytes.
pub(crate) const MAX_ENVELOPE_LEN: usize = HEADER_LEN + BodySize::B4096.bytes();
/// The longest file name, in bytes; longer ones are cut.
const MAX_FILE_NAME_LEN: usize = 128;

/// What a message says.
#[derive(Default)]
struct Body {
    text: Option<String>,
    file: Option<FileReference>,
    /// The time of writing by the sender's clock, for people only.
    written: Option<Timestamp>,
}

/// What people see of a message in the outbox.
pub(crate) struct Label {
    summary: String,
    size: u64,
    hidden: bool,
    /// The room whose key it brings, or that somebody is in no more.
    room: Option<RoomId>,
    gone: u32,
}

impl Label {
    fn new(summary: String, size: usize) -> Self {
        Self {
            summary,
            size: size as u64,
            hidden: false,
            room: None,
            gone: 0,
        }
    }

    /// Of what people do not see.
    pub(crate) fn hidden() -> Self {
        Self {
            hidden: true,
            ..Self::new(String::new(), 0)
        }
    }

    /// Of this node's key for a room.
    pub(crate) fn key_of(room: RoomId) -> Self {
        Self {
            room: Some(room),
            ..Self::hidden()
        }
    }

    /// Of the word that somebody is in a room no more, told the `time`th time.
    pub(crate) fn gone_from(room: RoomId, time: u32) -> Self {
        Self {
            gone: time,
            ..Self::key_of(room)
        }
    }
}

impl<S: Store> Node<S> {
    /// Sends a draft to a contact. On an error nothing is changed.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        contact: ContactId,
        draft: Draft,
        written: Option<Timestamp>,
    ) -> Result<MessageId, CommandError> {
        self.ready(contact, false)?;
        match draft {
            Draft::Text(text) if text.is_empty() => Err(CommandError::Empty),
            Draft::Text(text) if text.len() > MAX_TEXT_LEN => Err(CommandError::TooLarge),
            Draft::Text(text) => {
                let label = Label::new(text.clone(), text.len());
                let body = Body {
                    text: Some(text),
                    file: None,
                    written,
                };
                self.send_content(now, contact, body, Vec::new(), label)
            }
            Draft::File { data, .. } if data.is_empty() => Err(CommandError::Empty),
            Draft::File { data, .. } if data.len() > MAX_FILE_LEN => Err(CommandError::TooLarge),
            Draft::File {
                name,
                media_type,
                data,
            } => {
                self.check_room(file_cost(self.chunk_count(data.len() as u64)))?;
                let name = file_name(&name);
                let label = Label::new(name.clone(), data.len());
                let (chunks, mut file) = self.seal_file(&data)?;
                file.name = name;
                file.media_type = cut(&media_type, MAX_FILE_NAME_LEN);
                let body = Body {
                    text: None,
                    file: Some(file),
                    written,
                };
                self.send_content(now, contact, body, chunks, label)
            }
        }
    }

    /// Sends an embedder's own encrypted payload.
    pub(crate) fn send_opaque(
        &mut self,
        now: Instant,
        contact: ContactId,
        payload: Vec<u8>,
    ) -> Result<MessageId, CommandError> {
        self.ready(contact, true)?;
        if payload.is_empty() {
            return Err(CommandError::Empty);
        }
        if payload.len() > MAX_OPAQUE_LEN {
            return Err(CommandError::TooLarge);
        }
        let label = Label::new(String::new(), payload.len());
        let parcel = Parcel {
            content: Some(parcel::Content::Opaque(payload)),
        };
        let chain = self
            .chains
            .route(contact, Route::Session(None))
            .ok_or(CommandError::NoSession)?;
        self.hand_over(now, contact, (chain, None), &parcel, Vec::new(), label)
    }

    /// Sends something that people do not see: an introduction, or an answer that moves a session on.
    pub(crate) fn send_hidden(
        &mut self,
        now: Instant,
        contact: ContactId,
    ) -> Result<(), CommandError> {
        self.send_content(now, contact, Body::default(), Vec::new(), Label::hidden())
            .map(|_| ())
    }

    fn ready(&self, contact: ContactId, pair: bool) -> Result<(), CommandError> {
        let person = self.people.person(contact)?;
        if person.record.blocked {
            return Err(CommandError::Blocked);
        }
        if person.is_pair() != pair {
            return Err(CommandError::WrongKind);
        }
        self.check_room(0)
    }

    fn send_content(
        &mut self,
        now: Instant,
        contact: ContactId,
        body: Body,
        chunks: Vec<Envelope>,
        label: Label,
    ) -> Result<MessageId, CommandError> {
        let to = self.people.person(contact)?.record.jid.clone();
        let says_something = body.text.is_some() || body.file.is_some();
        let mut plaintext = self.content(to, body)?.into_bytes();
        if says_something {
            plaintext = self.locked(contact, plaintext)?;
        }
        if plaintext.len() > MAX_CONTENT_LEN {
            return Err(CommandError::TooLarge);
        }
        let wrap = parcel::Content::Omemo;
        self.send_encrypted(now, contact, &plaintext, wrap, chunks, label)
    }

    /// A text as it is sealed, for a contact or a room.
    pub(crate) fn text_for(
        &mut self,
        to: String,
        text: String,
        written: Option<Timestamp>,
    ) -> Result<String, CommandError> {
        let body = Body {
            text: Some(text),
            file: None,
            written,
        };
        self.content(to, body)
    }

    fn content(&mut self, to: String, body: Body) -> Result<String, CommandError> {
        let me = self.me.as_ref().ok_or(CommandError::Relay)?;
        let content = sce::Content {
            from: me.jid.clone(),
            to: Some(to),
            time: body.written,
            body: body.text,
            file: body.file,
            trust: None,
        };
        // The envelope pads the whole, so the content needs no padding of its own.
        let plaintext = content
            .to_xml(&mut self.rng, sce::Padding::Exactly(0))
            .map_err(|_| CommandError::Unsendable)?;
        if plaintext.len() > MAX_CONTENT_LEN {
            return Err(CommandError::TooLarge);
        }
        Ok(plaintext)
    }

    /// Encrypts for a contact, seals what `wrap` makes of it, and gives it to the router with the chunks of its file.
    pub(crate) fn send_encrypted(
        &mut self,
        now: Instant,
        contact: ContactId,
        plaintext: &[u8],
        wrap: fn(OmemoMessage) -> parcel::Content,
        chunks: Vec<Envelope>,
        label: Label,
    ) -> Result<MessageId, CommandError> {
        // Nothing is encrypted that cannot be sent: a ratchet does not go back.
        let chunk_bytes = chunks.len().saturating_mul(MAX_ENVELOPE_LEN);
        let bytes = ByteCount::of(chunk_bytes.saturating_add(MAX_ENVELOPE_LEN));
        if !self.router.has_room_for_own(chunks.len() + 1, bytes) {
            return Err(CommandError::OutboxFull);
        }
        let me = self.me.as_ref().ok_or(CommandError::Relay)?;
        let (sender_jid, sender_device, name) =
            (me.jid.clone(), me.device.id().number(), me.name.clone());
        let person = self.people.person_mut(contact)?;
        let session = person
            .sessions
            .sending_session()
            .ok_or(CommandError::NoSession)?;
        let encrypted = person
            .sessions
            .encrypt(&mut self.rng, Some(plaintext))
            .map_err(|_| CommandError::NoSession)?;
        self.save_sessions(contact)?;
        self.answered(contact)?;
        let route = self
            .route(contact, session, encrypted.key_exchange)
            .ok_or(CommandError::NoSession)?;
        let parcel = Parcel {
            content: Some(wrap(OmemoMessage {
                sender_jid,
                sender_device,
                key_exchange: encrypted.key_exchange,
                key: encrypted.key,
                payload: encrypted.payload.unwrap_or_default(),
                name: if encrypted.key_exchange {
                    name
                } else {
                    String::new()
                },
            })),
        };
        self.hand_over(now, contact, route, &parcel, chunks, label)
    }

    /// The chain by which a message goes. Until the contact has answered it cannot know the session, only its
    /// contact URI; what the receipt takes of the session then, it knows once it has read the message.
    fn route(
        &self,
        contact: ContactId,
        session: SessionId,
        key_exchange: bool,
    ) -> Option<(ChainId, Option<ReceiptSecret>)> {
        if key_exchange && let Some(chain) = self.chains.route(contact, Route::Invite) {
            let person = self.people.person(contact).ok()?;
            let secret = PairSecret::new(*person.sessions.exporter(session)?);
            return Some((chain, Some(ReceiptSecret::of_session(&secret))));
        }
        let chain = self.chains.route(contact, Route::Session(Some(session)))?;
        Some((chain, None))
    }

    /// Seals a parcel and gives it, with the chunks of its file, to the router.
    fn hand_over(
        &mut self,
        now: Instant,
        contact: ContactId,
        (chain, receipt): (ChainId, Option<ReceiptSecret>),
        parcel: &Parcel,
        chunks: Vec<Envelope>,
        label: Label,
    ) -> Result<MessageId, CommandError> {
        let lifetime = self.config.lifetime;
        let sender = self.chains.sender(chain).ok_or(CommandError::NoSession)?;
        let content = parcel.encode_to_vec();
        let sealed = match &receipt {
            Some(secret) => sender.seal_with_receipt_of(lifetime, &content, secret),
            None => sender.seal(lifetime, &content),
        };
        let (envelope, _) = sealed.map_err(|_| CommandError::TooLarge)?;
        self.save_chain(chain)?;
        let message = self.next_message()?;
        let mut envelopes = chunks;
        envelopes.insert(0, envelope);
        self.keep_message(now, message, &envelopes)?;
        let record = OutboxRecord {
            contact: contact.0,
            name: self.people.person(contact)?.record.name.clone(),
            summary: label.summary,
            size: label.size,
            created: now.as_micros(),
            outstanding: u32::try_from(envelopes.len()).unwrap_or(u32::MAX),
            carriers: 0,
            expired: false,
            hidden: label.hidden,
            gone: label.gone,
            room: label
                .room
                .map_or_else(Vec::new, |room| room.as_bytes().to_vec()),
            ..OutboxRecord::default()
        };
        self.save(&message.0.to_be_bytes(), &record)?;
        Ok(message)
    }

    /// Cuts a file into sealed envelopes under a fresh key.
    fn seal_file(&mut self, data: &[u8]) -> Result<(Vec<Envelope>, FileReference), CommandError> {
        let lifetime = self.config.lifetime;
        let key = BlobKey::generate(&mut self.rng);
        let plan = BlobPlan::new(ByteCount::of(data.len())).map_err(|_| CommandError::TooLarge)?;
        let mut root = RootHasher::new(&plan);
        let mut envelopes = Vec::new();
        for index in plan.indexes() {
            let envelope = seal_chunk(&key, index, lifetime, plan.chunk(index, data))
                .map_err(|_| CommandError::TooLarge)?;
            root.add(&envelope.id());
            envelopes.push(envelope);
        }
        let root = root.finish().map_err(|_| CommandError::TooLarge)?;
        let reference = FileReference {
            name: String::new(),
            media_type: String::new(),
            size: data.len() as u64,
            key: *key.as_bytes(),
            root: *root.as_bytes(),
            sha256: Sha256::digest(data).into(),
        };
        Ok((envelopes, reference))
    }
}

/// The last part of a path, without anything that could lead out of a folder, cut to a bound.
pub(crate) fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control()).collect();
    match clean.trim_matches(['.', ' ']) {
        "" => "file".to_string(),
        _ => cut(clean.trim_start_matches('.'), MAX_FILE_NAME_LEN),
    }
}

/// At most `limit` bytes of a text, without splitting a character.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_stay_in_their_folder() {
        for (given, kept) in [
            ("photo.jpg", "photo.jpg"),
            ("/etc/passwd", "passwd"),
            ("..\\..\\x", "x"),
            ("..", "file"),
            ("a/", "file"),
            (".hidden", "hidden"),
            ("a\nb", "ab"),
        ] {
            assert_eq!(file_name(given), kept);
        }
        assert_eq!(file_name(&"ä".repeat(100)).len(), 128);
    }
}
