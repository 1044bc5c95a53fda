//! The device in the mesh. It has the keys, and knows nothing of XMPP but the address that it has there:
//! XEP-0420 wants the sender's address in the content to be the one that the message comes under.

use std::collections::BTreeMap;

use chappe_omemo::sce::{Content, Padding};
use chappe_omemo::trust::Trust;
use chappe_omemo::{Bundle, Device, DeviceId, Flavour, Identity, Message, Recipient, Sessions};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::Failure;

/// As many as XEP-0384 advises for a bundle that a server hands out.
const PREKEYS: u16 = 100;

pub(crate) struct MeshDevice {
    rng: ChaCha20Rng,
    device: Device,
    jid: String,
    peer: String,
    /// Sessions with each device of the peer.
    sessions: BTreeMap<DeviceId, Sessions>,
    /// What was to be said before a bundle was here.
    waiting: Vec<String>,
}

/// What a message said.
pub(crate) struct Read {
    pub(crate) text: Option<String>,
    /// Of the device that it is proven to be from.
    pub(crate) fingerprint: String,
    /// Ends the key exchange. At once here, since XMPP shows when it was read anyway.
    pub(crate) answer: Option<Message>,
}

impl MeshDevice {
    pub(crate) fn new(flavour: Flavour, jid: &str, peer: &str) -> Result<Self, Failure> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        let mut rng = ChaCha20Rng::from_seed(seed);
        let identity = Identity::generate(&mut rng);
        let id = DeviceId::new((rng.next_u32() >> 1).max(1)).ok_or("no device id")?;
        Ok(Self {
            device: Device::with_identity(&mut rng, flavour, identity, id, PREKEYS),
            rng,
            jid: jid.into(),
            peer: peer.into(),
            sessions: BTreeMap::new(),
            waiting: Vec::new(),
        })
    }

    pub(crate) fn id(&self) -> DeviceId {
        self.device.id()
    }

    pub(crate) fn flavour(&self) -> Flavour {
        self.device.flavour()
    }

    pub(crate) fn fingerprint(&self) -> String {
        plain(&self.device.identity().fingerprint().to_string())
    }

    pub(crate) fn bundle(&self) -> Bundle {
        self.device.bundle()
    }

    /// Encrypts a text for all devices of the peer; `None`, and the text waits, if none is known yet.
    pub(crate) fn write(&mut self, text: &str) -> Result<Option<Message>, Failure> {
        if self.sessions.is_empty() {
            self.waiting.push(text.into());
            return Ok(None);
        }
        let plaintext = match self.flavour() {
            Flavour::Legacy => text.into(),
            _ => {
                let content = Content::text(&self.jid, text);
                content.to_xml(&mut self.rng, Padding::Random)?
            }
        };
        self.encrypt(Some(plaintext.as_bytes())).map(Some)
    }

    /// Starts a session with a device of the peer, and encrypts what waits for it.
    pub(crate) fn meet(&mut self, id: DeviceId, bundle: &Bundle) -> Result<Vec<Message>, Failure> {
        let sessions = self.sessions.entry(id).or_default();
        if sessions.is_empty() {
            sessions.start(&mut self.rng, &self.device, &bundle.verify()?)?;
        }
        let mut messages = Vec::new();
        for text in std::mem::take(&mut self.waiting) {
            messages.extend(self.write(&text)?);
        }
        Ok(messages)
    }

    /// Decrypts a message of the peer.
    pub(crate) fn read(&mut self, message: &Message) -> Result<Read, Failure> {
        let incoming = message
            .incoming(&self.jid, self.device.id())
            .ok_or("a message is not for this device")?;
        let sessions = self.sessions.entry(message.sender).or_default();
        let read = sessions.decrypt(&mut self.device, &incoming)?;
        let text = read.plaintext.map(|plaintext| match message.flavour {
            Flavour::Legacy => String::from_utf8(plaintext).map_err(Failure::from),
            _ => self.text_of(&plaintext),
        });
        let answer = if read.answer_due {
            Some(self.encrypt(None)?)
        } else {
            None
        };
        Ok(Read {
            text: text.transpose()?,
            fingerprint: plain(&read.identity.fingerprint().to_string()),
            answer,
        })
    }

    fn text_of(&self, plaintext: &[u8]) -> Result<String, Failure> {
        let content = Content::from_xml(plaintext)?.content;
        if content.from != self.peer {
            return Err("a content names another sender than its stanza".into());
        }
        content.body.ok_or_else(|| "a content without text".into())
    }

    fn encrypt(&mut self, plaintext: Option<&[u8]>) -> Result<Message, Failure> {
        let recipients = self.sessions.iter_mut().map(|(id, sessions)| Recipient {
            jid: &self.peer,
            device: *id,
            // On XMPP the server says which devices an account has.
            trust: Trust::FirstUse,
            sessions,
        });
        let (flavour, id) = (self.device.flavour(), self.device.id());
        let sent = Message::encrypt(&mut self.rng, flavour, id, plaintext, recipients)?;
        match sent.unreachable.first() {
            None => Ok(sent.message),
            Some(unreachable) => Err(format!("a device was not reached: {unreachable:?}").into()),
        }
    }
}

/// A fingerprint without its spaces.
fn plain(fingerprint: &str) -> String {
    fingerprint.replace(' ', "")
}
