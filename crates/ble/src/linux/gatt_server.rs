//! The GATT services of this node; [`gatt`](crate::gatt) draws it.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bluer::gatt::CharacteristicWriter;
use bluer::gatt::local::{
    Application, ApplicationHandle, Characteristic, CharacteristicControl,
    CharacteristicControlEvent, CharacteristicNotify, CharacteristicNotifyMethod,
    CharacteristicRead, CharacteristicWrite, CharacteristicWriteMethod, ReqError, Service,
    characteristic_control,
};
use bluer::{Adapter, Address, Uuid};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use super::channel::Gatt;
use super::inbox::Inbox;
use super::{DBUS_LIMIT, within};
use crate::gatt::{self, NO_SLOT, SLOTS};
use crate::{Beacon, SERVICE};

/// Where the services begin in the table of attributes: the same on every node. BlueZ would count on with each
/// registration, and strangers would know a node again by the number.
const HANDLE: u16 = 0x0800;
/// Room for a service: itself, its characteristic, and what BlueZ adds.
const HANDLES: u16 = 16;
/// A slot that its neighbour did not open both directions of is free again.
const UNUSED: Duration = Duration::from_secs(20);

/// The characteristic that is read first.
pub(super) const fn greeting_uuid() -> Uuid {
    Uuid::from_u128(gatt::GREETING)
}

/// The characteristic of a slot.
pub(super) const fn slot_uuid(slot: u8) -> Uuid {
    Uuid::from_u128(gatt::slot(slot))
}

/// The service, as long as it is registered.
pub(super) struct GattServer {
    state: Arc<Mutex<State>>,
    pub(super) accepted: mpsc::Receiver<Gatt>,
    _registered: ApplicationHandle,
    _slots: JoinSet<()>,
}

struct State {
    beacon: Beacon,
    slots: BTreeMap<u8, Tenant>,
}

/// Whose slot it is.
struct Tenant {
    address: Address,
    since: Instant,
    connected: bool,
}

/// Held as long as a slot is in use.
pub(super) struct Lease {
    state: Arc<Mutex<State>>,
    slot: u8,
}

impl Drop for Lease {
    fn drop(&mut self) {
        lock(&self.state).slots.remove(&self.slot);
    }
}

impl GattServer {
    /// Registers the service.
    ///
    /// # Errors
    /// When BlueZ refuses.
    pub(super) async fn serve(adapter: &Adapter, beacon: Beacon) -> Result<Self, String> {
        let state = Arc::new(Mutex::new(State {
            beacon,
            slots: BTreeMap::new(),
        }));
        let (sender, accepted) = mpsc::channel(usize::from(SLOTS));
        let mut last = Err("the GATT service was not registered".to_owned());
        let mut slots = JoinSet::new();
        for fixed in [true, false] {
            slots = JoinSet::new();
            let mut services = vec![(SERVICE, greeting(Arc::clone(&state)))];
            for slot in 0..SLOTS {
                let (control, characteristic) = open_slot(slot);
                services.push((gatt::slot_service(slot), characteristic));
                slots.spawn(attend(slot, control, Arc::clone(&state), sender.clone()));
            }
            let services = services.into_iter().zip(0_u16..);
            let services = services.map(|((kind, characteristic), number)| Service {
                uuid: Uuid::from_u128(kind),
                handle: NonZeroU16::new(HANDLE + HANDLES * number).filter(|_| fixed),
                primary: true,
                characteristics: vec![characteristic],
                ..Service::default()
            });
            let application = Application {
                services: services.collect(),
                ..Application::default()
            };
            let registering = adapter.serve_gatt_application(application);
            last = within("the GATT service", DBUS_LIMIT, registering).await;
            if last.is_ok() {
                break;
            }
        }
        let registered = last?;
        Ok(Self {
            state,
            accepted,
            _registered: registered,
            _slots: slots,
        })
    }

    /// What readers are told from now on.
    pub(super) fn rename(&self, beacon: Beacon) {
        lock(&self.state).beacon = beacon;
    }
}

impl State {
    /// The slot of a neighbour: its own, or a free one.
    fn assign(&mut self, address: Address, now: Instant) -> u8 {
        self.slots
            .retain(|_, tenant| tenant.connected || now.duration_since(tenant.since) < UNUSED);
        let own = self
            .slots
            .iter()
            .find(|(_, tenant)| tenant.address == address);
        if let Some((slot, _)) = own {
            return *slot;
        }
        let Some(slot) = (0..SLOTS).find(|slot| !self.slots.contains_key(slot)) else {
            return NO_SLOT;
        };
        let tenant = Tenant {
            address,
            since: now,
            connected: false,
        };
        self.slots.insert(slot, tenant);
        slot
    }

