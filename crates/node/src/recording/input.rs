//! The line of an input, and back.

use alloc::string::{String, ToString as _};

use chappe_omemo::sce::Timestamp;
use chappe_wire::{Instant, Invitation, LinkId};
use zeroize::Zeroizing;

use super::words::{Line, Words};
use super::{EntryError, RecordedInput};
use crate::{
    Command, CommandId, ContactId, Draft, Input, LinkUp, Lock, MessageId, MessageSelection, RoomId,
};

/// The line of an input.
pub fn input(now: Instant, input: &Input<'_>) -> String {
    let line = Line::of("in").number(now.as_micros());
    match input {
        Input::Invitation(link, invitation) => line
            .word("invitation")
            .number(link.number())
            .maybe(invitation.as_ref(), |line, invitation| {
                line.bytes(&invitation.encode())
            }),
        Input::LinkUp(LinkUp {
            link,
            mtu,
            initiator,
            reliable,
            queue,
            bearer,
            label,
        }) => line
            .word("link-up")
            .number(link.number())
            .length(*mtu)
            .flag(*initiator)
            .flag(*reliable)
            .length(*queue)
            .text(bearer)
            .text(label),
        Input::LinkDown(link) => line.word("link-down").number(link.number()),
        Input::Received { link, packet } => {
            line.word("received").number(link.number()).bytes(packet)
        }
        Input::Drained { link, packets } => {
            line.word("drained").number(link.number()).length(*packets)
        }
        Input::Command(CommandId(id), command) => {
            commanded(line.word("command").number(*id), command)
        }
        Input::Timeout => line.word("timeout"),
    }
    .done()
}

fn commanded(line: Line, command: &Command) -> Line {
    match command {
        Command::Invite => line.word("invite"),
        Command::ForgetInvites => line.word("forget-invites"),
        Command::AddContact { uri, name, scanned } => line
            .word("add-contact")
            .text(uri)
            .maybe(name.as_deref(), Line::text)
            .flag(*scanned),
        Command::AddPair {
            name,
            secret,
            initiator,
        } => line
            .word("add-pair")
            .text(name)
            .bytes(secret)
            .flag(*initiator),
        Command::Contacts => line.word("contacts"),
        Command::SafetyNumber(contact) => line.word("safety-number").number(contact.0),
        Command::Verify(contact, number) => line
            .word("verify")
            .number(contact.0)
            .text(&number.to_string()),
        Command::Block(contact, blocked) => line.word("block").number(contact.0).flag(*blocked),
        Command::Lock(contact, lock) => {
            let line = line.word("lock").number(contact.0);
            match lock {
                Lock::Key(key) => line.word("key").bytes(&key[..]),
                Lock::Off => line.word("off"),
                Lock::Passphrase(text) => line.word("passphrase").text(text),
            }
        }
        Command::MakeRoom { name, members } => listed(line.word("make-room").text(name), members),
        Command::ChangeRoom {
            room,
            added,
            removed,
        } => {
            let line = line.word("change-room").bytes(room.as_bytes());
            listed(listed(line, added), removed)
        }
        Command::LeaveRoom(room) => line.word("leave-room").bytes(room.as_bytes()),
        Command::Rooms => line.word("rooms"),
        Command::SendToRoom(room, text, at) => at_time(
            line.word("send-to-room").bytes(room.as_bytes()).text(text),
            *at,
        ),
        Command::TakeBack(message) => line.word("take-back").number(message.0),
        Command::RemoveContact(contact) => line.word("remove-contact").number(contact.0),
        Command::Send(contact, Draft::Text(text), at) => {
            at_time(line.word("send-text").number(contact.0).text(text), *at)
        }
        Command::Send(
            contact,
            Draft::File {
                name,
                media_type,
                data,
            },
            at,
        ) => at_time(
            line.word("send-file")
                .number(contact.0)
                .text(name)
                .text(media_type)
                .bytes(data),
            *at,
        ),
        Command::SendOpaque(contact, payload) => {
            line.word("send-opaque").number(contact.0).bytes(payload)
        }
        Command::Outbox => line.word("outbox"),
        Command::Inbox { after } => line.word("inbox").maybe(*after, Line::number),
        Command::DeleteMessages(MessageSelection::All) => line.word("delete-all"),
        Command::DeleteMessages(MessageSelection::Of(contact)) => {
            line.word("delete-of").number(contact.0)
        }
        Command::DeleteMessages(MessageSelection::These(messages)) => line
            .word("delete-these")
            .list(messages, |line, message| line.number(message.0)),
        Command::File(message) => line.word("file").number(message.0),
        Command::Status => line.word("status"),
        Command::Peers => line.word("peers"),
        Command::Carried => line.word("carried"),
    }
}

/// The time of writing, in seconds since 1970; before it with a word of its own.
fn at_time(line: Line, at: Option<Timestamp>) -> Line {
    line.maybe(at, |line, at| line.text(&at.as_unix().to_string()))
}

