//! The records that a node keeps in its store, as protobuf messages. Field numbers are part of the store's
//! format: reserve, never renumber. Those that hold keys or content cannot be printed.

use alloc::string::String;
use alloc::vec::Vec;

use prost::Message;

use crate::{NodeError, Store, StoreError, Table};

/// Something kept in a table.
pub(crate) trait Record: Message + Default + Sized {
    /// The table.
    const TABLE: Table;
}

/// Reads the record under `key`.
pub(crate) fn load<R: Record>(store: &impl Store, key: &[u8]) -> Result<Option<R>, NodeError> {
    let Some(bytes) = store.get(R::TABLE, key)? else {
        return Ok(None);
    };
    R::decode(bytes.as_slice())
        .map(Some)
        .map_err(|_| NodeError::Record)
}

/// Writes the record under `key`.
pub(crate) fn save<R: Record>(
    store: &mut impl Store,
    key: &[u8],
    record: &R,
) -> Result<(), StoreError> {
    store.put(R::TABLE, key, &record.encode_to_vec())
}

/// Hands every record of a table to `each`, in the order of the keys.
pub(crate) fn for_each<R: Record>(
    store: &impl Store,
    each: impl FnMut(&[u8], R) -> Result<(), NodeError>,
) -> Result<(), NodeError> {
    for_each_after(store, None, each)
}

/// Hands every record of a table whose key is greater than `after` to `each`, in the order of the keys. Reads no
/// others.
pub(crate) fn for_each_after<R: Record>(
    store: &impl Store,
    after: Option<&[u8]>,
    mut each: impl FnMut(&[u8], R) -> Result<(), NodeError>,
) -> Result<(), NodeError> {
    const PAGE: usize = 256;
    let mut after = after.map(Vec::from);
    loop {
        let page = store.scan(R::TABLE, after.as_deref(), PAGE)?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = Some(last.clone());
        for (key, value) in &page {
            each(
                key,
                R::decode(value.as_slice()).map_err(|_| NodeError::Record)?,
            )?;
        }
        if page.len() < PAGE {
            return Ok(());
        }
    }
}

/// Who this node is, under [`SELF_KEY`].
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct SelfRecord {
    /// Version of all records; 1.
    #[prost(uint32, tag = "1")]
    pub(crate) version: u32,
    #[prost(bool, tag = "2")]
    pub(crate) relay: bool,
    #[prost(string, tag = "3")]
    pub(crate) name: String,
    #[prost(string, tag = "4")]
    pub(crate) jid: String,
    /// The OMEMO device with its private keys; empty on a relay.
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) device: Vec<u8>,
    /// The static key of hops; empty on a person's device, which makes a new one at each start.
    #[prost(bytes = "vec", tag = "6")]
    pub(crate) hop_key: Vec<u8>,
}

/// The version of the records.
pub(crate) const RECORD_VERSION: u32 = 1;
/// Key of the [`SelfRecord`].
pub(crate) const SELF_KEY: &[u8] = b"self";

impl Record for SelfRecord {
    const TABLE: Table = Table::Meta;
}

/// Counters that only go up, under [`COUNTERS_KEY`].
#[derive(Clone, PartialEq, Message)]
pub(crate) struct CounterRecord {
    /// Powered time in microseconds.
    #[prost(uint64, tag = "1")]
    pub(crate) powered: u64,
    #[prost(uint32, tag = "2")]
    pub(crate) contacts: u32,
    #[prost(uint64, tag = "3")]
    pub(crate) messages: u64,
    #[prost(uint64, tag = "4")]
    pub(crate) chains: u64,
    #[prost(uint64, tag = "5")]
    pub(crate) taken: u64,
    #[prost(uint64, tag = "6")]
    pub(crate) handed_over: u64,
    #[prost(uint64, tag = "7")]
    pub(crate) freed: u64,
    #[prost(uint64, tag = "8")]
    pub(crate) expired: u64,
    #[prost(uint64, tag = "9")]
    pub(crate) evicted: u64,
    #[prost(uint64, tag = "10")]
    pub(crate) undecryptable: u64,
    #[prost(uint64, tag = "11")]
    pub(crate) held_back: u64,
    /// Powered time at which the signed prekey was made.
    #[prost(uint64, tag = "12")]
    pub(crate) rotated: u64,
    #[prost(uint64, tag = "13")]
    pub(crate) withdrawn: u64,
}

/// Key of the [`CounterRecord`].
pub(crate) const COUNTERS_KEY: &[u8] = b"counters";

impl Record for CounterRecord {
    const TABLE: Table = Table::Meta;
}

/// A contact, under its number.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ContactRecord {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) jid: String,
    #[prost(uint32, tag = "3")]
    pub(crate) device: u32,
    /// 32 bytes of Ed25519; empty for a contact with a pair secret.
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) identity: Vec<u8>,
    #[prost(bool, tag = "5")]
    pub(crate) verified: bool,
    #[prost(bool, tag = "6")]
    pub(crate) blocked: bool,
    #[prost(bool, tag = "7")]
    pub(crate) heard: bool,
    /// Bytes of messages and files that count against its share.
    #[prost(uint64, tag = "8")]
    pub(crate) stored: u64,
    /// Powered time at which its key exchange is answered; 0 if it need not be.
    #[prost(uint64, tag = "9")]
    pub(crate) answer_at: u64,
}

