//! The line of an output. It is compared, never read back.

use alloc::string::{String, ToString as _};

use super::words::Line;
use crate::{
    CarriedEnvelope, CommandId, Contact, Content, Delivery, Event, Incoming, Outgoing, Output,
    Peer, Refusals, Reply, Room, Shortage, Status, Trust, Upgrade,
};

/// The line of an output, with every byte of it.
pub fn output(output: &Output) -> String {
    let line = Line::of("out");
    match output {
        Output::Transmit { link, packet } => {
            line.word("transmit").number(link.number()).bytes(packet)
        }
        Output::Disconnect { link, reason } => {
            line.word("disconnect").number(link.number()).text(reason)
        }
        Output::Upgrade(Upgrade::Invite(link)) => line.word("invite").number(link.number()),
        Output::Upgrade(Upgrade::Join(invitation)) => line.word("join").bytes(&invitation.encode()),
        Output::Upgrade(Upgrade::Leave) => line.word("leave"),
        Output::Event(event) => happened(line.word("event"), event),
        Output::Reply(CommandId(id), reply) => {
            let line = line.word("reply").number(*id);
            match reply {
                Ok(reply) => replied(line, reply),
                Err(error) => line.word("error").text(&error.to_string()),
            }
        }
        Output::StoreFailed(error) => line.word("store-failed").text(&error.to_string()),
        Output::Timeout(deadline) => line.word("timeout").number(deadline.as_micros()),
    }
    .done()
}

fn happened(line: Line, event: &Event) -> Line {
    match event {
        Event::PeerUp(peer) => peered(line.word("peer-up"), peer),
        Event::PeerDown { link, label } => line.word("peer-down").number(link.number()).text(label),
        Event::Received(message) => incoming(line.word("received"), message),
        Event::FileProgress(message) => incoming(line.word("file-progress"), message),
        Event::FileComplete(message) => incoming(line.word("file-complete"), message),
        Event::FileGivenUp(message) => incoming(line.word("file-given-up"), message),
        Event::Sent(message) => outgoing(line.word("sent"), message),
        Event::ContactAdded(contact) => contacted(line.word("contact-added"), contact),
        Event::HandedOver { link, id, size } => line
            .word("handed-over")
            .number(link.number())
            .bytes(id.as_bytes())
            .number(size.get()),
        Event::Taken { link, id, size } => line
            .word("taken")
            .number(link.number())
            .bytes(id.as_bytes())
            .number(size.get()),
        Event::Dropped { id, reason } => line.word("dropped").bytes(id.as_bytes()).text(reason),
        Event::NoRoom(Shortage::Contact { contact, name }) => {
            line.word("no-room-for").number(contact.0).text(name)
        }
        Event::NoRoom(Shortage::Store) => line.word("no-room"),
        Event::OlderCopy { commits } => line.word("older-copy").number(*commits),
        Event::RoomJoined(room) => housed(line.word("room-joined"), room),
        Event::RoomChanged(room) => housed(line.word("room-changed"), room),
        Event::RoomLeft(room) => housed(line.word("room-left"), room),
        Event::Undecryptable { contact } => line
            .word("undecryptable")
            .maybe(*contact, |line, contact| line.number(contact.0)),
    }
}

fn replied(line: Line, reply: &Reply) -> Line {
    match reply {
        Reply::Invite(uri) => line.word("invite").text(uri),
        Reply::Contact(contact) => contacted(line.word("contact"), contact),
        Reply::Contacts(contacts) => line.word("contacts").list(contacts, contacted),
        Reply::SafetyNumber(number) => line.word("safety-number").text(&number.to_string()),
        Reply::Done => line.word("done"),
        Reply::Accepted(message) => line.word("accepted").number(message.0),
        Reply::Outbox(messages) => line.word("outbox").list(messages, outgoing),
        Reply::Inbox(messages) => line.word("inbox").list(messages, incoming),
        Reply::Room(room) => housed(line.word("room"), room),
        Reply::Rooms(rooms) => line.word("rooms").list(rooms, housed),
        Reply::Deleted(number) => line.word("deleted").number(*number),
        Reply::File(data) => line.word("file").bytes(data),
        Reply::Status(status) => counted(line.word("status"), status),
        Reply::Peers(peers) => line.word("peers").list(peers, peered),
        Reply::Carried(envelopes) => line.word("carried").list(envelopes, carried),
    }
}