    /// Takes a slot into use, if it is this neighbour's and is not in use.
    fn connect(&mut self, slot: u8, address: Address) -> bool {
        let tenant = self.slots.get_mut(&slot);
        let tenant = tenant.filter(|tenant| tenant.address == address && !tenant.connected);
        tenant.map(|tenant| tenant.connected = true).is_some()
    }
}

fn greeting(state: Arc<Mutex<State>>) -> Characteristic {
    Characteristic {
        uuid: greeting_uuid(),
        read: Some(CharacteristicRead {
            read: true,
            fun: Box::new(move |request| {
                let mut state = lock(&state);
                let slot = state.assign(request.device_address, Instant::now());
                let mut value = state.beacon.encode().to_vec();
                value.push(slot);
                Box::pin(std::future::ready(Ok(value)))
            }),
            ..CharacteristicRead::default()
        }),
        ..Characteristic::default()
    }
}

fn open_slot(slot: u8) -> (CharacteristicControl, Characteristic) {
    let (control, control_handle) = characteristic_control();
    let characteristic = Characteristic {
        uuid: slot_uuid(slot),
        write: Some(CharacteristicWrite {
            write_without_response: true,
            method: CharacteristicWriteMethod::Io,
            ..CharacteristicWrite::default()
        }),
        notify: Some(CharacteristicNotify {
            notify: true,
            method: CharacteristicNotifyMethod::Io,
            ..CharacteristicNotify::default()
        }),
        control_handle,
        ..Characteristic::default()
    };
    (control, characteristic)
}

/// Waits until the slot's tenant has asked for notifications and written; then the channel is open.
///
/// BlueZ has one socket for writes and one for notifications per characteristic, whoever is at the other end, and
/// keeps both until this end closes them. What somebody else than the tenant opened is closed at once, and what
/// stayed half open after a while: else it would swallow what the next tenant says.
async fn attend(
    slot: u8,
    mut control: CharacteristicControl,
    state: Arc<Mutex<State>>,
    accepted: mpsc::Sender<Gatt>,
) {
    let mut half = Half::default();
    loop {
        let event = match half.ends() {
            None => control.next().await,
            Some(ends) => match timeout_at(ends.into(), control.next()).await {
                Ok(event) => event,
                Err(_) => {
                    half = Half::default();
                    continue;
                }
            },
        };
        match event {
            None => return,
            Some(CharacteristicControlEvent::Write(request)) => {
                if is_tenant(&state, slot, request.device_address()) {
                    half.since.get_or_insert_with(Instant::now);
                    half.inbox = request.accept().ok().map(Inbox::open);
                } else {
                    request.reject(ReqError::NotPermitted);
                }
            }
            Some(CharacteristicControlEvent::Notify(writer)) => {
                if is_tenant(&state, slot, writer.device_address()) {
                    half.since.get_or_insert_with(Instant::now);
                    half.writer = Some(writer);
                }
            }
        }
        let (inbox, writer) = match std::mem::take(&mut half) {
            Half {
                inbox: Some(inbox),
                writer: Some(writer),
                ..
            } if inbox.peer == writer.device_address() => (inbox, writer),
            other => {
                half = other;
                continue;
            }
        };
        if !lock(&state).connect(slot, inbox.peer) {
            continue;
        }
        let lease = Lease {
            state: Arc::clone(&state),
            slot,
        };
        let Ok(channel) = Gatt::open(inbox, writer, Some(lease)) else {
            continue;
        };
        if accepted.send(channel).await.is_err() {
            return;
        }
    }
}

/// A channel of which one direction may be open.
#[derive(Default)]
struct Half {
    since: Option<Instant>,
    inbox: Option<Inbox>,
    writer: Option<CharacteristicWriter>,
}

impl Half {
    fn ends(&self) -> Option<Instant> {
        self.since.map(|since| since + UNUSED)
    }
}

/// Whether the slot was assigned to this neighbour and waits for it.
fn is_tenant(state: &Mutex<State>, slot: u8, address: Address) -> bool {
    let state = lock(state);
    let tenant = state.slots.get(&slot);
    tenant.is_some_and(|tenant| tenant.address == address && !tenant.connected)
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Nothing panics while it is held.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
