//! The handle of a running node.

use std::time::{SystemTime, UNIX_EPOCH};

use chappe_node::{
    CarriedEnvelope, Command, CommandError, Contact, ContactId, Draft, Incoming, Lock, MachineKey,
    MessageId, MessageSelection, Outgoing, Peer, Reply, Room, RoomId, SafetyNumber, Status,
    Timestamp,
};
use tokio::sync::{broadcast, mpsc, oneshot};
use zeroize::Zeroizing;

use crate::{Error, Events, Update};

/// A clock that shows less was never set: 2020-01-01T00:00:00Z, in seconds after 1970 began.
const CLOCK_IS_SET_FROM: i64 = 1_577_836_800;

/// A running node. Clones are handles of the same node; when the last one is dropped, the node closes.
///
/// Every method waits for the answer of the node, which comes after everything it depends on is on disk.
#[derive(Clone, Debug)]
pub struct Chappe {
    orders: mpsc::Sender<Order>,
    updates: broadcast::WeakSender<Update>,
}

/// What a handle asks of the driver.
#[derive(Debug)]
pub(crate) enum Order {
    /// Carry out a command.
    Command(Command, oneshot::Sender<Result<Reply, CommandError>>),
    /// Close, and drop the sender once everything is closed.
    Close(oneshot::Sender<()>),
}

/// Asks for a command and takes the one reply that fits it.
macro_rules! ask {
    ($self:ident, $command:expr, $reply:pat => $value:expr) => {
        match $self.ask($command).await? {
            $reply => Ok($value),
            _ => Err(Error::Unexpected),
        }
    };
}

impl Chappe {
    pub(crate) const fn new(
        orders: mpsc::Sender<Order>,
        updates: broadcast::WeakSender<Update>,
    ) -> Self {
        Self { orders, updates }
    }

    /// One more stream of updates, from now on.
    pub fn events(&self) -> Events {
        self.updates
            .upgrade()
            .map_or_else(Events::ended, |sender| Events::new(sender.subscribe()))
    }

    /// Makes a fresh contact URI, with a prekey and an inbox secret of its own.
    ///
    /// # Errors
    /// [`Error`]; on a relay, [`CommandError::Relay`].
    pub async fn invite(&self) -> Result<String, Error> {
        ask!(self, Command::Invite, Reply::Invite(uri) => uri)
    }

