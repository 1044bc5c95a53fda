//! Neighbours: one hop per link, fed by the router as late as possible.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use chappe_gossip::{Ingress, LinkSetup, OutFrame};
use chappe_hop::{Hop, HopConfig, HopEvent, Mtu, PeerKey, Role as HopRole};
use chappe_wire::{ByteCount, Duration, Instant, LinkId, MAX_FRAME_LEN, NodeNonce};
use sha2::{Digest as _, Sha256};

use crate::input::LinkUp;
use crate::output::{Event, Output, Peer};
use crate::upgrade::Moving;
use crate::{Node, NodeError, Store};

/// The most links at once.
pub(crate) const MAX_LINKS: usize = 64;
/// Two links to one neighbour that are established within this time came up at once.
const AT_ONCE: Duration = Duration::from_secs(10);

/// A link, its hop, and what is known of the other end. In memory only.
pub(crate) struct Neighbour {
    pub(crate) up: LinkUp,
    pub(crate) hop: Hop,
    /// Packets handed to the driver that have not left the machine.
    in_flight: usize,
    pub(crate) established: Option<(PeerKey, Instant)>,
    /// What the other end calls itself inside the tunnel.
    pub(crate) nonce: Option<NodeNonce>,
    pub(crate) moving: Moving,
}

impl Neighbour {
    /// The neighbour as people see it, once its hop is established.
    pub(crate) fn describe(&self, now: Instant) -> Option<Peer> {
        let (key, since) = self.established?;
        let stats = self.hop.stats();
        Some(Peer {
            link: self.up.link,
            bearer: self.up.bearer.clone(),
            label: self.up.label.clone(),
            key: short_hex(key.as_bytes()),
            up: now.since(since),
            sent: ByteCount::new(stats.bytes_out),
            received: ByteCount::new(stats.bytes_in),
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
        let Ok(mtu) = Mtu::new(up.mtu) else {
            return self.disconnect(link, "the link's packets are too small or too large");
        };
        let config = HopConfig {
            mtu,
            role: if up.initiator {
                HopRole::Initiator
            } else {
                HopRole::Responder
            },
            static_key: &self.hop_key,
            hello: self.hello(),
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
                        nonce: None,
                        moving: Moving::default(),
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
            loop {
                let filled = self.fill(now, link)?;
                let sent = self.transmit(now, link);
                if !filled && !sent {
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

    /// Moves packets out of a hop. True if there were any.
    fn transmit(&mut self, now: Instant, link: LinkId) -> bool {
        let mut any = false;
        let Some(neighbour) = self.links.get_mut(&link) else {
            return any;
        };
        while neighbour.in_flight < neighbour.up.queue {
            let Some(packet) = neighbour.hop.poll_transmit(now) else {
                break;
            };
            neighbour.in_flight += 1;
            self.outputs.push_back(Output::Transmit { link, packet });
            any = true;
        }
        any
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
                    if hello.node_nonce == self.nonce {
                        self.drop_link(now, link, "the link leads back to this node");
                        return Ok(());
                    }
                    let nonce = hello.node_nonce;
                    if !self.is_the_only_one(now, link, nonce) {
                        return Ok(());
                    }
                    let Some(neighbour) = self.links.get_mut(&link) else {
                        return Ok(());
                    };
                    neighbour.nonce = Some(nonce);
                    neighbour.established = Some((peer, now));
                    let opener = neighbour.up.initiator;
                    let told = neighbour.describe(now);
                    let pinned = self.config.pinned.contains(peer.as_bytes());
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

    /// Sees to it that one link of a kind leads to each neighbour. False if `link` was closed for another.
    ///
    /// The newer one stays: whoever comes again has lost the link before, or has changed its address. Of two that
    /// came up at once the one stays that the smaller nonce opened, so that both ends close the same.
    fn is_the_only_one(&mut self, now: Instant, link: LinkId, nonce: NodeNonce) -> bool {
        let Some(new) = self.links.get(&link) else {
            return false;
        };
        let kind = kind(&new.up.bearer);
        let other = self.links.iter().find(|(other, neighbour)| {
            **other != link
                && neighbour.nonce == Some(nonce)
                && kind == self::kind(&neighbour.up.bearer)
        });
        let Some((other, twin)) = other.map(|(other, twin)| (*other, twin)) else {
            return true;
        };
        let at_once = twin
            .established
            .is_some_and(|(_, since)| now.since(since) < AT_ONCE);
        let ours_stays = self.nonce < nonce;
        let rival = at_once && new.up.initiator != twin.up.initiator;
        let new_stays = !rival || new.up.initiator == ours_stays;
        let surplus = if new_stays { other } else { link };
        self.drop_link(now, surplus, "another link leads to the same neighbour");
        new_stays
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
