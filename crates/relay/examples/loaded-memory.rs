//! Pss of a relay process with 10,000 envelopes in its store: fills a relay's home over the local air, then
//! starts the program beside this example on it.

use std::error::Error;
use std::process::{Command, Stdio};
use std::time::Duration;

use chappe::link::air::{AirOptions, AirTransport, NodeName};
use chappe::{Builder, Home, Profile};

const ENVELOPES: u64 = 10_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("relay");
    fill(folder.path()).await?;

    let program = std::env::current_exe()?
        .parent()
        .and_then(|examples| examples.parent())
        .ok_or("this example is in no target folder")?
        .join("chappe");
    let mut relay = Command::new(program)
        .arg("--home")
        .arg(&home)
        .args(["run", "--relay"])
        .stdout(Stdio::null())
        .spawn()?;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", relay.id()))?;
    relay.kill()?;
    relay.wait()?;
    let pss: f64 = rollup
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .ok_or("the kernel tells no Pss")?
        .trim()
        .parse()?;
    println!("figure: loaded-memory = {:.1} MB", pss * 1024.0 / 1e6);
    Ok(())
}

/// Makes a relay's home that carries as many envelopes as are asked for.
async fn fill(folder: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let radio = |name: &str| -> Result<AirTransport, Box<dyn Error>> {
        Ok(AirTransport::new(
            folder.join("air"),
            NodeName::new(name)?,
            AirOptions::default(),
        ))
    };
    let home = Home::create(&folder.join("relay"), None, None)?;
    let (relay, _events) = Builder::at(home).transport(radio("relay")?).start().await?;
    let writer = Builder::in_memory(Profile::named("writer")).transport(radio("writer")?);
    let (writer, _writer_events) = writer.start().await?;
    let nobody = writer.add_pair("nobody", [7; 32], true).await?;
    for _ in 0..ENVELOPES {
        writer.send_opaque(nobody.id, vec![1; 400]).await?;
    }
    while relay.status().await?.envelopes < ENVELOPES {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    writer.close().await;
    relay.close().await;
    Ok(())
}
