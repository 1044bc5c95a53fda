//! wpa_supplicant, as far as groups go: `fi.w1.wpa_supplicant1` on D-Bus.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use zbus::{Connection, ObjectPath, OwnedObjectPath, OwnedVariant, Proxy, Variant, fdo};

use crate::identity::{DEVICE_NAME, Setting, WORDS, fresh_uuid};
use crate::life::{Goal, Group, Role};

const SERVICE: &str = "fi.w1.wpa_supplicant1";
const ROOT: &str = "/fi/w1/wpa_supplicant1";
const INTERFACE: &str = "fi.w1.wpa_supplicant1.Interface";
const P2P_DEVICE: &str = "fi.w1.wpa_supplicant1.Interface.P2PDevice";
const PERSISTENT_GROUP: &str = "fi.w1.wpa_supplicant1.PersistentGroup";
/// How long wpa_supplicant may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// What the owner of a persistent group is in its network block, and what a member is.
const MODE_OWNER: u32 = 3;
const MODE_MEMBER: u32 = 0;

/// Arguments and answers of wpa_supplicant.
type Dict<'a> = HashMap<&'a str, Variant<'a>>;

/// The bus that wpa_supplicant is on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Bus {
    /// At a D-Bus address, such as `unix:path=/run/b/bus`.
    At(String),
    /// The system's.
    #[default]
    System,
}

/// wpa_supplicant, with the radio that was chosen.
#[derive(Clone, Debug)]
pub(crate) struct Supplicant {
    connection: Connection,
    /// The radio's object.
    device: OwnedObjectPath,
    radio: String,
    /// It was given to wpa_supplicant by this program, with a random address that lasts as long as it is there.
    passing: bool,
    /// It was given to wpa_supplicant just now.
    created: bool,
    /// What the last group was formed with.
    formed_with: Arc<Mutex<Option<Formed>>>,
}

/// What a group was formed with.
#[derive(Clone, Debug)]
struct Formed {
    ssid: String,
    /// The persistent groups that wpa_supplicant knew before. They are not this program's, whatever they are called: a neighbour
    /// chooses the name of the group that one joins.
    others: Vec<OwnedObjectPath>,
}

/// What wpa_supplicant tells of groups.
#[derive(Debug)]
pub(crate) enum Word {
    Failed(String),
    Finished,
    Started(Group),
}

impl Bus {
    pub(crate) async fn connect(&self) -> Result<Connection, RadioError> {
        let builder = match self {
            Self::At(address) => zbus::connection::Builder::address(address.as_str()),
            Self::System => zbus::connection::Builder::system(),
        };
        builder
            .method_timeout(ANSWER_LIMIT)
            .build()
            .await
            .map_err(|error| RadioError::NoBus(error.to_string()))
    }
}

impl Supplicant {
    /// Finds the radio at wpa_supplicant, or gives it to it.
    pub(crate) async fn find(connection: &Connection, radio: &str) -> Result<Self, RadioError> {
        let root = proxy(connection, ROOT, SERVICE).await?;
        let found: zbus::Result<OwnedObjectPath> = root.call("GetInterface", &(radio)).await;
        let mut found = Self {
            connection: connection.clone(),
            device: match found {
                Ok(device) => device,
                Err(error) if named(&error, "InterfaceUnknown") => {
                    return Self::create(connection, radio).await;
                }
                Err(error) => return Err(error.into()),
            },
            radio: radio.to_owned(),
            passing: false,
            created: false,
            formed_with: Arc::default(),
        };
        found.require_p2p().await?;
        found.passing = Setting::is_ours(&found.setting().await);
        Ok(found)
    }

    /// Gives the radio to wpa_supplicant, with a random address if its driver can have one.
    async fn create(connection: &Connection, radio: &str) -> Result<Self, RadioError> {
        let setting = Setting::write();
        if let Err(error) = &setting {
            tracing::warn!(%error, "no setting for wpa_supplicant can be written: the radio's address stays the same");
        }
        if let Ok(setting) = setting {
            let file = setting.path().to_string_lossy();
            if let Ok(mut found) = Self::create_with(connection, radio, Some(&file)).await {
                if found.require_p2p().await.is_ok() {
                    found.passing = true;
                    return Ok(found);
                }
                // A driver with a P2P device of its own does not let its address be changed, and has none then.
                found.remove().await?;
            }
        }
        let found = Self::create_with(connection, radio, None).await?;
        found.require_p2p().await?;
        Ok(found)
    }

