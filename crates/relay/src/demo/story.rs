//! The play itself, act by act.

use std::collections::BTreeSet;
use std::path::Path;

use chappe::{Builder, Chappe, Home, Invite, Profile};
use tokio::sync::mpsc;

use super::actor::Actor;
use super::markers::{Marker, from_hex, random, word};
use super::photo::Photo;
use super::proof::{self, Hands, verdict};
use super::show::Show;
use super::stage::Stage;
use crate::cli::Demo;
use crate::control::protocol::{CarriedView, ContentView, IncomingView, Request};
use crate::failure::{Failure, io, start_failure};
use crate::render::bytes;

/// News of the three nodes that wait to be shown.
const HEARD: usize = 1_024;
/// For tests of the demo: a marker is put where the relay could have leaked it, `files` or `capture`.
const PLANT: &str = "CHAPPE_DEMO_PLANT";

/// What this run is about: who, what they write, and what must not be found.
struct Script {
    text: String,
    answer: String,
    photo: Photo,
    markers: Vec<Marker>,
}

/// Plays in `folder`.
pub(super) async fn play(folder: &Path, options: &Demo) -> Result<(), Failure> {
    let show = Show::new();
    show.act("Keys are made, and contact URIs exchanged as if scanned face to face");
    let script = prepare(folder, options, &show).await?;

    let (sender, heard) = mpsc::channel(HEARD);
    let mut stage = Stage::new(folder, heard, show)?;
    let capture = folder.join("relay.pcap");
    let mut north = Actor::start(folder, "north", None, sender.clone()).await?;
    let mut relay = Actor::start(folder, "relay", Some(&capture), sender.clone()).await?;
    let mut south = Actor::start(folder, "south", None, sender).await?;
    let processes =
        [&north, &relay, &south].map(|actor| format!("{} {}", actor.name, actor.process()));
    stage.show.say(&format!(
        "three processes run: {}; nobody is in range",
        processes.join(", ")
    ));

    stage.show.act("North writes, with nobody in range");
    write(&mut stage, &mut north, &script).await?;
    stage.show.act("The relay comes by north");
    let seen = collect(&mut stage, &mut north, &mut relay).await?;
    stage.show.act("North is gone; the relay comes by south");
    deliver(&mut stage, &mut relay, &mut south, &script).await?;
    stage
        .show
        .act("South answers; its receipts free the relay's buffer");
    let answers = answer(&mut stage, &mut relay, &mut south, &script).await?;
    stage
        .show
        .act("South is gone; the relay comes by north again");
    let last = bring_back(&mut stage, &mut north, &mut relay, &script).await?;
    stage
        .show
        .act("North is gone; the relay comes by south once more");
    last_receipts(&mut stage, &mut relay, &mut south).await?;

    stage.show.act("What the relay could see");
    let all: Vec<CarriedView> = seen.into_iter().chain(answers).chain(last).collect();
    evidence(&stage.show, &all);
    stage.show.act("What the relay could not see");
    plant(&script, &relay, folder)?;
    let hands = Hands {
        relay: &relay,
        capture: &capture,
        log: &folder.join("relay.log"),
    };
    // Everything went over its links at least twice.
    let least = 2 * script.photo.data.len() as u64;
    let mut held = proof::search(
        &stage.show,
        &script.markers,
        &hands,
        &[&north, &south],
        least,
    )?;
    held &= never_met(&stage);

    relay.stop().await?;
    north.stop().await?;
    south.stop().await?;
    let seconds = stage.show.elapsed().as_secs_f64();
    stage.show.line("");
    if held {
        stage
            .show
            .line(&format!("All of it held, in {seconds:.0} s."));
        Ok(())
    } else {
        Err(Failure::new("Not all of it held; see above what failed."))
    }
}

