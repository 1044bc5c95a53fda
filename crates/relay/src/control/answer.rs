//! Carries out a request on a node's handle.

use chappe::{Chappe, Contact, ContactId, Draft, MachineKey, MessageId, MessageSelection, Room};
use zeroize::Zeroizing;

use super::protocol::{Answer, LockKey, Request, RoomView};
use crate::failure::command_sentence as sentence;

/// Carries out `request`; `attached` is the file that came with it. The bytes of the answer are a file too.
pub(crate) async fn carry_out(
    node: &Chappe,
    request: Request,
    attached: Vec<u8>,
) -> Result<(Answer, Vec<u8>), String> {
    let answer = match request {
        Request::File { message } => {
            let data = node.file(MessageId(message)).await.map_err(sentence)?;
            return Ok((Answer::File { size: data.len() }, data));
        }
        Request::Invite => Answer::Uri(node.invite().await.map_err(sentence)?),
        Request::ForgetInvites => done(node.forget_invites().await)?,
        Request::AddContact { uri, name, scanned } => {
            let added = node.add_contact(&uri, name.as_deref(), scanned).await;
            Answer::Contact(added.map_err(sentence)?.into())
        }
        Request::Contacts => {
            let contacts = node.contacts().await.map_err(sentence)?;
            Answer::Contacts(contacts.into_iter().map(Into::into).collect())
        }
        Request::SafetyNumber { contact } => {
            let contact = find(node, &contact).await?.id;
            let number = node.safety_number(contact).await.map_err(sentence)?;
            Answer::Number(number.to_string())
        }
        Request::Verify { contact, number } => {
            let contact = find(node, &contact).await?.id;
            let number = number
                .parse()
                .map_err(|_| "A safety number has 30 digits; copy all of it.".to_owned())?;
            done(node.verify(contact, number).await)?
        }
        Request::Block { contact, blocked } => {
            let contact = find(node, &contact).await?.id;
            done(node.block(contact, blocked).await)?
        }
        Request::Lock { contact, key } => {
            let contact = find(node, &contact).await?.id;
            let locked = match &key {
                LockKey::Key(words) => {
                    let key = MachineKey::from_words(words).map_err(|error| error.to_string())?;
                    node.lock(contact, &key).await
                }
                LockKey::Off => node.unlock(contact).await,
                LockKey::Passphrase(text) => {
                    let text = Zeroizing::new(text.clone());
                    node.lock_with_passphrase(contact, text).await
                }
            };
            done(locked)?
        }
        Request::RemoveContact { contact } => {
            let contact = find(node, &contact).await?.id;
            done(node.remove_contact(contact).await)?
        }
        Request::SendText { contact, text } => send(node, &contact, Draft::Text(text)).await?,
        Request::SendFile {
            contact,
            name,
            media_type,
            ..
        } => {
            let draft = Draft::File {
                name,
                media_type,
                data: attached,
            };
            send(node, &contact, draft).await?
        }
        Request::MakeRoom { name, contacts } => {
            let members = find_all(node, &contacts).await?;
            let made = node.make_room(&name, members).await.map_err(sentence)?;
            one_room(node, made).await?
        }
        Request::ChangeRoom {
            room,
            added,
            removed,
        } => {
            let room = find_room(node, &room).await?.id;
            let added = find_all(node, &added).await?;
            let removed = find_all(node, &removed).await?;
            let changed = node.change_room(room, added, removed).await;
            let changed = changed.map_err(sentence)?;
            one_room(node, changed).await?
        }
        Request::LeaveRoom { room } => {
            let room = find_room(node, &room).await?.id;
            done(node.leave_room(room).await)?
        }
        Request::Rooms => {
            let rooms = node.rooms().await.map_err(sentence)?;
            Answer::Rooms(views(node, rooms).await?)
        }
        Request::SendToRoom { room, text } => {
            let room = find_room(node, &room).await?.id;
            let id = node.send_to_room(room, &text).await.map_err(sentence)?;
            Answer::Accepted(id.0)
        }
        Request::TakeBack { message } => done(node.take_back(MessageId(message)).await)?,
        Request::Outbox => {
            let sent = node.outbox().await.map_err(sentence)?;
            Answer::Outbox(sent.into_iter().map(Into::into).collect())
        }
        Request::Inbox { after } => {
            let arrived = node.inbox(after.map(MessageId)).await.map_err(sentence)?;
            Answer::Inbox(arrived.into_iter().map(Into::into).collect())
        }
        Request::DeleteMessages { contact, messages } => {
            let selection = match (contact, messages) {
                (Some(contact), _) => MessageSelection::Of(find(node, &contact).await?.id),
                (None, Some(ids)) => {
                    MessageSelection::These(ids.into_iter().map(MessageId).collect())
                }
                (None, None) => MessageSelection::All,
            };
            Answer::Deleted(node.delete_messages(selection).await.map_err(sentence)?)
        }
        Request::Status => {
            let status = node.status().await.map_err(sentence)?;
            Answer::Status(Box::new(status.into()))
        }
        Request::Peers => {
            let peers = node.peers().await.map_err(sentence)?;
            Answer::Peers(peers.into_iter().map(Into::into).collect())
        }
        Request::Carried => {
            let carried = node.carried().await.map_err(sentence)?;
            Answer::Carried(carried.into_iter().map(Into::into).collect())
        }
        // Whoever runs no node has no radios.
        Request::Troubles => Answer::Troubles(Vec::new()),
        Request::Follow => {
            return Err("No node runs on this home; start one with `chappe run`.".to_owned());
        }
    };
    Ok((answer, Vec::new()))
}

