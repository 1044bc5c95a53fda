//! A hostile peer: whatever a stranger with an adapter can do to a node, from outside of its process.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use bluer::gatt::remote::Characteristic;
use bluer::l2cap::SeqPacket;
use bluer::{
    Adapter, AdapterEvent, Address, AddressType, Device, DiscoveryFilter, DiscoveryTransport,
};
use futures_util::StreamExt as _;
use tokio::time::{sleep, timeout};

use crate::controllers::Ghost;
use crate::l2cap;

/// The service that nodes advertise, and how their beacons begin.
const SERVICE: u128 = 0x43ae_9f00_6c68_4d5a_9d0e_6368_6170_7065;
const BEACON: usize = 10;
/// The characteristics of its GATT services: the greeting, and the slots.
const CHARACTERISTICS: std::ops::RangeInclusive<u128> = SERVICE + 1..=SERVICE + 5;
const LIMIT: Duration = Duration::from_secs(20);
const SCAN: Duration = Duration::from_secs(4);
/// How long a node may not be heard. It is silent now and then, and BlueZ is busy.
const PATIENCE: Duration = Duration::from_secs(120);
/// So many channels are opened on a connection before they are closed.
const CHANNELS: usize = 48;
/// So often a node is looked for anew before it counts as gone.
const TRIES: usize = 3;

/// A node as strangers see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prey {
    address: Address,
    kind: AddressType,
    psm: u16,
    token: [u8; 8],
}

/// A hostile peer on an adapter of its own.
pub(crate) struct Hostile {
    runtime: tokio::runtime::Runtime,
    adapter: Adapter,
    seed: u64,
}