/// Makes the people and the relay, and lets the people exchange contact URIs.
async fn prepare(folder: &Path, options: &Demo, show: &Show) -> Result<Script, Failure> {
    let mut markers = Vec::new();
    let north = home(folder, "north", &mut markers)?;
    let south = home(folder, "south", &mut markers)?;
    let [north, south] = [start(north, folder).await?, start(south, folder).await?];
    let uris = [north.invite().await?, south.invite().await?];
    south.add_contact(&uris[0], None, true).await?;
    north.add_contact(&uris[1], None, true).await?;
    for (name, node, uri) in [("north", &north, &uris[0]), ("south", &south, &uris[1])] {
        let odd = || Failure::new("A contact URI that was just made cannot be read.");
        let invite = Invite::from_uri(uri).map_err(|_| odd())?;
        markers.push(Marker::bytes(
            format!("inbox secret of {name}"),
            invite.inbox.as_bytes(),
        ));
        markers.push(Marker::bytes(
            format!("identity key of {name}"),
            &invite.identity,
        ));
        let fingerprint = node.status().await?.fingerprint;
        let what = format!("fingerprint of {name}");
        markers.push(Marker::fingerprint(what, &fingerprint).ok_or_else(odd)?);
        show.say(&format!(
            "{name} has a contact that was scanned: {} characters of URI",
            uri.len()
        ));
    }
    north.close().await;
    south.close().await;

    let text = options
        .message
        .as_deref()
        .unwrap_or("Meet me at the bridge at noon.");
    let text = format!("{text} [{}]", word()?);
    let answer = format!("I will be there. [{}]", word()?);
    let mark = random::<16>()?;
    let photo = Photo::marked(options.file.as_deref(), &mark)?;
    markers.push(Marker::text("the text of north", &text));
    markers.push(Marker::text("the answer of south", &answer));
    markers.push(Marker::bytes("the mark in north's file", &mark));
    Ok(Script {
        text,
        answer,
        photo,
        markers,
    })
}

async fn start(home: Home, folder: &Path) -> Result<Chappe, Failure> {
    let started = Builder::at(home).start().await;
    let (node, _events) = started.map_err(|error| start_failure(error, folder))?;
    Ok(node)
}

/// Makes a person's home, and markers of all that is in it.
fn home(folder: &Path, name: &str, markers: &mut Vec<Marker>) -> Result<Home, Failure> {
    let profile = Profile {
        name: format!("{name}-{}", word()?),
        jid: Some(format!("{}@{name}.invalid", word()?)),
    };
    markers.push(Marker::text(format!("name of {name}"), &profile.name));
    markers.extend(
        profile
            .jid
            .as_deref()
            .map(|jid| Marker::text(format!("JID of {name}"), jid)),
    );
    let dir = folder.join(name);
    let home = Home::create(&dir, Some(profile), None)?;
    let seed = home.identity_seed();
    markers.push(Marker::bytes(
        format!("identity seed of {name}"),
        seed.as_slice(),
    ));
    let text = std::fs::read_to_string(dir.join("key")).map_err(io("A key cannot be read"))?;
    let key = text
        .lines()
        .find_map(|line| from_hex(line.strip_prefix("key ")?));
    let key = key.ok_or_else(|| Failure::new("A key that was just made cannot be read."))?;
    markers.push(Marker::bytes(format!("store key of {name}"), &key));
    Ok(home)
}

/// North writes a text and sends the file.
async fn write(stage: &mut Stage, north: &mut Actor, script: &Script) -> Result<(), Failure> {
    let contact = north_contact(&script.markers);
    let text = Request::SendText {
        contact: contact.clone(),
        text: script.text.clone(),
    };
    let id = north.send(text, &[]).await?;
    stage
        .show
        .say(&format!("north's text is on its disk: accepted as {id}"));
    let photo = &script.photo;
    let file = Request::SendFile {
        contact,
        name: photo.name.clone(),
        media_type: photo.media_type.to_owned(),
        size: photo.data.len(),
    };
    let id = north.send(file, &photo.data).await?;
    let size = bytes(photo.data.len() as u64);
    stage.show.say(&format!(
        "north's file is on its disk: accepted as {id} ({}, {size})",
        photo.name
    ));
    Ok(())
}

