//! The stored form of a [`TrustBook`].

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::automatic::{MAX_POSTPONED, Postponed, Speaker};
use super::vouching::MAX_REMEMBERED_REMOVED;
use super::{Known, MAX_KNOWN_DEVICES, Trust, TrustBook};
use crate::DeviceId;
use crate::flavour::Flavour;
use crate::identity::IdentityKey;
use crate::record::Sequence;
use crate::sce::MAX_JID_LEN;
use crate::state::{Reader, StateError, Writer};

impl TrustBook {
    /// All that is known: devices and what was decided about them, keys that changed, who vouched and how far their
    /// lists are, devices that were removed, and what was said and cannot be applied yet. [`TrustBook::from_bytes`] reads it. Nothing in it is secret, but
    /// whoever can change it decides whom this device believes. Numbers are big-endian.
    ///
    /// ```text
    /// version 1 | own address
    ///           | #known 2 | (address | device 4 | identity 32 | trust 1 | 0 or 1 | [changed 32]
    ///                         | 0 or 1 | [voucher 32] | 0 or 1 | [sequence 8]) ...
    ///           | #removed 2 | (address | identity 32) ...
    ///           | #waiting 2 | (0 or 1 | [address | identity 32] | address | flavour 1 | key 32 | trust 1) ...
    /// address: length 2 | text
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new(VERSION, 64 + self.known.len() * 128);
        write_text(&mut out, &self.own_jid);
        out.count(self.known.len());
        for ((jid, device), known) in &self.known {
            write_text(&mut out, jid);
            out.number(device.number());
            out.bytes(known.identity.as_bytes());
            out.byte(trust_number(known.trust));
            for identity in [&known.changed, &known.voucher] {
                out.flag(identity.is_some());
                if let Some(identity) = identity {
                    out.bytes(identity.as_bytes());
                }
            }
            out.flag(known.last_list.is_some());
            if let Some(sequence) = &known.last_list {
                out.long(sequence.0);
            }
        }
        out.count(self.removed.len());
        for (jid, identity) in &self.removed {
            write_text(&mut out, jid);
            out.bytes(identity.as_bytes());
        }
        out.count(self.postponed.len());
        for waiting in &self.postponed {
            write_postponed(&mut out, waiting);
        }
        out.finish().to_vec()
    }

    /// Reads what [`TrustBook::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`StateError`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let mut from = Reader::new(VERSION, bytes)?;
        let own_jid = read_text(&mut from)?;
        let mut known = BTreeMap::new();
        for _ in 0..from.count(MAX_KNOWN_DEVICES)? {
            let jid = read_text(&mut from)?;
            let device = DeviceId::new(from.number()?).ok_or(StateError::Field)?;
            let entry = Known {
                identity: read_identity(&mut from)?,
                trust: read_trust(&mut from)?,
                changed: from.flag()?.then(|| read_identity(&mut from)).transpose()?,
                voucher: from.flag()?.then(|| read_identity(&mut from)).transpose()?,
                last_list: from
                    .flag()?
                    .then(|| from.long().map(Sequence))
                    .transpose()?,
            };
            insert_in_order(&mut known, (jid, device), entry)?;
        }
        let mut removed = VecDeque::new();
        for _ in 0..from.count(MAX_REMEMBERED_REMOVED)? {
            removed.push_back((read_text(&mut from)?, read_identity(&mut from)?));
        }
        let mut postponed = VecDeque::new();
        for _ in 0..from.count(MAX_POSTPONED)? {
            postponed.push_back(read_postponed(&mut from)?);
        }
        from.end()?;
        Ok(Self {
            own_jid,
            known,
            postponed,
            removed,
        })
    }
}

fn write_postponed(out: &mut Writer, waiting: &Postponed) {
    match &waiting.speaker {
        Speaker::Device { jid, identity } => {
            out.flag(true);
            write_text(out, jid);
            out.bytes(identity.as_bytes());
        }
        Speaker::Person => out.flag(false),
    }
    write_text(out, &waiting.owner);
    out.byte(waiting.flavour.number());
    out.bytes(&waiting.key);
    out.byte(trust_number(waiting.trust));
}

fn read_postponed(from: &mut Reader<'_>) -> Result<Postponed, StateError> {
    let speaker = if from.flag()? {
        Speaker::Device {
            jid: read_text(from)?,
            identity: read_identity(from)?,
        }
    } else {
        Speaker::Person
    };
    Ok(Postponed {
        speaker,
        owner: read_text(from)?,
        flavour: Flavour::from_number(from.byte()?).ok_or(StateError::Field)?,
        key: *from.array()?,
        trust: read_trust(from)?,
    })
}

/// Only what stands in the order in which it is written is read, so that a book has one form.
fn insert_in_order<K: Ord, V>(
    map: &mut BTreeMap<K, V>,
    key: K,
    value: V,
) -> Result<(), StateError> {
    if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
        return Err(StateError::Field);
    }
    map.insert(key, value);
    Ok(())
}

fn write_text(out: &mut Writer, text: &str) {
    out.count(text.len());
    out.bytes(text.as_bytes());
}

fn read_text(from: &mut Reader<'_>) -> Result<String, StateError> {
    let length = from.count(MAX_JID_LEN)?;
    let text = core::str::from_utf8(from.slice(length)?).map_err(|_| StateError::Field)?;
    Ok(text.to_string())
}

fn read_identity(from: &mut Reader<'_>) -> Result<IdentityKey, StateError> {
    Ok(IdentityKey::from_bytes(*from.array()?)?)
}

const fn trust_number(trust: Trust) -> u8 {
    match trust {
        Trust::FirstUse => 0,
        Trust::Verified => 1,
        Trust::Distrusted => 2,
        Trust::Removed => 3,
        Trust::Unvouched => 4,
    }
}

fn read_trust(from: &mut Reader<'_>) -> Result<Trust, StateError> {
    match from.byte()? {
        0 => Ok(Trust::FirstUse),
        1 => Ok(Trust::Verified),
        2 => Ok(Trust::Distrusted),
        3 => Ok(Trust::Removed),
        4 => Ok(Trust::Unvouched),
        _ => Err(StateError::Field),
    }
}

const VERSION: u8 = 2;