impl Record for ContactRecord {
    const TABLE: Table = Table::Contacts;
}

/// The OMEMO sessions with a contact and its CipherMachine keys, under its number.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct SessionsRecord {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) sessions: Vec<u8>,
    /// 32 bytes each, the newest first.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub(crate) machine_keys: Vec<Vec<u8>>,
}

impl Record for SessionsRecord {
    const TABLE: Table = Table::Sessions;
}

/// A tag chain, under its number.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct ChainRecord {
    /// 0: what comes by one of our contact URIs; 1: what comes from a contact; 2: what goes to a contact's
    /// contact URI; 3: what goes to a contact; 4: what a contact says in a room; 5: a room, and what we say there.
    #[prost(uint32, tag = "1")]
    pub(crate) kind: u32,
    /// The contact; 0 for a contact URI that nobody has used. Of a room: who has made it, or was the first to tell of it; 0 if
    /// it was made here.
    #[prost(uint32, tag = "2")]
    pub(crate) contact: u32,
    /// The OMEMO session that the secret is from; empty for pair secrets and contact URIs.
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) session: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) chain: Vec<u8>,
    /// The one-time prekey in a contact URI that nobody has used.
    #[prost(uint32, tag = "5")]
    pub(crate) prekey: u32,
    #[prost(message, optional, tag = "6")]
    pub(crate) room: Option<RoomRecord>,
}

/// What there is to a chain in a room besides. Field 6 is taken: a number of members.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct RoomRecord {
    /// The room's id.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) id: Vec<u8>,
    /// The sender key.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) key: Vec<u8>,
    /// Of our own sender key, as all that follows: who has it.
    #[prost(message, repeated, tag = "3")]
    pub(crate) handed: Vec<HandedRecord>,
    #[prost(string, tag = "4")]
    pub(crate) name: String,
    /// The contacts that are in the room.
    #[prost(uint32, repeated, tag = "5")]
    pub(crate) members: Vec<u32>,
    /// Of its own will.
    #[prost(bool, tag = "7")]
    pub(crate) left: bool,
    /// What our tags come from.
    #[prost(bytes = "vec", tag = "8")]
    pub(crate) tags: Vec<u8>,
    /// What our receipts depend on.
    #[prost(bytes = "vec", tag = "9")]
    pub(crate) receipts: Vec<u8>,
    /// What the room's id was made with, if we have made it.
    #[prost(bytes = "vec", tag = "10")]
    pub(crate) drawn: Vec<u8>,
    /// How often the host has changed who is in the room.
    #[prost(uint64, tag = "11")]
    pub(crate) epoch: u64,
    /// All others in the room as the host names them, 8 bytes each.
    #[prost(bytes = "vec", tag = "12")]
    pub(crate) named: Vec<u8>,
    /// By the host.
    #[prost(bool, tag = "13")]
    pub(crate) taken_out: bool,
    /// The host has not told of the room yet; `ChainRecord::contact` was the first to.
    #[prost(bool, tag = "14")]
    pub(crate) untold: bool,
    /// How often the sender key was drawn anew, ours or theirs.
    #[prost(uint64, tag = "15")]
    pub(crate) generation: u64,
    /// Who is given our sender key once more, and may have it all the same.
    #[prost(message, repeated, tag = "16")]
    pub(crate) may_have: Vec<HandedRecord>,
}

/// A device that has our sender key.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct HandedRecord {
    #[prost(string, tag = "1")]
    pub(crate) jid: String,
    #[prost(uint32, tag = "2")]
    pub(crate) device: u32,
}

impl Record for ChainRecord {
    const TABLE: Table = Table::Chains;
}

/// A carried envelope without its bytes, under its id.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ItemRecord {
    /// The 34 bytes of the header.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) header: Vec<u8>,
    #[prost(uint64, tag = "2")]
    pub(crate) size: u64,
    /// Age in microseconds when it came.
    #[prost(uint64, tag = "3")]
    pub(crate) age: u64,
    /// Powered time when it came.
    #[prost(uint64, tag = "4")]
    pub(crate) since: u64,
    /// 0 own, 1 pinned, 2 stranger.
    #[prost(uint32, tag = "5")]
    pub(crate) class: u32,
    #[prost(uint64, tag = "6")]
    pub(crate) ingress: u64,
    #[prost(uint32, tag = "7")]
    pub(crate) copies: u32,
    #[prost(uint32, tag = "8")]
    pub(crate) carriers: u32,
    /// The message it belongs to, if it is our own.
    #[prost(uint64, tag = "9")]
    pub(crate) message: u64,
}

impl Record for ItemRecord {
    const TABLE: Table = Table::Items;
}

