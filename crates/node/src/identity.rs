//! Who a node is: made at its first start, never before; read from the store afterwards.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use chappe_envelope::{BareJid, DisplayName};
use chappe_hop::StaticKey;
use chappe_omemo::ciphermachine::{KeyRing, MachineKey};
use chappe_omemo::{Device, DeviceId, Flavour, Identity, Sessions};
use chappe_wire::{Duration, Instant};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;

use crate::chains::ChainId;
use crate::compose::cut;
use crate::config::{NodeConfig, Profile, Role};
use crate::contact::ContactId;
use crate::deliver::{MAX_NAME_LEN, printable};
use crate::message::MessageId;
use crate::node::Myself;
use crate::people::Person;
use crate::record::{
    self, BlobRecord, ChainRecord, ContactRecord, RECORD_VERSION, SELF_KEY, SelfRecord,
    SessionsRecord,
};
use crate::{Node, NodeError, Store};

/// The end of JIDs that name a key.
pub(crate) const OWN_DOMAIN: &str = "@mesh.invalid";
/// One-time prekeys of a new device (XEP-0384 asks for about 100 where a server hands them out; here each
/// contact URI gets one of its own, so the bundle's are a reserve).
const PREKEYS: u16 = 25;

/// The person and the hop key of a store.
pub(crate) fn load_or_make<S: Store>(
    store: &mut S,
    config: &NodeConfig,
    rng: &mut ChaCha20Rng,
) -> Result<(Option<Myself>, StaticKey), NodeError> {
    match record::load::<SelfRecord>(store, SELF_KEY)? {
        Some(record) => load(&record, config, rng),
        None => make(store, config, rng),
    }
}

fn load(
    record: &SelfRecord,
    config: &NodeConfig,
    rng: &mut ChaCha20Rng,
) -> Result<(Option<Myself>, StaticKey), NodeError> {
    if record.version != RECORD_VERSION {
        return Err(NodeError::Record);
    }
    if record.relay != matches!(config.role, Role::Relay) {
        return Err(NodeError::WrongRole);
    }
    if record.relay {
        let key = record
            .hop_key
            .as_slice()
            .try_into()
            .map_err(|_| NodeError::Record)?;
        return Ok((None, StaticKey::from_bytes(key)));
    }
    let device = Device::from_bytes(&record.device).map_err(|_| NodeError::Record)?;
    let me = Myself {
        name: record.name.clone(),
        jid: record.jid.clone(),
        device,
    };
    // A phone's hop key lives for one run, so that neighbours cannot tell it from any other.
    Ok((Some(me), StaticKey::generate(rng)))
}

fn make<S: Store>(
    store: &mut S,
    config: &NodeConfig,
    rng: &mut ChaCha20Rng,
) -> Result<(Option<Myself>, StaticKey), NodeError> {
    let hop_key = StaticKey::generate(rng);
    let (me, record) = match &config.role {
        Role::Relay => {
            let record = SelfRecord {
                version: RECORD_VERSION,
                relay: true,
                hop_key: hop_key.to_bytes().to_vec(),
                ..SelfRecord::default()
            };
            (None, record)
        }
        Role::Person(profile) => {
            let me = make_person(profile, rng)?;
            let record = SelfRecord {
                version: RECORD_VERSION,
                relay: false,
                name: me.name.clone(),
                jid: me.jid.clone(),
                device: me.device.to_bytes().to_vec(),
                hop_key: Vec::new(),
            };
            (Some(me), record)
        }
    };
    record::save(store, SELF_KEY, &record)?;
    Ok((me, hop_key))
}

fn make_person(profile: &Profile, rng: &mut ChaCha20Rng) -> Result<Myself, NodeError> {
    let identity = match profile.identity {
        Some(seed) => Identity::from_seed(&seed),
        None => Identity::generate(rng),
    };
    let number = (rng.next_u32() & 0x7fff_ffff).max(1);
    let device_id = DeviceId::new(number).ok_or(NodeError::Record)?;
    let jid = match &profile.jid {
        Some(jid) => jid.clone(),
        None => own_jid(identity.public().as_bytes()),
    };
    BareJid::new(&jid).map_err(|_| NodeError::Jid)?;
    let name = cut(&printable(&profile.name), MAX_NAME_LEN);
    DisplayName::new(&name).map_err(|_| NodeError::Name)?;
    let device = Device::with_identity(rng, Flavour::Omemo2, identity, device_id, PREKEYS);
    Ok(Myself { name, jid, device })
}

