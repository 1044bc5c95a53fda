//! Who is near, whom to dial, which of two links stays: every decision, and no I/O.
//!
//! Neighbours go by their tokens. When one changes its token it looks like another neighbour, and a second link to
//! it may come up: the hop finds out whom it leads to, the node closes it, and the neighbour rests.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::options::{BearerChoice, BleOptions};
use crate::pauses::Pauses;
use crate::token::Token;

/// The most neighbours that are remembered. The one that was not heard for longest is forgotten for a new one.
pub const MAX_HEARD: usize = 256;
/// A link that carried less than this many bytes since the last look is idle: keep-alives.
const IDLE_BYTES: u64 = 512;
/// After so many dials over L2CAP that led to no greeting, GATT is tried.
const L2CAP_FAILURES: u32 = 2;

/// What is known of the neighbours. Time comes in as an argument.
///
/// ```
/// use std::time::{Duration, Instant};
/// use chappe_ble::{Bearing, BleOptions, Neighbours, Token, Verdict, Side, Opening};
///
/// let (own, near) = (Token::new([1; 8]), Token::new([2; 8]));
/// let mut neighbours = Neighbours::new(&BleOptions::on("hci0"), own);
/// let now = Instant::now();
/// neighbours.heard(now, near, true);
/// // The smaller token connects, at once.
/// let dial = neighbours.next_dial(now).unwrap();
/// assert_eq!((dial.token, dial.bearing), (near, Bearing::L2cap));
/// neighbours.dialling(dial.token);
/// let opening = Opening { token: near, side: Side::Dialled, own };
/// assert!(matches!(neighbours.open(now, opening), Verdict::Keep { .. }));
/// assert_eq!(neighbours.next_dial(now + Duration::from_secs(1)), None);
/// ```
#[derive(Debug)]
pub struct Neighbours {
    own: Token,
    /// When this node was given another name last.
    renamed: Option<Instant>,
    /// How long after that whoever is near has heard the new name.
    known_after: Duration,
    limit: usize,
    bearer: BearerChoice,
    forget: Duration,
    patience: Duration,
    hold: Duration,
    pauses: Pauses,
    heard: BTreeMap<Token, Heard>,
    links: BTreeMap<LinkKey, Link>,
    dialling: Option<Token>,
    next_key: u64,
}

/// A neighbour that was heard.
#[derive(Debug)]
struct Heard {
    first: Instant,
    last: Instant,
    l2cap: bool,
    /// Of dials, and of links that did not last.
    failures: u32,
    /// Dials that led to no greeting, in a row. Links that were lost say nothing of how to connect.
    unanswered: u32,
    rests_until: Option<Instant>,
}

#[derive(Debug)]
struct Link {
    token: Token,
    side: Side,
    since: Instant,
    /// Bytes carried: in all, and when it was last looked.
    carried: u64,
    looked: u64,
    /// Since which look there was no more than keep-alives.
    idle_since: Option<Instant>,
}

/// Which link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkKey(u64);

/// What to carry a link over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearing {
    /// GATT writes and notifications.
    Gatt,
    /// An L2CAP credit-based channel.
    L2cap,
}

/// Somebody to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dial {
    /// The neighbour.
    pub token: Token,
    /// What to try.
    pub bearing: Bearing,
}

/// Who connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The neighbour did.
    Accepted,
    /// This node did.
    Dialled,
}

/// A link that both ends have greeted each other on.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// What the neighbour calls itself.
    pub token: Token,
    /// Who connected.
    pub side: Side,
    /// What this node called itself in the greeting.
    pub own: Token,
}

/// What becomes of a new link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stays.
    Keep {
        /// What it is called from now on.
        key: LinkKey,
        /// A link that gives way to it and is to be closed.
        instead_of: Option<LinkKey>,
    },
    /// It is to be closed: another link to this neighbour stays, or there are too many.
    Refuse,
}

/// How a link ended, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Whom it led to.
    pub token: Token,
    /// For how long.
    pub lasted: Duration,
}

impl Neighbours {
    /// Nobody is known yet; this node is called `own`.
    pub fn new(options: &BleOptions, own: Token) -> Self {
        Self {
            own,
            renamed: None,
            limit: options.links.max(1),
            bearer: options.bearer,
            known_after: options.forget.saturating_mul(2).min(options.epoch / 2),
            forget: options.forget,
            patience: options.patience,
            hold: options.hold,
            pauses: Pauses::new(
                options.pause,
                options.longest_pause,
                u64::from_be_bytes(*own.as_bytes()),
            ),
            heard: BTreeMap::new(),
            links: BTreeMap::new(),
            dialling: None,
            next_key: 0,
        }
    }

