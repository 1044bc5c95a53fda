//! A radio of the system, by btleplug.

use std::time::Duration;

use btleplug::api::{
    Central as _, CentralEvent, CentralState, Manager as _, Peripheral as _, ScanFilter,
};
use btleplug::platform::{self, Manager, PeripheralId};
use futures_util::StreamExt as _;

use super::connection::Connection;
use super::radio::{Event, Events, Radio};
use super::{ANSWER_LIMIT, within};
use crate::{Beacon, SERVICE};

/// An adapter.
#[derive(Clone, Debug)]
pub(super) struct Adapter {
    system: platform::Adapter,
}

impl Adapter {
    /// Opens the adapter that is called `name` on Linux, and is that many elsewhere: `hci0` is the first.
    ///
    /// # Errors
    /// What is wrong and what to do, in one sentence.
    pub(super) async fn open(name: &str) -> Result<Self, String> {
        let manager = within("Bluetooth", ANSWER_LIMIT, Manager::new())
            .await
            .map_err(|error| no_bluetooth(&error))?;
        let adapters = within("Bluetooth", ANSWER_LIMIT, manager.adapters())
            .await
            .map_err(|error| no_bluetooth(&error))?;
        let mut named = Vec::new();
        for system in adapters {
            let told = within("its name", ANSWER_LIMIT, system.adapter_info()).await;
            named.push((told.unwrap_or_default(), system));
        }
        let place = place(name, named.iter().map(|(told, _)| told.as_str()));
        let there = named.len();
        let chosen = place.and_then(|place| named.into_iter().nth(place));
        let Some((_, system)) = chosen else {
            return Err(match there {
                0 => format!(
                    "There is no Bluetooth adapter; plug one in, or run without ble:{name}."
                ),
                1 => format!("There is no adapter {name}; there is one only, hci0."),
                there => format!("There is no adapter {name}; there are {there}, from hci0 on."),
            });
        };
        match within("its state", ANSWER_LIMIT, system.adapter_state()).await {
            Ok(CentralState::PoweredOff) => {
                Err("Bluetooth is switched off; switch it on in the system's settings.".to_owned())
            }
            Ok(_) => Ok(Self { system }),
            Err(error) => Err(no_bluetooth(&error)),
        }
    }
}

/// Which of the adapters is meant. BlueZ tells their names, the others nothing that a person would write.
fn place<'a>(name: &str, mut told: impl Iterator<Item = &'a str>) -> Option<usize> {
    if cfg!(target_os = "linux") {
        return told.position(|told| {
            // As it is told: /org/bluez/hci0, or hci0 (usb:...).
            let word = told.split_whitespace().next().unwrap_or_default();
            word.rsplit('/').next() == Some(name)
        });
    }
    let number: usize = name.strip_prefix("hci")?.parse().ok()?;
    (number < told.count()).then_some(number)
}

fn no_bluetooth(error: &str) -> String {
    format!(
        "The system lets this program use no Bluetooth ({error}); switch Bluetooth on, and allow it to this program."
    )
}

impl Radio for Adapter {
    type Id = PeripheralId;
    type Channel = Connection;

    async fn events(&self) -> Result<Events<PeripheralId>, String> {
        let told = within("Bluetooth", ANSWER_LIMIT, self.system.events()).await?;
        let system = self.system.clone();
        let events = told.filter_map(move |event| read(system.clone(), event));
        Ok(Box::pin(events))
    }

    async fn scan(&self, on: bool) -> Result<(), String> {
        // No filter: macOS would look for the service among those that are named, and a beacon has no room for that.
        let filter = ScanFilter::default();
        match on {
            true => within("scanning", ANSWER_LIMIT, self.system.start_scan(filter)).await,
            false => within("scanning", ANSWER_LIMIT, self.system.stop_scan()).await,
        }
    }

    async fn connect(&self, id: &PeripheralId, limit: Duration) -> Result<Connection, String> {
        let peripheral = self.system.peripheral(id);
        let peripheral = within("the neighbour", limit, peripheral).await?;
        Connection::open(peripheral, limit).await
    }

    async fn disconnect(&self, id: &PeripheralId) {
        if let Ok(peripheral) = self.system.peripheral(id).await {
            // It may be gone already.
            let _ = within("hanging up", ANSWER_LIMIT, peripheral.disconnect()).await;
        }
    }
}

/// What of an event matters here.
async fn read(system: platform::Adapter, event: CentralEvent) -> Option<Event<PeripheralId>> {
    let (id, beacon) = match event {
        CentralEvent::DeviceDisconnected(id) => return Some(Event::Gone(id)),
        CentralEvent::StateUpdate(CentralState::PoweredOff) => return Some(Event::Off),
        CentralEvent::ServiceDataAdvertisement { id, service_data } => {
            let data = service_data.into_iter();
            (
                id,
                beacon(data.map(|(service, data)| (service.as_u128(), data))),
            )
        }
        // BlueZ tells no data with these.
        CentralEvent::DeviceDiscovered(id)
        | CentralEvent::DeviceUpdated(id)
        | CentralEvent::RssiUpdate { id, .. } => {
            let peripheral = system.peripheral(&id).await.ok()?;
            let told = peripheral.properties().await.ok()??;
            // What is remembered from earlier has no signal strength.
            told.rssi?;
            let data = told.service_data.into_iter();
            (
                id,
                beacon(data.map(|(service, data)| (service.as_u128(), data))),
            )
        }
        _ => return None,
    };
    Some(Event::Heard(id, beacon?))
}

/// The beacon among the data of services.
fn beacon(mut data: impl Iterator<Item = (u128, Vec<u8>)>) -> Option<Beacon> {
    let (_, ours) = data.find(|(service, _)| *service == SERVICE)?;
    Beacon::decode(&ours).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn an_adapter_is_found_by_its_name() {
        let told = [
            "hci10 (usb:v1D6Bp0246d0542)",
            "/org/bluez/hci1 (usb)",
            "hci2 ()",
        ];
        assert_eq!(place("hci1", told.into_iter()), Some(1));
        assert_eq!(place("hci10", told.into_iter()), Some(0));
        assert_eq!(place("hci3", told.into_iter()), None);
        assert_eq!(place("", [""; 0].into_iter()), None);
    }
}
