//! `chappe send`

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use chappe::{MAX_FILE_LEN, MAX_TEXT_LEN};
use serde::Serialize;

use super::{print_json, unexpected};
use crate::cli::{Format, Place, Send};
use crate::control::client::Session;
use crate::control::protocol::{Answer, Request};
use crate::failure::{Failure, io};
use crate::render::bytes;
use crate::render::say;

#[derive(Serialize)]
struct Accepted {
    accepted: u64,
}

/// Says under which number a message was accepted.
pub(super) fn accepted(answer: &Answer, format: &Format) -> Result<(), Failure> {
    let Answer::Accepted(accepted) = *answer else {
        return unexpected();
    };
    if format.json {
        return print_json(&Accepted { accepted });
    }
    say!("accepted as {accepted}");
    Ok(())
}

pub(super) async fn run(place: &Place, options: Send) -> Result<(), Failure> {
    let (request, attached) = request(&options)?;
    let mut session = Session::open(place).await?;
    let answer = session.ask_with(request, attached).await;
    session.close().await;
    accepted(&answer?.0, &options.format)
}

fn request(options: &Send) -> Result<(Request, Vec<u8>), Failure> {
    let contact = options.contact.clone();
    if let Some(path) = &options.file {
        let data = read_file(path)?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        let request = Request::SendFile {
            contact,
            name: name.to_string_lossy().into_owned(),
            media_type: media_type(path).to_owned(),
            size: data.len(),
        };
        return Ok((request, data));
    }
    let text = read_text(options.text.as_deref())?;
    Ok((Request::SendText { contact, text }, Vec::new()))
}

/// The text of the command line, or of standard input in its place.
pub(super) fn read_text(given: Option<&str>) -> Result<String, Failure> {
    let text = match given {
        None | Some("-") => {
            let mut bytes = Vec::new();
            let limit = MAX_TEXT_LEN as u64 + 1;
            let mut input = std::io::stdin().take(limit);
            input
                .read_to_end(&mut bytes)
                .map_err(io("Standard input cannot be read"))?;
            let text = String::from_utf8(bytes)
                .map_err(|_| Failure::new("Standard input is no text; send it with --file."))?;
            without_last_line_end(&text).to_owned()
        }
        Some(text) => text.to_owned(),
    };
    if text.trim().is_empty() {
        return Err(Failure::usage(
            "There is nothing to send; write a text, or use --file PATH.",
        ));
    }
    if text.len() > MAX_TEXT_LEN {
        return Err(Failure::new(format!(
            "The text has more than {MAX_TEXT_LEN} bytes; send it with --file."
        )));
    }
    Ok(text)
}

/// What `echo` puts after a text is no part of it.
fn without_last_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// The content of a file that is small enough to be sent.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let what = format!("The file {} cannot be read", path.display());
    let file = File::open(path).map_err(io(&what))?;
    let length = file.metadata().map_err(io(&what))?.len();
    let too_large = || {
        Failure::new(format!(
            "The file {} has {}; a file may have {} at most: send a smaller one, or in parts.",
            path.display(),
            bytes(length),
            bytes(MAX_FILE_LEN as u64)
        ))
    };
    if length > MAX_FILE_LEN as u64 {
        return Err(too_large());
    }
    let mut data = Vec::new();
    file.take(MAX_FILE_LEN as u64 + 1)
        .read_to_end(&mut data)
        .map_err(io(&what))?;
    if data.len() > MAX_FILE_LEN {
        return Err(too_large());
    }
    if data.is_empty() {
        return Err(Failure::new(format!(
            "The file {} is empty; there is nothing to send.",
            path.display()
        )));
    }
    Ok(data)
}

/// The media type by the file's ending (IANA names).
pub(crate) fn media_type(path: &Path) -> &'static str {
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    match ending.as_deref().and_then(|ending| ending.to_str()) {
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("pdf") => "application/pdf",
        Some("txt") => "text/plain",
        Some("ogg" | "opus") => "audio/ogg",
        Some("mp3") => "audio/mpeg",
        Some("mp4") => "video/mp4",
        _ => "application/octet-stream",
    }
}
