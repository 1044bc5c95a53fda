//! What goes over the control socket: one line of JSON per request and per answer. A file follows its line as
//! `size` raw bytes. After `follow`, the daemon goes on with one event per line.

use std::fmt;

use chappe::{Content, Delivery, Event, Shortage, Trust, Update};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

/// The longest line of a request.
pub(crate) const MAX_REQUEST_LINE: usize = 64 * 1024;

/// A request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum Request {
    Invite,
    ForgetInvites,
    AddContact {
        uri: String,
        name: Option<String>,
        scanned: bool,
    },
    Contacts,
    SafetyNumber {
        contact: String,
    },
    Verify {
        contact: String,
        number: String,
    },
    Block {
        contact: String,
        blocked: bool,
    },
    Lock {
        contact: String,
        key: LockKey,
    },
    RemoveContact {
        contact: String,
    },
    SendText {
        contact: String,
        text: String,
    },
    /// `size` bytes follow the line.
    SendFile {
        contact: String,
        name: String,
        media_type: String,
        size: usize,
    },
    MakeRoom {
        name: String,
        contacts: Vec<String>,
    },
    ChangeRoom {
        room: String,
        added: Vec<String>,
        removed: Vec<String>,
    },
    LeaveRoom {
        room: String,
    },
    Rooms,
    SendToRoom {
        room: String,
        text: String,
    },
    TakeBack {
        message: u64,
    },
    Outbox,
    Inbox {
        after: Option<u64>,
    },
    /// `contact`'s, or those in `messages`, or all of them.
    DeleteMessages {
        contact: Option<String>,
        messages: Option<Vec<u64>>,
    },
    File {
        message: u64,
    },
    Status,
    Peers,
    Carried,
    Troubles,
    Follow,
}

/// A CipherMachine key, on its way to the node of the same person on the same machine.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LockKey {
    /// As words.
    Key(String),
    Off,
    Passphrase(String),
}

impl Drop for LockKey {
    fn drop(&mut self) {
        match self {
            Self::Key(text) | Self::Passphrase(text) => text.zeroize(),
            Self::Off => {}
        }
    }
}

impl fmt::Debug for LockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockKey(..)")
    }
}

/// The line that answers a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Response {
    Ok(Answer),
    Error(String),
}

/// What a request is answered with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    Uri(String),
    Contact(ContactView),
    Contacts(Vec<ContactView>),
    Number(String),
    Done,
    Room(RoomView),
    Rooms(Vec<RoomView>),
    Accepted(u64),
    Outbox(Vec<OutgoingView>),
    Inbox(Vec<IncomingView>),
    Deleted(u64),
    /// `size` bytes follow the line.
    File {
        size: usize,
    },
    Status(Box<StatusView>),
    Peers(Vec<PeerView>),
    Carried(Vec<CarriedView>),
    Troubles(Vec<TroubleView>),
    /// Events follow.
    Following,
}

/// What went wrong with a radio.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TroubleView {
    pub(crate) says: String,
    /// Since it happened last.
    pub(crate) seconds_ago: u64,
    pub(crate) times: u32,
}

/// A contact.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ContactView {
    pub(crate) name: String,
    pub(crate) verified: bool,
    pub(crate) blocked: bool,
    pub(crate) locked: bool,
    pub(crate) heard: bool,
    pub(crate) jid: String,
    pub(crate) device: u32,
    pub(crate) fingerprint: String,
    pub(crate) stored: u64,
}

impl From<chappe::Contact> for ContactView {
    fn from(contact: chappe::Contact) -> Self {
        Self {
            name: contact.name,
            verified: contact.trust == Trust::Verified,
            blocked: contact.blocked,
            locked: contact.locked,
            heard: contact.heard,
            jid: contact.jid,
            device: contact.device,
            fingerprint: contact.fingerprint,
            stored: contact.stored.get(),
        }
    }
}

/// A message that was sent. `state` is accepted, carried, delivered or expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutgoingView {
    pub(crate) id: u64,
    pub(crate) to: String,
    /// True if `to` is a room.
    pub(crate) room: bool,
    pub(crate) summary: String,
    pub(crate) size: u64,
    pub(crate) age_seconds: u64,
    pub(crate) state: String,
    pub(crate) carriers: u32,
}

