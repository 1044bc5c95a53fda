//! Neighbours: one hop per link, fed by the router as late as possible.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use chappe_gossip::{Ingress, LinkSetup, OutFrame};
use chappe_hop::{Hop, HopConfig, HopEvent, Mtu, PeerKey, Role as HopRole, StaticKey};
use chappe_wire::{
    ByteCount, Duration, Instant, LinkId, LinkSalt, MAX_FRAME_LEN, NodeNonce, Outline,
};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};

use crate::input::LinkUp;
use crate::output::{Event, Output, Peer};
use crate::upgrade::Moving;
use crate::{Node, NodeError, Store};

/// The most links at once.
pub(crate) const MAX_LINKS: usize = 64;
/// Of these, links whose handshake is under way. The oldest goes for a new one.
const MAX_HALF_OPEN: usize = MAX_LINKS / 4;
/// Of these, links of neighbours that are not pinned, on a node that has pinned some.
const MAX_STRANGERS: usize = MAX_LINKS / 2;
/// Established links of one hop key: one for each radio, and some that have died unnoticed.
const MAX_LINKS_PER_KEY: usize = 4;
/// Two links to one neighbour that are established within this time came up at once.
const AT_ONCE: Duration = Duration::from_secs(10);
const ANOTHER_LINK: &str = "there is another link with this neighbour";
/// How long a person's node goes by one hop key and nonce: this, and up to half as much again. Links that are up
/// keep theirs. A relay's key is always the same.
pub(crate) const HOP_EPOCH: Duration = Duration::from_minutes(10);

/// As whom this node meets its neighbours.
pub(crate) struct HopIdentity {
    key: StaticKey,
    nonce: NodeNonce,
    /// The nonce of the epoch before, by which a link may lead back to this node.
    before: NodeNonce,
    /// When another one takes its place; never, on a relay.
    until: Instant,
}

impl HopIdentity {
    /// A relay's: `key` for ever, and a nonce for this run.
    pub(crate) fn lasting(key: StaticKey, rng: &mut impl CryptoRng) -> Self {
        let nonce = fresh_nonce(rng);
        Self {
            key,
            nonce,
            before: nonce,
            until: Instant::NEVER,
        }
    }

    /// A person's: `key` for an epoch.
    pub(crate) fn passing(key: StaticKey, now: Instant, rng: &mut impl CryptoRng) -> Self {
        let jitter = rng.next_u64() % (HOP_EPOCH.as_micros() / 2);
        Self {
            until: now.after(HOP_EPOCH).after(Duration::from_micros(jitter)),
            ..Self::lasting(key, rng)
        }
    }

    /// Becomes somebody else, if the epoch is over. False if it is not.
    pub(crate) fn pass(&mut self, now: Instant, rng: &mut impl CryptoRng) -> bool {
        if self.until > now {
            return false;
        }
        let before = self.nonce;
        *self = Self {
            before,
            ..Self::passing(StaticKey::generate(rng), now, rng)
        };
        true
    }

    /// The key by which this node can be pinned: a relay's. A person's is another one soon.
    pub(crate) fn lasting_key(&self) -> Option<PeerKey> {
        (self.until == Instant::NEVER).then(|| self.key.public())
    }

    /// What this node calls itself inside a hop now.
    pub(crate) fn nonce(&self) -> NodeNonce {
        self.nonce
    }

    pub(crate) fn is_mine(&self, nonce: NodeNonce) -> bool {
        nonce == self.nonce || nonce == self.before
    }
}

/// A link, its hop, and what is known of the other end. In memory only.
pub(crate) struct Neighbour {
    pub(crate) up: LinkUp,
    pub(crate) hop: Hop,
    /// Packets handed to the driver that have not left the machine.
    in_flight: usize,
    pub(crate) established: Option<Established>,
    pub(crate) moving: Moving,
}

#[derive(Clone, Copy)]
pub(crate) struct Established {
    peer: PeerKey,
    nonce: NodeNonce,
    /// The same number at both ends.
    salt: LinkSalt,
    pinned: bool,
    since: Instant,
}

impl Neighbour {
    /// What the other end calls itself inside the hop, once that is established.
    pub(crate) fn nonce(&self) -> Option<NodeNonce> {
        self.established.map(|hop| hop.nonce)
    }

    /// On other links the other end calls itself so now.
    pub(crate) fn rename(&mut self, nonce: NodeNonce) {
        if let Some(hop) = &mut self.established {
            hop.nonce = nonce;
        }
    }

    /// The neighbour as people see it, once its hop is established.
    pub(crate) fn describe(&self, now: Instant) -> Option<Peer> {
        let Established { peer, since, .. } = self.established?;
        let stats = self.hop.stats();
        Some(Peer {
            link: self.up.link,
            bearer: self.up.bearer.clone(),
            label: self.up.label.clone(),
            key: short_hex(peer.as_bytes()),
            up: now.since(since),
            sent: ByteCount::new(stats.bytes_out),
            received: ByteCount::new(stats.bytes_in),
            retransmitted: stats.retransmitted,
            rtt: stats.rtt,
        })
    }
}

