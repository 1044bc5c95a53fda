//! `chappe run`

use std::path::Path;

use chappe::{Builder, Chappe, Home, HomeError, Recording, Update};
use chappe_link::air::{AirOptions, AirTransport, NodeName};
use chappe_link::trace::Capture;
use chappe_link::{Layered, Transport};
use tokio::signal::unix::{SignalKind, signal};

use super::inbox::no_room;
use super::init::make_home;
use super::room;
use crate::cli::{Place, Run};
use crate::config::Config;
use crate::control::protocol::EventView;
use crate::control::server::Server;
use crate::control::troubles::Troubles;
use crate::failure::{Failure, io, start_failure};
use crate::passphrase;
use crate::radio::{self, Radio};
use crate::render::say;

pub(super) async fn run(place: &Place, options: Run) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(io("Signals cannot be taken"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(io("Signals cannot be taken"))?;
    let config = match &options.config {
        Some(file) => Config::read(file)?,
        None => Config::default(),
    };
    let place = &place.or_at(config.home.as_deref());
    let options = config.complete(options);
    let dir = place.dir()?;
    let builder = builder(place, &options, &dir)?.configure(|node| config.apply(node));
    let node = start(builder, &options, &dir).await?;
    let troubles = Troubles::default();
    let mut events = node.events();
    let server = Server::bind(&dir, node.clone(), troubles.clone())
        .map_err(io("The control socket cannot be made"))?;
    let server = tokio::spawn(server.serve());
    greet(&node, &options, &dir).await?;
    let stopped = async {
        while let Some(update) = events.next().await {
            if let Update::Trouble(says) = &update {
                troubles.note(says.clone());
            }
            match update.into() {
                EventView::NoRoom { contact } => no_room(contact.as_deref()),
                EventView::OlderCopy { commits } => older_copy(commits),
                other => room::happened(&other),
            }
        }
    };
    let ended = tokio::select! {
        _ = terminate.recv() => true,
        _ = interrupt.recv() => true,
        () = stopped => false,
    };
    server.abort();
    let _ = std::fs::remove_file(Home::socket_path(&dir));
    node.close().await;
    if ended {
        Ok(())
    } else {
        Err(Failure::new(
            "The node stopped because its store failed; run `chappe doctor`.",
        ))
    }
}

/// A backup was put back in the place of the store.
fn older_copy(commits: u64) {
    eprintln!(
        "This store is an older copy of itself: {commits} or more changes are missing, and its keys were used already. \
         Contacts are kept; exchange contact URIs again to write to them."
    );
}

fn builder(place: &Place, options: &Run, dir: &Path) -> Result<Builder, Failure> {
    if options.in_memory && !options.relay {
        return Err(Failure::usage(
            "Only a relay can keep everything in memory; add --relay.",
        ));
    }
    if options.in_memory {
        std::fs::create_dir_all(dir)
            .map_err(io(format!("The folder {} cannot be made", dir.display())))?;
        return Ok(Builder::relay_in_memory());
    }
    let home = if options.relay && !Home::exists(dir) {
        make_home(place, None, place.passphrase_fd.is_some())?
    } else {
        let secret = passphrase::for_home(dir, place)?;
        Home::open(dir, secret).map_err(in_use)?
    };
    if options.relay && !home.is_relay() {
        return Err(Failure::new(format!(
            "A person lives in {}; a relay needs a home of its own.",
            dir.display()
        )));
    }
    Ok(Builder::at(home))
}

fn in_use(error: HomeError) -> Failure {
    match error {
        HomeError::InUse(dir) => Failure::new(format!(
            "A node runs in {} already; stop it first, or use another --home.",
            dir.display()
        )),
        error => error.into(),
    }
}

async fn start(mut builder: Builder, options: &Run, dir: &Path) -> Result<Chappe, Failure> {
    let capture = match &options.capture {
        Some(path) => {
            let what = format!("The file {} cannot be written", path.display());
            Some(Capture::create(path).map_err(io(what))?)
        }
        None => None,
    };
    if let Some(path) = &options.record {
        builder = builder.record(recording(path)?);
    }
    for radio in &options.radios {
        builder = match radio {
            Radio::Air { dir: air, name } => {
                add(builder, air_transport(air, name.as_deref(), dir)?, &capture)
            }
            #[cfg(feature = "ble")]
            Radio::Ble(options) => {
                let ble = chappe::ble::BleTransport::new(options.clone());
                add(builder, ble, &capture)
            }
            #[cfg(feature = "wifi-direct")]
            Radio::WifiDirect(options) => {
                let mut options = options.clone();
                let builder = builder.configure(|config| {
                    config.groups = options.agreed.is_none();
                    // A relay stays where it is, and is there for whoever comes by.
                    options.autonomous.get_or_insert(config.is_relay());
                });
                let radio = chappe::wifi_direct::WifiDirectTransport::new(options);
                add(builder, radio, &capture)
            }
        };
    }
    let (node, _events) = builder
        .start()
        .await
        .map_err(|error| start_failure(error, dir))?;
    Ok(node)
}

/// Says what it is before there is anything in it.
fn recording(path: &Path) -> Result<Recording, Failure> {
    let shown = path.display();
    let recording = Recording::create(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::new(format!(
            "The file {shown} exists already; a recording begins a new one."
        )),
        _ => io(format!("The file {shown} cannot be written"))(error),
    })?;
    eprintln!(
        "Everything is recorded in {shown}: keys, messages, contacts, randomness. Whoever has the file can read all that \
         this identity is ever sent and can write in its name: use it with a disposable test identity only, and delete both."
    );
    Ok(recording)
}

fn add(builder: Builder, transport: impl Transport, capture: &Option<Capture>) -> Builder {
    match capture {
        Some(capture) => builder.transport(Layered::new(Box::new(transport), capture.clone())),
        None => builder.transport(transport),
    }
}

fn air_transport(air: &Path, name: Option<&str>, dir: &Path) -> Result<AirTransport, Failure> {
    let name = name
        .map(str::to_owned)
        .or_else(|| radio::default_name(dir))
        .ok_or_else(|| Failure::usage("The radio needs a name: air:DIR,name=NAME."))?;
    let name = NodeName::new(&name).map_err(|error| {
        Failure::usage(format!(
            "{name:?} is no name in the air: {error}; use air:DIR,name=NAME."
        ))
    })?;
    Ok(AirTransport::new(air, name, AirOptions::default()))
}

async fn greet(node: &Chappe, options: &Run, dir: &Path) -> Result<(), Failure> {
    let status = node.status().await?;
    let who = match status.relay {
        true => "A relay".to_owned(),
        false => crate::render::safe_line(&status.name),
    };
    say!("{who} runs in {}; Ctrl-C stops it.", dir.display());
    if options.radios.is_empty() {
        say!("It has no radio; give it one with --radio air:DIR.");
    }
    Ok(())
}
