//! The two processes: one sends, the other receives.

use std::error::Error;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::net::Ipv6Addr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use crate::cost::{Cpu, Loopback};
use chappe::{Builder, Chappe, Draft, Event, Events, Home, Profile, Update};
use chappe_ip::{GroupKey, Interface, MemberKey, Place, Rendezvous, Role, Station};

/// 2^20 bytes, so that the length of the file is padded to itself.
const MEGABYTE: usize = 1 << 20;

/// Sends a file to a second process, and tells what it has cost both.
pub(crate) async fn send(megabytes: usize) -> Result<(), Box<dyn Error>> {
    let length = megabytes * MEGABYTE;
    let mut south = Receiver::spawn()?;
    let rendezvous = south.rendezvous()?;
    let invite = south.line()?;
    let folder = tempfile::tempdir_in(".")?;
    let (north, mut events) = start(folder.path(), "north", Role::Member(rendezvous)).await?;
    until(&mut events, |event| matches!(event, Event::PeerUp(_))).await?;
    let to = north.add_contact(&invite, None, true).await?.id;
    // The introduction is there: what follows is the file alone.
    until(&mut events, |event| {
        matches!(event, Event::HandedOver { .. })
    })
    .await?;
    south.say("expect")?;

    let file = Draft::File {
        name: "noise.bin".to_owned(),
        media_type: "application/octet-stream".to_owned(),
        data: noise(length),
    };
    let (before, link, hop) = (Cpu::now()?, Loopback::now()?, on_hop(&north).await?);
    let began = Instant::now();
    north.send(to, file).await?;
    let (sealed, took_to_seal) = (Cpu::now()?, began.elapsed());
    let received = Cpu::parse(&south.line()?)?;
    let took = began.elapsed();
    let sent = Cpu::now()?;
    let (link, hop) = (Loopback::now()? - link, on_hop(&north).await? - hop);
    north.close().await;
    south.end()?;

    let per_mb = |cpu: Cpu| cpu.told_per_mb(length);
    println!(
        "{length} bytes in {:.2} s, of which {:.2} s until it was sealed and on the sender's disk",
        took.as_secs_f64(),
        took_to_seal.as_secs_f64()
    );
    println!("sealing:   {}", per_mb(sealed - before));
    println!("sending:   {}", per_mb(sent - sealed));
    println!("receiving: {}", per_mb(received));
    if let Some(link) = link {
        println!(
            "on lo: {:.4} bytes for each of the file in {} frames, both ways",
            link.bytes as f64 / length as f64,
            link.frames
        );
    }
    let figure = |name: &str, value: f64, unit: &str| println!("figure: {name} = {value} {unit}");
    figure(
        "file-cost-sender",
        (sent - before).millis_per_mb(length),
        "ms/MB",
    );
    figure(
        "file-cost-receiver",
        received.millis_per_mb(length),
        "ms/MB",
    );
    figure(
        "file-cost-goodput",
        length as f64 / 1e6 / (took - took_to_seal).as_secs_f64(),
        "MB/s",
    );
    figure("file-cost-bytes", hop as f64 / length as f64, "times");
    Ok(())
}

/// The process that the file is for.
struct Receiver {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Receiver {
    fn spawn() -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("receive")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take().ok_or("no standard input")?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let lines = BufReader::new(stdout).lines();
        Ok(Self {
            child,
            stdin,
            lines,
        })
    }

    fn line(&mut self) -> Result<String, Box<dyn Error>> {
        Ok(self.lines.next().ok_or("the receiver has ended")??)
    }

    fn say(&mut self, word: &str) -> Result<(), Box<dyn Error>> {
        Ok(writeln!(self.stdin, "{word}")?)
    }

    fn rendezvous(&mut self) -> Result<Rendezvous, Box<dyn Error>> {
        let line = self.line()?;
        let mut words = line.split(' ');
        let mut word = || words.next().ok_or("too few words");
        let address: Ipv6Addr = word()?.parse()?;
        let port = word()?.parse()?;
        let key = word()?.split(',').map(str::parse);
        let key: Vec<u8> = key.collect::<Result<_, _>>()?;
        let key = MemberKey::new(key.try_into().map_err(|_| "a key has 32 bytes")?);
        Ok(Rendezvous { address, port, key })
    }

    fn end(mut self) -> Result<(), Box<dyn Error>> {
        self.say("end")?;
        self.child.wait()?;
        Ok(())
    }
}

/// Receives a file from the process that started this one, and tells it what that has cost.
pub(crate) async fn receive() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir_in(".")?;
    let (south, mut events) = start(folder.path(), "south", Role::Owner).await?;
    println!("{}", south.invite().await?);
    let mut orders = std::io::stdin().lines();
    orders.next().ok_or("the sender has ended")??;
    let before = Cpu::now()?;
    let complete = until(&mut events, |event| matches!(event, Event::FileComplete(_))).await?;
    println!("{}", Cpu::now()? - before);
    if let Event::FileComplete(message) = complete {
        let data = south.file(message.id).await?;
        assert_eq!(data, noise(data.len()));
    }
    orders.next().ok_or("the sender has ended")??;
    south.close().await;
    Ok(())
}

/// A node that meets others on the loopback interface. The owner tells where.
async fn start(folder: &Path, name: &str, role: Role) -> Result<(Chappe, Events), Box<dyn Error>> {
    let place = Place::on(Interface::new("lo")?);
    let station = Station::open(&place, GroupKey::fresh(), role).await?;
    if role == Role::Owner {
        let Rendezvous { address, port, key } = station.rendezvous();
        let key = key.as_bytes().map(|byte| byte.to_string()).join(",");
        println!("{address} {port} {key}");
    }
    let home = Home::create(&folder.join(name), Some(Profile::named(name)), None)?;
    Ok(Builder::at(home).transport(station).start().await?)
}

/// The next event of this kind.
async fn until(
    events: &mut Events,
    kind: impl Fn(&Event) -> bool,
) -> Result<Event, Box<dyn Error>> {
    loop {
        match events.next().await {
            Some(Update::Event(event)) if kind(&event) => return Ok(event),
            Some(_) => {}
            None => return Err("the node has stopped".into()),
        }
    }
}

/// Bytes of the hop's packets so far, both ways.
async fn on_hop(node: &Chappe) -> Result<u64, Box<dyn Error>> {
    let peers = node.peers().await?;
    let bytes = peers
        .iter()
        .map(|peer| peer.sent.get() + peer.received.get());
    Ok(bytes.sum())
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(length)
    .collect()
}
