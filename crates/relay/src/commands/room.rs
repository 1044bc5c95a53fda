//! `chappe room`

use super::send::{accepted, read_text};
use super::{ask, print_json, unexpected};
use crate::cli::{Format, Place, Room};
use crate::control::protocol::{Answer, EventView, Request, RoomView};
use crate::failure::Failure;
use crate::render::table::Table;
use crate::render::{safe_line, say};

pub(super) async fn run(place: &Place, command: Room) -> Result<(), Failure> {
    match command {
        Room::New { name, contacts } => {
            let room = changed(place, Request::MakeRoom { name, contacts }).await?;
            say!("The room {} is made.", safe_line(&room.name));
            say!("{}", describe(&room));
            Ok(())
        }
        Room::List(format) => list(place, &format).await,
        Room::Send(options) => {
            let request = Request::SendToRoom {
                room: options.name.clone(),
                text: read_text(Some(&options.text))?,
            };
            accepted(&ask(place, request).await?, &options.format)?;
            if options.format.json {
                return Ok(());
            }
            deaf(place, &options.name).await
        }
        Room::Add { name, contacts } => change(place, name, contacts, Vec::new()).await,
        Room::Rm { name, contacts } => change(place, name, Vec::new(), contacts).await,
        Room::Leave { name } => {
            let room = name.clone();
            ask(place, Request::LeaveRoom { room }).await?;
            say!(
                "The room {} is left; whoever made it will hear of it.",
                safe_line(&name)
            );
            Ok(())
        }
        Room::TakeBack { id } => {
            ask(place, Request::TakeBack { message: id }).await?;
            say!("Whoever carries it lets it go as soon as it hears so.");
            Ok(())
        }
    }
}

async fn list(place: &Place, format: &Format) -> Result<(), Failure> {
    let Answer::Rooms(rooms) = ask(place, Request::Rooms).await? else {
        return unexpected();
    };
    if format.json {
        return rooms.iter().try_for_each(print_json);
    }
    if rooms.is_empty() {
        say!("No rooms yet; `chappe room new NAME CONTACT...` makes one.");
    }
    let mut table = Table::default();
    for room in &rooms {
        let host = room.host.as_deref().map_or_else(
            || "made here".to_owned(),
            |host| format!("made by {}", safe_line(host)),
        );
        table.row([safe_line(&room.name), host, describe(room)]);
    }
    table.print();
    Ok(())
}

async fn change(
    place: &Place,
    room: String,
    added: Vec<String>,
    removed: Vec<String>,
) -> Result<(), Failure> {
    let request = Request::ChangeRoom {
        room,
        added,
        removed,
    };
    let room = changed(place, request).await?;
    say!("{}", describe(&room));
    Ok(())
}

async fn changed(place: &Place, request: Request) -> Result<RoomView, Failure> {
    match ask(place, request).await? {
        Answer::Room(room) => Ok(room),
        _ => unexpected(),
    }
}

/// Says how many members of a room will not read what was said there just now.
async fn deaf(place: &Place, name: &str) -> Result<(), Failure> {
    let Answer::Rooms(rooms) = ask(place, Request::Rooms).await? else {
        return unexpected();
    };
    let room = rooms
        .iter()
        .find(|room| room.name == name || room.id == name);
    match room.map_or(0, |room| room.without_key) {
        0 => {}
        1 => say!("One member has not answered you yet, and will never read this."),
        number => say!("{number} members have not answered you yet, and will never read this."),
    }
    Ok(())
}

/// What has happened to a room, if something has that people want to know. To standard error, for what is on standard output
/// are messages.
pub(super) fn happened(event: &EventView) {
    match event {
        EventView::RoomJoined { name } => eprintln!(
            "You are in the room {} now; `chappe room list` says with whom.",
            safe_line(name)
        ),
        EventView::RoomChanged { name } => eprintln!(
            "Others are in the room {} now; `chappe room list` says who.",
            safe_line(name)
        ),
        EventView::RoomLeft { name } => eprintln!(
            "You are in the room {} no more: its host has taken you out, or has left it.",
            safe_line(name)
        ),
        _ => {}
    }
}

/// Who is in a room, and who hears this node there.
fn describe(room: &RoomView) -> String {
    let mut names: Vec<String> = room.members.iter().map(|name| safe_line(name)).collect();
    if room.unknown > 0 {
        names.push(format!("{} who are no contacts of yours", room.unknown));
    }
    let mut text = names.join(", ");
    if room.without_key > 0 {
        text += &format!(
            "; {} cannot read you: blocked, or no answer yet, or the key waits for room",
            room.without_key
        );
    }
    text
}
