//! How the cost grows with the number of nodes, as a table and a picture.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::plot::{Frame, Group};

const NODES: [u32; 7] = [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000];
const TICKS: [f64; 4] = [1e3, 1e4, 1e5, 1e6];

/// Runs an hour of each number of nodes up to `most`, each in a process of its own, and writes the picture to `file`.
pub(crate) fn draw(file: &Path, most: u32) -> Result<(), Box<dyn Error>> {
    let mut found = Vec::new();
    for nodes in NODES.into_iter().filter(|nodes| *nodes <= most) {
        found.push((f64::from(nodes), micros_a_contact(nodes)?));
    }
    let (first, least) = *found.first().ok_or("at least 1,000 nodes are needed")?;
    let label = |micros: f64| format!("{micros:.1}");
    let measured = found
        .iter()
        .map(|(nodes, micros)| (*nodes, *micros, label(*micros)));
    let allowed = found.iter().map(|(nodes, _)| {
        let micros = least * nodes.log2() / first.log2();
        (*nodes, micros, String::new())
    });
    let groups = [
        Group {
            name: "measured".into(),
            points: measured.collect(),
        },
        Group {
            name: "log of nodes".into(),
            points: allowed.collect(),
        },
    ];
    let highest = groups.iter().flat_map(|group| &group.points);
    let highest = highest.map(|(_, micros, _)| *micros).fold(0.0, f64::max);
    let frame = Frame {
        title: "an hour of random waypoint, spray and wait: what a contact costs in one thread",
        across: "nodes (logarithmic)",
        ticks: &TICKS,
        up: "CPU time of a contact, in us",
        range: (0.0, (highest * 1.2 / 5.0).ceil() * 5.0),
        target: None,
    };
    fs::write(file, frame.draw(&groups))?;
    Ok(())
}

/// A process of its own, because a process is asked for the most memory it ever had.
fn micros_a_contact(nodes: u32) -> Result<f64, Box<dyn Error>> {
    let mut run = Command::new(std::env::current_exe()?);
    let output = run.args([nodes.to_string(), "1".into()]).output()?;
    let text = String::from_utf8(output.stdout)?;
    print!("{text}");
    let micros = text.split_once("; a contact ").map(|(_, rest)| rest);
    let micros = micros.and_then(|rest| rest.split_once(" us"));
    match micros {
        Some((micros, _)) if output.status.success() => Ok(micros.parse()?),
        _ => Err(format!("the run of {nodes} nodes failed ({})", output.status).into()),
    }
}
