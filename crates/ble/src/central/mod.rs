//! The central role alone, by btleplug: for macOS and Windows, whose systems let a program advertise no service data.
//!
//! Such a node hears beacons, connects, and carries its links over GATT. Nobody hears it, so two of its kind cannot
//! meet; and L2CAP channels are not to be had. On Linux it is there with the feature `central` and `role=central`:
//! a node that does not advertise, and the way to run this code beside the real BlueZ.
//!
//! | file | what |
//! |---|---|
//! | `radio` | what the loop needs of a radio |
//! | `adapter`, `connection` | a radio of the system, by btleplug |
//! | `station` | the loop: beacons in, dials out, links kept |

mod adapter;
mod connection;
mod radio;
mod station;

use std::time::Duration;

use chappe_link::{Running, StartError, TransportEvent};
use tokio::sync::mpsc;

use crate::BleOptions;

/// How long the system may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

pub(crate) async fn start(
    options: BleOptions,
    events: mpsc::Sender<TransportEvent>,
) -> Result<Running, StartError> {
    let adapter = adapter::Adapter::open(&options.adapter)
        .await
        .map_err(StartError::Unavailable)?;
    let station = station::Station::new(adapter, options, events)?;
    Ok(Running::spawn(|stop| station.run(stop)))
}

/// Looks whether the adapter called `name` can be used: `hci0` is the first.
#[cfg(not(target_os = "linux"))]
pub async fn check(name: &str) -> Vec<crate::Finding> {
    let (ok, says) = match adapter::Adapter::open(name).await {
        Ok(_) => (
            true,
            format!(
                "{name} can connect to nodes that advertise; no other node can connect to this one."
            ),
        ),
        Err(says) => (false, says),
    };
    vec![crate::Finding { ok, says }]
}

/// Waits for the system, but not for ever.
async fn within<T, E: std::fmt::Display>(
    what: &str,
    limit: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, String> {
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(format!("{what}: {error}")),
        Err(_) => Err(format!("{what}: no answer within {} s", limit.as_secs())),
    }
}
