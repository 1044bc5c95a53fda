//! The secrets in what devices and sessions store, and those that follow from them. Where they are is said at
//! `Device::to_bytes` and `Sessions::to_bytes`.

use std::collections::BTreeMap;
use std::io::Read;

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use chappe_omemo::{AuthenticatedMessage, Flavour, KeyExchange};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::Failure;

/// Bytes of each.
pub(crate) const LEN: usize = 32;

/// A secret, and what it is.
#[derive(Clone)]
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) bytes: [u8; LEN],
}

/// Reads what the other process hands over: what it is, and the parts of it, each behind its length. Nothing ends it.
/// The states of a device are handed over again after each step, as whose they are: device and sessions.
pub(crate) fn read(from: &mut impl Read) -> Result<Vec<Secret>, Failure> {
    let mut secrets = Secrets::default();
    loop {
        match &*String::from_utf8(block(from)?)? {
            "" => break,
            "further key" => secrets.further_key(&block(from)?, &block(from)?)?,
            "link" => {
                let key = block(from)?;
                secrets.take(&mut Cursor(&key), "link: key".into())?;
            }
            "message" => {
                let key_exchange = block(from)? == [1];
                secrets.payload(key_exchange, &block(from)?)?;
            }
            "room" => secrets.room(&block(from)?)?,
            who => {
                secrets.device(who, &block(from)?)?;
                secrets.sessions(who, &block(from)?)?;
            }
        }
    }
    let secrets = secrets.known.into_iter();
    let mut secrets: Vec<_> = secrets
        .map(|(bytes, name)| Secret { name, bytes })
        .collect();
    secrets.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(secrets)
}

fn block(from: &mut impl Read) -> Result<Vec<u8>, Failure> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[derive(Default)]
struct Secrets {
    /// Each once, with the name that it had first.
    known: BTreeMap<[u8; LEN], String>,
    /// The key of the sending chain that was handed over last: of the message that comes next.
    sending: [u8; LEN],
}

impl Secrets {
    fn device(&mut self, who: &str, bytes: &[u8]) -> Result<(), Failure> {
        let mut from = Cursor(bytes);
        from.skip(1 + 1 + 4)?;
        self.take(&mut from, format!("{who}: identity"))?;
        from.skip(4)?;
        for number in 0..=from.count()? {
            from.skip(4)?;
            self.take(&mut from, format!("{who}: signed prekey {number}"))?;
            from.skip(32 + 64)?;
        }
        for number in 0..from.count()? {
            from.skip(4 + 1 + 4)?;
            self.take(&mut from, format!("{who}: prekey {number}"))?;
            from.skip(32)?;
        }
        Ok(())
    }

    fn sessions(&mut self, who: &str, bytes: &[u8]) -> Result<(), Failure> {
        let mut from = Cursor(bytes);
        from.skip(1 + 1 + 32 + 32 + 8)?;
        for session in 0..from.count()? {
            let name = |what: &str| format!("{who}: session {session}: {what}");
            from.skip(16 + 1 + 4 + 4 + 32 + 4)?;
            self.take(&mut from, name("exporter"))?;
            self.take(&mut from, name("root key"))?;
            self.take(&mut from, name("ratchet key"))?;
            from.skip(32)?;
            if from.byte()? != 0 {
                self.sending = self.chain(&mut from, name("sending chain"))?;
                from.skip(4)?;
            }
            from.skip(4)?;
            for number in 0..from.count()? {
                from.skip(32)?;
                self.chain(&mut from, name(&format!("receiving chain {number}")))?;
                from.skip(4)?;
            }
            for number in 0..from.count()? {
                from.skip(32 + 4)?;
                let key = self.take(&mut from, name(&format!("skipped message key {number}")))?;
                self.message(&key, &name(&format!("skipped message {number}")));
            }
        }
        Ok(())
    }

    /// A chain's key, and what its next message is encrypted with.
    fn chain(&mut self, from: &mut Cursor<'_>, name: String) -> Result<[u8; LEN], Failure> {
        let chain = self.take(from, name.clone())?;
        let key = hmac(&chain, &[&[0x01]]);
        self.put(key, format!("{name}: message key"));
        self.message(&key, &name);
        Ok(chain)
    }