/// A JID for whoever has none: it names the key and resolves nowhere (RFC 2606).
pub(crate) fn own_jid(identity: &[u8; 32]) -> String {
    let mut local = String::new();
    for byte in identity.iter().take(10) {
        local.push_str(&format!("{byte:02x}"));
    }
    format!("{local}{OWN_DOMAIN}")
}

/// How often the signed prekey is made anew, in powered time. XEP-0384 says once a week to once a month. Old ones
/// stay for as many times as `chappe_omemo` keeps of them: contact URIs work for nine weeks at least.
pub(crate) const ROTATION: Duration = Duration::from_days(7);

impl<S: Store> Node<S> {
    /// When the signed prekey is made anew.
    pub(crate) fn rotation_due(&self) -> Instant {
        match self.me {
            Some(_) => Instant::from_micros(self.counters.rotated).after(ROTATION),
            None => Instant::NEVER,
        }
    }

    /// Makes the signed prekey anew, if it is time.
    pub(crate) fn rotate_prekey(&mut self, now: Instant) -> Result<(), NodeError> {
        let due = self.rotation_due() <= now;
        let Some(me) = self.me.as_mut().filter(|_| due) else {
            return Ok(());
        };
        me.device.rotate_signed_prekey(&mut self.rng);
        self.counters.rotated = now.as_micros();
        self.save_device()
    }

    /// Gives the contact book, the chains and the files under way what the store holds, at the start.
    pub(crate) fn restore_people(&mut self) -> Result<(), NodeError> {
        let Self {
            store,
            people,
            chains,
            rooms,
            answers,
            ..
        } = self;
        record::for_each::<ContactRecord>(store, |key, record| {
            let contact = ContactId(number(key)?);
            if record.answer_at != 0 {
                answers.insert(contact, Instant::from_micros(record.answer_at));
            }
            people.insert(contact, Person::new(record, Sessions::new()));
            Ok(())
        })?;
        record::for_each::<SessionsRecord>(store, |key, record| {
            let sessions = Sessions::from_bytes(&record.sessions).map_err(|_| NodeError::Record)?;
            if let Ok(person) = people.person_mut(ContactId(number(key)?)) {
                person.sessions = sessions;
                person.ring = ring(&record.machine_keys)?;
            }
            Ok(())
        })?;
        record::for_each::<ChainRecord>(store, |key, record| {
            let id = ChainId(long_number(key)?);
            match &record.room {
                Some(room) => rooms.restore(id, &record, room),
                None => chains.restore(id, &record),
            }
        })?;
        let mut files = Vec::new();
        record::for_each::<BlobRecord>(store, |key, record| {
            files.push((MessageId(long_number(key)?), record));
            Ok(())
        })?;
        for (message, blob) in files {
            self.restore_file(message, &blob)?;
        }
        Ok(())
    }
}

/// The CipherMachine keys of a contact, which are stored the newest first.
fn ring(keys: &[Vec<u8>]) -> Result<Option<KeyRing>, NodeError> {
    let mut ring: Option<KeyRing> = None;
    for key in keys.iter().rev() {
        let key = key.as_slice().try_into().map_err(|_| NodeError::Record)?;
        let key = MachineKey::from_bytes(key);
        match &mut ring {
            Some(ring) => ring.rotate(key),
            None => ring = Some(KeyRing::new(key)),
        }
    }
    Ok(ring)
}

fn number(key: &[u8]) -> Result<u32, NodeError> {
    key.try_into()
        .map(u32::from_be_bytes)
        .map_err(|_| NodeError::Record)
}

fn long_number(key: &[u8]) -> Result<u64, NodeError> {
    key.try_into()
        .map(u64::from_be_bytes)
        .map_err(|_| NodeError::Record)
}
