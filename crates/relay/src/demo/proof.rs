//! The proof by search: nothing of north and south is in what the relay had in its hands.

use std::io::Cursor;
use std::path::Path;

use super::actor::Actor;
use super::markers::{Marker, random};
use super::search::{Found, Search};
use super::show::Show;
use crate::failure::{Failure, io};
use crate::render::{Style, bytes, styled};

/// Random bytes around the markers in the control.
const CONTROL_NOISE: usize = 3 << 20;

/// Everything that was in the relay's hands.
pub(crate) struct Hands<'a> {
    /// The relay, still running.
    pub(crate) relay: &'a Actor,
    /// The capture of all bytes that passed over its links.
    pub(crate) capture: &'a Path,
    /// Its log.
    pub(crate) log: &'a Path,
}

/// Searches, shows what came out, and answers whether all of it held.
pub(crate) fn search(
    show: &Show,
    markers: &[Marker],
    hands: &Hands<'_>,
    people: &[&Actor],
    least_captured: u64,
) -> Result<bool, Failure> {
    let forms: usize = markers.iter().map(|marker| marker.forms.len()).sum();
    show.say(&format!(
        "looking for {} markers in {forms} forms:",
        markers.len()
    ));
    for marker in markers {
        show.line(&format!("            - {}", marker.what));
    }
    let search = Search::new(markers);
    let mut held = control(show, markers, &search)?;
    held &= people_have_theirs(show, &search, people)?;

    let mut found = Found::default();
    let unreadable = |what: &'static str| io(format!("The relay's {what} cannot be searched"));
    search
        .files(&hands.relay.home, &mut found)
        .map_err(unreadable("files"))?;
    search
        .files(hands.log, &mut found)
        .map_err(unreadable("log"))?;
    held &= nothing(show, "the relay's files", &found, 1);

    let mut found = Found::default();
    search
        .memory(hands.relay.process(), &mut found)
        .map_err(unreadable("memory"))?;
    held &= nothing(show, "the relay's memory", &found, 1_000_000);

    let mut found = Found::default();
    search
        .files(hands.capture, &mut found)
        .map_err(unreadable("capture"))?;
    held &= nothing(show, "the bytes on its links", &found, least_captured);
    Ok(held)
}

/// The search finds every form of every marker where it was put.
fn control(show: &Show, markers: &[Marker], search: &Search<'_>) -> Result<bool, Failure> {
    let mut noise = vec![0; CONTROL_NOISE];
    getrandom::fill(&mut noise).map_err(|_| Failure::new("The system gives no random numbers."))?;
    // The noise alone must be silent, else the search would find anything.
    let mut quiet = Found::default();
    let odd = || io("The control cannot be searched");
    search
        .stream(Cursor::new(&noise), "noise", &mut quiet)
        .map_err(odd())?;
    let mut missed = 0;
    for marker in markers {
        for form in &marker.forms {
            let at = usize::from(u16::from_le_bytes(random::<2>()?)) * 32;
            let mut hay = noise.clone();
            let Some(place) = hay.get_mut(at..at + form.len()) else {
                missed += 1;
                continue;
            };
            place.copy_from_slice(form);
            let mut found = Found::default();
            search
                .stream(Cursor::new(&hay), "control", &mut found)
                .map_err(odd())?;
            missed += usize::from(!found.hits.contains_key(&marker.what));
        }
    }
    let held = missed == 0 && quiet.hits.is_empty();
    verdict(
        show,
        held,
        &match missed {
            0 => "control: every form of every marker is found where it was put".to_owned(),
            missed => format!("control: {missed} forms are not found where they were put"),
        },
    );
    Ok(held)
}

/// The search finds north's and south's things in the memory of north and south.
fn people_have_theirs(
    show: &Show,
    search: &Search<'_>,
    people: &[&Actor],
) -> Result<bool, Failure> {
    let mut held = true;
    for actor in people {
        let name = actor.name;
        let mut found = Found::default();
        search
            .memory(actor.process(), &mut found)
            .map_err(io(format!("The memory of {name} cannot be searched")))?;
        let own = format!("name of {name}");
        let there = found.hits.contains_key(&own);
        let count = found.hits.len();
        let looked = bytes(found.bytes);
        verdict(
            show,
            there,
            &match there {
                true => format!("control: {count} of them are in {name}'s own memory ({looked})"),
                false => format!("control: {name}'s own memory ({looked}) lacks its own name"),
            },
        );
        held &= there;
    }
    Ok(held)
}

/// Nothing was found, in at least so many bytes.
fn nothing(show: &Show, place: &str, found: &Found, least: u64) -> bool {
    let enough = found.bytes >= least;
    let looked = bytes(found.bytes);
    if !enough {
        let text = format!("{place}: only {looked} were there to look at, so a miss means little");
        verdict(show, false, &text);
    } else if found.hits.is_empty() {
        verdict(show, true, &format!("{place}: nothing found in {looked}"));
    }
    for (what, at) in &found.hits {
        verdict(show, false, &format!("{place}: LEAK: {what} is in {at}"));
    }
    enough && found.hits.is_empty()
}

/// One line of the proof.
pub(crate) fn verdict(show: &Show, held: bool, text: &str) {
    let (style, sign) = match held {
        true => (Style::Good, "ok    "),
        false => (Style::Warn, "FAILED"),
    };
    show.line(&format!("  {}  {text}", styled(style, sign)));
}