async fn send(node: &Chappe, contact: &str, draft: Draft) -> Result<Answer, String> {
    let contact: ContactId = find(node, contact).await?.id;
    let id = node.send(contact, draft).await.map_err(sentence)?;
    Ok(Answer::Accepted(id.0))
}

/// The contact of this name. Looked up once per request; all further steps go by its id.
async fn find(node: &Chappe, name: &str) -> Result<Contact, String> {
    let contacts = node.contacts().await.map_err(sentence)?;
    contacts
        .into_iter()
        .find(|contact| contact.name == name)
        .ok_or_else(|| format!("There is no contact named {name:?}; `chappe contacts` lists them."))
}

async fn find_all(node: &Chappe, names: &[String]) -> Result<Vec<ContactId>, String> {
    let mut found = Vec::new();
    for name in names {
        found.push(find(node, name).await?.id);
    }
    Ok(found)
}

/// The room of this name, or with this id.
async fn find_room(node: &Chappe, name: &str) -> Result<Room, String> {
    let rooms = node.rooms().await.map_err(sentence)?;
    let mut rooms = rooms
        .into_iter()
        .filter(|room| room.name == name || room.id.to_string() == name);
    match (rooms.next(), rooms.next()) {
        (Some(room), None) => Ok(room),
        (None, _) => Err(format!(
            "There is no room named {name:?}; `chappe room list` lists them."
        )),
        (Some(_), Some(_)) => Err(format!(
            "Two rooms are named {name:?}; name it by its id, which `chappe room list --json` tells."
        )),
    }
}

async fn one_room(node: &Chappe, room: Room) -> Result<Answer, String> {
    let view = views(node, vec![room]).await?.pop();
    view.map(Answer::Room)
        .ok_or_else(|| "The room is gone already.".to_owned())
}

/// Rooms with the names of their members.
async fn views(node: &Chappe, rooms: Vec<Room>) -> Result<Vec<RoomView>, String> {
    let contacts = node.contacts().await.map_err(sentence)?;
    let name = |id: ContactId| {
        let known = contacts.iter().find(|contact| contact.id == id);
        known
            .map(|contact| contact.name.clone())
            .unwrap_or_default()
    };
    let view = |room: Room| RoomView {
        id: room.id.to_string(),
        name: room.name,
        host: room.host.map(name),
        members: room.members.into_iter().map(name).collect(),
        unknown: room.unknown,
        without_key: room.without_key,
    };
    Ok(rooms.into_iter().map(view).collect())
}

fn done(result: Result<(), chappe::Error>) -> Result<Answer, String> {
    result.map(|()| Answer::Done).map_err(sentence)
}