    async fn create_with(
        connection: &Connection,
        radio: &str,
        file: Option<&str>,
    ) -> Result<Self, RadioError> {
        let mut args: Dict<'_> =
            HashMap::from([("Ifname", radio.into()), ("Driver", "nl80211".into())]);
        if let Some(file) = file {
            args.insert("ConfigFile", file.into());
        }
        let root = proxy(connection, ROOT, SERVICE).await?;
        let device = root
            .call("CreateInterface", &args)
            .await
            .map_err(|_| RadioError::NoInterface(radio.to_owned()))?;
        Ok(Self {
            connection: connection.clone(),
            device,
            radio: radio.to_owned(),
            passing: false,
            created: true,
            formed_with: Arc::default(),
        })
    }

    /// Whether the radio's address lasts only until [`remove`](Self::remove).
    pub(crate) const fn is_passing(&self) -> bool {
        self.passing
    }

    /// Whether wpa_supplicant did not know the radio before.
    pub(crate) const fn is_created(&self) -> bool {
        self.created
    }

    /// Takes the radio from wpa_supplicant; whoever gives it again gives it another address.
    pub(crate) async fn remove(&self) -> Result<(), RadioError> {
        let root = proxy(&self.connection, ROOT, SERVICE).await?;
        Ok(root.call("RemoveInterface", &(&self.device)).await?)
    }

    /// Whether the driver has a P2P device of its own, whose address stays the same.
    pub(crate) async fn has_lasting_address(&self) -> Result<bool, RadioError> {
        Ok(self.p2p_device().await?.is_some())
    }

