//! A bridge between a device of the mesh and XMPP: what the device encrypted goes onto XMPP as it is, and what
//! a client on XMPP encrypted comes back as it is. The half that speaks XMPP holds no keys.
//!
//! `xmpp-bridge ADDRESS JID PASSWORD PEER FLAVOUR`: logs in at `ADDRESS` as `JID`, publishes the device's
//! bundle there, sends each line of standard input to `PEER` and prints what `PEER` sends, as
//! `read FINGERPRINT TEXT`. `FLAVOUR` is `omemo2` or `legacy`. `start` is printed when it is ready. It ends
//! with its input. For a server on the same machine: it speaks without TLS. `cargo xtask xmpp-test` runs it
//! against prosody and slixmpp-omemo.
#![allow(clippy::print_stdout, reason = "a program for people to read")]

mod gateway;
mod mesh;
mod stream;

use std::error::Error;
use std::io::BufRead as _;
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use chappe_omemo::Flavour;
use gateway::Gateway;
use mesh::MeshDevice;
use stream::{Reader, Stanza};

type Failure = Box<dyn Error + Send + Sync>;

/// Lines and stanzas that wait; then their sources do.
const WAITING: usize = 64;

/// What can happen.
enum Happening {
    /// A line was typed.
    Line(String),
    /// A stanza came.
    Stanza(Stanza),
    /// The server hung up, or what it sent makes no sense.
    Lost(Failure),
    /// The input has ended.
    End,
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, jid, password, peer, flavour] = arguments.as_slice() else {
        return Err("usage: xmpp-bridge ADDRESS JID PASSWORD PEER omemo2|legacy".into());
    };
    let flavour = match flavour.as_str() {
        "legacy" => Flavour::Legacy,
        "omemo2" => Flavour::Omemo2,
        _ => return Err("the flavour is `omemo2` or `legacy`".into()),
    };

    let mut device = MeshDevice::new(flavour, jid, peer)?;
    let (mut gateway, reader) = Gateway::log_in(address, jid, password, peer)?;
    gateway.publish(device.id(), &device.bundle())?;

    let (sender, happenings) = mpsc::sync_channel(WAITING);
    listen_to_server(reader, sender.clone());
    listen_to_person(sender);
    println!("start {}", device.fingerprint());
    for happening in happenings {
        match happening {
            Happening::Line(text) => match device.write(&text)? {
                Some(message) => gateway.send(&message)?,
                None => gateway.ask_for_devices(flavour)?, // sent when the bundle is here
            },
            Happening::Stanza(stanza) => take(&mut gateway, &mut device, &stanza)?,
            Happening::Lost(failure) => return Err(failure),
            Happening::End => return Ok(()),
        }
    }
    Ok(())
}

fn take(gateway: &mut Gateway, device: &mut MeshDevice, stanza: &Stanza) -> Result<(), Failure> {
    match gateway.read(stanza)? {
        gateway::Read::Nothing => {}
        gateway::Read::Devices(devices) => {
            // One client has one device here; more would each get a key.
            for id in devices {
                gateway.ask_for_bundle(device.flavour(), id)?;
            }
        }
        gateway::Read::Bundle(id, bundle) => {
            for message in device.meet(id, &bundle)? {
                gateway.send(&message)?;
            }
        }
        gateway::Read::Message(message) => {
            let read = device.read(&message)?;
            if let Some(text) = read.text {
                println!("read {} {text}", read.fingerprint);
            }
            if let Some(answer) = read.answer {
                gateway.send(&answer)?;
            }
        }
    }
    Ok(())
}

fn listen_to_server(mut reader: Reader, sender: SyncSender<Happening>) {
    thread::spawn(move || {
        loop {
            let happening = match reader.stanza() {
                Ok(stanza) => Happening::Stanza(stanza),
                Err(failure) => Happening::Lost(failure),
            };
            let last = matches!(happening, Happening::Lost(_));
            if sender.send(happening).is_err() || last {
                return;
            }
        }
    });
}

fn listen_to_person(sender: SyncSender<Happening>) {
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if sender.send(Happening::Line(line)).is_err() {
                return;
            }
        }
        let _ = sender.send(Happening::End);
    });
}