/// The relay takes what north has. Answers with what it saw.
async fn collect(
    stage: &mut Stage,
    north: &mut Actor,
    relay: &mut Actor,
) -> Result<Vec<CarriedView>, Failure> {
    let own = north.carried().await?;
    stage
        .show
        .begin_transfer(own.iter().map(|envelope| envelope.size).sum());
    stage.meet("north", "relay")?;
    let what = "the relay takes what north has";
    stage
        .wait(what, async |_| {
            let all = relay.status().await?.envelopes >= own.len() as u64;
            let states = north.outbox().await?;
            Ok(all && states.iter().all(|sent| sent.state == "carried"))
        })
        .await?;
    stage.settle().await;
    stage.show.end_transfer("north", "relay");
    let seen = relay.carried().await?;
    leave(stage, relay).await?;
    Ok(seen)
}

/// South gets it all.
async fn deliver(
    stage: &mut Stage,
    relay: &mut Actor,
    south: &mut Actor,
    script: &Script,
) -> Result<(), Failure> {
    let carried = relay.status().await?;
    stage.show.begin_transfer(carried.bytes);
    stage.meet("relay", "south")?;
    stage
        .wait("south has the text and the file", async |_| {
            let arrived = south.inbox().await?;
            Ok(text(&arrived, &script.text) && complete(&arrived).is_some())
        })
        .await?;
    stage.settle().await;
    stage.show.end_transfer("relay", "south");
    let inbox = south.inbox().await?;
    stage.show.say("south's inbox:");
    inbox.iter().for_each(|message| stage.show.message(message));
    let file = complete(&inbox).ok_or_else(|| Failure::new("South's file is gone."))?;
    if south.file(file).await? != script.photo.data {
        return Err(Failure::new("South's file is not the one that north sent."));
    }
    stage.show.say("south's file is north's, byte for byte");
    Ok(())
}

/// South answers, and its receipts free what the relay carried. Answers with what the relay carries then.
async fn answer(
    stage: &mut Stage,
    relay: &mut Actor,
    south: &mut Actor,
    script: &Script,
) -> Result<Vec<CarriedView>, Failure> {
    let arrived = south.inbox().await?;
    let contact = arrived.first().map(|message| message.from.clone());
    let request = Request::SendText {
        contact: contact.ok_or_else(|| Failure::new("South's inbox is empty."))?,
        text: script.answer.clone(),
    };
    let id = south.send(request, &[]).await?;
    stage
        .show
        .say(&format!("south's answer is on its disk: accepted as {id}"));
    stage.show.say("south lets its receipts go after a random while (up to 10 s): a relay is not to learn when it read");
    stage
        .wait(
            "the relay takes the answer, and is freed by receipts",
            async |_| {
                let taken = south
                    .outbox()
                    .await?
                    .iter()
                    .all(|sent| sent.state == "carried");
                let own: BTreeSet<String> = ids(&south.carried().await?, true);
                let held = ids(&relay.carried().await?, false);
                Ok(taken && held == own)
            },
        )
        .await?;
    let status = relay.status().await?;
    stage.show.say(&format!(
        "receipts freed {} envelopes; the relay carries {}",
        status.freed, status.envelopes
    ));
    let seen = relay.carried().await?;
    leave(stage, relay).await?;
    Ok(seen)
}

/// North gets the answer and the receipts, and frees the relay in turn. Answers with what the relay carries then.
async fn bring_back(
    stage: &mut Stage,
    north: &mut Actor,
    relay: &mut Actor,
    script: &Script,
) -> Result<Vec<CarriedView>, Failure> {
    stage.meet("north", "relay")?;
    let what = "north has the answer and the receipts, and its own receipts free the relay";
    stage
        .wait(what, async |_| {
            let answered = text(&north.inbox().await?, &script.answer);
            let delivered = north
                .outbox()
                .await?
                .iter()
                .all(|sent| sent.state == "delivered");
            let own = ids(&north.carried().await?, true);
            Ok(answered && delivered && ids(&relay.carried().await?, false) == own)
        })
        .await?;
    stage.show.say("north's inbox:");
    north
        .inbox()
        .await?
        .iter()
        .for_each(|message| stage.show.message(message));
    stage.show.say("north's outbox: all delivered");
    let seen = relay.carried().await?;
    leave(stage, relay).await?;
    Ok(seen)
}