    async fn p2p_device(&self) -> Result<Option<OwnedObjectPath>, RadioError> {
        let root = proxy(&self.connection, ROOT, SERVICE).await?;
        let name = format!("p2p-dev-{}", self.radio);
        let found: zbus::Result<OwnedObjectPath> = root.call("GetInterface", &(name)).await;
        match found {
            Ok(object) => Ok(Some(object)),
            Err(error) if named(&error, "InterfaceUnknown") => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The configuration file that the radio was given with.
    async fn setting(&self) -> String {
        let interface = proxy(&self.connection, self.device.clone(), INTERFACE).await;
        let told = match interface {
            Ok(interface) => interface.get_property::<String>("ConfigFile").await.ok(),
            Err(_) => None,
        };
        told.unwrap_or_default()
    }

    /// What it tells from now on. The stream ends with the bus.
    pub(crate) async fn signals(&self) -> Result<zbus::proxy::SignalStream<'static>, RadioError> {
        Ok(self.p2p().await?.receive_all_signals().await?)
    }

    /// Reads a signal; `None` for those that are of no interest.
    pub(crate) async fn word(&self, signal: &zbus::Message) -> Option<Word> {
        let header = signal.header();
        let body = signal.body();
        match header.member()?.as_str() {
            "GroupStarted" => {
                let told: HashMap<String, OwnedVariant> = body.deserialize().ok()?;
                let object = object_path(told.get("interface_object")?)?.to_owned();
                let role = match &**told.get("role")? {
                    Variant::Str(role) if role.as_str() == "GO" => Role::Owner,
                    _ => Role::Member,
                };
                match self.interface_name(&object).await {
                    Ok(interface) => Some(Word::Started(Group {
                        object,
                        interface,
                        role,
                    })),
                    Err(error) => Some(Word::Failed(error.to_string())),
                }
            }
            "GroupFinished" => Some(Word::Finished),
            "GroupFormationFailure" => {
                let reason: String = body.deserialize().unwrap_or_default();
                Some(Word::Failed(reason))
            }
            _ => None,
        }
    }

    /// Asks for a group. That it is up is told later.
    pub(crate) async fn form(&self, goal: &Goal) -> Result<(), RadioError> {
        self.anonymise().await?;
        let p2p = self.p2p().await?;
        let config: Dict<'_> = HashMap::from([("DeviceName", DEVICE_NAME.into())]);
        p2p.set_property("P2PDeviceConfig", config)
            .await
            .map_err(zbus::Error::from)?;
        self.forget_persistent(&p2p).await;
        let mode = match goal.role {
            Role::Owner => MODE_OWNER,
            Role::Member => MODE_MEMBER,
        };
        let network: Dict<'_> = HashMap::from([
            ("ssid", goal.credentials.ssid().into()),
            ("psk", goal.credentials.passphrase().into()),
            ("mode", mode.into()),
        ]);
        self.remember(Some(Formed {
            ssid: goal.credentials.ssid().to_owned(),
            others: p2p.get_property("PersistentGroups").await?,
        }));
        let group: OwnedObjectPath = p2p.call("AddPersistentGroup", &network).await?;
        let mut args: Dict<'_> = HashMap::from([
            ("persistent", true.into()),
            (
                "persistent_group_object",
                Variant::ObjectPath(group.as_ref()),
            ),
        ]);
        if let Some(frequency) = goal.frequency {
            args.insert("frequency", i32::from(frequency).into());
        }
        let () = p2p.call("GroupAdd", &args).await?;
        Ok(())
    }

    /// Has the radio tell nothing in its frames that is its own.
    async fn anonymise(&self) -> Result<(), RadioError> {
        let uuid = fresh_uuid().map_err(|error| RadioError::Refused(error.to_string()))?;
        let words = WORDS.into_iter().chain([("Uuid", uuid.as_str())]);
        for object in [Some(self.device.clone()), self.p2p_device().await?] {
            let Some(object) = object else { continue };
            let interface = proxy(&self.connection, object, INTERFACE).await?;
            for (name, value) in words.clone() {
                if let Err(error) = interface.set_property(name, value).await {
                    // An older wpa_supplicant may not know one of them.
                    tracing::warn!(%error, name, "wpa_supplicant does not let this be set");
                }
            }
        }
        Ok(())
    }

    /// Leaves a group, or stops what is being formed, and whatever another run of this program has left.
    pub(crate) async fn leave(&self, group: Option<&Group>) -> Result<(), RadioError> {
        if let Some(group) = group {
            return self.leave_object(&group.object).await;
        }
        // There may be nothing to cancel.
        let _: zbus::Result<()> = self.p2p().await?.call("Cancel", &()).await;
        let root = proxy(&self.connection, ROOT, SERVICE).await?;
        let interfaces: Vec<OwnedObjectPath> = root.get_property("Interfaces").await?;
        let prefix = format!("p2p-{}-", self.radio);
        for object in interfaces {
            if let Ok(name) = self.interface_name(object.as_str()).await
                && name.starts_with(&prefix)
            {
                self.leave_object(object.as_str()).await?;
            }
        }
        Ok(())
    }

    async fn leave_object(&self, object: &str) -> Result<(), RadioError> {
        let p2p = proxy(&self.connection, object.to_owned(), P2P_DEVICE).await?;
        Ok(p2p.call("Disconnect", &()).await?)
    }

    /// Whether wpa_supplicant still has the radio: others can take it away, as NetworkManager does when it gives it up.
    pub(crate) async fn has_radio(&self) -> bool {
        self.interface_name(self.device.as_str()).await.is_ok()
    }

    /// Whether the interface of a group is still there.
    pub(crate) async fn has(&self, group: &Group) -> bool {
        self.interface_name(&group.object).await.is_ok()
    }

    /// Has wpa_supplicant forget what the last group was formed with.
    ///
    /// # Errors
    /// When the bus fails.
    pub(crate) async fn forget(&self) -> Result<(), RadioError> {
        self.forget_persistent(&self.p2p().await?).await;
        Ok(())
    }

    /// Removes what earlier groups have left: credentials are used once. Where wpa_supplicant had the radio before, it may know
    /// groups of other programs too, which stay.
    async fn forget_persistent(&self, p2p: &Proxy<'_>) {
        let before = self.remember(None);
        let left: zbus::Result<Vec<OwnedObjectPath>> = p2p.get_property("PersistentGroups").await;
        for group in left.unwrap_or_default() {
            if !self.passing && !self.is_left_by(before.as_ref(), &group).await {
                continue;
            }
            let gone: zbus::Result<()> = p2p.call("RemovePersistentGroup", &(&group)).await;
            if let Err(error) = gone {
                tracing::debug!(%error, "a group of before stays with wpa_supplicant");
            }
        }
    }

    /// Whether a persistent group is what the last group was formed with, or the copy that wpa_supplicant makes of it once it
    /// is up.
    async fn is_left_by(&self, formed: Option<&Formed>, group: &OwnedObjectPath) -> bool {
        let Some(Formed { ssid, others }) = formed else {
            return false;
        };
        !others.contains(group) && self.name_of(group).await.as_ref() == Some(ssid)
    }

    /// The name of a persistent group.
    async fn name_of(&self, group: &OwnedObjectPath) -> Option<String> {
        let group = proxy(&self.connection, group.clone(), PERSISTENT_GROUP).await;
        let properties: HashMap<String, OwnedVariant> =
            group.ok()?.get_property("Properties").await.ok()?;
        match properties.get("ssid").map(|ssid| &**ssid) {
            Some(Variant::Str(ssid)) => Some(ssid.trim_matches('"').to_owned()),
            _ => None,
        }
    }

    /// Remembers what a group is formed with; gives what was remembered.
    fn remember(&self, group: Option<Formed>) -> Option<Formed> {
        let mut formed_with = self
            .formed_with
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        mem::replace(&mut formed_with, group)
    }

    /// Fails if the driver has no Wi-Fi Direct: the properties of a P2P device are not there then.
    async fn require_p2p(&self) -> Result<(), RadioError> {
        let p2p = self.p2p().await?;
        let config: zbus::Result<HashMap<String, OwnedVariant>> =
            p2p.get_property("P2PDeviceConfig").await;
        match config {
            Ok(_) => Ok(()),
            Err(zbus::Error::FDO(error)) if is_missing(&error) => {
                Err(RadioError::NoP2p(self.radio.clone()))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn p2p(&self) -> Result<Proxy<'static>, RadioError> {
        proxy(&self.connection, self.device.clone(), P2P_DEVICE).await
    }

    async fn interface_name(&self, object: &str) -> Result<String, RadioError> {
        let interface = proxy(&self.connection, object.to_owned(), INTERFACE).await?;
        Ok(interface.get_property("Ifname").await?)
    }
}

/// The owner of wpa_supplicant's name, now and at each change.
pub(crate) async fn owner_changes(
    connection: &Connection,
) -> Result<(bool, zbus::proxy::OwnerChangedStream<'static>), RadioError> {
    let root = proxy(connection, ROOT, SERVICE).await?;
    let changes = root.receive_owner_changed().await?;
    let bus = fdo::DBusProxy::new(connection).await?;
    let name = zbus::names::BusName::try_from(SERVICE)?;
    let there = bus.name_has_owner(name).await.map_err(zbus::Error::from)?;
    Ok((there, changes))
}

async fn proxy<'a, P>(
    connection: &Connection,
    path: P,
    interface: &'static str,
) -> Result<Proxy<'a>, RadioError>
where
    P: TryInto<ObjectPath<'a>>,
    P::Error: Into<zbus::Error>,
{
    let builder = zbus::proxy::Builder::<Proxy<'_>>::new(connection)
        .destination(SERVICE)
        .path(path)
        .interface(interface)
        .cache_properties(zbus::proxy::CacheProperties::No);
    Ok(builder.build().await?)
}

