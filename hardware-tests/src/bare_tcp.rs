//! A bare TCP stream over the interface of a group: what nodes are compared with. Both ends are this program, started in
//! the radios' namespaces.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv6Addr, Shutdown, SocketAddrV6, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::Context as _;

use crate::lab::{Lab, background, kill};
use crate::wait;

const PORT: u16 = 5301;
const LIMIT: Duration = Duration::from_secs(120);
const CHUNK: usize = 128 * 1024;

/// Runs one end: `receive INTERFACE ADDRESS`, or `send INTERFACE ADDRESS BYTES`.
///
/// # Errors
/// When the arguments are others, or the stream breaks.
pub(crate) fn end(args: &[String]) -> anyhow::Result<()> {
    match args {
        [word, interface, address] if word == "receive" => receive(&place(interface, address)?),
        [word, interface, address, bytes] if word == "send" => {
            send(&place(interface, address)?, bytes.parse()?)
        }
        _ => anyhow::bail!("usage: radio-lab tcp receive|send INTERFACE ADDRESS [BYTES]"),
    }
}

/// Moves so many bytes from one radio to another.
///
/// # Errors
/// When it does not work in time.
pub(crate) fn stream(lab: &Lab, from: usize, to: usize, bytes: usize) -> anyhow::Result<()> {
    let address = lab.wifi.group_address(to)?;
    let program = std::env::current_exe()?.display().to_string();
    let there = lab.wifi.group_interface(to)?;
    let mut receiver = lab.wifi.command(to, &program)?;
    receiver.args(["tcp", "receive", &there, &address.to_string()]);
    let mut receiver = background(&mut receiver, &lab.logs().join("bare-tcp.log"))?;
    let here = lab.wifi.group_interface(from)?;
    let sent = wait::until("a bare TCP stream", LIMIT, || {
        // The receiver may not listen yet.
        let line = format!("{program} tcp send {here} {address} {bytes}");
        Ok(lab.wifi.inside(from, &line).ok())
    });
    let ended = receiver.wait();
    kill(&mut receiver);
    sent?;
    anyhow::ensure!(ended?.success(), "the bare TCP stream broke");
    Ok(())
}

/// Moves so many bytes from one radio to another with iperf3. Gives what it says of its goodput, in bit/s.
///
/// # Errors
/// When it does not work in time.
pub(crate) fn iperf3(lab: &Lab, from: usize, to: usize, bytes: usize) -> anyhow::Result<f64> {
    let address = lab.wifi.group_address(to)?;
    let (here, there) = (
        lab.wifi.group_interface(from)?,
        lab.wifi.group_interface(to)?,
    );
    let mut server = lab.wifi.command(to, "iperf3")?;
    server.args(["-s", "-1", "-B", &format!("{address}%{there}")]);
    let mut server = background(&mut server, &lab.logs().join("iperf3.log"))?;
    let told = wait::until("iperf3", LIMIT, || {
        let line = format!("iperf3 -J -c {address}%{here} -n {bytes}");
        Ok(lab.wifi.inside(from, &line).ok())
    });
    kill(&mut server);
    let told: serde_json::Value = serde_json::from_str(&told?)?;
    let rate = told.pointer("/end/sum_received/bits_per_second");
    rate.and_then(serde_json::Value::as_f64)
        .context("iperf3 tells no rate")
}

fn place(interface: &str, address: &str) -> anyhow::Result<SocketAddrV6> {
    let index = fs::read_to_string(format!("/sys/class/net/{interface}/ifindex"))?;
    let address: Ipv6Addr = address.parse()?;
    Ok(SocketAddrV6::new(address, PORT, 0, index.trim().parse()?))
}

fn receive(here: &SocketAddrV6) -> anyhow::Result<()> {
    let (mut stream, _) = TcpListener::bind(here)?.accept()?;
    let mut buffer = vec![0; CHUNK];
    while stream.read(&mut buffer)? > 0 {}
    Ok(())
}

fn send(there: &SocketAddrV6, bytes: usize) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(there)?;
    let chunk = vec![0x5a; CHUNK];
    let mut left = bytes;
    while left > 0 {
        let length = left.min(CHUNK);
        stream.write_all(chunk.get(..length).unwrap_or_default())?;
        left -= length;
    }
    stream.shutdown(Shutdown::Write)?;
    // The other end closes once it has everything.
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}
