//! The secrets in what devices and sessions store, and those that follow from them. Where they are is said at
//! `Device::to_bytes` and `Sessions::to_bytes`.

use std::collections::BTreeMap;
use std::io::Read;

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

/// Reads the states that the other process hands over, again after each step: who has it, then device and sessions,
/// each behind its length. Nobody's ends them.
pub(crate) fn read(from: &mut impl Read) -> Result<Vec<Secret>, Failure> {
    let mut secrets = Secrets::default();
    loop {
        let who = String::from_utf8(block(from)?)?;
        if who.is_empty() {
            break;
        }
        secrets.device(&who, &block(from)?)?;
        secrets.sessions(&who, &block(from)?)?;
    }
    let secrets = secrets.0.into_iter();
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

/// Each once, with the name that it had first.
#[derive(Default)]
struct Secrets(BTreeMap<[u8; LEN], String>);

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
                self.chain(&mut from, name("sending chain"))?;
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
    fn chain(&mut self, from: &mut Cursor<'_>, name: String) -> Result<(), Failure> {
        let chain = self.take(from, name.clone())?;
        let key = hmac(&chain, &[&[0x01]]);
        self.put(key, format!("{name}: message key"));
        self.message(&key, &name);
        Ok(())
    }

    /// The two keys that a message's key is made into (XEP-0384, HKDF of RFC 5869).
    fn message(&mut self, key: &[u8; LEN], name: &str) {
        const INFO: &[u8] = b"OMEMO Message Key Material";
        let extracted = hmac(&[0; LEN], &[key]);
        let encryption = hmac(&extracted, &[INFO, &[1]]);
        let authentication = hmac(&extracted, &[&encryption, INFO, &[2]]);
        self.put(encryption, format!("{name}: encryption key"));
        self.put(authentication, format!("{name}: authentication key"));
    }

    fn take(&mut self, from: &mut Cursor<'_>, name: String) -> Result<[u8; LEN], Failure> {
        let bytes = from.skip(LEN)?.try_into()?;
        self.put(bytes, name);
        Ok(bytes)
    }

    fn put(&mut self, bytes: [u8; LEN], name: String) {
        self.0.entry(bytes).or_insert(name);
    }
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
