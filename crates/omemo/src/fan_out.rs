//! One content for many devices: encrypted once, its key once for each of them.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use rand_core::CryptoRng;

use crate::DeviceId;
use crate::flavour::Flavour;
use crate::message::{DeviceKey, Message};
use crate::payload::{ContentError, Payload};
use crate::sessions::{EncryptError, Sessions};
use crate::trust::Trust;

/// A device that is to read a message, with the sessions that are held with it.
pub struct Recipient<'a> {
    /// The account that it is of. One's own other devices are recipients too: they get a copy.
    pub jid: &'a str,
    /// The device.
    pub device: DeviceId,
    /// What is known about its key: see [`TrustBook::meet`](crate::trust::TrustBook::meet). Nothing is written to a
    /// device that is not [believed](Trust::is_believed).
    pub trust: Trust,
    /// The sessions with it, of which one must have been started.
    pub sessions: &'a mut Sessions,
}

/// A message, and who will not be able to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "devices that were not reached are to be shown"]
pub struct FanOut {
    /// The message for all others.
    pub message: Message,
    /// The devices that could not be reached, and why. Never silently: XEP-0384 leaves them out unseen.
    pub unreachable: Vec<Unreachable>,
}

/// A device that cannot read a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// The account that it is of.
    pub jid: String,
    /// The device.
    pub device: DeviceId,
    /// Why: mostly because there is no session, and no bundle to start one from; or because the device was removed.
    pub error: EncryptError,
}

impl Message {
    /// Encrypts a content, or an empty message, for devices of one flavour.
    ///
    /// ```
    /// use chappe_omemo::trust::Trust;
    /// use chappe_omemo::{Device, DeviceId, Flavour, Message, Recipient, Sessions};
    /// use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    ///
    /// let mut rng = ChaCha20Rng::from_seed([7; 32]); // in earnest: the system's generator
    /// let id = |number| DeviceId::new(number).ok_or("id");
    /// let north = Device::generate(&mut rng, id(1)?, 1);
    /// let mut south = Device::generate(&mut rng, id(2)?, 1);
    /// let (mut to_south, mut to_west) = (Sessions::new(), Sessions::new());
    /// to_south.start(&mut rng, &north, &south.bundle().verify()?)?;
    ///
    /// let recipients = [("south@x.org", 2, &mut to_south), ("west@x.org", 3, &mut to_west)];
    /// let recipients = recipients.map(|(jid, number, sessions)| {
    ///     let trust = Trust::FirstUse; // as the trust book says
    ///     Ok::<_, &str>(Recipient { jid, device: id(number)?, trust, sessions })
    /// });
    /// let recipients: Vec<_> = recipients.into_iter().collect::<Result<_, _>>()?;
    /// let sent = Message::encrypt(&mut rng, Flavour::Omemo2, north.id(), Some(b"fog"), recipients)?;
    /// assert_eq!(sent.unreachable[0].jid, "west@x.org"); // nobody has its bundle
    ///
    /// let incoming = sent.message.incoming("south@x.org", south.id()).ok_or("not for us")?;
    /// let read = Sessions::new().decrypt(&mut south, &incoming)?;
    /// assert_eq!(read.plaintext.as_deref(), Some(&b"fog"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ContentError`]; nothing has changed then.
    pub fn encrypt<'a>(
        rng: &mut impl CryptoRng,
        flavour: Flavour,
        sender: DeviceId,
        plaintext: Option<&[u8]>,
        recipients: impl IntoIterator<Item = Recipient<'a>>,
    ) -> Result<FanOut, ContentError> {
        let payload = match plaintext {
            Some(plaintext) => Payload::seal(rng, flavour, plaintext)?,
            None => Payload::empty(rng, flavour),
        };
        let (mut keys, mut unreachable) = (Vec::new(), Vec::new());
        for recipient in recipients {
            let (jid, device) = (recipient.jid.to_string(), recipient.device);
            let key = if recipient.trust.is_believed() {
                recipient.sessions.encrypt_key(rng, &payload)
            } else {
                Err(EncryptError::Untrusted)
            };
            match key {
                Ok(key) => keys.push(DeviceKey {
                    jid: (flavour == Flavour::Omemo2).then_some(jid),
                    device,
                    key,
                }),
                Err(error) => unreachable.push(Unreachable { jid, device, error }),
            }
        }
        Ok(FanOut {
            message: Self {
                flavour,
                sender,
                keys,
                iv: payload.iv().copied(),
                payload: payload.into_ciphertext(),
            },
            unreachable,
        })
    }
}