impl<S: Store> Node<S> {
    pub(crate) fn link_up(&mut self, now: Instant, up: LinkUp) {
        let link = up.link;
        if self.links.len() >= MAX_LINKS || self.links.contains_key(&link) {
            return self.disconnect(link, "there are too many links");
        }
        let mut half_open = self
            .links
            .iter()
            .filter(|(_, neighbour)| neighbour.established.is_none())
            .map(|(link, _)| *link);
        if let Some(oldest) = half_open.next()
            && half_open.count() + 1 >= MAX_HALF_OPEN
        {
            self.drop_link(now, oldest, "others want to shake hands too");
        }
        if self.hop_identity.pass(now, &mut self.rng) {
            let salt = Outline::salt(self.hop_identity.nonce());
            self.router.set_outline_salt(salt);
        }
        let Ok(mtu) = Mtu::new(up.mtu) else {
            return self.disconnect(link, "the link's packets are too small or too large");
        };
        let role = if up.initiator {
            HopRole::Initiator
        } else {
            HopRole::Responder
        };
        let config = HopConfig {
            mtu,
            reliable: up.reliable,
            role,
            static_key: &self.hop_identity.key,
            hello: self.hello(mtu, role),
        };
        match Hop::new(now, &config, &mut self.rng) {
            Ok(hop) => {
                self.links.insert(
                    link,
                    Neighbour {
                        up,
                        hop,
                        in_flight: 0,
                        established: None,
                        moving: Moving::named(self.hop_identity.nonce()),
                    },
                );
            }
            Err(_) => self.disconnect(link, "the hop could not be set up"),
        }
    }

    pub(crate) fn link_down(&mut self, now: Instant, link: LinkId) {
        let Some(neighbour) = self.links.remove(&link) else {
            return;
        };
        if neighbour.established.is_some() {
            self.router.link_down(now, link);
            self.fall_back(now, &neighbour);
            self.tell(Event::PeerDown {
                link,
                label: neighbour.up.label,
            });
        }
    }

    pub(crate) fn packet(
        &mut self,
        now: Instant,
        link: LinkId,
        packet: &[u8],
    ) -> Result<(), NodeError> {
        let Some(neighbour) = self.links.get_mut(&link) else {
            return Ok(());
        };
        if neighbour.hop.handle_packet(now, packet).is_err() {
            self.drop_link(now, link, "the neighbour does not speak the hop's protocol");
            return Ok(());
        }
        self.hop_events(now, link)
    }

    pub(crate) fn drained(&mut self, link: LinkId, packets: usize) {
        if let Some(neighbour) = self.links.get_mut(&link) {
            neighbour.in_flight = neighbour.in_flight.saturating_sub(packets);
        }
    }

