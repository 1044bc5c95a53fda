//! `chappe id`

use serde::Serialize;

use super::{ask, print_json, unexpected};
use crate::cli::{Id, Place};
use crate::control::protocol::{Answer, Request};
use crate::failure::Failure;
use crate::render::{self, say};

#[derive(Serialize)]
struct Uri<'a> {
    uri: &'a str,
}

pub(super) async fn run(place: &Place, options: &Id) -> Result<(), Failure> {
    if options.forget {
        ask(place, Request::ForgetInvites).await?;
        say!("The contact URIs that nobody had used do not work any more.");
        return Ok(());
    }
    let Answer::Uri(uri) = ask(place, Request::Invite).await? else {
        return unexpected();
    };
    if options.format.json {
        return print_json(&Uri { uri: &uri });
    }
    if !options.no_qr {
        // Upper case makes the code smaller; the URI means the same.
        if let Some(code) = render::qr::half_blocks(&uri.to_uppercase(), render::colours()) {
            say!("{code}");
        }
    }
    say!("{uri}");
    say!();
    say!(
        "For one person; make a fresh one for the next. Scanned face to face it proves who you are;"
    );
    say!("sent any other way it is only as good as that way, until you compare numbers.");
    Ok(())
}
