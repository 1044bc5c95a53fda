//! How well a link of 1 MB/s meets its rate with 10 MB, through the fault layer alone and through the local air;
//! and what the air carries without a limit. Prints a table: `cargo bench -p chappe-link`.
//!
//! Each figure is one long run against the clock, so there is nothing here for a sampling harness.

use std::error::Error;
use std::time::{Duration, Instant};

use chappe_link::air::{AirOptions, AirTransport, NodeName, Range, Settings};
use chappe_link::fault::{FaultLayer, Faults, Rate};
use chappe_link::{
    Bearer, Layer as _, LinkInfo, LinkReceiver, LinkSender, LinkUp, Transport as _, TransportEvent,
    link,
};
use tokio::sync::mpsc;

const RATE: usize = 1_000_000;
const PACED: usize = 10_000_000;
const UNLIMITED: usize = 500_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        for mtu in [8_192, 512, 20] {
            let took = fault_layer(mtu).await?;
            print(
                &format!("fault layer, MTU {mtu}, 1 MB/s"),
                PACED,
                took,
                true,
            );
        }
        for mtu in ["8192", "512"] {
            let took = air(&["rate=1MB/s", &format!("mtu={mtu}")], PACED).await?;
            print(&format!("air, MTU {mtu}, 1 MB/s"), PACED, took, true);
        }
        let took = air(&[], UNLIMITED).await?;
        print("air, MTU 8192, unlimited", UNLIMITED, took, false);
        Ok(())
    })
}

async fn fault_layer(mtu: usize) -> Result<Duration, Box<dyn Error>> {
    let bearer = Bearer::new("memory");
    let label = String::new();
    let queue = (50_000 / mtu).clamp(2, 1_024);
    let (below, mut end) = link(LinkInfo {
        bearer,
        mtu,
        initiator: true,
        reliable: false,
        label,
        queue,
    });
    let rate = Rate::bytes_per_second(RATE as u64);
    let up = FaultLayer::new(
        Faults {
            rate,
            ..Faults::NONE
        },
        0,
    )
    .wrap(below);
    let start = Instant::now();
    let sending = tokio::spawn(send(up.outgoing, mtu, PACED));
    while end.source.next().await.is_some() {}
    sending.await??;
    Ok(start.elapsed())
}

async fn air(settings: &[&str], bytes: usize) -> Result<Duration, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let settings = Settings::from_words(settings.iter().copied())?;
    Range {
        settings,
        ..Range::default()
    }
    .save(folder.path())?;
    let (north, south) = (
        start(&folder, "north").await?,
        start(&folder, "south").await?,
    );
    let ((running, mut north), (also_running, mut south)) = (north, south);
    let (north, south) = (link_up(&mut north).await?, link_up(&mut south).await?);
    let start = Instant::now();
    let sending = tokio::spawn(send(north.outgoing, north.info.mtu, bytes));
    receive(south.incoming, bytes).await;
    let took = start.elapsed();
    sending.await??;
    running.stop().await;
    also_running.stop().await;
    Ok(took)
}

async fn start(
    folder: &tempfile::TempDir,
    name: &str,
) -> Result<(chappe_link::Running, mpsc::Receiver<TransportEvent>), Box<dyn Error>> {
    let (events, heard) = mpsc::channel(4);
    let name = NodeName::new(name)?;
    let air = AirTransport::new(folder.path(), name, AirOptions::default());
    Ok((Box::new(air).start(events).await?, heard))
}

async fn link_up(heard: &mut mpsc::Receiver<TransportEvent>) -> Result<LinkUp, Box<dyn Error>> {
    match heard.recv().await {
        Some(TransportEvent::LinkUp(link)) => Ok(link),
        other => Err(format!("{other:?}").into()),
    }
}

async fn send(to: LinkSender, mtu: usize, bytes: usize) -> Result<(), chappe_link::SendError> {
    let mut left = bytes;
    while left > 0 {
        let length = left.min(mtu);
        to.send(vec![0; length]).await?;
        left -= length;
    }
    Ok(())
}

async fn receive(mut from: LinkReceiver, bytes: usize) {
    let mut left = bytes;
    while left > 0 {
        let Some(packet) = from.recv().await else {
            return;
        };
        left -= packet.len();
    }
}

fn print(what: &str, bytes: usize, took: Duration, paced: bool) {
    let rate = bytes as f64 / took.as_secs_f64();
    let share = if paced {
        format!("{:.2} % of 1 MB/s", rate / RATE as f64 * 100.0)
    } else {
        String::new()
    };
    println!(
        "{what:<32} {:>8.3} s  {:>9.3} MB/s  {share}",
        took.as_secs_f64(),
        rate / 1e6
    );
}
