//! `chappe inbox`

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::contact::trust;
use super::room;
use super::{ask, print_json, unexpected};
use crate::cli::{Inbox, InboxChange, InboxRm, Place};
use crate::control::client::{Connection, Session};
use crate::control::protocol::{Answer, ContentView, EventView, IncomingView, Request};
use crate::failure::{Failure, io};
use crate::render::{Style, bytes, put, safe, safe_line, say, styled};

/// Files of one name in one folder, at most.
const MAX_SAME_NAME: u32 = 1_000;

pub(super) async fn run(place: &Place, options: &Inbox) -> Result<(), Failure> {
    if let Some(InboxChange::Rm(which)) = &options.change {
        return remove(place, which).await;
    }
    // Follow first, so that nothing falls between the list and the events.
    let mut events = match options.follow {
        true => Some(follow(place).await?),
        false => None,
    };
    let mut session = Session::open(place).await?;
    let mut last = options.after;
    let shown = show_new(&mut session, options, &mut last).await?;
    if shown == 0 && events.is_none() && !options.format.json {
        say!("Nothing has arrived yet.");
    }
    while let Some(connection) = &mut events {
        let Some(event) = connection.event().await? else {
            break;
        };
        match event {
            EventView::FileComplete(message) => {
                show(&mut session, options, &message).await?;
            }
            EventView::NoRoom { contact } => no_room(contact.as_deref()),
            EventView::Received(_) | EventView::Lagged { .. } => {
                show_new(&mut session, options, &mut last).await?;
            }
            other => room::happened(&other),
        }
    }
    session.close().await;
    Ok(())
}

async fn remove(place: &Place, which: &InboxRm) -> Result<(), Failure> {
    let request = Request::DeleteMessages {
        contact: which.contact.clone(),
        messages: (!which.ids.is_empty()).then(|| which.ids.clone()),
    };
    let Answer::Deleted(count) = ask(place, request).await? else {
        return unexpected();
    };
    if which.format.json {
        return print_json(&serde_json::json!({ "deleted": count }));
    }
    match count {
        0 => say!("There was nothing to delete."),
        1 => say!("1 message is deleted."),
        count => say!("{count} messages are deleted."),
    }
    Ok(())
}

async fn follow(place: &Place) -> Result<Connection, Failure> {
    let dir = place.dir()?;
    let connection = Connection::open(&dir).await?;
    let mut connection = connection.ok_or_else(|| {
        let dir = dir.display();
        Failure::new(format!(
            "No node runs in {dir}; start one with `chappe --home {dir} run`."
        ))
    })?;
    connection.follow().await?;
    Ok(connection)
}

async fn show_new(
    session: &mut Session,
    options: &Inbox,
    last: &mut Option<u64>,
) -> Result<usize, Failure> {
    let Answer::Inbox(messages) = session.ask(Request::Inbox { after: *last }).await? else {
        return unexpected();
    };
    for message in &messages {
        show(session, options, message).await?;
        *last = Some(message.id);
    }
    Ok(messages.len())
}

async fn show(
    session: &mut Session,
    options: &Inbox,
    message: &IncomingView,
) -> Result<(), Failure> {
    if options.format.json {
        print_json(message)?;
    } else {
        put(&line(message))?;
    }
    let (
        Some(dir),
        ContentView::File {
            name,
            complete: true,
            ..
        },
    ) = (&options.save, &message.content)
    else {
        return Ok(());
    };
    let request = Request::File {
        message: message.id,
    };
    let (_, data) = session.ask_with(request, Vec::new()).await?;
    let path = save(dir, name, &data)?;
    if !options.format.json {
        say!("      saved as {}", path.display());
    }
    Ok(())
}