/// South gets the receipts for its answer, and the last that it had to know of north's session.
async fn last_receipts(
    stage: &mut Stage,
    relay: &mut Actor,
    south: &mut Actor,
) -> Result<(), Failure> {
    stage.meet("relay", "south")?;
    stage
        .wait(
            "south has its receipts, and the relay is empty",
            async |_| {
                let delivered = south
                    .outbox()
                    .await?
                    .iter()
                    .all(|sent| sent.state == "delivered");
                Ok(delivered && relay.status().await?.envelopes == 0)
            },
        )
        .await?;
    stage.show.say("south's outbox: all delivered");
    stage.show.say("the relay carries nothing any more");
    leave(stage, relay).await
}

/// Everybody out of range.
async fn leave(stage: &mut Stage, relay: &mut Actor) -> Result<(), Failure> {
    stage.part()?;
    let gone = async |_: &mut Show| Ok(relay.status().await?.peers == 0);
    stage.wait("the neighbours are out of range", gone).await?;
    stage.settle().await;
    Ok(())
}

/// The envelopes as the relay had them.
fn evidence(show: &Show, envelopes: &[CarriedView]) {
    let sizes: BTreeSet<u64> = envelopes.iter().map(|envelope| envelope.size).collect();
    let tags: BTreeSet<&str> = envelopes
        .iter()
        .map(|envelope| envelope.tag.as_str())
        .collect();
    let named: Vec<String> = sizes.iter().map(u64::to_string).collect();
    show.say(&format!(
        "{} sealed envelopes of {} bytes with {} different tags; one of each size:",
        envelopes.len(),
        named.join(", "),
        tags.len()
    ));
    for size in sizes {
        if let Some(envelope) = envelopes.iter().find(|envelope| envelope.size == size) {
            show.envelope(envelope);
        }
    }
}

/// North and south were never in range of each other.
fn never_met(stage: &Stage) -> bool {
    let met = stage.meetings();
    let direct = met
        .iter()
        .filter(|(one, other)| one != "relay" && other != "relay")
        .count();
    let seen = ["north", "south"]
        .iter()
        .all(|name| met.contains(&("relay".to_owned(), (*name).to_owned())));
    let held = direct == 0 && seen;
    verdict(
        &stage.show,
        held,
        "north and south each met the relay, and never each other",
    );
    held
}

/// Puts a marker where a leaking relay would have: the test of the proof.
fn plant(script: &Script, relay: &Actor, folder: &Path) -> Result<(), Failure> {
    let path = match std::env::var_os(PLANT) {
        Some(place) if place == "files" => relay.home.join("planted"),
        Some(place) if place == "capture" => folder.join("relay.pcap"),
        _ => return Ok(()),
    };
    let mut content = std::fs::read(&path).unwrap_or_default();
    content.extend_from_slice(script.text.as_bytes());
    std::fs::write(path, content).map_err(io("Nothing can be planted"))
}

/// What north calls south.
fn north_contact(markers: &[Marker]) -> String {
    let name = markers.iter().find(|marker| marker.what == "name of south");
    let form = name.and_then(|marker| marker.forms.first());
    form.map(|form| String::from_utf8_lossy(form).into_owned())
        .unwrap_or_default()
}

fn text(messages: &[IncomingView], wanted: &str) -> bool {
    messages
        .iter()
        .any(|message| matches!(&message.content, ContentView::Text(text) if text == wanted))
}

/// The number of the file that is complete.
fn complete(messages: &[IncomingView]) -> Option<u64> {
    messages
        .iter()
        .find(|message| matches!(&message.content, ContentView::File { complete: true, .. }))
        .map(|message| message.id)
}

fn ids(envelopes: &[CarriedView], own_only: bool) -> BTreeSet<String> {
    let wanted = envelopes
        .iter()
        .filter(|envelope| envelope.own || !own_only);
    wanted.map(|envelope| envelope.id.clone()).collect()
}