    /// The key of the payload that the next message of the last sending chain carries, and those it is made into.
    fn payload(&mut self, key_exchange: bool, element: &[u8]) -> Result<(), Failure> {
        let message = if key_exchange {
            KeyExchange::parse(Flavour::Omemo2, element)?.message
        } else {
            AuthenticatedMessage::parse(Flavour::Omemo2, element)?
        };
        let message_key = hmac(&self.sending, &[&[0x01]]);
        let [encryption, _, iv] = expand(&[0; LEN], &message_key, b"OMEMO Message Key Material");
        let iv: &[u8; 16] = iv.first_chunk().ok_or("no IV")?;
        let material = cbc::Decryptor::<aes::Aes256>::new(&encryption.into(), &(*iv).into())
            .decrypt_padded_vec::<Pkcs7>(message.message.ciphertext)
            .map_err(|_| "a message was not encrypted with the chain that was handed over")?;
        let name = "payload";
        let key = self.take(&mut Cursor(&material), format!("{name}: key"))?;
        let [encryption, authentication, _] = expand(&[0; LEN], &key, b"OMEMO Payload");
        self.put(encryption, format!("{name}: encryption key"));
        self.put(authentication, format!("{name}: authentication key"));
        Ok(())
    }

    /// A sender key, as it is said at `SenderKey::to_bytes`, and the key of its next message.
    fn room(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let mut from = Cursor(bytes);
        from.skip(1 + 16 + 4)?;
        let chain = self.take(&mut from, "room: chain".into())?;
        self.take(&mut from, "room: signing key".into())?;
        let message = hmac(&chain, &[&[0x01]]);
        self.put(message, "room: message key".into());
        let [encryption, _, _] = expand(&[0; LEN], &message, b"Chappe room message");
        self.put(encryption, "room: encryption key".into());
        Ok(())
    }

    /// A CipherMachine key, and what it was made into for a sealed content.
    fn further_key(&mut self, key: &[u8], sealed: &[u8]) -> Result<(), Failure> {
        let key = self.take(&mut Cursor(key), "further key".into())?;
        let mut from = Cursor(sealed);
        from.skip(1)?;
        let salt = from.skip(LEN)?.try_into()?;
        let [encryption, _, _] = expand(&salt, &key, b"Chappe CipherMachine message");
        self.put(encryption, "further key: encryption key".into());
        Ok(())
    }

    /// The two keys that a message's key is made into (XEP-0384, HKDF of RFC 5869).
    fn message(&mut self, key: &[u8; LEN], name: &str) {
        const INFO: &[u8] = b"OMEMO Message Key Material";
        let [encryption, authentication, _] = expand(&[0; LEN], key, INFO);
        self.put(encryption, format!("{name}: encryption key"));
        self.put(authentication, format!("{name}: authentication key"));
    }

    fn take(&mut self, from: &mut Cursor<'_>, name: String) -> Result<[u8; LEN], Failure> {
        let bytes = from.skip(LEN)?.try_into()?;
        self.put(bytes, name);
        Ok(bytes)
    }

    fn put(&mut self, bytes: [u8; LEN], name: String) {
        self.known.entry(bytes).or_insert(name);
    }
}

/// The first three blocks of HKDF-SHA-256 (RFC 5869).
fn expand(salt: &[u8; LEN], key: &[u8; LEN], info: &[u8]) -> [[u8; LEN]; 3] {
    let extracted = hmac(salt, &[key]);
    let first = hmac(&extracted, &[info, &[1]]);
    let second = hmac(&extracted, &[&first, info, &[2]]);
    let third = hmac(&extracted, &[&second, info, &[3]]);
    [first, second, third]
}

fn hmac(key: &[u8; LEN], parts: &[&[u8]]) -> [u8; LEN] {
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn skip(&mut self, length: usize) -> Result<&'a [u8], Failure> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("the state is cut")?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Failure> {
        Ok(*self.skip(1)?.first().ok_or("the state is cut")?)
    }

    fn count(&mut self) -> Result<u16, Failure> {
        Ok(u16::from_be_bytes(self.skip(2)?.try_into()?))
    }
}
