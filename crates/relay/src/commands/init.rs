//! `chappe init`

use chappe::{Builder, Home, Profile};

use crate::cli::{Init, Place};
use crate::failure::{Failure, start_failure};
use crate::passphrase;
use crate::render::say;

pub(super) async fn run(place: &Place, options: Init) -> Result<(), Failure> {
    let profile = options.name.clone().map(|name| Profile {
        name,
        jid: options.jid.clone(),
    });
    let home = make_home(place, profile, options.passphrase)?;
    let dir = home.dir().to_owned();
    // The store is made here as well, so that whatever is wrong is said now.
    let started = Builder::at(home).start().await;
    let (node, _events) = started.map_err(|error| start_failure(error, &dir))?;
    node.close().await;
    match options.name {
        Some(name) => say!(
            "{name} lives in {}; its keys were made there.",
            dir.display()
        ),
        None => say!("A relay lives in {}.", dir.display()),
    }
    Ok(())
}

/// Makes a home: a person's with a profile, else a relay's.
pub(super) fn make_home(
    place: &Place,
    profile: Option<Profile>,
    with_passphrase: bool,
) -> Result<Home, Failure> {
    let dir = place.dir()?;
    if Home::exists(&dir) {
        return Err(chappe::HomeError::Exists(dir).into());
    }
    if profile
        .as_ref()
        .is_some_and(|profile| profile.name.trim().is_empty())
    {
        return Err(Failure::usage("The name is empty; give one with --name."));
    }
    let secret = match with_passphrase {
        true => Some(passphrase::new(place)?),
        false => None,
    };
    Ok(Home::create(&dir, profile, secret)?)
}