    /// Makes the contact URIs useless that nobody has used. At most 64 wait at a time.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn forget_invites(&self) -> Result<(), Error> {
        ask!(self, Command::ForgetInvites, Reply::Done => ())
    }

    /// Adds the person behind a contact URI. `scanned` says that the URI was scanned face to face: the contact
    /// is verified then. A URI that came by any other way is only as good as that way.
    ///
    /// # Errors
    /// [`Error`]: a typing error, a name that is taken, a key that has changed.
    pub async fn add_contact(
        &self,
        uri: &str,
        name: Option<&str>,
        scanned: bool,
    ) -> Result<Contact, Error> {
        let command = Command::AddContact {
            uri: uri.to_owned(),
            name: name.map(str::to_owned),
            scanned,
        };
        ask!(self, command, Reply::Contact(contact) => contact)
    }

    /// Adds a contact of a program with an OMEMO of its own: both ends hold `secret`, and exactly one of them
    /// is the initiator.
    ///
    /// # Errors
    /// [`Error`]: a name that is taken.
    pub async fn add_pair(
        &self,
        name: &str,
        secret: [u8; 32],
        initiator: bool,
    ) -> Result<Contact, Error> {
        let name = name.to_owned();
        let command = Command::AddPair {
            name,
            secret,
            initiator,
        };
        ask!(self, command, Reply::Contact(contact) => contact)
    }

    /// All contacts.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn contacts(&self) -> Result<Vec<Contact>, Error> {
        ask!(self, Command::Contacts, Reply::Contacts(contacts) => contacts)
    }

    /// The number that both people compare.
    ///
    /// # Errors
    /// [`Error`]: no such contact, or one of [`Chappe::add_pair`].
    pub async fn safety_number(&self, contact: ContactId) -> Result<SafetyNumber, Error> {
        ask!(self, Command::SafetyNumber(contact), Reply::SafetyNumber(number) => number)
    }

    /// Marks a contact as verified, if `number` is the one that [`Chappe::safety_number`] tells.
    ///
    /// # Errors
    /// [`Error`]; [`CommandError::NumberDiffers`] if it is another.
    pub async fn verify(&self, contact: ContactId, number: SafetyNumber) -> Result<(), Error> {
        ask!(self, Command::Verify(contact, number), Reply::Done => ())
    }

    /// Takes no more messages from a contact, or takes them again.
    ///
    /// # Errors
    /// [`Error`]: no such contact.
    pub async fn block(&self, contact: ContactId, blocked: bool) -> Result<(), Error> {
        ask!(self, Command::Block(contact, blocked), Reply::Done => ())
    }

    /// Locks what goes to and comes from a contact with a further key (CipherMachine), which both people exchanged
    /// without a network. Keys before it still unlock what is under way. Messages that wait as
    /// [`Content::Locked`](crate::Content::Locked) are read now if they fit, and told as if they had just come.
    ///
    /// # Errors
    /// [`Error`]: no such contact, or one of [`Chappe::add_pair`].
    pub async fn lock(&self, contact: ContactId, key: &MachineKey) -> Result<(), Error> {
        let lock = Lock::Key(Zeroizing::new(*key.as_bytes()));
        ask!(self, Command::Lock(contact, lock), Reply::Done => ())
    }

    /// The same, with a key that both people get from the same passphrase, by Argon2id. A passphrase that can be
    /// guessed is no key.
    ///
    /// # Errors
    /// [`Error`]; [`CommandError::Passphrase`] if it is too short.
    pub async fn lock_with_passphrase(
        &self,
        contact: ContactId,
        passphrase: Zeroizing<String>,
    ) -> Result<(), Error> {
        let lock = Lock::Passphrase(passphrase);
        ask!(self, Command::Lock(contact, lock), Reply::Done => ())
    }

    /// Locks no more, and forgets the keys: what was locked and comes now cannot be read.
    ///
    /// # Errors
    /// [`Error`]: no such contact.
    pub async fn unlock(&self, contact: ContactId) -> Result<(), Error> {
        ask!(self, Command::Lock(contact, Lock::Off), Reply::Done => ())
    }

    /// Forgets a contact, with its keys.
    ///
    /// # Errors
    /// [`Error`]: no such contact.
    pub async fn remove_contact(&self, contact: ContactId) -> Result<(), Error> {
        ask!(self, Command::RemoveContact(contact), Reply::Done => ())
    }

    /// Sends a text or a file. It is on disk once this answers; [`Chappe::outbox`] and
    /// [`Event::Sent`](crate::Event::Sent) tell what becomes of it. The recipient is told the time of this
    /// machine's clock as the time of writing, unless that clock was evidently never set.
    ///
    /// # Errors
    /// [`Error`]: too large, empty, blocked, no room.
    pub async fn send(&self, contact: ContactId, draft: Draft) -> Result<MessageId, Error> {
        ask!(self, Command::Send(contact, draft, time_of_day()), Reply::Accepted(id) => id)
    }

    /// Sends a payload that the program encrypted itself to a contact of [`Chappe::add_pair`].
    ///
    /// # Errors
    /// [`Error`]: too large, empty, or another kind of contact.
    pub async fn send_opaque(
        &self,
        contact: ContactId,
        payload: Vec<u8>,
    ) -> Result<MessageId, Error> {
        ask!(self, Command::SendOpaque(contact, payload), Reply::Accepted(id) => id)
    }

    /// Makes a room with these contacts: what is said there is one envelope for all. Each member hears those who are
    /// contacts of its own.
    ///
    /// # Errors
    /// [`Error`]: a name that is taken, no such contact, too many, a full store.
    pub async fn make_room(&self, name: &str, members: Vec<ContactId>) -> Result<Room, Error> {
        let name = name.to_owned();
        ask!(self, Command::MakeRoom { name, members }, Reply::Room(room) => room)
    }

    /// Takes people into a room that was made here, or out of it. Who is taken out is told so, and cannot read what is said
    /// later by those who have heard of it.
    ///
    /// # Errors
    /// [`Error`]; [`CommandError::NotHost`] if somebody else made the room, [`CommandError::NotMember`] for somebody taken out
    /// who is not in.
    pub async fn change_room(
        &self,
        room: RoomId,
        added: Vec<ContactId>,
        removed: Vec<ContactId>,
    ) -> Result<Room, Error> {
        let command = Command::ChangeRoom {
            room,
            added,
            removed,
        };
        ask!(self, command, Reply::Room(room) => room)
    }

    /// Leaves a room, for good, and tells its host. One that was made here is over then, and its members are told.
    ///
    /// # Errors
    /// [`Error`]: no such room.
    pub async fn leave_room(&self, room: RoomId) -> Result<(), Error> {
        ask!(self, Command::LeaveRoom(room), Reply::Done => ())
    }

    /// The rooms that this node is in.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn rooms(&self) -> Result<Vec<Room>, Error> {
        ask!(self, Command::Rooms, Reply::Rooms(rooms) => rooms)
    }

    /// Says a text in a room. Nobody tells when all have read it: it is carried until its lifetime is over, or until
    /// [`Chappe::take_back`]. Members that lack the key of this node ([`Room::without_key`]) never read it.
    ///
    /// # Errors
    /// [`Error`]: no such room, too large, empty, no room in the store; [`CommandError::NobodyHears`].
    pub async fn send_to_room(&self, room: RoomId, text: &str) -> Result<MessageId, Error> {
        let command = Command::SendToRoom(room, text.to_owned(), time_of_day());
        ask!(self, command, Reply::Accepted(id) => id)
    }

    /// Frees a message that was sent to a room, wherever it is carried. Who has read it keeps it.
    ///
    /// # Errors
    /// [`Error`]: no such message, or one that is not for a room.
    pub async fn take_back(&self, message: MessageId) -> Result<(), Error> {
        ask!(self, Command::TakeBack(message), Reply::Done => ())
    }

    /// What was sent, oldest first, with its honest state.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn outbox(&self) -> Result<Vec<Outgoing>, Error> {
        ask!(self, Command::Outbox, Reply::Outbox(sent) => sent)
    }

    /// What arrived, oldest first, from the entry after `after` on.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn inbox(&self, after: Option<MessageId>) -> Result<Vec<Incoming>, Error> {
        let after = after.map(|id| id.0);
        ask!(self, Command::Inbox { after }, Reply::Inbox(arrived) => arrived)
    }

    /// Deletes messages that arrived, with their files, and says how many. It makes room, and works in a full
    /// store too.
    ///
    /// # Errors
    /// [`Error`]; [`CommandError::NoSuchMessage`] if one of them is not there, and then none is deleted.
    pub async fn delete_messages(&self, selection: MessageSelection) -> Result<u64, Error> {
        ask!(self, Command::DeleteMessages(selection), Reply::Deleted(count) => count)
    }

    /// The content of a file that arrived.
    ///
    /// # Errors
    /// [`Error`]: no such file, or not complete yet.
    pub async fn file(&self, message: MessageId) -> Result<Vec<u8>, Error> {
        ask!(self, Command::File(message), Reply::File(data) => data)
    }

    /// Counters and gauges.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn status(&self) -> Result<Status, Error> {
        ask!(self, Command::Status, Reply::Status(status) => status)
    }

    /// The links that are up.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn peers(&self) -> Result<Vec<Peer>, Error> {
        ask!(self, Command::Peers, Reply::Peers(peers) => peers)
    }

    /// The envelopes that this node carries, as strangers see them.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn carried(&self) -> Result<Vec<CarriedEnvelope>, Error> {
        ask!(self, Command::Carried, Reply::Carried(envelopes) => envelopes)
    }

    /// Closes the node: what was accepted is on disk, links are closed, the store and its folder are free
    /// again when this returns. Closing twice is fine.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.orders.send(Order::Close(done)).await.is_ok() {
            // The driver drops the sender at its very end; that is the answer.
            let _ = closed.await;
        }
    }

    async fn ask(&self, command: Command) -> Result<Reply, Error> {
        let (reply, answer) = oneshot::channel();
        self.orders
            .send(Order::Command(command, reply))
            .await
            .map_err(|_| Error::Stopped)?;
        Ok(answer.await.map_err(|_| Error::Stopped)??)
    }
}

/// The time by this machine's clock; `None` if the clock was never set, as on a board without a battery.
#[allow(clippy::disallowed_methods, reason = "shown to people only")]
fn time_of_day() -> Option<Timestamp> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let seconds = i64::try_from(since_1970.as_secs()).ok()?;
    Timestamp::from_unix(seconds).filter(|_| seconds >= CLOCK_IS_SET_FROM)
}
