//! Whom this node is to dial, and when again.

use std::collections::BTreeMap;
use std::net::SocketAddrV6;
use std::time::Duration;

use libp2p::identity::PeerId;
use tokio::time::Instant;

/// The pause after the first failure; it doubles up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);
/// A connection that lasted so long was a good one.
const GOOD: Duration = Duration::from_secs(10);

/// Those who are to be dialled.
#[derive(Debug, Default)]
pub(crate) struct Dials {
    wanted: BTreeMap<PeerId, Wanted>,
}

#[derive(Debug)]
struct Wanted {
    address: SocketAddrV6,
    next: Instant,
    pause: Duration,
    connected: Option<Instant>,
}

impl Dials {
    /// Wants exactly these, beside `always`.
    pub(crate) fn want(
        &mut self,
        now: Instant,
        always: Option<PeerId>,
        these: &BTreeMap<PeerId, SocketAddrV6>,
    ) {
        self.wanted
            .retain(|peer, _| Some(*peer) == always || these.contains_key(peer));
        for (peer, address) in these {
            self.add(now, *peer, *address);
        }
    }

    /// Wants this one, too; if it has moved, at its new address at once.
    pub(crate) fn add(&mut self, now: Instant, peer: PeerId, address: SocketAddrV6) {
        let wanted = self.wanted.entry(peer).or_insert(Wanted {
            address,
            next: now,
            pause: SHORTEST,
            connected: None,
        });
        if wanted.address != address {
            wanted.address = address;
            wanted.next = now;
        }
    }

    /// Those whose time has come. Each is due again after a pause, whatever becomes of it.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<(PeerId, SocketAddrV6)> {
        let due = |wanted: &&mut Wanted| wanted.connected.is_none() && wanted.next <= now;
        let mut list = Vec::new();
        for (peer, wanted) in &mut self.wanted {
            if due(&wanted) {
                wanted.next = now + wanted.pause;
                wanted.pause = (wanted.pause * 2).min(LONGEST);
                list.push((*peer, wanted.address));
            }
        }
        list
    }

    pub(crate) fn connected(&mut self, now: Instant, peer: &PeerId) {
        if let Some(wanted) = self.wanted.get_mut(peer) {
            wanted.connected = Some(now);
        }
    }

    pub(crate) fn disconnected(&mut self, now: Instant, peer: &PeerId) {
        if let Some(wanted) = self.wanted.get_mut(peer) {
            let lasted = wanted.connected.take().map(|since| now - since);
            if lasted.is_some_and(|lasted| lasted >= GOOD) {
                wanted.pause = SHORTEST;
            }
            wanted.next = now + wanted.pause;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    const ADDRESS: SocketAddrV6 = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 1, 0, 0);

    #[test]
    fn pauses_grow_and_a_good_connection_resets_them() {
        let (mut dials, peer, mut now) = (Dials::default(), PeerId::random(), Instant::now());
        dials.add(now, peer, ADDRESS);
        assert_eq!(dials.due(now).len(), 1);
        assert_eq!(dials.due(now + SHORTEST / 2).len(), 0);
        for _ in 0..20 {
            now += LONGEST;
            assert_eq!(dials.due(now).len(), 1);
        }
        assert_eq!(dials.due(now + LONGEST - SHORTEST).len(), 0);
        dials.connected(now, &peer);
        assert_eq!(dials.due(now + LONGEST).len(), 0);
        now += GOOD;
        dials.disconnected(now, &peer);
        assert_eq!(dials.due(now + SHORTEST).len(), 1);
    }

    #[test]
    fn who_left_is_not_dialled_and_who_moved_is_at_once() {
        let (mut dials, peer, now) = (Dials::default(), PeerId::random(), Instant::now());
        let owner = PeerId::random();
        dials.add(now, owner, ADDRESS);
        dials.want(now, Some(owner), &BTreeMap::from([(peer, ADDRESS)]));
        assert_eq!(dials.due(now).len(), 2);
        let moved = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 2, 0, 0);
        dials.want(now, Some(owner), &BTreeMap::from([(peer, moved)]));
        assert_eq!(dials.due(now), [(peer, moved)]);
        dials.want(now, Some(owner), &BTreeMap::new());
        assert_eq!(dials.due(now + LONGEST), [(owner, ADDRESS)]);
    }
}