    pub(crate) fn hop_timeouts(&mut self, now: Instant) -> Result<(), NodeError> {
        let due: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(_, neighbour)| neighbour.hop.poll_timeout() <= now)
            .map(|(link, _)| *link)
            .collect();
        for link in due {
            let Some(neighbour) = self.links.get_mut(&link) else {
                continue;
            };
            if neighbour.hop.handle_timeout(now).is_err() {
                self.drop_link(now, link, "the neighbour fell silent");
            } else {
                self.hop_events(now, link)?;
            }
        }
        Ok(())
    }

    pub(crate) fn hop_deadline(&self) -> Instant {
        self.links
            .values()
            .map(|neighbour| neighbour.hop.poll_timeout())
            .min()
            .unwrap_or(Instant::NEVER)
    }

    /// Moves frames from the router into hops and packets out of them, as far as there is room.
    pub(crate) fn pump(&mut self, now: Instant) -> Result<(), NodeError> {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            self.move_up(now, link);
            // Before each packet, so that it is not cut short for want of a frame that waits.
            loop {
                let filled = self.fill(now, link)?;
                if !self.transmit(now, link) && !filled {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Moves frames into a hop, until it is full or the router has none. True if there were any.
    fn fill(&mut self, now: Instant, link: LinkId) -> Result<bool, NodeError> {
        let mut any = false;
        loop {
            let Some(neighbour) = self.links.get(&link) else {
                return Ok(any);
            };
            if neighbour.established.is_none() || neighbour.hop.frame_space() < MAX_FRAME_LEN {
                return Ok(any);
            }
            let own = self
                .links
                .get_mut(&link)
                .and_then(|neighbour| neighbour.moving.next_frame());
            let next = own.map_or_else(
                || self.router.poll_frame(now, link),
                |frame| Some(OutFrame::Bytes(frame)),
            );
            let Some(frame) = next else {
                return Ok(any);
            };
            let frame = match frame {
                OutFrame::Bytes(bytes) => bytes,
                OutFrame::Envelope(handover) => match self.transfer(now, &handover)? {
                    Some(frame) => frame,
                    None => continue,
                },
            };
            any = true;
            if let Some(neighbour) = self.links.get_mut(&link) {
                // There was room for the longest frame, and the router makes no longer ones.
                let _ = neighbour.hop.send_frame(frame);
            }
        }
    }

    /// Moves a packet out of a hop. False if there was none, or no room for it on the link.
    fn transmit(&mut self, now: Instant, link: LinkId) -> bool {
        let Some(neighbour) = self.links.get_mut(&link) else {
            return false;
        };
        if neighbour.in_flight >= neighbour.up.queue {
            return false;
        }
        let Some(packet) = neighbour.hop.poll_transmit(now) else {
            return false;
        };
        neighbour.in_flight += 1;
        self.outputs.push_back(Output::Transmit { link, packet });
        true
    }

    fn hop_events(&mut self, now: Instant, link: LinkId) -> Result<(), NodeError> {
        loop {
            let Some(neighbour) = self.links.get_mut(&link) else {
                return Ok(());
            };
            match neighbour.hop.poll_event() {
                Some(HopEvent::Established {
                    peer, hello, salt, ..
                }) => {
                    let pinned = self.config.pinned.contains(peer.as_bytes());
                    let established = Established {
                        peer,
                        nonce: hello.node_nonce,
                        salt,
                        pinned,
                        since: now,
                    };
                    if let Err(reason) = self.admit(now, link, &established) {
                        self.drop_link(now, link, reason);
                        return Ok(());
                    }
                    let Some(neighbour) = self.links.get_mut(&link) else {
                        return Ok(());
                    };
                    neighbour.established = Some(established);
                    let opener = neighbour.up.initiator;
                    let told = neighbour.describe(now);
                    let ingress = ingress_of(&self.ingress_secret, peer);
                    let setup = LinkSetup {
                        opener,
                        salt,
                        pinned,
                        ingress,
                    };
                    self.acquaint(now, link, &hello, setup);
                    if let Some(peer) = told {
                        self.tell(Event::PeerUp(peer));
                    }
                }
                Some(HopEvent::Frame(frame)) => self.frame(now, link, &frame)?,
                Some(_) => {}
                None => return Ok(()),
            }
        }
    }

    /// Whether a link whose handshake is done is kept. Another one may have to go for it.
    fn admit(&mut self, now: Instant, link: LinkId, new: &Established) -> Result<(), &'static str> {
        if self.hop_identity.is_mine(new.nonce) {
            return Err("the link leads back to this node");
        }
        let Some(up) = self.links.get(&link).map(|link| &link.up) else {
            return Err("the link is down");
        };
        let mut twins = Vec::new();
        let (mut of_key, mut strangers) = (0, 0);
        for (other, neighbour) in &self.links {
            let Some(old) = &neighbour.established else {
                continue;
            };
            of_key += usize::from(old.peer == new.peer);
            strangers += usize::from(!old.pinned);
            if old.nonce == new.nonce && kind(&neighbour.up.bearer) == kind(&up.bearer) {
                // Whoever comes again has lost the link before, or has changed its address: the newer link
                // stays. Where each end opened one at once, both ends see the same salts and keep the same link.
                let crossed =
                    neighbour.up.initiator != up.initiator && new.since.since(old.since) < AT_ONCE;
                if crossed && old.salt < new.salt {
                    return Err(ANOTHER_LINK);
                }
                twins.push(*other);
            }
        }
        for twin in twins {
            self.drop_link(now, twin, ANOTHER_LINK);
            (of_key, strangers) = (of_key.saturating_sub(1), strangers.saturating_sub(1));
        }
        if of_key >= MAX_LINKS_PER_KEY {
            return Err("this neighbour has too many links");
        }
        if !new.pinned && !self.config.pinned.is_empty() && strangers >= MAX_STRANGERS {
            return Err("the other links are for neighbours that are pinned");
        }
        Ok(())
    }

    /// Closes a link that is known to the router.
    pub(crate) fn drop_link(&mut self, now: Instant, link: LinkId, reason: &str) {
        self.link_down(now, link);
        self.disconnect(link, reason);
    }

    fn disconnect(&mut self, link: LinkId, reason: &str) {
        self.outputs.push_back(Output::Disconnect {
            link,
            reason: String::from(reason),
        });
    }
}

fn fresh_nonce(rng: &mut impl CryptoRng) -> NodeNonce {
    let mut nonce = [0; 16];
    rng.fill_bytes(&mut nonce);
    NodeNonce::new(nonce)
}

/// What fairness between neighbours is measured by: their hop keys, for want of anything better.
fn ingress_of(secret: &[u8; 16], peer: PeerKey) -> Ingress {
    let hash = Sha256::new()
        .chain_update(secret)
        .chain_update(peer.as_bytes())
        .finalize();
    let first = hash.first_chunk::<8>().copied().unwrap_or_default();
    Ingress::new(u64::from_le_bytes(first))
}

/// Links of one kind replace each other: `ble-l2cap` and `ble-gatt` are of the kind `ble`.
fn kind(bearer: &str) -> &str {
    bearer.split('-').next().unwrap_or(bearer)
}

fn short_hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes.iter().take(8) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