impl Hostile {
    /// One that uses this adapter.
    ///
    /// # Errors
    /// When it cannot be used.
    pub(crate) fn on(adapter: &str) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let adapter = runtime.block_on(open(adapter))?;
        Ok(Self {
            runtime,
            adapter,
            seed: 0x9e37_79b9_7f4a_7c15,
        })
    }

    /// Advertisements of devices that are not there: `count` of them, of every length, half of them with the
    /// nodes' service and random data.
    pub(crate) fn ghosts(&mut self, count: usize) -> Vec<Ghost> {
        (0..count)
            .map(|number| {
                let mut address = [0; 6];
                address.copy_from_slice(&self.bytes(6));
                let length = number % 31;
                let mut data = self.bytes(length);
                if number % 2 == 0 {
                    // Service data of a 128-bit service, of as many bytes as there is room for.
                    let mut element = vec![0, 0x21];
                    element.extend(SERVICE.to_le_bytes());
                    element.extend(self.bytes(number % 13));
                    if number % 4 == 0 {
                        // A beacon that can be read, of nobody.
                        element.truncate(18);
                        element.extend([1, 0x80 | number as u8]);
                        element.extend(self.bytes(8));
                    }
                    let length = element.len() as u8 - 1;
                    element.iter_mut().take(1).for_each(|byte| *byte = length);
                    data = element;
                }
                Ghost { address, data }
            })
            .collect()
    }

    /// The nodes that are heard.
    ///
    /// # Errors
    /// When none is.
    pub(crate) fn hunt(&self, nodes: usize) -> anyhow::Result<Vec<Prey>> {
        self.listen(nodes, None)
    }

    /// Scans until so many nodes are heard. The scan ends as soon as the one with this token is.
    fn listen(&self, nodes: usize, wanted: Option<[u8; 8]>) -> anyhow::Result<Vec<Prey>> {
        self.runtime.block_on(async {
            let began = Instant::now();
            loop {
                // BlueZ begins no scan as long as it connects, and then says so or nothing.
                let heard = timeout(LIMIT, hear(&self.adapter, wanted)).await;
                let heard = heard.map_err(anyhow::Error::from).flatten();
                let count = heard.as_ref().map_or(0, Vec::len);
                if count >= nodes {
                    return heard;
                }
                let tired = began.elapsed() > PATIENCE;
                anyhow::ensure!(!tired, "{count} of {nodes} nodes heard, {:?}", heard.err());
                sleep(Duration::from_secs(1)).await;
            }
        })
    }

    /// Opens and closes `count` channels, many on one connection; then every third says something random. How many opened. The
    /// node hangs up on such neighbours, and is then on the air under another address: it is looked for there.
    ///
    /// # Errors
    /// When the adapter does not work.
    pub(crate) fn knock(&mut self, mut prey: Prey, count: usize) -> anyhow::Result<usize> {
        let (mut opened, mut tried) = (0, 0);
        while tried < count {
            // They are held, so that the connection lasts as long.
            let mut held = Vec::new();
            while held.len() < CHANNELS && tried < count {
                tried += 1;
                let knocked = self.runtime.block_on(async {
                    anyhow::Ok(timeout(LIMIT, channel(&self.adapter, prey)).await??)
                });
                match knocked {
                    Ok(socket) => held.push(socket),
                    Err(_) => break,
                }
            }
            opened += held.len();
            for (number, socket) in held.iter().enumerate().step_by(3) {
                let said = self.bytes(number % 60 + 1);
                // The node may have hung up already.
                let _ = self
                    .runtime
                    .block_on(async { timeout(LIMIT, socket.send(&said)).await });
            }
            drop(held);
            if tried < count {
                prey = self.again(prey)?;
            }
        }
        Ok(opened)
    }

    /// The same node, where it is now; another one if it is not heard any more.
    fn again(&self, prey: Prey) -> anyhow::Result<Prey> {
        let mut heard = self.listen(1, Some(prey.token))?;
        let same = heard.iter().position(|one| one.token == prey.token);
        Ok(heard.swap_remove(same.unwrap_or_default()))
    }

    /// Connects and disconnects `count` times, with a channel each time. How many channels opened.
    ///
    /// # Errors
    /// When the adapter does not work.
    pub(crate) fn come_and_go(&mut self, mut prey: Prey, count: usize) -> anyhow::Result<usize> {
        let mut opened = 0;
        for _ in 0..count {
            opened += self.knock(prey, 1)?;
            self.runtime.block_on(async {
                let device = self.adapter.device(prey.address)?;
                let _ = timeout(LIMIT, device.disconnect()).await;
                anyhow::Ok(())
            })?;
            prey = self.again(prey)?;
        }
        Ok(opened)
    }

    /// Opens a channel and says nothing for so long. Whether it was closed by the other side.
    ///
    /// # Errors
    /// When it does not open.
    pub(crate) fn say_nothing(&self, prey: Prey, patience: Duration) -> anyhow::Result<bool> {
        let (_, socket) = self.reach(prey)?;
        self.runtime.block_on(async {
            let mut buffer = [0; 512];
            let closed = timeout(patience, socket.recv(&mut buffer)).await;
            Ok(matches!(closed, Ok(Ok(0) | Err(_))))
        })
    }

    /// Opens a channel to a node, which may be on the air under another address since it was heard, and listen elsewhere.
    fn reach(&self, mut prey: Prey) -> anyhow::Result<(Prey, SeqPacket)> {
        let mut tries = 0;
        loop {
            let opened = self.runtime.block_on(async {
                anyhow::Ok(timeout(LIMIT, channel(&self.adapter, prey)).await??)
            });
            tries += 1;
            match opened {
                Err(_) if tries < TRIES => prey = self.again(prey)?,
                opened => return Ok((prey, opened?)),
            }
        }
    }

    /// Connects to a node without a channel, wherever it is now.
    fn connected(&self, mut prey: Prey) -> anyhow::Result<Device> {
        let mut tries = 0;
        loop {
            let device = self.adapter.device(prey.address)?;
            let connected = self.runtime.block_on(async {
                timeout(LIMIT, device.connect())
                    .await
                    .context("connecting")?
                    .context("connecting")
            });
            tries += 1;
            match connected {
                Err(_) if tries < TRIES => prey = self.again(prey)?,
                connected => return connected.map(|()| device),
            }
        }
    }

    /// Greets as a node does, then sends what a handshake could be for so long: first packets, segments that are never
    /// completed, and random ones. How many packets were taken before the node closed the channel.
    ///
    /// # Errors
    /// When the channel does not open.
    pub(crate) fn never_finish(&mut self, prey: Prey, patience: Duration) -> anyhow::Result<usize> {
        let token = self.bytes(8);
        let packets: Vec<Vec<u8>> = (0..400)
            .map(|number: usize| {
                let mut packet = self.bytes(number * 7 % 200 + 1);
                if let Some(first) = packet.first_mut() {
                    // Every first byte: kinds of packets, numbers of segments and how many there are to be.
                    *first = number as u8;
                }
                packet
            })
            .collect();
        let (prey, socket) = self.reach(prey)?;
        self.runtime.block_on(async {
            let greeting = [&[1][..], &token, &prey.token].concat();
            socket.send(&greeting).await?;
            let began = Instant::now();
            let mut taken = 0;
            for packet in packets.iter().cycle() {
                if began.elapsed() > patience {
                    break;
                }
                match timeout(LIMIT, socket.send(packet)).await {
                    Ok(Ok(_)) => taken += 1,
                    _ => break,
                }
                sleep(Duration::from_millis(20)).await;
            }
            Ok(taken)
        })
    }

    /// Connects as anybody can, and reads all that can be read. How many values.
    ///
    /// # Errors
    /// When there is no connection.
    pub(crate) fn look_around(&self, prey: Prey) -> anyhow::Result<usize> {
        self.runtime.block_on(async {
            let device = self.adapter.device(prey.address)?;
            timeout(LIMIT, device.connect())
                .await
                .context("connecting")??;
            let services = timeout(LIMIT, device.services())
                .await
                .context("services")??;
            let mut read = 0;
            for service in services {
                for characteristic in service.characteristics().await? {
                    let value = timeout(LIMIT, characteristic.read()).await;
                    read += usize::from(matches!(value, Ok(Ok(_))));
                }
            }
            let _ = timeout(LIMIT, device.disconnect()).await;
            Ok(read)
        })
    }

    /// Reads everything of the GATT services and subscribes to what is not its own; writes a value of every length, to one
    /// after the other.
    /// How many writes BlueZ took.
    ///
    /// # Errors
    /// When there is no connection.
    pub(crate) fn scribble(&mut self, prey: Prey) -> anyhow::Result<usize> {
        let values: Vec<Vec<u8>> = (0..=512).map(|length| self.bytes(length)).collect();
        let device = self.connected(prey)?;
        self.runtime.block_on(async {
            let all = timeout(LIMIT, characteristics(&device))
                .await
                .context("services")??;
            let mut listening = Vec::new();
            for characteristic in &all {
                let _ = timeout(LIMIT, characteristic.read()).await;
                listening.push(timeout(LIMIT, characteristic.notify_io()).await);
            }
            let mut written = 0;
            for (value, characteristic) in values.iter().zip(all.iter().cycle()) {
                let wrote = timeout(LIMIT, characteristic.write(value)).await;
                written += usize::from(matches!(wrote, Ok(Ok(()))));
            }
            drop(listening);
            let _ = timeout(LIMIT, device.disconnect()).await;
            Ok(written)
        })
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut next = || {
            self.seed ^= self.seed << 13;
            self.seed ^= self.seed >> 7;
            self.seed ^= self.seed << 17;
            self.seed.to_be_bytes()[0]
        };
        (0..length).map(|_| next()).collect()
    }
}

