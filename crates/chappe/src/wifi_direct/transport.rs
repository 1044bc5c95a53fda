//! One task: what the node orders and what the radio tells becomes groups, and links in them.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chappe_ip::{GroupKey, MemberKey, Place, Rendezvous, Role, Station};
use chappe_link::{
    Bearer, GroupOrder, GroupOrders, Running, StartError, StopSignal, Transport, TransportEvent,
    Trouble,
};
use chappe_wifi_direct::{Credentials, Goal, Group, GroupEvent, Radio};
use chappe_wire::{Invitation, LinkId, MAX_INVITATION_LEN};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::{AgreedGroup, WifiDirectOptions};

/// How often the file of an agreed group is read.
const LOOK: Duration = Duration::from_secs(2);
/// How long the group's interface may take until it has an address: the kernel asks first whether it is free.
const ADDRESS_TRIES: u32 = 40;
const ADDRESS_PAUSE: Duration = Duration::from_millis(250);
/// How long a group that was agreed on with a neighbour may be up without a link in it. The neighbour tries for about as
/// long to join it.
const EMPTY_LIMIT: Duration = Duration::from_secs(120);
/// After so long a group that is owned without need, and that nobody came to, is made anew: strangers would know the node
/// again by its name.
const RENEW: Duration = Duration::from_secs(15 * 60);
/// Neighbours that wait for an invitation.
const MAX_WAITING: usize = 16;
/// Links of a group that wait for the node.
const EVENTS: usize = 16;

/// Wi-Fi Direct. It has no links until a group is up.
#[derive(Debug)]
pub struct WifiDirectTransport {
    options: WifiDirectOptions,
}

impl WifiDirectTransport {
    /// The radio of these options. A node that is to move up to it by itself needs `groups` in its configuration.
    pub const fn new(options: WifiDirectOptions) -> Self {
        Self { options }
    }
}

impl Transport for WifiDirectTransport {
    fn name(&self) -> &str {
        "wifi-direct"
    }

    fn start(
        self: Box<Self>,
        events: mpsc::Sender<TransportEvent>,
    ) -> Pin<Box<dyn Future<Output = Result<Running, StartError>> + Send>> {
        Box::pin(async move {
            self.options.place()?.probe().await?;
            let (radio, told) = Radio::start(self.options.radio())
                .await
                .map_err(|error| StartError::Unavailable(error.to_string()))?;
            let (sender, orders) = GroupOrders::channel();
            if self.options.agreed.is_none() {
                // Nobody listening is noticed below.
                let _ = events.send(TransportEvent::Groups(sender)).await;
            }
            let worker = Worker {
                options: self.options,
                radio,
                events,
                own: None,
                joining: None,
                up: None,
                waiting: Vec::new(),
                told,
            };
            Ok(Running::spawn(|stop| worker.run(stop, orders)))
        })
    }
}

struct Worker {
    options: WifiDirectOptions,
    radio: Radio,
    events: mpsc::Sender<TransportEvent>,
    /// Of the group that is made here.
    own: Option<Credentials>,
    /// To the group that is joined.
    joining: Option<Invitation>,
    up: Option<Up>,
    /// Neighbours that are to be invited once the group is up.
    waiting: Vec<LinkId>,
    /// What the radio tells.
    told: mpsc::Receiver<GroupEvent>,
}

/// A group that is up.
struct Up {
    group: Group,
    since: Instant,
    running: Running,
    invitation: Invitation,
    /// Somebody is there, or was.
    peopled: Arc<AtomicBool>,
}

