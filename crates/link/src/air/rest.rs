//! Patience with neighbours whose links do not last.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::name::NodeName;

/// The first pause before a neighbour is tried again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Who is not to be tried again at once, because the last attempt failed or its link was closed soon. Two nodes
/// that do not understand each other would meet ten times a second otherwise.
#[derive(Debug, Default)]
pub(super) struct Rests(BTreeMap<NodeName, Rest>);

#[derive(Debug)]
struct Rest {
    pause: Duration,
    until: Instant,
}

impl Rests {
    /// Notes that an attempt ended that began at `since`. One that lasted is a success.
    pub(super) fn ended(&mut self, peer: &NodeName, since: Instant, now: Instant) {
        if now.saturating_duration_since(since) >= LONGEST_PAUSE {
            self.0.remove(peer);
            return;
        }
        let last = self.0.get(peer).map(|rest| rest.pause);
        let pause = last.map_or(FIRST_PAUSE, |pause| {
            pause.saturating_mul(2).min(LONGEST_PAUSE)
        });
        self.0.insert(
            peer.clone(),
            Rest {
                pause,
                until: now + pause,
            },
        );
    }

    /// True if `peer` is to be left alone for now.
    pub(super) fn rests(&self, peer: &NodeName, now: Instant) -> bool {
        self.0.get(peer).is_some_and(|rest| now < rest.until)
    }

    /// Forgets all but those who are `near`.
    pub(super) fn keep(&mut self, near: &BTreeSet<NodeName>) {
        self.0.retain(|peer, _| near.contains(peer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn south() -> NodeName {
        NodeName::new("south").unwrap()
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let (mut rests, mut now) = (Rests::default(), Instant::now());
        for millis in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
            rests.ended(&south(), now, now);
            assert!(
                rests.rests(&south(), now + Duration::from_millis(millis - 1)),
                "{millis}"
            );
            now += Duration::from_millis(millis);
            assert!(!rests.rests(&south(), now), "{millis}");
        }
    }

    #[test]
    fn a_link_that_lasted_and_a_neighbour_who_left_are_tried_at_once() {
        let (mut rests, now) = (Rests::default(), Instant::now());
        rests.ended(&south(), now, now);
        rests.ended(&south(), now, now + LONGEST_PAUSE);
        assert!(!rests.rests(&south(), now + LONGEST_PAUSE));
        rests.ended(&south(), now, now);
        rests.keep(&BTreeSet::new());
        assert!(!rests.rests(&south(), now));
    }
}