async fn open(name: &str) -> anyhow::Result<Adapter> {
    let session = bluer::Session::new().await?;
    let adapter = session.adapter(name)?;
    adapter.set_powered(true).await?;
    // Once: it cannot be set while the scan before is still being ended.
    let filter = DiscoveryFilter {
        transport: DiscoveryTransport::Le,
        ..DiscoveryFilter::default()
    };
    adapter.set_discovery_filter(filter).await?;
    Ok(adapter)
}

/// One scan: the beacons in it, until there is the one that is wanted.
async fn hear(adapter: &Adapter, wanted: Option<[u8; 8]>) -> anyhow::Result<Vec<Prey>> {
    let mut found = Box::pin(adapter.discover_devices_with_changes().await?);
    let mut heard: Vec<Prey> = Vec::new();
    let _ = timeout(SCAN, async {
        while let Some(event) = found.next().await {
            let AdapterEvent::DeviceAdded(address) = event else {
                continue;
            };
            let prey = beacon(adapter, address).await.ok().flatten();
            if let Some(prey) = prey {
                heard.retain(|one| one.address != prey.address);
                heard.push(prey);
                if wanted == Some(prey.token) {
                    break;
                }
            }
        }
    })
    .await;
    Ok(heard)
}

async fn beacon(adapter: &Adapter, address: Address) -> anyhow::Result<Option<Prey>> {
    let device = adapter.device(address)?;
    if device.rssi().await?.is_none() {
        return Ok(None);
    }
    let data = device.service_data().await?.unwrap_or_default();
    let data = data.get(&bluer::Uuid::from_u128(SERVICE));
    let Some([1, psm, token @ ..]) = data.map(Vec::as_slice) else {
        return Ok(None);
    };
    if token.len() != BEACON - 2 {
        return Ok(None);
    }
    Ok(Some(Prey {
        address,
        kind: device.address_type().await?,
        psm: u16::from(*psm),
        token: token.try_into()?,
    }))
}

async fn channel(adapter: &Adapter, prey: Prey) -> anyhow::Result<SeqPacket> {
    l2cap::connect(adapter, (prey.address, prey.kind), prey.psm).await
}

async fn characteristics(device: &Device) -> anyhow::Result<Vec<Characteristic>> {
    let mut ours = Vec::new();
    for service in device.services().await? {
        for one in service.characteristics().await? {
            if CHARACTERISTICS.contains(&one.uuid().await?.as_u128()) {
                ours.push(one);
            }
        }
    }
    anyhow::ensure!(!ours.is_empty(), "the node has no such service");
    Ok(ours)
}
