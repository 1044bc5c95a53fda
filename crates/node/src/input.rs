//! What goes into a node.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chappe_omemo::sce::Timestamp;
use chappe_wire::{Invitation, LinkId};

use crate::contact::{ContactId, SafetyNumber};
use crate::lock::Lock;
use crate::message::{Draft, MessageId, MessageSelection};
use crate::room::RoomId;

/// One thing that happened to a node.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// How this node's group is joined, as [`Output::Upgrade`] asked for this link; `None` if there is none.
    ///
    /// [`Output::Upgrade`]: crate::Output::Upgrade
    Invitation(LinkId, Option<Invitation>),
    /// A link to a neighbour is open.
    LinkUp(LinkUp),
    /// A link is gone. Packets under way on it are lost.
    LinkDown(LinkId),
    /// A packet arrived on a link.
    Received {
        /// The link.
        link: LinkId,
        /// The packet, as long as the link's MTU at most.
        packet: &'a [u8],
    },
    /// This many packets that the node had transmitted on the link have left the machine, so that there is
    /// room for as many new ones.
    Drained {
        /// The link.
        link: LinkId,
        /// How many.
        packets: usize,
    },
    /// The person, or the program that embeds the node, wants something. [`Output::Reply`] answers it.
    ///
    /// [`Output::Reply`]: crate::Output::Reply
    Command(CommandId, Command),
    /// The deadline that the node asked for has come. Spurious timeouts are harmless.
    Timeout,
}

/// A link as it comes up.
#[derive(Clone, Debug)]
pub struct LinkUp {
    /// A number that no other link of this run has.
    pub link: LinkId,
    /// The longest packet, 20 to 65,535 bytes.
    pub mtu: usize,
    /// True on the side that opened the link.
    pub initiator: bool,
    /// True if the link delivers what it takes, in order, or goes down. What is not acknowledged in time is asked for
    /// before it is sent again.
    pub reliable: bool,
    /// How many packets may be on their way out of this machine at once, at least one.
    pub queue: usize,
    /// Which radio, for people.
    pub bearer: String,
    /// What the radio calls the neighbour, for people; kept in memory only.
    pub label: String,
}

/// A number that its reply repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommandId(pub u64);

/// Something that the person wants. What each is answered with is said at [`Reply`](crate::Reply).
#[derive(Clone)]
#[non_exhaustive]
pub enum Command {
    /// Make a fresh contact URI, with a prekey and an inbox secret of its own.
    Invite,
    /// Make the contact URIs useless that nobody has used: nobody can write by them any more.
    ForgetInvites,
    /// Add the person behind a contact URI.
    AddContact {
        /// The `chappe:` URI.
        uri: String,
        /// What to call the contact instead of the name in the URI.
        name: Option<String>,
        /// True if the URI was scanned face to face: the contact is verified then.
        scanned: bool,
    },
    /// Add a contact of an embedder with an OMEMO of its own: both ends hold a secret of 32 bytes.
    AddPair {
        /// What to call the contact.
        name: String,
        /// The secret that both ends hold.
        secret: [u8; 32],
        /// True at exactly one of the two ends.
        initiator: bool,
    },
    /// List the contacts.
    Contacts,
    /// The number that both people compare.
    SafetyNumber(ContactId),
    /// Mark a contact as verified, if the number is the one that [`Command::SafetyNumber`] tells.
    Verify(ContactId, SafetyNumber),
    /// Take no more messages from a contact, or take them again.
    Block(ContactId, bool),
    /// Lock what goes to and comes from a contact with a further key (CipherMachine), or do so no more. What waits for
    /// the key in the inbox is read then, and told as if it had just come.
    Lock(ContactId, Lock),
    /// Forget a contact, with its keys.
    RemoveContact(ContactId),
    /// Send something. The reply comes once it is on disk. The time is what the recipient will be told as the
    /// time of writing, by the sender's own clock; nothing else uses it. `None` tells nothing.
    Send(ContactId, Draft, Option<Timestamp>),
    /// Hand over a payload that the embedder encrypted itself, for a contact of [`Command::AddPair`].
    SendOpaque(ContactId, Vec<u8>),
    /// Make a room with these contacts.
    MakeRoom {
        /// What to call it.
        name: String,
        /// Who is in it besides this node.
        members: Vec<ContactId>,
    },
    /// Take people into a room that was made here, or out of it. Who is taken out cannot read what is said from then on.
    ChangeRoom {
        /// Which room.
        room: RoomId,
        /// Who is in it from now on.
        added: Vec<ContactId>,
        /// Who is not.
        removed: Vec<ContactId>,
    },
    /// Leave a room, for good: it cannot be joined again.
    LeaveRoom(RoomId),
    /// List the rooms.
    Rooms,
    /// Say a text of at most [`MAX_TEXT_LEN`](crate::MAX_TEXT_LEN) bytes in a room, with the time of writing.
    SendToRoom(RoomId, String, Option<Timestamp>),
    /// Free a message that was sent to a room, everywhere: nobody else can, and nobody tells when all have read it.
    TakeBack(MessageId),
    /// List what was sent.
    Outbox,
    /// List what arrived, from the entry after this number on.
    Inbox {
        /// The last number that is known already.
        after: Option<u64>,
    },
    /// Delete messages that arrived, with their files. It makes room, and works in a full store too.
    DeleteMessages(MessageSelection),
    /// The content of a file that arrived.
    File(MessageId),
    /// Counters and gauges.
    Status,
    /// The links that are up.
    Peers,
    /// The envelopes that are carried, as strangers see them.
    Carried,
}

impl fmt::Debug for Command {
    /// Without what it holds: texts, and secrets of contacts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Command(..)")
    }
}