impl From<chappe::Outgoing> for OutgoingView {
    fn from(sent: chappe::Outgoing) -> Self {
        let (state, carriers) = match sent.state {
            Delivery::Accepted => ("accepted", 0),
            Delivery::Carried { carriers } => ("carried", carriers),
            Delivery::Delivered => ("delivered", 0),
            Delivery::Expired => ("expired", 0),
            _ => ("unknown", 0),
        };
        Self {
            id: sent.id.0,
            to: sent.name,
            room: sent.room.is_some(),
            summary: sent.summary,
            size: sent.size.get(),
            age_seconds: sent.age.as_secs(),
            state: state.to_owned(),
            carriers,
        }
    }
}

/// A message that arrived.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IncomingView {
    pub(crate) id: u64,
    pub(crate) from: String,
    pub(crate) verified: bool,
    #[serde(flatten)]
    pub(crate) content: ContentView,
    /// What the sender claims.
    pub(crate) sent: Option<String>,
    /// What the room was called that it was said in.
    pub(crate) room: Option<String>,
}

/// What a message says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ContentView {
    Text(String),
    File {
        name: String,
        media_type: String,
        size: u64,
        chunks_here: u32,
        chunks: u32,
        complete: bool,
    },
    /// With a CipherMachine key that is not here.
    Locked,
    Opaque {
        size: u64,
    },
}

impl From<chappe::Incoming> for IncomingView {
    fn from(message: chappe::Incoming) -> Self {
        let content = match message.content {
            Content::Text(text) => ContentView::Text(text),
            Content::File(file) => ContentView::File {
                name: file.name,
                media_type: file.media_type,
                size: file.size.get(),
                chunks_here: file.chunks_here,
                chunks: file.chunks,
                complete: file.complete,
            },
            Content::Locked => ContentView::Locked,
            Content::Opaque(payload) => ContentView::Opaque {
                size: payload.len() as u64,
            },
            _ => ContentView::Opaque { size: 0 },
        };
        Self {
            id: message.id.0,
            from: message.name,
            verified: message.trust == Trust::Verified,
            content,
            sent: message.sent,
            room: message.room.map(|room| room.name),
        }
    }
}

/// Counters and gauges.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StatusView {
    pub(crate) relay: bool,
    pub(crate) name: String,
    pub(crate) jid: String,
    pub(crate) fingerprint: String,
    pub(crate) hop_key: Option<String>,
    pub(crate) peers: u64,
    pub(crate) envelopes: u64,
    pub(crate) bytes: u64,
    pub(crate) capacity: u64,
    pub(crate) receipts: u64,
    pub(crate) pending: u64,
    pub(crate) taken: u64,
    pub(crate) handed_over: u64,
    pub(crate) freed: u64,
    pub(crate) expired: u64,
    pub(crate) evicted: u64,
    pub(crate) withdrawn: u64,
    pub(crate) refused_no_room: u64,
    pub(crate) refused_expired: u64,
    pub(crate) refused_known: u64,
    pub(crate) refused_store_full: u64,
    pub(crate) receipts_evicted: u64,
    pub(crate) receipts_refused: u64,
    pub(crate) undecryptable: u64,
    pub(crate) held_back: u64,
    pub(crate) powered_seconds: u64,
}

impl From<chappe::Status> for StatusView {
    fn from(status: chappe::Status) -> Self {
        Self {
            relay: status.relay,
            name: status.name,
            jid: status.jid,
            fingerprint: status.fingerprint,
            hop_key: status.hop_key.map(|key| hex(&key)),
            peers: status.peers,
            envelopes: status.envelopes,
            bytes: status.bytes.get(),
            capacity: status.capacity.get(),
            receipts: status.receipts,
            pending: status.pending,
            taken: status.taken,
            handed_over: status.handed_over,
            freed: status.freed,
            expired: status.expired,
            evicted: status.evicted,
            withdrawn: status.withdrawn,
            refused_no_room: status.refused.no_room,
            refused_expired: status.refused.expired,
            refused_known: status.refused.known,
            refused_store_full: status.refused.store_full,
            receipts_evicted: status.receipts_evicted,
            receipts_refused: status.receipts_refused,
            undecryptable: status.undecryptable,
            held_back: status.held_back,
            powered_seconds: status.powered.as_secs(),
        }
    }
}

/// A room. Contacts by their names; `host` is empty if the room was made here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RoomView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) host: Option<String>,
    pub(crate) members: Vec<String>,
    pub(crate) unknown: u32,
    pub(crate) without_key: u32,
}

/// A neighbour.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PeerView {
    pub(crate) link: u64,
    pub(crate) bearer: String,
    pub(crate) label: String,
    pub(crate) key: String,
    pub(crate) up_seconds: u64,
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Records that were sent again because they seemed lost.
    pub(crate) retransmitted: u64,
    pub(crate) rtt_micros: Option<u64>,
}

