//! The turn from one epoch to the next: the address that the adapter shows when it scans and connects changes too.
//!
//! The kernel gives each advertisement an address of its own, but scans and connects with another one. That one is due
//! for a change after 900 s, and is changed when a scan begins; not as long as anything is advertised, though (Linux
//! 6.1, `hci_set_random_addr_sync`): left alone, it would stay for as long as the node runs. Controllers without extended
//! advertising have one address for all three. So nothing is advertised for a moment, and a scan begins in it.

use std::time::Duration;

use bluer::Adapter;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::{DBUS_LIMIT, within};

/// How long each step may take: as long as BlueZ is busy with a connection at most. One that takes longer is left out,
/// and the old address is then seen in the new epoch.
const LIMIT: Duration = Duration::from_secs(20);
/// How often BlueZ is asked.
const LOOK: Duration = Duration::from_millis(100);

/// Waits until the advertisement that was given up is off the air, and begins a scan. Holds scans until then.
pub(super) async fn turn(
    adapter: Adapter,
    hold: watch::Sender<bool>,
    mut quiet: watch::Receiver<bool>,
) {
    hold.send_replace(true);
    let _ = timeout(LIMIT, quiet.wait_for(|quiet| *quiet)).await;
    let silent = async {
        while !matches!(advertised(&adapter).await, Ok(0)) {
            sleep(LOOK).await;
        }
    };
    let _ = timeout(LIMIT, silent).await;
    hold.send_replace(false);
    let listens = async {
        let _ = quiet.wait_for(|quiet| !*quiet).await;
        while !matches!(adapter.is_discovering().await, Ok(true)) {
            sleep(LOOK).await;
        }
    };
    let _ = timeout(LIMIT, listens).await;
}

async fn advertised(adapter: &Adapter) -> Result<u8, String> {
    let active = adapter.active_advertising_instances();
    within("BlueZ", DBUS_LIMIT, active).await
}
