//! A bare L2CAP channel between two adapters: what nodes are compared with.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bluer::adv::Advertisement;
use bluer::l2cap::{SeqPacket, Socket, SocketAddr};
use bluer::{Adapter, AdapterEvent, Address, AddressType, DiscoveryFilter, DiscoveryTransport};
use futures_util::StreamExt as _;
use tokio::time::{sleep, timeout};

/// Says which advertisement is meant.
const MARK: bluer::Uuid = bluer::Uuid::from_u128(0x6261_7265_0000_4000_8000_0000_0000_0001);
const PSM: u16 = 0xf1;
/// As long as a node's packets.
const PACKET_LEN: u16 = 2_048;
const LIMIT: Duration = Duration::from_secs(60);

/// Moves `bytes` from the adapter `from` to the adapter `to`. Gives the time that took, without the set-up.
///
/// # Errors
/// When it does not work within a minute or two.
pub(crate) fn run(from: &str, to: &str, bytes: usize) -> anyhow::Result<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async { timeout(LIMIT * 2, transfer(from, to, bytes)).await? })
}

async fn transfer(from: &str, to: &str, bytes: usize) -> anyhow::Result<Duration> {
    let session = bluer::Session::new().await?;
    let (from, to) = (session.adapter(from)?, session.adapter(to)?);
    from.set_powered(true).await?;
    to.set_powered(true).await?;
    let listener = socket(&to, PSM).await?.listen(1)?;
    let advertisement = Advertisement {
        service_data: BTreeMap::from([(MARK, vec![1])]),
        discoverable: Some(true),
        ..Advertisement::default()
    };
    let _advertised = to.advertise(advertisement).await?;
    let (address, kind) = timeout(LIMIT, discover(&from)).await??;
    let receive = tokio::spawn(async move {
        let (socket, _) = listener.accept().await?;
        let mut buffer = vec![0; usize::from(PACKET_LEN)];
        let mut received = 0;
        while received < bytes {
            let length = socket.recv(&mut buffer).await?;
            anyhow::ensure!(length > 0, "the channel was closed");
            received += length;
        }
        socket.send(b"done").await?;
        // The other end closes.
        socket.recv(&mut buffer).await?;
        anyhow::Ok(())
    });
    let peer = SocketAddr::new(address, kind, PSM);
    let socket = timeout(LIMIT, socket(&from, 0).await?.connect(peer)).await??;
    let took = send(&socket, bytes).await?;
    drop(socket);
    receive.await??;
    from.device(address)?.disconnect().await?;
    Ok(took)
}

async fn send(socket: &SeqPacket, bytes: usize) -> anyhow::Result<Duration> {
    let data = vec![0x5a; bytes];
    let began = Instant::now();
    for packet in data.chunks(usize::from(PACKET_LEN)) {
        socket.send(packet).await?;
    }
    let mut answer = [0; 16];
    socket.recv(&mut answer).await?;
    Ok(began.elapsed())
}

async fn socket(adapter: &Adapter, psm: u16) -> anyhow::Result<Socket<SeqPacket>> {
    let socket = Socket::new_seq_packet()?;
    let (address, kind) = (adapter.address().await?, adapter.address_type().await?);
    socket.bind(SocketAddr::new(address, kind, psm))?;
    socket.set_recv_mtu(PACKET_LEN)?;
    Ok(socket)
}

async fn discover(adapter: &Adapter) -> anyhow::Result<(Address, AddressType)> {
    let filter = DiscoveryFilter {
        transport: DiscoveryTransport::Le,
        ..DiscoveryFilter::default()
    };
    adapter.set_discovery_filter(filter).await?;
    loop {
        let mut found = Box::pin(adapter.discover_devices().await?);
        // Virtual controllers report an advertisement once a scan.
        let turn = timeout(Duration::from_secs(6), async {
            while let Some(event) = found.next().await {
                let AdapterEvent::DeviceAdded(address) = event else {
                    continue;
                };
                let device = adapter.device(address)?;
                let data = device.service_data().await?.unwrap_or_default();
                if data.contains_key(&MARK) && device.rssi().await?.is_some() {
                    return anyhow::Ok((address, device.address_type().await?));
                }
            }
            anyhow::bail!("the scan ended")
        });
        let turn = turn.await;
        drop(found);
        sleep(Duration::from_secs(1)).await;
        if let Ok(found) = turn {
            return found.context("discovering");
        }
    }
}
