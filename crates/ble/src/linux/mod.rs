//! Bluetooth LE on Linux: BlueZ over D-Bus (bluer), and the kernel's L2CAP sockets.
//!
//! | file | what |
//! |---|---|
//! | `station` | the loop: greetings in, dials out, links kept |
//! | `radio` | one adapter as long as BlueZ serves it: advertising, listening, the GATT service |
//! | `scan` | scanning, in turns |
//! | `dial`, `channel` | connecting, and what carries packets |
//! | `l2cap`, `gatt_server`, `gatt_client`, `inbox` | the two bearers |
//! | `connections`, `strays` | who is connected, and who carries nothing |
//! | `turn` | from one epoch to the next |
//! | `check` | what `chappe doctor` asks |

mod channel;
pub(crate) mod check;
mod connections;
mod dial;
mod gatt_client;
mod gatt_server;
mod inbox;
mod l2cap;
mod radio;
mod scan;
mod station;
mod strays;
mod turn;

use std::time::Duration;

use chappe_link::{Running, StartError, TransportEvent};
use tokio::sync::mpsc;

use crate::BleOptions;

/// How long BlueZ may take to answer. The kernel does one thing after the other, and gives up connecting after 20 s.
const DBUS_LIMIT: Duration = Duration::from_secs(30);

pub(crate) async fn start(
    options: BleOptions,
    events: mpsc::Sender<TransportEvent>,
) -> Result<Running, StartError> {
    let station = station::Station::open(options, events).await?;
    Ok(Running::spawn(|stop| station.run(stop)))
}

/// Waits for BlueZ, but not for ever.
async fn within<T>(
    what: &str,
    limit: Duration,
    answer: impl Future<Output = bluer::Result<T>>,
) -> Result<T, String> {
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(format!("{what}: {error}")),
        Err(_) => Err(format!("{what}: no answer within {} s", limit.as_secs())),
    }
}
