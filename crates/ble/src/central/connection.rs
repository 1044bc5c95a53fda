//! A channel over GATT to a neighbour's service, by btleplug.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use btleplug::api::{Characteristic, Peripheral as _, ValueNotification, WriteType};
use btleplug::platform::Peripheral;
use futures_util::{Stream, StreamExt as _};
use tokio::sync::Mutex;

use super::{ANSWER_LIMIT, within};
use crate::packets::Packets;
use crate::{AttMtu, gatt};

/// Writes one way, notifications the other.
pub(super) struct Connection {
    peripheral: Peripheral,
    slot: Characteristic,
    payload: usize,
    /// Read by one at a time.
    values: Mutex<Values>,
}

impl Connection {
    /// Connects, finds the service, and takes the slot that the neighbour assigns.
    ///
    /// # Errors
    /// Why it did not work. The connection is closed.
    pub(super) async fn open(peripheral: Peripheral, limit: Duration) -> Result<Self, String> {
        let opened = match within("connecting", limit, peripheral.connect()).await {
            Ok(()) => within("the neighbour's service", limit, take(&peripheral)).await,
            Err(error) => Err(error),
        };
        match opened {
            Ok((slot, values)) => Ok(Self {
                payload: AttMtu::new(usize::from(peripheral.mtu())).payload(),
                peripheral,
                slot,
                values: Mutex::new(values),
            }),
            Err(error) => {
                // It may not even be there.
                let _ = within("hanging up", ANSWER_LIMIT, peripheral.disconnect()).await;
                Err(error)
            }
        }
    }
}

type Values = Pin<Box<dyn Stream<Item = ValueNotification> + Send>>;

async fn take(peripheral: &Peripheral) -> btleplug::Result<(Characteristic, Values)> {
    peripheral.discover_services().await?;
    let find = |uuid: u128| {
        let mut all = peripheral.characteristics().into_iter();
        all.find(|one| one.uuid.as_u128() == uuid)
            .ok_or(btleplug::Error::NoSuchCharacteristic)
    };
    let greeting = peripheral.read(&find(gatt::GREETING)?).await?;
    let slot = gatt::told_slot(&greeting).ok_or(btleplug::Error::NoSuchCharacteristic)?;
    let slot = find(gatt::slot(slot))?;
    let values = peripheral.notifications().await?;
    peripheral.subscribe(&slot).await?;
    Ok((slot, values))
}

impl Packets for Connection {
    fn bearer(&self) -> &'static str {
        "ble-gatt"
    }

    fn mtu(&self) -> usize {
        self.payload
    }

    /// CoreBluetooth drops a write without response while its queue is full.
    fn reliable(&self) -> bool {
        false
    }

    async fn send(&self, packet: &[u8]) -> io::Result<()> {
        let kind = WriteType::WithoutResponse;
        let written = self.peripheral.write(&self.slot, packet, kind).await;
        written.map_err(io::Error::other)
    }

    async fn recv(&self) -> io::Result<Option<Vec<u8>>> {
        let mut values = self.values.lock().await;
        loop {
            match values.next().await {
                Some(told) if told.uuid == self.slot.uuid => return Ok(Some(told.value)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }
}
