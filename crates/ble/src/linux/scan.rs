//! Scanning, in turns of listening and rest.

use std::time::Duration;

use bluer::{Adapter, AdapterEvent, Address, AddressType, DiscoveryFilter, DiscoveryTransport};
use futures_util::StreamExt as _;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{DBUS_LIMIT, within};
use crate::{Beacon, SERVICE};

/// A beacon that was heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) beacon: Beacon,
    pub(super) address: Address,
    pub(super) kind: AddressType,
}

/// How long BlueZ may take to end a scan. Radios scan or connect, and the kernel does one after the other.
const END_LIMIT: Duration = Duration::from_secs(3);
/// After a scan that could not be begun.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// Scans until nobody listens. While `hold` says so, it does not; `quiet` tells that it does not.
///
/// # Errors
/// When BlueZ refuses a scan: the adapter is off or gone.
pub(super) async fn scan(
    adapter: Adapter,
    turn: Duration,
    rest: Duration,
    heard: mpsc::Sender<Heard>,
    mut hold: watch::Receiver<bool>,
    quiet: watch::Sender<bool>,
) -> Result<(), String> {
    let filter = DiscoveryFilter {
        transport: DiscoveryTransport::Le,
        duplicate_data: true,
        ..DiscoveryFilter::default()
    };
    within("scanning", DBUS_LIMIT, adapter.set_discovery_filter(filter)).await?;
    let mut failures = 0;
    loop {
        if hold.wait_for(|hold| !*hold).await.is_err() {
            return Ok(());
        }
        quiet.send_replace(false);
        match within(
            "scanning",
            DBUS_LIMIT,
            adapter.discover_devices_with_changes(),
        )
        .await
        {
            Ok(found) => {
                failures = 0;
                let found = std::pin::pin!(found);
                listen(&adapter, found, turn, &heard, &mut hold).await;
            }
            Err(_) if failures < 2 => {
                failures += 1;
                sleep(FAILURE_PAUSE).await;
            }
            Err(error) => return Err(error),
        }
        ended(&adapter).await;
        quiet.send_replace(true);
        if heard.is_closed() {
            return Ok(());
        }
        // After a hold it begins at once.
        tokio::select! {
            () = sleep(rest) => {}
            held = hold.wait_for(|hold| *hold) => drop(held),
        }
    }
}

/// One turn.
async fn listen(
    adapter: &Adapter,
    mut found: std::pin::Pin<&mut impl futures_util::Stream<Item = AdapterEvent>>,
    turn: Duration,
    heard: &mpsc::Sender<Heard>,
    hold: &mut watch::Receiver<bool>,
) {
    let end = Instant::now() + turn;
    loop {
        let event = tokio::select! {
            event = found.next() => event,
            () = sleep_until(end) => return,
            held = hold.wait_for(|hold| *hold) => {
                drop(held);
                return;
            }
        };
        let Some(event) = event else { return };
        let AdapterEvent::DeviceAdded(address) = event else {
            continue;
        };
        let beacon = timeout(DBUS_LIMIT, beacon(adapter, address)).await;
        if let Ok(Ok(Some(beacon))) = beacon
            && heard.send(beacon).await.is_err()
        {
            return;
        }
    }
}

/// The beacon of a device, if it advertises one now. What BlueZ remembers from earlier has no signal strength.
async fn beacon(adapter: &Adapter, address: Address) -> bluer::Result<Option<Heard>> {
    let device = adapter.device(address)?;
    let Some(data) = device.service_data().await? else {
        return Ok(None);
    };
    let data = data.get(&bluer::Uuid::from_u128(SERVICE));
    let Some(beacon) = data.and_then(|data| Beacon::decode(data).ok()) else {
        return Ok(None);
    };
    if device.rssi().await?.is_none() {
        return Ok(None);
    }
    let kind = device.address_type().await?;
    Ok(Some(Heard {
        beacon,
        address,
        kind,
    }))
}

/// Waits until the scan is really over.
async fn ended(adapter: &Adapter) {
    let over = async {
        while matches!(adapter.is_discovering().await, Ok(true)) {
            sleep(Duration::from_millis(100)).await;
        }
    };
    // Another program may scan too: then connecting has to do with that.
    let _ = timeout(END_LIMIT, over).await;
}