/// An item that was here, under its id.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SeenRecord {
    /// Powered time from which on it can be forgotten.
    #[prost(uint64, tag = "1")]
    pub(crate) until: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) ingress: u64,
    #[prost(uint32, tag = "3")]
    pub(crate) class: u32,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) commitment: Vec<u8>,
    /// Powered time at which it first came, if it can be taken once more.
    #[prost(uint64, optional, tag = "5")]
    pub(crate) outlived: Option<u64>,
}

impl Record for SeenRecord {
    const TABLE: Table = Table::Seen;
}

/// A receipt, under its commitment.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct ReceiptRecord {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) preimage: Vec<u8>,
    /// 0: ours, not let go yet; 1: the same, of a contact that is not verified; 2: on its way.
    #[prost(uint32, tag = "2")]
    pub(crate) state: u32,
    #[prost(uint64, tag = "3")]
    pub(crate) age: u64,
    #[prost(uint64, tag = "4")]
    pub(crate) since: u64,
    #[prost(uint32, tag = "5")]
    pub(crate) lifetime: u32,
    #[prost(uint64, tag = "6")]
    pub(crate) ingress: u64,
    #[prost(bool, tag = "7")]
    pub(crate) known: bool,
    #[prost(uint32, tag = "8")]
    pub(crate) class: u32,
}

impl Record for ReceiptRecord {
    const TABLE: Table = Table::Receipts;
}

/// A message that was sent, under its number.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct OutboxRecord {
    #[prost(uint32, tag = "1")]
    pub(crate) contact: u32,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(string, tag = "3")]
    pub(crate) summary: String,
    #[prost(uint64, tag = "4")]
    pub(crate) size: u64,
    /// Powered time of its writing.
    #[prost(uint64, tag = "5")]
    pub(crate) created: u64,
    /// Envelopes whose receipt has not come.
    #[prost(uint32, tag = "6")]
    pub(crate) outstanding: u32,
    /// Neighbours that have taken all of it.
    #[prost(uint32, tag = "7")]
    pub(crate) carriers: u32,
    #[prost(bool, tag = "8")]
    pub(crate) expired: bool,
    /// True for what people do not see: introductions and answers of the session itself.
    #[prost(bool, tag = "9")]
    pub(crate) hidden: bool,
    /// The room it is for, or whose key it brings to the contact; empty for what has to do with no room.
    #[prost(bytes = "vec", tag = "10")]
    pub(crate) room: Vec<u8>,
    /// The receipt by which its sender frees a message to a room.
    #[prost(bytes = "vec", tag = "11")]
    pub(crate) receipt: Vec<u8>,
    /// How long that receipt has to be carried: as long as the message.
    #[prost(uint32, tag = "12")]
    pub(crate) lifetime: u32,
    /// How often it has been told to the contact that somebody is in the room no more; 0 if it is about something else.
    #[prost(uint32, tag = "13")]
    pub(crate) gone: u32,
}

impl Record for OutboxRecord {
    const TABLE: Table = Table::Outbox;
}

/// A message that arrived, under its number.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct InboxRecord {
    #[prost(uint32, tag = "1")]
    pub(crate) contact: u32,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(bool, tag = "3")]
    pub(crate) verified: bool,
    #[prost(string, optional, tag = "4")]
    pub(crate) text: Option<String>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub(crate) opaque: Option<Vec<u8>>,
    #[prost(message, optional, tag = "6")]
    pub(crate) file: Option<FileRecord>,
    #[prost(string, optional, tag = "7")]
    pub(crate) sent: Option<String>,
    /// What OMEMO encrypted, if it could not be unlocked.
    #[prost(bytes = "vec", optional, tag = "8")]
    pub(crate) locked: Option<Vec<u8>>,
    /// The room it was said in; empty if it is for this node alone.
    #[prost(bytes = "vec", tag = "9")]
    pub(crate) room: Vec<u8>,
    #[prost(string, tag = "10")]
    pub(crate) room_name: String,
}

impl Record for InboxRecord {
    const TABLE: Table = Table::Inbox;
}

/// What a message says of its file.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct FileRecord {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) media_type: String,
    #[prost(uint64, tag = "3")]
    pub(crate) size: u64,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) sha256: Vec<u8>,
}

/// A file that came with a message, under the message's number.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct BlobRecord {
    /// Empty once it is not needed any more.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) root: Vec<u8>,
    #[prost(uint64, tag = "3")]
    pub(crate) size: u64,
    #[prost(bool, tag = "4")]
    pub(crate) complete: bool,
    /// Its chunks are being deleted, and then this record.
    #[prost(bool, tag = "5")]
    pub(crate) discarded: bool,
    /// Bytes that count against its sender's share; 0 while it waits.
    #[prost(uint64, tag = "6")]
    pub(crate) charged: u64,
    /// Powered time at which its message came.
    #[prost(uint64, tag = "7")]
    pub(crate) since: u64,
}

impl Record for BlobRecord {
    const TABLE: Table = Table::Blobs;
}

/// A piece of a file, under the number of its message and its index.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct ChunkRecord {
    /// The id of the envelope it came in.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) content: Vec<u8>,
}

impl Record for ChunkRecord {
    const TABLE: Table = Table::Chunks;
}
