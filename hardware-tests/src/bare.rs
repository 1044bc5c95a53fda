//! A bare L2CAP channel, and bare notifications of GATT, between two adapters: what nodes are compared with.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bluer::adv::{Advertisement, AdvertisementHandle};
use bluer::gatt::CharacteristicWriter;
use bluer::gatt::local::{
    Application, Characteristic, CharacteristicControl, CharacteristicControlEvent,
    CharacteristicNotify, CharacteristicNotifyMethod, Service, characteristic_control,
};
use bluer::l2cap::SeqPacket;
use bluer::{Adapter, AdapterEvent, Address, AddressType, DiscoveryFilter, DiscoveryTransport};
use futures_util::StreamExt as _;
use tokio::time::{sleep, timeout};

use crate::l2cap::{self, PACKET_LEN};

/// Says which advertisement is meant.
const MARK: bluer::Uuid = bluer::Uuid::from_u128(0x6261_7265_0000_4000_8000_0000_0000_0001);
const PSM: u16 = 0xf1;
/// The longest value. A node's are two bytes shorter: it also writes some.
const VALUE_LEN: usize = 512;
const LIMIT: Duration = Duration::from_secs(60);

/// What is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    /// A credit-based channel.
    L2cap,
    /// Notifications, of the longest values.
    Notify,
}

/// Moves `bytes` from the adapter `from` to the adapter `to`. Gives the time that took, without the set-up.
///
/// # Errors
/// When it does not work within a minute or two.
pub(crate) fn run(bare: Bare, from: &str, to: &str, bytes: usize) -> anyhow::Result<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let moved = async {
            match bare {
                Bare::L2cap => channel(from, to, bytes).await,
                Bare::Notify => notify(from, to, bytes).await,
            }
        };
        timeout(LIMIT * 2, moved).await?
    })
}

async fn adapters(one: &str, other: &str) -> anyhow::Result<(Adapter, Adapter)> {
    let session = bluer::Session::new().await?;
    let (one, other) = (session.adapter(one)?, session.adapter(other)?);
    one.set_powered(true).await?;
    other.set_powered(true).await?;
    Ok((one, other))
}

async fn advertise(adapter: &Adapter) -> anyhow::Result<AdvertisementHandle> {
    let advertisement = Advertisement {
        service_data: BTreeMap::from([(MARK, vec![1])]),
        discoverable: Some(true),
        ..Advertisement::default()
    };
    Ok(adapter.advertise(advertisement).await?)
}

async fn channel(from: &str, to: &str, bytes: usize) -> anyhow::Result<Duration> {
    let (from, to) = adapters(from, to).await?;
    let listener = l2cap::socket(&to, PSM).await?.listen(1)?;
    let _advertised = advertise(&to).await?;
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
    let connecting = l2cap::connect(&from, (address, kind), PSM);
    let socket = timeout(LIMIT, connecting).await??;
    let took = send(&socket, bytes).await?;
    drop(socket);
    receive.await??;
    from.device(address)?.disconnect().await?;
    Ok(took)
}

/// The sender serves and the receiver subscribes.
async fn notify(from: &str, to: &str, bytes: usize) -> anyhow::Result<Duration> {
    let (from, to) = adapters(from, to).await?;
    let (mut control, handle) = characteristic_control();
    let application = Application {
        services: vec![Service {
            uuid: MARK,
            primary: true,
            characteristics: vec![Characteristic {
                uuid: MARK,
                notify: Some(CharacteristicNotify {
                    notify: true,
                    method: CharacteristicNotifyMethod::Io,
                    ..CharacteristicNotify::default()
                }),
                control_handle: handle,
                ..Characteristic::default()
            }],
            ..Service::default()
        }],
        ..Application::default()
    };
    let _served = from.serve_gatt_application(application).await?;
    let _advertised = advertise(&from).await?;
    let (address, _) = timeout(LIMIT, discover(&to)).await??;
    let device = to.device(address)?;
    timeout(LIMIT, device.connect()).await??;
    let reader = timeout(LIMIT, subscribe(&device)).await??;
    let writer = timeout(LIMIT, subscriber(&mut control)).await??;
    let began = Instant::now();
    let sending = tokio::spawn(async move {
        let value = vec![0x5a; VALUE_LEN.min(writer.mtu())];
        for _ in 0..bytes.div_ceil(value.len()) {
            writer.send(&value).await?;
        }
        anyhow::Ok(writer)
    });
    let mut received = 0;
    while received < bytes {
        let value = timeout(LIMIT, reader.recv()).await??;
        anyhow::ensure!(!value.is_empty(), "the notifications ended");
        received += value.len();
    }
    let took = began.elapsed();
    drop(sending.await??);
    drop(reader);
    device.disconnect().await?;
    Ok(took)
}

async fn subscribe(device: &bluer::Device) -> anyhow::Result<bluer::gatt::CharacteristicReader> {
    for service in device.services().await? {
        if service.uuid().await? == MARK
            && let Some(characteristic) = service.characteristics().await?.first()
        {
            return Ok(characteristic.notify_io().await?);
        }
    }
    anyhow::bail!("the service is not there")
}

async fn subscriber(control: &mut CharacteristicControl) -> anyhow::Result<CharacteristicWriter> {
    while let Some(event) = control.next().await {
        if let CharacteristicControlEvent::Notify(writer) = event {
            return Ok(writer);
        }
    }
    anyhow::bail!("nobody subscribed")
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
