//! One adapter, as long as BlueZ serves it. When anything of it breaks it is dropped and opened anew.

use std::collections::{BTreeMap, BTreeSet};

use bluer::adv::{Advertisement, AdvertisementHandle, Type};
use bluer::l2cap::SeqPacketListener;
use bluer::{Adapter, Session, Uuid};

use super::gatt_server::GattServer;
use super::l2cap::{self, Place};
use super::{DBUS_LIMIT, check, within};
use crate::{Beacon, BearerChoice, BleOptions, Psm, SERVICE, Token};

/// An adapter that advertises and listens.
pub(super) struct Radio {
    _session: Session,
    pub(super) adapter: Adapter,
    pub(super) place: Place,
    /// `None` where only GATT is wanted.
    pub(super) listener: Option<SeqPacketListener>,
    pub(super) gatt: GattServer,
    psm: Option<Psm>,
    advert: Option<AdvertisementHandle>,
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
        let place = Place {
            address: within("its address", DBUS_LIMIT, adapter.address())
                .await
                .map_err(refused)?,
            kind: within("its address", DBUS_LIMIT, adapter.address_type())
                .await
                .map_err(refused)?,
        };
        let (listener, psm) = match options.bearer {
            BearerChoice::Gatt => (None, None),
            BearerChoice::Automatic => listen(place).map_err(|error| check::no_l2cap(&error))?,
        };
        let beacon = Beacon { psm, token };
        let gatt = GattServer::serve(&adapter, beacon).await.map_err(refused)?;
        let mut radio = Self {
            _session: session,
            adapter,
            place,
            listener,
            gatt,
            psm,
            advert: None,
        };
        radio.advertise(token).await.map_err(refused)?;
        Ok(radio)
    }

    /// Advertises under a new name. The kernel gives a new advertisement a new address.
    ///
    /// # Errors
    /// When BlueZ refuses.
    pub(super) async fn advertise(&mut self, token: Token) -> Result<(), String> {
        self.advert = None;
        let beacon = Beacon {
            psm: self.psm,
            token,
        };
        self.gatt.rename(beacon);
        let advertisement = Advertisement {
            advertisement_type: Type::Peripheral,
            service_data: BTreeMap::from([(Uuid::from_u128(SERVICE), beacon.encode().to_vec())]),
            service_uuids: BTreeSet::new(),
            discoverable: Some(true),
            ..Advertisement::default()
        };
        let registering = self.adapter.advertise(advertisement);
        self.advert = Some(within("advertising", DBUS_LIMIT, registering).await?);
        Ok(())
    }

    /// Whether the adapter is on and advertises.
    ///
    /// # Errors
    /// What is wrong, in one sentence.
    pub(super) async fn check(&self) -> Result<(), String> {
        let name = self.adapter.name();
        match within("BlueZ", DBUS_LIMIT, self.adapter.is_powered()).await {
            Ok(true) => {}
            Ok(false) => return Err(check::off(name)),
            Err(error) => return Err(check::gone(name, &error)),
        }
        let active = self.adapter.active_advertising_instances();
        match within("BlueZ", DBUS_LIMIT, active).await {
            Ok(0) => Err(format!("{name} stopped advertising; it is told to again")),
            Ok(_) => Ok(()),
            Err(error) => Err(check::gone(name, &error)),
        }
    }
}

fn listen(place: Place) -> std::io::Result<(Option<SeqPacketListener>, Option<Psm>)> {
    let listener = l2cap::listen(place)?;
    let number = listener.as_ref().local_addr()?.psm;
    let psm = u8::try_from(number).ok().and_then(Psm::new);
    Ok((Some(listener), psm))
}
