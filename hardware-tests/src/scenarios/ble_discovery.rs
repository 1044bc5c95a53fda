//! `ble-discovery`: how long two nodes take from being on the air to a link, for some duty cycles of scanning.

use std::time::Duration;

use super::ble_pair::meet;
use crate::capture;
use crate::lab::Lab;
use crate::report::Shown;
use crate::wait;

/// Seconds of scanning, and of rest after it.
const DUTIES: [(u64, u64); 3] = [(6, 4), (3, 12), (2, 28)];
/// So many meetings with each.
const MEETINGS: usize = 5;
const CAPTURE_LIMIT: Duration = Duration::from_secs(120);

pub(super) fn run(lab: &mut Lab) -> anyhow::Result<Shown> {
    lab.radios(2)?;
    let mut shown = Shown::new(format!(
        "{MEETINGS} meetings each, both nodes with the same duty cycle, advertising every 1.28 s"
    ));
    for (scan, rest) in DUTIES {
        let options = format!(",scan={scan},rest={rest},forget=90");
        let mut north = lab
            .node(&format!("north{scan}"), &format!("ble:hci0{options}"))
            .relay()?;
        let (mut took, mut last) = (Vec::new(), 0);
        north.start()?;
        for meeting in 0..MEETINGS {
            let name = format!("south{scan}-{meeting}");
            let mut south = lab.node(&name, &format!("ble:hci1{options}")).relay()?;
            south.start()?;
            meet(&north, &south, "ble-l2cap")?;
            // `btmon` may be late.
            let (began, greeted) =
                wait::until("the meeting in the capture", CAPTURE_LIMIT, || {
                    meeting_after(lab, last)
                })?;
            last = greeted;
            took.push((greeted - began) as f64 / 1e6);
            south.stop();
        }
        took.sort_by(f64::total_cmp);
        println!("{scan} s of {}: {took:?}", scan + rest);
        let duty = 100 * scan / (scan + rest);
        let median = took.get(took.len() / 2).copied().unwrap_or(f64::NAN);
        let longest = took.last().copied().unwrap_or(f64::NAN);
        let figure = format!("scanning {scan} s of {} ({duty} %)", scan + rest);
        shown.figure(format!("{figure}: median"), median, "s", None);
        shown.figure(format!("{figure}: longest"), longest, "s", None);
        north.stop();
    }
    Ok(shown)
}

/// When south's present token was first shown, and when it greeted by it; `None` if that is not in the capture yet, or if it was
/// in the meeting before.
fn meeting_after(lab: &Lab, last: u64) -> anyhow::Result<Option<(u64, u64)>> {
    let sent = capture::read(&lab.logs().join("btmon.snoop"))?;
    let Some(south) = sent.get(&1) else {
        return Ok(None);
    };
    let began = south.token_at(TOKEN).filter(|at| *at > last);
    Ok(began.and_then(|began| {
        let payloads = south.payloads.iter().filter(|it| it.at > began);
        let greeted = payloads.filter(|it| !it.attributes).map(|it| it.at).next();
        Some((began, greeted?))
    }))
}

/// Where the token is in what is advertised.
const TOKEN: std::ops::Range<usize> = 20..28;