impl From<chappe::Peer> for PeerView {
    fn from(peer: chappe::Peer) -> Self {
        Self {
            link: peer.link.number(),
            bearer: peer.bearer,
            label: peer.label,
            key: peer.key,
            up_seconds: peer.up.as_secs(),
            sent: peer.sent.get(),
            received: peer.received.get(),
            retransmitted: peer.retransmitted,
            rtt_micros: peer.rtt.map(chappe::wire::Duration::as_micros),
        }
    }
}

/// A carried envelope as a stranger sees it; all byte strings in hex.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CarriedView {
    pub(crate) id: String,
    pub(crate) version: u8,
    pub(crate) lifetime_hours: u64,
    pub(crate) tag: String,
    pub(crate) commitment: String,
    pub(crate) size: u64,
    pub(crate) age_seconds: u64,
    pub(crate) own: bool,
}

impl From<chappe::CarriedEnvelope> for CarriedView {
    fn from(envelope: chappe::CarriedEnvelope) -> Self {
        Self {
            id: hex(envelope.id.as_bytes()),
            version: envelope.version,
            lifetime_hours: envelope.lifetime.as_duration().as_secs() / 3600,
            tag: hex(envelope.tag.as_bytes()),
            commitment: hex(envelope.commitment.as_bytes()),
            size: envelope.size.get(),
            age_seconds: envelope.age.as_duration().as_secs(),
            own: envelope.own,
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum EventView {
    PeerUp(PeerView),
    PeerDown {
        link: u64,
        label: String,
    },
    Received(IncomingView),
    FileProgress(IncomingView),
    FileComplete(IncomingView),
    FileGivenUp(IncomingView),
    /// `contact`'s share of the store is used up, or the store is.
    NoRoom {
        contact: Option<String>,
    },
    Sent(OutgoingView),
    ContactAdded(ContactView),
    HandedOver {
        link: u64,
        id: String,
        size: u64,
    },
    Taken {
        link: u64,
        id: String,
        size: u64,
    },
    Dropped {
        id: String,
        reason: String,
    },
    RoomJoined {
        name: String,
    },
    RoomChanged {
        name: String,
    },
    RoomLeft {
        name: String,
    },
    Undecryptable,
    /// The store is an older copy of itself.
    OlderCopy {
        commits: u64,
    },
    Lagged {
        lost: u64,
    },
    StoreFailed {
        reason: String,
    },
    Trouble {
        reason: String,
    },
    Other,
}

impl From<Update> for EventView {
    fn from(update: Update) -> Self {
        match update {
            Update::Event(event) => event.into(),
            Update::Lagged(lost) => Self::Lagged { lost },
            Update::StoreFailed(error) => Self::StoreFailed {
                reason: error.to_string(),
            },
            Update::Trouble(reason) => Self::Trouble { reason },
            _ => Self::Other,
        }
    }
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        match event {
            Event::PeerUp(peer) => Self::PeerUp(peer.into()),
            Event::PeerDown { link, label } => Self::PeerDown {
                link: link.number(),
                label,
            },
            Event::Received(message) => Self::Received(message.into()),
            Event::FileProgress(message) => Self::FileProgress(message.into()),
            Event::FileComplete(message) => Self::FileComplete(message.into()),
            Event::FileGivenUp(message) => Self::FileGivenUp(message.into()),
            Event::NoRoom(Shortage::Contact { name, .. }) => Self::NoRoom {
                contact: Some(name),
            },
            Event::NoRoom(_) => Self::NoRoom { contact: None },
            Event::Sent(message) => Self::Sent(message.into()),
            Event::ContactAdded(contact) => Self::ContactAdded(contact.into()),
            Event::HandedOver { link, id, size } => Self::HandedOver {
                link: link.number(),
                id: hex(id.as_bytes()),
                size: size.get(),
            },
            Event::Taken { link, id, size } => Self::Taken {
                link: link.number(),
                id: hex(id.as_bytes()),
                size: size.get(),
            },
            Event::Dropped { id, reason } => Self::Dropped {
                id: hex(id.as_bytes()),
                reason: reason.to_owned(),
            },
            Event::RoomJoined(room) => Self::RoomJoined { name: room.name },
            Event::RoomChanged(room) => Self::RoomChanged { name: room.name },
            Event::RoomLeft(room) => Self::RoomLeft { name: room.name },
            Event::Undecryptable { .. } => Self::Undecryptable,
            Event::OlderCopy { commits } => Self::OlderCopy { commits },
            _ => Self::Other,
        }
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