    /// What this node is called now.
    pub const fn own(&self) -> Token {
        self.own
    }

    /// This node is called `own` from now on. Its links stay: see [`Neighbours::outlived`].
    pub const fn rotate(&mut self, now: Instant, own: Token) {
        self.own = own;
        self.renamed = Some(now);
    }

    /// Links from before this node was called what it is called now, and idle for long, if there is a newer one. Who is near has
    /// heard the new name since, and may have connected to it as to somebody else: with the hop's keys anew on both ends, nobody
    /// can tell that it is the same neighbour, so the older link is to be closed. A neighbour that had no other link
    /// connects anew.
    pub fn outlived(&self, now: Instant) -> Vec<LinkKey> {
        let Some(renamed) = self.renamed else {
            return Vec::new();
        };
        if now.saturating_duration_since(renamed) < self.known_after {
            return Vec::new();
        }
        let long = |since: Instant| now.saturating_duration_since(since) >= self.hold;
        let (old, new): (Vec<_>, Vec<_>) = self
            .links
            .iter()
            .partition(|(_, link)| link.since < renamed);
        if new.is_empty() {
            return Vec::new();
        }
        let idle = old
            .iter()
            .filter(|(_, link)| link.idle_since.is_some_and(long));
        idle.map(|(key, _)| **key).collect()
    }

    /// How many links there are.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether there is no link.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// How many neighbours are remembered.
    pub fn remembered(&self) -> usize {
        self.heard.len()
    }

    /// Whether this neighbour is remembered.
    pub fn remembers(&self, token: Token) -> bool {
        self.heard.contains_key(&token)
    }

    /// Whom this node is connecting to.
    pub const fn dialled(&self) -> Option<Token> {
        self.dialling
    }

    /// A beacon was heard; `l2cap` if it offers channels.
    pub fn heard(&mut self, now: Instant, token: Token, l2cap: bool) {
        if token == self.own {
            return;
        }
        self.forget_the_silent(now);
        if !self.heard.contains_key(&token) && self.heard.len() >= MAX_HEARD {
            let oldest = self.heard.iter().min_by_key(|(_, heard)| heard.last);
            if let Some(oldest) = oldest.map(|(token, _)| *token) {
                self.heard.remove(&oldest);
            }
        }
        let heard = self.heard.entry(token).or_insert(Heard {
            first: now,
            last: now,
            l2cap,
            failures: 0,
            unanswered: 0,
            rests_until: None,
        });
        heard.last = now;
        heard.l2cap = l2cap;
    }

    /// Whom to connect to now, if anybody. One at a time: radios open one connection at a time.
    pub fn next_dial(&self, now: Instant) -> Option<Dial> {
        if self.dialling.is_some() || !self.has_room(now) {
            return None;
        }
        let due = self.heard.iter().filter(|(token, heard)| {
            let fresh = now.saturating_duration_since(heard.last) < self.forget;
            fresh && !self.is_linked(**token) && self.may_dial(now, **token, heard)
        });
        // Those who failed less often first, so that beacons of nobody do not keep the others waiting.
        let (token, heard) = due.min_by_key(|(_, heard)| (heard.failures, heard.first))?;
        Some(Dial {
            token: *token,
            bearing: self.bearing(heard),
        })
    }

    /// Connecting to `token` begins.
    pub const fn dialling(&mut self, token: Token) {
        self.dialling = Some(token);
    }

    /// Connecting to `token` did not lead to a greeting.
    pub fn dial_failed(&mut self, now: Instant, token: Token) {
        self.dialling = None;
        if let Some(heard) = self.heard.get_mut(&token) {
            heard.unanswered = heard.unanswered.saturating_add(1);
        }
        self.failed(now, token);
    }

    /// Both ends have greeted each other. For a dialled link this ends the dialling.
    pub fn open(&mut self, now: Instant, opening: Opening) -> Verdict {
        let Opening { token, side, own } = opening;
        if side == Side::Dialled {
            self.dialling = None;
            if let Some(heard) = self.heard.get_mut(&token) {
                heard.unanswered = 0;
            }
        }
        if token == own || token == self.own {
            return Verdict::Refuse;
        }
        if let Some((key, other)) = self.linked(token) {
            if other.side != side && !stays(side, own, token) {
                return Verdict::Refuse;
            }
            // The same side again: whoever connects anew has lost the link before.
            return self.keep(now, opening, Some(key));
        }
        if side == Side::Accepted && self.dialling == Some(token) && !stays(side, own, token) {
            return Verdict::Refuse;
        }
        if self.links.len() < self.limit {
            return self.keep(now, opening, None);
        }
        match self.least_useful(now) {
            Some(key) => {
                if let Some(link) = self.links.get(&key) {
                    self.rest(now, link.token);
                }
                self.keep(now, opening, Some(key))
            }
            None => Verdict::Refuse,
        }
    }