impl Worker {
    async fn run(mut self, mut stop: StopSignal, mut orders: mpsc::Receiver<GroupOrder>) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let events = self.events.clone();
        let agreed = matches!(self.options.agreed, Some(AgreedGroup::Own(_)));
        if agreed || self.options.is_autonomous() {
            self.own_group();
        }
        loop {
            tokio::select! {
                () = stop.signalled() => break,
                () = events.closed() => break,
                event = self.told.recv() => match event {
                    Some(event) => self.group_event(event).await,
                    None => break,
                },
                Some(order) = orders.recv() => self.order(order).await,
                _ = look.tick() => self.look().await,
            }
        }
        self.down().await;
        // What it tells until it has stopped is of no use.
        drop(self.told);
        self.radio.stop().await;
    }

    async fn group_event(&mut self, event: GroupEvent) {
        let mut next = Some(event);
        while let Some(event) = next.take() {
            match event {
                GroupEvent::Up(group) => next = self.open(group).await,
                GroupEvent::Down => self.down().await,
                GroupEvent::GaveUp => {
                    tracing::info!("the Wi-Fi Direct group cannot be joined");
                    // Who wants it again is to be heard.
                    self.leave();
                }
                GroupEvent::Trouble(trouble) => self.report(trouble.to_string()),
                _ => {}
            }
        }
    }

    async fn order(&mut self, order: GroupOrder) {
        match order {
            GroupOrder::Invite(link) => {
                if let Some(up) = &self.up {
                    let invitation = Some(up.invitation.clone());
                    self.tell(TransportEvent::Invitation(link, invitation))
                        .await;
                } else if self.waiting.len() < MAX_WAITING {
                    self.waiting.push(link);
                    if self.joining.is_none() && self.own.is_none() {
                        self.own_group();
                    }
                }
            }
            GroupOrder::Join(invitation) => {
                let peopled = |up: &Up| up.peopled.load(Ordering::Relaxed);
                if self.up.as_ref().is_some_and(peopled) && !self.is_of(&invitation) {
                    tracing::info!("in a group with others; another one is not joined");
                } else {
                    self.join(invitation).await;
                }
            }
            GroupOrder::Leave => self.leave(),
            _ => {}
        }
    }

    /// Leaves the group that is joined, or ends the own one. Who is autonomous makes another one of its own.
    fn leave(&mut self) {
        if self.options.is_autonomous() {
            return self.own_group();
        }
        self.own = None;
        self.joining = None;
        self.radio.handle().want(None);
    }

    fn own_group(&mut self) {
        let mut random = [0; 24];
        if getrandom::fill(&mut random).is_err() {
            return self.report("the system gives no random numbers: no group is made".to_owned());
        }
        let credentials = Credentials::from_random(random);
        let goal = Goal::own(credentials.clone(), self.options.frequency);
        self.own = Some(credentials);
        self.joining = None;
        self.radio.handle().want(Some(goal));
    }

    async fn join(&mut self, invitation: Invitation) {
        if self.joining.as_ref() == Some(&invitation) {
            return;
        }
        if self.is_of(&invitation)
            && let Some(group) = self.up.as_ref().map(|up| up.group.clone())
        {
            // The owner has made the group anew, and listens elsewhere in it.
            self.joining = Some(invitation);
            if let Some(event) = self.open(group).await {
                self.group_event(event).await;
            }
            return;
        }
        match Credentials::new(&invitation.ssid, &invitation.passphrase) {
            Ok(credentials) => {
                self.own = None;
                self.joining = Some(invitation);
                self.radio.handle().want(Some(Goal::join(credentials)));
            }
            Err(error) => tracing::info!(%error, "an invitation to no group"),
        }
    }

    /// Whether an invitation is to the group that is joined already, or is being joined.
    fn is_of(&self, invitation: &Invitation) -> bool {
        self.joining.as_ref().is_some_and(|told| {
            told.ssid == invitation.ssid && told.passphrase == invitation.passphrase
        })
    }

    /// Reads the file of the group that is to be joined; its owner may have made another one. A group that was agreed on
    /// otherwise, and that nobody came to, is left.
    async fn look(&mut self) {
        let empty = |up: &Up| !up.peopled.load(Ordering::Relaxed);
        let kept = self.options.is_autonomous() && self.own.is_some();
        let limit = if kept { RENEW } else { EMPTY_LIMIT };
        let late = |up: &Up| up.since.elapsed() > limit;
        let alone = self.up.as_ref().is_some_and(|up| empty(up) && late(up));
        if self.options.agreed.is_none() && alone {
            tracing::info!("nobody came to the Wi-Fi Direct group; it is left");
            self.leave();
        }
        if let Some(AgreedGroup::Join(path)) = &self.options.agreed
            && let Some(invitation) = read(path)
        {
            self.join(invitation).await;
        }
    }

    /// The group is up: listens in it, and tells how it is joined. If it is gone before that, gives what the radio told.
    async fn open(&mut self, group: Group) -> Option<GroupEvent> {
        self.down().await;
        let place = self.options.place_of(&group.interface).ok()?;
        let key = GroupKey::fresh();
        let role = match (group.role, &self.joining) {
            (chappe_wifi_direct::Role::Owner, _) => Role::Owner,
            (chappe_wifi_direct::Role::Member, Some(told)) => Role::Member(Rendezvous {
                address: told.address.into(),
                port: told.port,
                key: MemberKey::new(told.key),
            }),
            (chappe_wifi_direct::Role::Member, None) => return None,
        };
        let opened = {
            let mut opening = std::pin::pin!(station(&place, &key, role));
            loop {
                tokio::select! {
                    opened = &mut opening => break opened,
                    event = self.told.recv() => match event? {
                        GroupEvent::Trouble(trouble) => self.report(trouble.to_string()),
                        event => return Some(event),
                    },
                }
            }
        };
        let station = match opened {
            Ok(station) => station,
            // It went while it came up; that is told, and tried again.
            Err(StartError::Gone(says)) => {
                tracing::info!(says, "a Wi-Fi Direct group is gone at once");
                return None;
            }
            Err(error) => {
                self.report(error.to_string());
                return None;
            }
        };
        let invitation = match (&self.joining, &self.own) {
            (Some(told), _) => told.clone(),
            (None, Some(own)) => self.invitation(own, station.rendezvous()),
            (None, None) => return None,
        };
        if let Some(AgreedGroup::Own(path)) = &self.options.agreed
            && let Err(error) = write(path, &invitation)
        {
            self.report(format!("{} cannot be written: {error}", path.display()));
        }
        let (peopled, events) = (Arc::new(AtomicBool::new(false)), self.events.clone());
        let (inner, heard) = mpsc::channel(EVENTS);
        tokio::spawn(pass_on(heard, events, Arc::clone(&peopled)));
        let running = match Box::new(station).start(inner).await {
            Ok(running) => running,
            Err(error) => {
                self.report(error.to_string());
                return None;
            }
        };
        for link in std::mem::take(&mut self.waiting) {
            self.tell(TransportEvent::Invitation(link, Some(invitation.clone())))
                .await;
        }
        self.up = Some(Up {
            group,
            since: Instant::now(),
            running,
            invitation,
            peopled,
        });
        None
    }

    fn invitation(&self, own: &Credentials, here: Rendezvous) -> Invitation {
        Invitation {
            ssid: own.ssid().to_owned(),
            passphrase: own.passphrase().to_owned(),
            frequency: self.options.frequency.unwrap_or_default(),
            address: here.address.octets(),
            port: here.port,
            key: *here.key.as_bytes(),
        }
    }

    async fn down(&mut self) {
        if let Some(up) = self.up.take() {
            up.running.stop().await;
            if let Some(AgreedGroup::Own(path)) = &self.options.agreed {
                // Whoever reads it later would look for a group that is gone.
                let _ = fs::remove_file(path);
            }
        }
    }

    fn report(&self, trouble: String) {
        tracing::warn!(trouble, "Wi-Fi Direct");
        let trouble = Trouble::Radio(trouble);
        // Nobody waits for a report to be heard.
        let _ = self.events.try_send(TransportEvent::Trouble(trouble));
    }

    async fn tell(&self, event: TransportEvent) {
        // Nobody listening is noticed in the loop.
        let _ = self.events.send(event).await;
    }
}