fn incoming(line: Line, message: &Incoming) -> Line {
    let Incoming {
        id,
        contact,
        name,
        trust,
        content,
        sent,
        room,
    } = message;
    let line = trusted(line.number(id.0).number(contact.0).text(name), *trust);
    let line = match content {
        Content::Text(text) => line.word("text").text(text),
        Content::File(file) => line
            .word("file")
            .text(&file.name)
            .text(&file.media_type)
            .number(file.size.get())
            .number(file.chunks_here)
            .number(file.chunks)
            .flag(file.complete),
        Content::Locked => line.word("locked"),
        Content::Opaque(payload) => line.word("opaque").bytes(payload),
    };
    line.maybe(sent.as_deref(), Line::text)
        .maybe(room.as_ref(), |line, room| {
            line.bytes(room.id.as_bytes()).text(&room.name)
        })
}

fn outgoing(line: Line, message: &Outgoing) -> Line {
    let Outgoing {
        id,
        contact,
        room,
        name,
        summary,
        size,
        age,
        state,
    } = message;
    let line = line
        .number(id.0)
        .maybe(*contact, |line, contact| line.number(contact.0))
        .maybe(room.as_ref(), |line, room| line.bytes(room.as_bytes()))
        .text(name)
        .text(summary)
        .number(size.get())
        .number(age.as_micros());
    match state {
        Delivery::Accepted => line.word("accepted"),
        Delivery::Carried { carriers } => line.word("carried").number(*carriers),
        Delivery::Delivered => line.word("delivered"),
        Delivery::Expired => line.word("expired"),
    }
}

fn contacted(line: Line, contact: &Contact) -> Line {
    let Contact {
        id,
        name,
        jid,
        device,
        fingerprint,
        trust,
        blocked,
        locked,
        heard,
        stored,
    } = contact;
    let line = line.number(id.0).text(name).text(jid).number(*device);
    trusted(line.text(fingerprint), *trust)
        .flag(*blocked)
        .flag(*locked)
        .flag(*heard)
        .number(stored.get())
}

fn housed(line: Line, room: &Room) -> Line {
    let Room {
        id,
        name,
        host,
        members,
        unknown,
        without_key,
    } = room;
    line.bytes(id.as_bytes())
        .text(name)
        .maybe(*host, |line, host| line.number(host.0))
        .list(members, |line, member| line.number(member.0))
        .number(*unknown)
        .number(*without_key)
}

fn trusted(line: Line, trust: Trust) -> Line {
    line.word(match trust {
        Trust::Unverified => "unverified",
        Trust::Verified => "verified",
    })
}

fn peered(line: Line, peer: &Peer) -> Line {
    let Peer {
        link,
        bearer,
        label,
        key,
        up,
        sent,
        received,
        retransmitted,
        rtt,
    } = peer;
    line.number(link.number())
        .text(bearer)
        .text(label)
        .text(key)
        .number(up.as_micros())
        .number(sent.get())
        .number(received.get())
        .number(*retransmitted)
        .maybe(*rtt, |line, rtt| line.number(rtt.as_micros()))
}

fn carried(line: Line, envelope: &CarriedEnvelope) -> Line {
    let CarriedEnvelope {
        id,
        version,
        lifetime,
        tag,
        commitment,
        size,
        age,
        own,
    } = envelope;
    line.bytes(id.as_bytes())
        .number(*version)
        .number(lifetime.code())
        .bytes(tag.as_bytes())
        .bytes(commitment.as_bytes())
        .number(size.get())
        .number(age.as_duration().as_micros())
        .flag(*own)
}

fn counted(line: Line, status: &Status) -> Line {
    let Status {
        relay,
        name,
        jid,
        fingerprint,
        hop_key,
        peers,
        envelopes,
        bytes,
        capacity,
        receipts,
        pending,
        taken,
        handed_over,
        freed,
        expired,
        evicted,
        withdrawn,
        refused,
        receipts_evicted,
        receipts_refused,
        undecryptable,
        held_back,
        powered,
    } = status;
    let line = line
        .flag(*relay)
        .text(name)
        .text(jid)
        .text(fingerprint)
        .maybe(hop_key.as_ref(), |line, key| line.bytes(key));
    let Refusals {
        no_room,
        expired: over,
        known,
        store_full,
    } = *refused;
    let counts = [
        *peers,
        *envelopes,
        bytes.get(),
        capacity.get(),
        *receipts,
        *pending,
        *taken,
        *handed_over,
        *freed,
        *expired,
        *evicted,
        *withdrawn,
        no_room,
        over,
        known,
        store_full,
        *receipts_evicted,
        *receipts_refused,
        *undecryptable,
        *held_back,
        powered.as_micros(),
    ];
    counts.into_iter().fold(line, Line::number)
}