fn listed(line: Line, contacts: &[ContactId]) -> Line {
    line.list(contacts, |line, contact| line.number(contact.0))
}

/// What a line that begins with `in` says after the time.
pub(super) fn read_input(words: &mut Words<'_>) -> Result<RecordedInput, EntryError> {
    let link = |words: &mut Words<'_>| words.number().map(LinkId::new);
    let input = match words.word("an input")? {
        "invitation" => Input::Invitation(
            link(words)?,
            words.maybe(|words| {
                Invitation::decode(&words.bytes()?).map_err(|_| {
                    EntryError::new("bytes that are none".to_string(), "an invitation")
                })
            })?,
        ),
        "link-up" => Input::LinkUp(LinkUp {
            link: link(words)?,
            mtu: words.small()?,
            initiator: words.flag()?,
            reliable: words.flag()?,
            queue: words.small()?,
            bearer: words.text()?,
            label: words.text()?,
        }),
        "link-down" => Input::LinkDown(link(words)?),
        "received" => {
            let (link, packet) = (link(words)?, words.bytes()?);
            return Ok(RecordedInput::Received { link, packet });
        }
        "drained" => Input::Drained {
            link: link(words)?,
            packets: words.small()?,
        },
        "command" => Input::Command(CommandId(words.number()?), read_command(words)?),
        "timeout" => Input::Timeout,
        other => return Err(EntryError::word(other, "an input")),
    };
    Ok(RecordedInput::Other(input))
}

fn read_command(words: &mut Words<'_>) -> Result<Command, EntryError> {
    let contact = |words: &mut Words<'_>| words.small().map(ContactId);
    let message = |words: &mut Words<'_>| words.number().map(MessageId);
    let room = |words: &mut Words<'_>| words.array().map(RoomId::new);
    Ok(match words.word("a command")? {
        "invite" => Command::Invite,
        "forget-invites" => Command::ForgetInvites,
        "add-contact" => Command::AddContact {
            uri: words.text()?,
            name: words.maybe(Words::text)?,
            scanned: words.flag()?,
        },
        "add-pair" => Command::AddPair {
            name: words.text()?,
            secret: words.array()?,
            initiator: words.flag()?,
        },
        "contacts" => Command::Contacts,
        "safety-number" => Command::SafetyNumber(contact(words)?),
        "verify" => {
            let contact = contact(words)?;
            let text = words.text()?;
            let number = text.parse();
            Command::Verify(
                contact,
                number.map_err(|_| EntryError::word(&text, "a safety number"))?,
            )
        }
        "block" => Command::Block(contact(words)?, words.flag()?),
        "lock" => Command::Lock(
            contact(words)?,
            match words.word("a lock")? {
                "key" => Lock::Key(Zeroizing::new(words.array()?)),
                "off" => Lock::Off,
                "passphrase" => Lock::Passphrase(Zeroizing::new(words.text()?)),
                other => return Err(EntryError::word(other, "key, off or passphrase")),
            },
        ),
        "make-room" => Command::MakeRoom {
            name: words.text()?,
            members: words.list(contact)?,
        },
        "change-room" => Command::ChangeRoom {
            room: room(words)?,
            added: words.list(contact)?,
            removed: words.list(contact)?,
        },
        "leave-room" => Command::LeaveRoom(room(words)?),
        "rooms" => Command::Rooms,
        "send-to-room" => Command::SendToRoom(room(words)?, words.text()?, read_time(words)?),
        "take-back" => Command::TakeBack(message(words)?),
        "remove-contact" => Command::RemoveContact(contact(words)?),
        "send-text" => Command::Send(
            contact(words)?,
            Draft::Text(words.text()?),
            read_time(words)?,
        ),
        "send-file" => Command::Send(
            contact(words)?,
            Draft::File {
                name: words.text()?,
                media_type: words.text()?,
                data: words.bytes()?,
            },
            read_time(words)?,
        ),
        "send-opaque" => Command::SendOpaque(contact(words)?, words.bytes()?),
        "outbox" => Command::Outbox,
        "inbox" => Command::Inbox {
            after: words.maybe(Words::number)?,
        },
        "delete-all" => Command::DeleteMessages(MessageSelection::All),
        "delete-of" => Command::DeleteMessages(MessageSelection::Of(contact(words)?)),
        "delete-these" => Command::DeleteMessages(MessageSelection::These(words.list(message)?)),
        "file" => Command::File(message(words)?),
        "status" => Command::Status,
        "peers" => Command::Peers,
        "carried" => Command::Carried,
        other => return Err(EntryError::word(other, "a command")),
    })
}

fn read_time(words: &mut Words<'_>) -> Result<Option<Timestamp>, EntryError> {
    words.maybe(|words| {
        let text = words.text()?;
        let seconds = text.parse().ok();
        seconds
            .and_then(Timestamp::from_unix)
            .ok_or_else(|| EntryError::word(&text, "seconds since 1970"))
    })
}
