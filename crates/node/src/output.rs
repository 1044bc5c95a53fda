//! What comes out of a node.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chappe_wire::{Age, ByteCount, Commitment, Duration, Instant, ItemId, Lifetime, LinkId, Tag};

use crate::contact::{Contact, ContactId, SafetyNumber};
use crate::input::CommandId;
use crate::message::{Incoming, MessageId, Outgoing};
use crate::room::Room;
use crate::upgrade::Upgrade;

/// One thing that the driver is to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// Send a packet on a link.
    Transmit {
        /// The link.
        link: LinkId,
        /// The packet.
        packet: Vec<u8>,
    },
    /// Close a link. No `LinkDown` need follow.
    Disconnect {
        /// The link.
        link: LinkId,
        /// Why, in one sentence for the log.
        reason: String,
    },
    /// Have the radio that makes groups do something, so that bulk moves up to it.
    Upgrade(Upgrade),
    /// Tell the person, or the program that embeds the node.
    Event(Event),
    /// The answer to a command.
    Reply(CommandId, Result<Reply, CommandError>),
    /// The store refused, and nothing of what was to be said will be: build a new node from the store.
    StoreFailed(crate::StoreError),
    /// Nothing more until an input, or until this moment: then hand in a timeout. Always the last output.
    Timeout(Instant),
}

/// Something worth telling.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A neighbour's hop is established.
    PeerUp(Peer),
    /// A neighbour is gone.
    PeerDown {
        /// Its link.
        link: LinkId,
        /// What the radio called it.
        label: String,
    },
    /// A message arrived and is on disk. Told once.
    Received(Incoming),
    /// Pieces of a file arrived.
    FileProgress(Incoming),
    /// A file is complete and was checked. Told once.
    FileComplete(Incoming),
    /// A file will not arrive: it is not what its message said, or it has been on its way for longer than its
    /// pieces live. What had come of it is deleted.
    FileGivenUp(Incoming),
    /// The state of a sent message changed.
    Sent(Outgoing),
    /// A contact has taken this node into a room.
    RoomJoined(Room),
    /// Others are in a room now than before.
    RoomChanged(Room),
    /// The host of a room has taken this node out of it, or has left, and the room is over. As it was before.
    RoomLeft(Room),
    /// A stranger used one of our contact URIs: a new contact, unverified.
    ContactAdded(Contact),
    /// An envelope was handed to a neighbour that took custody.
    HandedOver {
        /// The neighbour's link.
        link: LinkId,
        /// The envelope.
        id: ItemId,
        /// Its size.
        size: ByteCount,
    },
    /// This node took custody of an envelope.
    Taken {
        /// From whom.
        link: LinkId,
        /// The envelope.
        id: ItemId,
        /// Its size.
        size: ByteCount,
    },
    /// An envelope left the store before it was handed to its recipient, or was freed.
    Dropped {
        /// The envelope.
        id: ItemId,
        /// Why.
        reason: &'static str,
    },
    /// Something is for this node and there is no room for it. Told once until there is room again.
    NoRoom(Shortage),
    /// The store is an older copy of itself: a backup that was put back. Keys in it were used already, so all sessions
    /// are given up, and contact URIs that nobody had used; contacts and their trust stay. To write to somebody
    /// again, contact URIs have to be exchanged again. An embedder's pairs need a new pair secret.
    OlderCopy {
        /// How many commits are missing at least.
        commits: u64,
    },
    /// Something is for this node and could not be read. It is not silently lost.
    Undecryptable {
        /// From whom, if that is known.
        contact: Option<ContactId>,
    },
}

/// Of what there is too little.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shortage {
    /// A contact's share of the store is used up. Its messages stay sealed, unread and without receipt among the
    /// carried envelopes, and files that it announced wait. Once messages of it are deleted they are delivered,
    /// unless they were evicted or their lifetime was over before.
    Contact {
        /// Which contact.
        contact: ContactId,
        /// What it is called.
        name: String,
    },
    /// The store is full. Nothing is taken from neighbours, so that they keep it; deleting messages makes room.
    Store,
}

