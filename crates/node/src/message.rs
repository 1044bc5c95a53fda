//! Messages as people see them.

use alloc::string::String;
use alloc::vec::Vec;

use chappe_wire::{ByteCount, Duration};

use crate::contact::{ContactId, Trust};
use crate::room::RoomId;

/// The longest text of one message, in bytes. Longer ones are to be sent as files.
pub const MAX_TEXT_LEN: usize = 2_500;
/// The largest file.
pub const MAX_FILE_LEN: usize = 32 << 20;

/// The number of a message in this node's outbox or inbox. Numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// Which messages of the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageSelection {
    /// All of them.
    All,
    /// Those of one contact.
    Of(ContactId),
    /// Those with these numbers.
    These(Vec<MessageId>),
}

/// What is to be sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Draft {
    /// A text of at most [`MAX_TEXT_LEN`] bytes.
    Text(String),
    /// A file of at most [`MAX_FILE_LEN`] bytes, with an optional text.
    File {
        /// Its name, without folders.
        name: String,
        /// Its media type (RFC 6838), for example `image/jpeg`.
        media_type: String,
        /// Its content.
        data: Vec<u8>,
    },
}

/// What arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// A text.
    Text(String),
    /// A file; [`Command::File`](crate::Command::File) fetches its content once it is complete.
    File(FileInfo),
    /// Nothing that can be shown: it is locked with a CipherMachine key that is not here, or it is not locked though
    /// this contact's messages are. [`Command::Lock`](crate::Command::Lock) with the right key reads it.
    Locked,
    /// A payload that the embedder decrypts itself.
    Opaque(Vec<u8>),
}

/// A file on its way in, or complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// The name its sender gave it, without folders.
    pub name: String,
    /// The media type its sender gave it.
    pub media_type: String,
    /// How long it is.
    pub size: ByteCount,
    /// Pieces that are here.
    pub chunks_here: u32,
    /// Pieces in all.
    pub chunks: u32,
    /// True once all pieces are here and the whole was checked.
    pub complete: bool,
}

/// A message that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Its number.
    pub id: MessageId,
    /// Who sent it: the key holder that the session proved.
    pub contact: ContactId,
    /// What that contact is called.
    pub name: String,
    /// Whether that contact was verified when it arrived.
    pub trust: Trust,
    /// What it says.
    pub content: Content,
    /// The time of sending that its sender claims (XEP-0082), for people only.
    pub sent: Option<String>,
    /// The room it was said in; `None` if it is for this node alone.
    pub room: Option<InRoom>,
}

/// The room that a message was said in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InRoom {
    /// Its id.
    pub id: RoomId,
    /// What it was called then.
    pub name: String,
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its number.
    pub id: MessageId,
    /// To whom; `None` if it is for a room.
    pub contact: Option<ContactId>,
    /// The room it is for, if it is for one.
    pub room: Option<RoomId>,
    /// What that contact or room is called.
    pub name: String,
    /// The text, or the name of the file.
    pub summary: String,
    /// Bytes of content.
    pub size: ByteCount,
    /// How long ago, in powered time.
    pub age: Duration,
    /// Where it is.
    pub state: Delivery,
}

/// Where a message is. Nothing is called delivered that is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// On this node's disk, handed to nobody yet.
    Accepted,
    /// Neighbours have taken custody.
    Carried {
        /// How many have taken all of it.
        carriers: u32,
    },
    /// All its receipts are here: only the recipient can have made them.
    Delivered,
    /// Its lifetime is over and not all its receipts came.
    Expired,
}
