//! From a beacon, or from a stranger who has connected, to a link that both ends have greeted each other on.

use std::time::Duration;

use bluer::Adapter;
use tokio::sync::watch;
use tokio::time::timeout;

use super::channel::{Channel, L2cap};
use super::l2cap::{self, Place};
use super::{gatt_client, scan};
use crate::greeted::{Greeted, answered, greet, read};
use crate::packets::Packets as _;
use crate::{Bearing, Dial, Greeting, Token};

/// How long to wait for the scan to end before connecting.
const QUIET_LIMIT: Duration = Duration::from_secs(5);

/// What a dial needs.
pub(super) struct Caller {
    pub(super) adapter: Adapter,
    pub(super) place: Place,
    pub(super) own: Token,
    pub(super) connect: Duration,
    pub(super) greet: Duration,
    /// Keeps the radio from scanning.
    pub(super) hold: watch::Sender<bool>,
    pub(super) quiet: watch::Receiver<bool>,
}

/// Connects to `heard` and greets it.
///
/// # Errors
/// Why it did not work. The connection is closed.
pub(super) async fn dial(
    caller: &mut Caller,
    dial: Dial,
    heard: scan::Heard,
) -> Result<Greeted<Channel>, String> {
    caller.hold.send_replace(true);
    // Where it goes on scanning, connecting takes longer.
    let _ = timeout(QUIET_LIMIT, caller.quiet.wait_for(|quiet| *quiet)).await;
    let connected = connect(caller, dial.bearing, heard).await;
    caller.hold.send_replace(false);
    let greeted = match connected {
        Ok(channel) => greet(channel, caller.own, dial.token, caller.greet).await,
        Err(error) => Err(error),
    };
    if greeted.is_err() {
        hang_up(&caller.adapter, heard.address).await;
    }
    greeted
}

async fn connect(caller: &Caller, bearing: Bearing, heard: scan::Heard) -> Result<Channel, String> {
    match (bearing, heard.beacon.psm) {
        (Bearing::L2cap, Some(psm)) => {
            let peer = Place {
                address: heard.address,
                kind: heard.kind,
            };
            let connecting = async {
                let socket = l2cap::connect(caller.place, peer, psm.number()).await?;
                L2cap::open(heard.address, socket).await
            };
            match timeout(caller.connect, connecting).await {
                Ok(Ok(channel)) => Ok(Channel::L2cap(channel)),
                Ok(Err(error)) => Err(format!("L2CAP: {error}")),
                Err(_) => Err("L2CAP: nobody answered".to_owned()),
            }
        }
        _ => gatt_client::connect(&caller.adapter, heard.address, caller.connect)
            .await
            .map(Channel::Gatt),
    }
}

/// Waits for the greeting of somebody who has connected.
///
/// # Errors
/// Why there was none. The channel is closed.
pub(super) async fn welcome(channel: Channel, limit: Duration) -> Result<Greeted<Channel>, String> {
    let greeting = answered(limit, read(&channel)).await?;
    Ok(Greeted {
        channel,
        token: greeting.from,
        own: greeting.to,
    })
}

/// Answers a greeting: this link stays.
///
/// # Errors
/// When the other end is gone.
pub(super) async fn answer(greeted: &Greeted<Channel>, limit: Duration) -> Result<(), String> {
    let answer = Greeting {
        from: greeted.own,
        to: greeted.token,
    };
    answered(limit, greeted.channel.send(&answer.encode())).await
}

/// Ends the connection itself, on which BlueZ holds a channel of its own.
pub(super) async fn hang_up(adapter: &Adapter, peer: bluer::Address) {
    if let Ok(device) = adapter.device(peer) {
        // It may be gone already.
        let _ = timeout(super::DBUS_LIMIT, device.disconnect()).await;
    }
}
