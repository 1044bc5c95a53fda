//! A 10 MB file over the local air at 1 MB/s: how much of the link's rate is left for the file.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use chappe::link::air::{AirOptions, AirTransport, Hearing, NodeName, Range, Settings};
use chappe::{Builder, Chappe, Draft, Event, Events, Home, Profile, Update};

const FILE: usize = 10_000_000;
const RATE: f64 = 1_000_000.0;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut shares = Vec::new();
    for run in 1..=3 {
        let seconds = transfer().await?;
        let share = FILE as f64 / RATE / seconds * 100.0;
        println!("run {run}: 10 MB in {seconds:.2} s, {share:.1} % of the rate");
        shares.push(share);
    }
    shares.sort_by(f64::total_cmp);
    println!(
        "figure: file-goodput = {:.1} %",
        shares.get(1).copied().unwrap_or_default()
    );
    Ok(())
}

/// Seconds from coming into range to having the whole file, checked, on disk.
async fn transfer() -> Result<f64, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let air = folder.path().join("air");
    std::fs::create_dir_all(&air)?;
    let mut range = Range {
        hearing: Hearing::NOBODY,
        ..Range::default()
    };
    range.set(Settings::from_words(["rate=1MB/s"])?);
    range.save(&air)?;

    let (north, _north_events) = start(folder.path(), "north").await?;
    let (south, mut south_events) = start(folder.path(), "south").await?;
    let to_south = north
        .add_contact(&south.invite().await?, None, true)
        .await?;
    let mut state = 1_u32;
    let data: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(FILE)
    .collect();
    let file = Draft::File {
        name: "noise.bin".to_owned(),
        media_type: "application/octet-stream".to_owned(),
        data: data.clone(),
    };
    north.send(to_south.id, file).await?;

    range.hearing = Hearing::Everybody;
    range.save(&air)?;
    let mut started = None;
    let complete = loop {
        match south_events.next().await {
            Some(Update::Event(Event::PeerUp(_))) => started = Some(Instant::now()),
            Some(Update::Event(Event::FileComplete(message))) => break message,
            Some(_) => {}
            None => return Err("the node has stopped".into()),
        }
    };
    let took = started.map_or(Duration::MAX, |started| started.elapsed());
    assert_eq!(south.file(complete.id).await?, data);
    north.close().await;
    south.close().await;
    Ok(took.as_secs_f64())
}

async fn start(folder: &Path, name: &str) -> Result<(Chappe, Events), Box<dyn Error>> {
    let home = Home::create(&folder.join(name), Some(Profile::named(name)), None)?;
    let radio = AirTransport::new(
        folder.join("air"),
        NodeName::new(name)?,
        AirOptions::default(),
    );
    Ok(Builder::at(home).transport(radio).start().await?)
}
