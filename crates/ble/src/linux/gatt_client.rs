//! Connecting to a neighbour's GATT service.

use std::time::Duration;

use bluer::gatt::remote::Characteristic;
use bluer::{Adapter, Address, Uuid};

use super::channel::Gatt;
use super::gatt_server::{greeting_uuid, slot_uuid};
use super::inbox::Inbox;
use super::within;
use crate::gatt::told_slot;

/// Connects, finds the service, and takes the slot that the neighbour assigns.
pub(super) async fn connect(
    adapter: &Adapter,
    peer: Address,
    limit: Duration,
) -> Result<Gatt, String> {
    let device = adapter.device(peer).map_err(|error| error.to_string())?;
    within("connecting", limit, device.connect()).await?;
    within("the neighbour's service", limit, async {
        let characteristics = characteristics(&device).await?;
        let find = |uuid| find(&characteristics, uuid);
        let greeting = find(greeting_uuid()).await?.read().await?;
        let slot = told_slot(&greeting).ok_or_else(missing)?;
        let slot = find(slot_uuid(slot)).await?;
        let reader = slot.notify_io().await?;
        let writer = slot.write_io().await?;
        Ok(Gatt::open(Inbox::open(reader), writer, None)?)
    })
    .await
}

/// Those of all services: each of a node's is in one of its own.
async fn characteristics(device: &bluer::Device) -> bluer::Result<Vec<Characteristic>> {
    let mut all = Vec::new();
    for service in device.services().await? {
        all.extend(service.characteristics().await?);
    }
    Ok(all)
}

async fn find(all: &[Characteristic], uuid: Uuid) -> bluer::Result<Characteristic> {
    for characteristic in all {
        if characteristic.uuid().await? == uuid {
            return Ok(characteristic.clone());
        }
    }
    Err(missing())
}

fn missing() -> bluer::Error {
    bluer::Error {
        kind: bluer::ErrorKind::NotFound,
        message: "it has no such service, or no room".to_owned(),
    }
}