fn object_path(value: &OwnedVariant) -> Option<&str> {
    match &**value {
        Variant::ObjectPath(path) => Some(path.as_str()),
        _ => None,
    }
}

/// Whether an error of wpa_supplicant has this name, which begins with that of its service.
fn named(error: &zbus::Error, name: &str) -> bool {
    match error {
        zbus::Error::MethodError(told, ..) => {
            let told = told.as_str();
            told.strip_prefix(SERVICE)
                .is_some_and(|rest| rest.trim_start_matches('.') == name)
        }
        _ => false,
    }
}

/// What wpa_supplicant answers where there is no P2P device: built without it, or the driver has none.
fn is_missing(error: &fdo::Error) -> bool {
    match error {
        fdo::Error::UnknownInterface(_)
        | fdo::Error::UnknownProperty(_)
        | fdo::Error::UnknownMethod(_)
        | fdo::Error::InvalidArgs(_) => true,
        fdo::Error::Failed(says) => says.contains("P2P is not available"),
        _ => false,
    }
}

/// Why Wi-Fi Direct cannot be used. Each is one sentence: what is wrong, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RadioError {
    /// D-Bus keeps this program from wpa_supplicant.
    #[error(
        "D-Bus refuses this program access to wpa_supplicant: run it as root, or allow its user in \
         /etc/dbus-1/system.d/"
    )]
    Denied,
    /// NetworkManager has the radio.
    #[error(
        "NetworkManager manages {0} and ends the groups that are made there: run `nmcli device set {0} managed no`"
    )]
    Managed(String),
    /// No bus.
    #[error("there is no D-Bus at this address: start dbus, or name another with bus= ({0})")]
    NoBus(String),
    /// No such interface.
    #[error("there is no Wi-Fi interface {0}: `iw dev` lists those that there are")]
    NoInterface(String),
    /// The driver cannot do it.
    #[error(
        "{0} has no Wi-Fi Direct: choose a radio whose `iw list` shows P2P-GO and P2P-client, and a wpa_supplicant \
         with P2P"
    )]
    NoP2p(String),
    /// No wpa_supplicant.
    #[error("wpa_supplicant is not on the bus: run `systemctl start wpa_supplicant`")]
    NoSupplicant,
    /// It refused.
    #[error("wpa_supplicant refused: {0}")]
    Refused(String),
}

impl From<zbus::Error> for RadioError {
    fn from(error: zbus::Error) -> Self {
        match error {
            zbus::Error::FDO(error) => match *error {
                fdo::Error::AccessDenied(_) | fdo::Error::AuthFailed(_) => Self::Denied,
                fdo::Error::ServiceUnknown(_) | fdo::Error::NameHasNoOwner(_) => Self::NoSupplicant,
                error => Self::Refused(error.to_string()),
            },
            error => Self::Refused(error.to_string()),
        }
    }
}
