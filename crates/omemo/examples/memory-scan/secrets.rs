//! The secrets in what devices and sessions store. Where they are is said at `Device::to_bytes` and
//! `Sessions::to_bytes`.

use std::io::Read;

use crate::Failure;

/// Bytes of each.
pub(crate) const LEN: usize = 32;

/// A secret, and what it is.
#[derive(Clone)]
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) bytes: [u8; LEN],
}

/// Reads the states that the other process hands over, each behind its length, until an empty one.
pub(crate) fn read(from: &mut impl Read) -> Result<Vec<Secret>, Failure> {
    let mut secrets = Secrets::default();
    for who in ["initiator", "responder"] {
        secrets.device(who, &block(from)?)?;
        secrets.sessions(who, &block(from)?)?;
    }
    let Secrets(mut secrets) = secrets;
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
struct Secrets(Vec<Secret>);

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
                self.take(&mut from, name("sending chain"))?;
                from.skip(4)?;
            }
            from.skip(4)?;
            for number in 0..from.count()? {
                from.skip(32)?;
                self.take(&mut from, name(&format!("receiving chain {number}")))?;
                from.skip(4)?;
            }
            for number in 0..from.count()? {
                from.skip(32 + 4)?;
                self.take(&mut from, name(&format!("skipped message key {number}")))?;
            }
        }
        Ok(())
    }

    fn take(&mut self, from: &mut Cursor<'_>, name: String) -> Result<(), Failure> {
        let bytes = from.skip(LEN)?.try_into()?;
        self.0.push(Secret { name, bytes });
        Ok(())
    }
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