/// Listens on the interface as soon as it has an address.
async fn station(place: &Place, key: &GroupKey, role: Role) -> Result<Station, StartError> {
    let mut tries = 0;
    loop {
        let opened = Station::open(place, key.clone(), role).await;
        tries += 1;
        match opened {
            Err(StartError::Unavailable(_)) if tries < ADDRESS_TRIES => sleep(ADDRESS_PAUSE).await,
            opened => return Ok(opened?.called(Bearer::new("wifi-direct"))),
        }
    }
}

/// Passes links on to the node, and remembers that there were any.
async fn pass_on(
    mut heard: mpsc::Receiver<TransportEvent>,
    events: mpsc::Sender<TransportEvent>,
    peopled: Arc<AtomicBool>,
) {
    while let Some(event) = heard.recv().await {
        if matches!(event, TransportEvent::LinkUp(_)) {
            peopled.store(true, Ordering::Relaxed);
        }
        if events.send(event).await.is_err() {
            return;
        }
    }
}

/// The invitation in a file, if there is one.
fn read(path: &Path) -> Option<Invitation> {
    let length = fs::metadata(path).ok()?.len();
    if length > MAX_INVITATION_LEN as u64 {
        return None;
    }
    Invitation::decode(&fs::read(path).ok()?).ok()
}

/// Writes a file that only this user reads, at once and whole.
fn write(path: &Path, invitation: &Invitation) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = Path::new(&name);
    let _ = fs::remove_file(part);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(part)?;
    file.write_all(&invitation.encode())?;
    fs::rename(part, path)
}