/// The answer to a command.
#[derive(Clone)]
#[non_exhaustive]
pub enum Reply {
    /// To `Invite`: the URI.
    Invite(String),
    /// To `AddContact` and `AddPair`.
    Contact(Contact),
    /// To `Contacts`.
    Contacts(Vec<Contact>),
    /// To `SafetyNumber`.
    SafetyNumber(SafetyNumber),
    /// To `Verify`, `Block`, `Lock`, `RemoveContact`, `ForgetInvites`, `LeaveRoom` and `TakeBack`.
    Done,
    /// To `MakeRoom` and `ChangeRoom`.
    Room(Room),
    /// To `Rooms`.
    Rooms(Vec<Room>),
    /// To `Send`, `SendOpaque` and `SendToRoom`: it is on disk.
    Accepted(MessageId),
    /// To `Outbox`, oldest first.
    Outbox(Vec<Outgoing>),
    /// To `Inbox`, oldest first.
    Inbox(Vec<Incoming>),
    /// To `DeleteMessages`: how many are gone. The room of their files follows within seconds.
    Deleted(u64),
    /// To `File`.
    File(Vec<u8>),
    /// To `Status`.
    Status(Status),
    /// To `Peers`.
    Peers(Vec<Peer>),
    /// To `Carried`.
    Carried(Vec<CarriedEnvelope>),
}

impl fmt::Debug for Reply {
    /// Without what it holds: contact URIs and content of files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply(..)")
    }
}

/// A neighbour with an established hop. Lives in memory only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its link.
    pub link: LinkId,
    /// Which radio.
    pub bearer: String,
    /// What the radio calls it.
    pub label: String,
    /// First 8 bytes of its hop key in hex: a phone's changes every run, a relay's does not.
    pub key: String,
    /// How long the hop has been up.
    pub up: Duration,
    /// Packets' bytes sent and received.
    pub sent: ByteCount,
    /// Packets' bytes received.
    pub received: ByteCount,
    /// Records that were sent again because they seemed lost.
    pub retransmitted: u64,
    /// Smoothed round-trip time.
    pub rtt: Option<Duration>,
}

/// A carried envelope as a stranger sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedEnvelope {
    /// Its id.
    pub id: ItemId,
    /// Its version.
    pub version: u8,
    /// Its lifetime.
    pub lifetime: Lifetime,
    /// Its recipient tag.
    pub tag: Tag,
    /// Its commitment.
    pub commitment: Commitment,
    /// Its size.
    pub size: ByteCount,
    /// Its age.
    pub age: Age,
    /// True if it was written here.
    pub own: bool,
}

/// Counters and gauges of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// True if the node carries for others only.
    pub relay: bool,
    /// The person's name; empty on a relay.
    pub name: String,
    /// The person's JID; empty on a relay.
    pub jid: String,
    /// The person's fingerprint; empty on a relay.
    pub fingerprint: String,
    /// A relay's public hop key, by which others can pin it; a person's device has none that lasts.
    pub hop_key: Option<[u8; 32]>,
    /// Established hops.
    pub peers: u64,
    /// Carried envelopes.
    pub envelopes: u64,
    /// Bytes of carried envelopes.
    pub bytes: ByteCount,
    /// Bytes of envelopes that may be carried.
    pub capacity: ByteCount,
    /// Receipts on their way.
    pub receipts: u64,
    /// Messages not yet delivered or expired.
    pub pending: u64,
    /// Envelopes ever taken over.
    pub taken: u64,
    /// Envelopes ever handed over.
    pub handed_over: u64,
    /// Envelopes freed by receipts.
    pub freed: u64,
    /// Envelopes dropped at the end of their lifetime.
    pub expired: u64,
    /// Envelopes evicted for want of room.
    pub evicted: u64,
    /// Envelopes let go because their bytes were lost, or their message was taken back.
    pub withdrawn: u64,
    /// Envelopes that neighbours brought and this node did not take.
    pub refused: Refusals,
    /// Receipts that made room for others, since the start.
    pub receipts_evicted: u64,
    /// Receipts that found no room, since the start.
    pub receipts_refused: u64,
    /// Envelopes for this node that could not be read.
    pub undecryptable: u64,
    /// Messages and files of contacts that found their share of the store used up when they came.
    pub held_back: u64,
    /// Powered time of this store.
    pub powered: Duration,
}

