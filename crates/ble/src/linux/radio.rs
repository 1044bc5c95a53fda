//! One adapter, as long as BlueZ serves it. When anything of it breaks it is dropped and opened anew.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use bluer::adv::{Advertisement, AdvertisementHandle, Type};
use bluer::l2cap::SeqPacketListener;
use bluer::{Adapter, Session, Uuid};

use tokio::task::{JoinError, JoinSet};

use super::gatt_server::GattServer;
use super::l2cap::{self, Place};
use super::{DBUS_LIMIT, check, within};
use crate::{Beacon, BearerChoice, BleOptions, Psm, SERVICE, Token};

/// How many numbers are tried before it is believed that there is none.
const PSM_TRIES: u32 = 16;

/// How long it is asked whether BlueZ is there at all, when it did not answer for an adapter.
const ASK_LIMIT: Duration = Duration::from_secs(5);

/// An adapter that advertises and listens.
pub(super) struct Radio {
    session: Session,
    pub(super) adapter: Adapter,
    pub(super) place: Place,
    /// `None` where only GATT is wanted.
    pub(super) listener: Option<SeqPacketListener>,
    pub(super) gatt: GattServer,
    bearer: BearerChoice,
    advert: Option<AdvertisementHandle>,
    /// Advertisements that BlueZ has not registered yet.
    pub(super) registering: JoinSet<Result<AdvertisementHandle, String>>,
}

impl Radio {
    /// Turns the adapter on if it is off, listens and advertises.
    ///
    /// # Errors
    /// What is wrong and what to do, in one sentence.
    pub(super) async fn open(options: &BleOptions, token: Token) -> Result<Self, String> {
        let name = &options.adapter;
        let session = within("D-Bus", DBUS_LIMIT, Session::new())
            .await
            .map_err(|error| check::no_dbus(&error))?;
        let adapters = within("BlueZ", DBUS_LIMIT, session.adapter_names())
            .await
            .map_err(|error| check::no_bluez(&error))?;
        if !adapters.contains(name) {
            return Err(check::no_adapter(name, &adapters));
        }
        if check::blocked(name) {
            return Err(check::rfkill(name));
        }
        let refused = |error: String| check::refused(name, &error);
        let adapter = session
            .adapter(name)
            .map_err(|error| refused(error.to_string()))?;
        within("turning it on", DBUS_LIMIT, adapter.set_powered(true))
            .await
            .map_err(refused)?;
        if !check::can_advertise(&adapter).await {
            return Err(check::no_peripheral(name));
        }
        let place = Place {
            address: within("its address", DBUS_LIMIT, adapter.address())
                .await
                .map_err(refused)?,
            kind: within("its address", DBUS_LIMIT, adapter.address_type())
                .await
                .map_err(refused)?,
        };
        let beacon = Beacon { psm: None, token };
        let gatt = GattServer::serve(&adapter, beacon).await.map_err(refused)?;
        let mut radio = Self {
            session,
            adapter,
            place,
            bearer: options.bearer,
            listener: None,
            gatt,
            advert: None,
            registering: JoinSet::new(),
        };
        radio.advertise(token).map_err(refused)?;
        if let Some(registered) = radio.registering.join_next().await {
            radio.registered(registered).map_err(refused)?;
        }
        Ok(radio)
    }

    /// Listens and advertises under a new name. The kernel gives a new advertisement a new address.
    ///
    /// BlueZ takes its time: the end is told by `registering`, and is for [`Radio::registered`].
    ///
    /// # Errors
    /// When the kernel gives no place to listen.
    pub(super) fn advertise(&mut self, token: Token) -> Result<(), String> {
        self.advert = None;
        self.listener = None;
        let mut psm = None;
        if self.bearer == BearerChoice::Automatic {
            let (listener, number) = listen(self.place).map_err(|error| check::no_l2cap(&error))?;
            self.listener = Some(listener);
            psm = Some(number);
        }
        let beacon = Beacon { psm, token };
        self.gatt.rename(beacon);
        let advertisement = Advertisement {
            advertisement_type: Type::Peripheral,
            service_data: BTreeMap::from([(Uuid::from_u128(SERVICE), beacon.encode().to_vec())]),
            service_uuids: BTreeSet::new(),
            discoverable: Some(true),
            ..Advertisement::default()
        };
        let adapter = self.adapter.clone();
        self.registering.abort_all();
        self.registering.spawn(async move {
            within("advertising", DBUS_LIMIT, adapter.advertise(advertisement)).await
        });
        Ok(())
    }

    /// Advertises nothing, from soon on.
    pub(super) fn fall_silent(&mut self) {
        self.registering.abort_all();
        self.advert = None;
    }

    /// An advertisement is registered, or is not.
    ///
    /// # Errors
    /// When BlueZ refused.
    pub(super) fn registered(
        &mut self,
        registered: Result<Result<AdvertisementHandle, String>, JoinError>,
    ) -> Result<(), String> {
        // One that was given up for another says nothing.
        if let Ok(registered) = registered {
            self.advert = Some(registered?);
        }
        Ok(())
    }

    /// Whether the adapter is on and advertises.
    ///
    /// # Errors
    /// What is wrong, in one sentence.
    pub(super) fn check(&self) -> impl Future<Output = Result<(), String>> + Send + use<> {
        let (adapter, session) = (self.adapter.clone(), self.session.clone());
        let registered = self.advert.is_some() && self.registering.is_empty();
        async move {
            let name = adapter.name();
            match within("BlueZ", DBUS_LIMIT, adapter.is_powered()).await {
                Ok(true) => {}
                Ok(false) => return Err(check::off(name)),
                Err(error) => return Err(missing(&session, name, &error).await),
            }
            let active = adapter.active_advertising_instances();
            match within("BlueZ", DBUS_LIMIT, active).await {
                Ok(0) if registered => Err(check::mute(name)),
                Ok(_) => Ok(()),
                Err(error) => Err(missing(&session, name, &error).await),
            }
        }
    }
}

/// What is not there any more: the adapter, or BlueZ with all of them.
async fn missing(session: &Session, name: &str, error: &str) -> String {
    match within("BlueZ", ASK_LIMIT, session.adapter_names()).await {
        Ok(_) => check::gone(name, error),
        Err(error) => check::no_bluez(&error),
    }
}

/// Listens where nobody can guess: the same number in two epochs would be a hint that it is the same node.
fn listen(place: Place) -> io::Result<(SeqPacketListener, Psm)> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..PSM_TRIES {
        let mut number = [0];
        getrandom::fill(&mut number).map_err(io::Error::other)?;
        let [number] = number;
        let Some(psm) = Psm::new(number | Psm::FIRST) else {
            continue;
        };
        match l2cap::listen(place, psm.number()) {
            Ok(listener) => return Ok((listener, psm)),
            Err(error) => last = error,
        }
    }
    Err(last)
}