/// Says that something found no room. To standard error, for what is on standard output are messages.
pub(super) fn no_room(contact: Option<&str>) {
    match contact {
        Some(name) => {
            let name = safe_line(name);
            eprintln!(
                "{name} has used up its share of the store; `chappe inbox rm` makes room for what waits."
            );
        }
        None => {
            eprintln!("The store is full; `chappe inbox rm` makes room, or free some disk space.")
        }
    }
}

fn line(message: &IncomingView) -> String {
    let style = if message.verified {
        Style::Good
    } else {
        Style::Warn
    };
    let content = match &message.content {
        ContentView::Text(text) => safe(text).replace('\n', "\n      "),
        ContentView::File {
            name,
            size,
            complete: true,
            ..
        } => {
            format!("[file {}, {}]", safe_line(name), bytes(*size))
        }
        ContentView::File {
            name,
            size,
            chunks_here,
            chunks,
            ..
        } => format!(
            "[file {}, {}, {chunks_here} of {chunks} pieces are here]",
            safe_line(name),
            bytes(*size)
        ),
        ContentView::Locked => format!(
            "[locked with another key, or not locked: `chappe contact lock {}`]",
            safe_line(&message.from)
        ),
        ContentView::Opaque { size } => format!("[{} for another program]", bytes(*size)),
    };
    let written = match &message.sent {
        Some(time) => styled(Style::Dim, &format!("{}  ", minute(time))),
        None => String::new(),
    };
    let room = match &message.room {
        Some(room) => format!("[{}] ", safe_line(room)),
        None => String::new(),
    };
    format!(
        "{:>4}  {written}{room}{} ({}): {content}",
        message.id,
        styled(Style::Bold, &safe_line(&message.from)),
        styled(style, trust(message.verified)),
    )
}

/// A time as its sender claims it (XEP-0082, in UTC), to the minute.
fn minute(time: &str) -> String {
    match time.split_once('T') {
        Some((day, clock)) => format!("{day} {} UTC", clock.get(..5).unwrap_or(clock)),
        None => safe_line(time),
    }
}

/// Writes a file that came from someone: never over another one, never outside of `dir`.
fn save(dir: &Path, name: &str, data: &[u8]) -> Result<PathBuf, Failure> {
    fs::create_dir_all(dir).map_err(io(format!("{} cannot be made", dir.display())))?;
    let name = harmless(name);
    for count in 0..MAX_SAME_NAME {
        let path = dir.join(match count {
            0 => name.clone(),
            count => format!("{count}-{name}"),
        });
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(data)
                    .map_err(io(format!("{} cannot be written", path.display())))?;
                return Ok(path);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                // Saved before.
                if fs::read(&path).is_ok_and(|there| there == data) {
                    return Ok(path);
                }
            }
            Err(error) => return Err(io(format!("{} cannot be written", path.display()))(error)),
        }
    }
    Err(Failure::new(format!(
        "There are too many files named {name:?} in {}.",
        dir.display()
    )))
}

/// A file name without folders, hidden names or control characters.
fn harmless(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = safe_line(last).chars().take(100).collect();
    match clean.trim_start_matches('.') {
        "" => "file".to_owned(),
        clean => clean.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_others_stays_in_the_folder() {
        for (given, kept) in [
            ("photo.jpg", "photo.jpg"),
            ("../../.ssh/authorized_keys", "authorized_keys"),
            ("..", "file"),
            ("", "file"),
            (".bashrc", "bashrc"),
            ("a\\b\\c.txt", "c.txt"),
            ("a\u{1b}b", "a\u{fffd}b"),
        ] {
            assert_eq!(harmless(given), kept);
        }
    }

    #[test]
    fn a_saved_file_never_replaces_another() {
        let dir = tempfile::tempdir().unwrap();
        let first = save(dir.path(), "a", b"1").unwrap();
        let second = save(dir.path(), "a", b"2").unwrap();
        assert_ne!(first, second);
        assert_eq!(fs::read(first).unwrap(), b"1");
        assert_eq!(save(dir.path(), "a", b"2").unwrap(), second);
    }
}