/// Envelopes that were not taken since the start, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusals {
    /// The room, or the share of it that was theirs, was taken.
    pub no_room: u64,
    /// Their lifetime was over.
    pub expired: u64,
    /// They had been here before, or their receipt was here.
    pub known: u64,
    /// The store was full.
    pub store_full: u64,
}

/// Why a command was not carried out. Nothing was changed, but that members of a room may have been given its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The contact URI is none, or has a typing error.
    #[error(transparent)]
    Invite(#[from] chappe_envelope::InviteError),
    /// The keys in the contact URI do not belong together.
    #[error("The keys in this contact URI do not belong together; ask for a new one.")]
    BadKeys,
    /// The URI is this node's own.
    #[error("This contact URI is your own.")]
    OwnInvite,
    /// A contact of that name exists with another key.
    #[error("There is a contact with this name already; give it another one with --name.")]
    NameTaken,
    /// A contact with this JID and device exists with another identity key: refused, never healed by itself.
    #[error(
        "This person's key has changed; verify in person, remove the contact and add it again."
    )]
    KeyChanged,
    /// No contact has this number.
    #[error("There is no such contact.")]
    NoSuchContact,
    /// No message has this number, or it is not a file.
    #[error("There is no such file.")]
    NoSuchFile,
    /// No message has this number.
    #[error("There is no such message.")]
    NoSuchMessage,
    /// Not all pieces of the file are here.
    #[error("The file is not complete yet.")]
    Incomplete,
    /// The numbers differ.
    #[error("The numbers differ: this contact's keys are not the ones you compared with.")]
    NumberDiffers,
    /// No room has this id, or it was left.
    #[error("There is no such room.")]
    NoSuchRoom,
    /// Only who made a room says who is in it.
    #[error("Only whoever made the room can say who is in it.")]
    NotHost,
    /// Another room is called so, or the name is empty.
    #[error("There is a room with this name already, or the name is empty.")]
    RoomNameTaken,
    /// [`MAX_ROOM_MEMBERS`](crate::MAX_ROOM_MEMBERS).
    #[error("A room has 200 people at most, and this one would have more.")]
    RoomFull,
    /// The most rooms of a node.
    #[error("There are 64 rooms; leave one of them first.")]
    TooManyRooms,
    /// Nobody can be taken out who is not in.
    #[error("This contact is not in the room.")]
    NotMember,
    /// No member of a room has this node's key: what it says, nobody would ever read.
    #[error(
        "Nobody in this room can read you yet: its members have to answer you first, or there are none."
    )]
    NobodyHears,
    /// A message to a contact cannot be taken back.
    #[error("Only messages to rooms can be taken back, and this is none.")]
    NotToRoom,
    /// The contact is blocked.
    #[error("This contact is blocked.")]
    Blocked,
    /// A passphrase that makes no key.
    #[error("The passphrase cannot be used: {0}.")]
    Passphrase(#[from] chappe_omemo::ciphermachine::PassphraseError),
    /// Text, file or payload over its limit.
    #[error("This is too large to send.")]
    TooLarge,
    /// A control character that XML cannot carry.
    #[error("The text or file name holds a control character that cannot be sent.")]
    Unsendable,
    /// Nothing to send.
    #[error("There is nothing to send.")]
    Empty,
    /// The contact was added with a pair secret: use `SendOpaque`; or it was not: use `Send`.
    #[error("This contact does not take this kind of message.")]
    WrongKind,
    /// The outbox is full until something is delivered or expires.
    #[error(
        "There is no room for this message until older ones are delivered, expire, or are taken back from rooms."
    )]
    OutboxFull,
    /// The store has only room left for the node's own records.
    #[error("The store is full; delete messages, or free some space on its disk.")]
    StoreFull,
    /// A relay has no person.
    #[error("A relay has no messages of its own.")]
    Relay,
    /// Bounds of the contact list.
    #[error("There are too many contacts or contact URIs; remove some.")]
    TooMany,
    /// Contact URIs that wait for their first use.
    #[error(
        "There are 64 contact URIs that nobody has used; forget them with `chappe id --forget`."
    )]
    TooManyInvites,
    /// The store refused.
    #[error("The store failed: {0}.")]
    Store(#[from] crate::StoreError),
    /// A ratchet refused; a new contact URI makes a new session.
    #[error("There is no working session with this contact; exchange contact URIs again.")]
    NoSession,
}