    /// A link carried so many bytes, in either direction.
    pub fn carried(&mut self, key: LinkKey, bytes: u64) {
        if let Some(link) = self.links.get_mut(&key) {
            link.carried = link.carried.saturating_add(bytes);
        }
    }

    /// Looks which links are idle. Called at regular intervals.
    pub fn look(&mut self, now: Instant) {
        self.forget_the_silent(now);
        for link in self.links.values_mut() {
            let idle = link.carried.saturating_sub(link.looked) < IDLE_BYTES;
            link.idle_since = idle.then(|| link.idle_since.unwrap_or(now));
            link.looked = link.carried;
        }
    }

    /// A link is down. One that did not last makes its neighbour rest.
    pub fn closed(&mut self, now: Instant, key: LinkKey) -> Option<Held> {
        let link = self.links.remove(&key)?;
        let lasted = now.saturating_duration_since(link.since);
        if lasted < self.pauses.longest {
            self.failed(now, link.token);
        } else if let Some(heard) = self.heard.get_mut(&link.token) {
            heard.failures = 0;
        }
        Some(Held {
            token: link.token,
            lasted,
        })
    }

    fn keep(&mut self, now: Instant, opening: Opening, instead_of: Option<LinkKey>) -> Verdict {
        if let Some(old) = instead_of {
            self.links.remove(&old);
        }
        let key = LinkKey(self.next_key);
        self.next_key = self.next_key.saturating_add(1);
        self.links.insert(
            key,
            Link {
                token: opening.token,
                side: opening.side,
                since: now,
                carried: 0,
                looked: 0,
                idle_since: None,
            },
        );
        Verdict::Keep { key, instead_of }
    }

    fn bearing(&self, heard: &Heard) -> Bearing {
        let l2cap = heard.l2cap && self.bearer == BearerChoice::Automatic;
        // L2CAP twice, then GATT, and so on.
        if l2cap && heard.unanswered % (L2CAP_FAILURES + 1) < L2CAP_FAILURES {
            Bearing::L2cap
        } else {
            Bearing::Gatt
        }
    }

    fn may_dial(&self, now: Instant, token: Token, heard: &Heard) -> bool {
        if heard.rests_until.is_some_and(|until| now < until) {
            return false;
        }
        self.own < token || now.saturating_duration_since(heard.first) >= self.patience
    }

    fn has_room(&self, now: Instant) -> bool {
        self.links.len() < self.limit || self.least_useful(now).is_some()
    }

    /// The idle link that is up for longest, if it is up for long enough.
    fn least_useful(&self, now: Instant) -> Option<LinkKey> {
        let idle = self.links.iter().filter(|(_, link)| {
            link.idle_since.is_some() && now.saturating_duration_since(link.since) >= self.hold
        });
        idle.min_by_key(|(_, link)| link.since).map(|(key, _)| *key)
    }

    fn linked(&self, token: Token) -> Option<(LinkKey, &Link)> {
        let mut links = self.links.iter();
        links
            .find(|(_, link)| link.token == token)
            .map(|(key, link)| (*key, link))
    }

    fn is_linked(&self, token: Token) -> bool {
        self.linked(token).is_some()
    }

    fn failed(&mut self, now: Instant, token: Token) {
        if let Some(heard) = self.heard.get_mut(&token) {
            heard.failures = heard.failures.saturating_add(1);
            heard.rests_until = Some(now + self.pauses.after(heard.failures));
        }
    }

    fn rest(&mut self, now: Instant, token: Token) {
        let until = now + self.pauses.longest;
        if let Some(heard) = self.heard.get_mut(&token) {
            heard.rests_until = Some(until);
        }
    }

    fn forget_the_silent(&mut self, now: Instant) {
        let (forget, links) = (self.forget, &self.links);
        self.heard.retain(|token, heard| {
            // Whoever rests is remembered until then: else it would be dialled again at once.
            let rests = heard.rests_until.is_some_and(|until| now < until);
            let linked = links.values().any(|link| link.token == *token);
            rests || linked || now.saturating_duration_since(heard.last) < forget
        });
    }
}

/// Of two links, one dialled by each side, the one that the smaller token dialled stays.
fn stays(side: Side, own: Token, theirs: Token) -> bool {
    match side {
        Side::Dialled => own < theirs,
        Side::Accepted => theirs < own,
    }
}
