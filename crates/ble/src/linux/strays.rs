//! Connections that carry nothing: a stranger connects, and says nothing or what nobody understands.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bluer::Address;

/// Who is connected without a link, and since when.
#[derive(Debug, Default)]
pub(super) struct Strays(BTreeMap<Address, Instant>);

impl Strays {
    /// Of those who are connected, the ones that are not `known` and were not for longer than `limit`.
    pub(super) fn look(
        &mut self,
        now: Instant,
        connected: &[Address],
        known: &[Address],
        limit: Duration,
    ) -> Vec<Address> {
        let strays = connected.iter().filter(|one| !known.contains(one));
        let before = std::mem::take(&mut self.0);
        self.0 = strays
            .map(|one| (*one, before.get(one).copied().unwrap_or(now)))
            .collect();
        let due = self.0.iter();
        due.filter(|(_, since)| now.duration_since(**since) > limit)
            .map(|(one, _)| *one)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_nothing_is_a_stray_after_a_while() {
        let (near, far) = (Address::new([1; 6]), Address::new([2; 6]));
        let limit = Duration::from_secs(20);
        let mut strays = Strays::default();
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        assert!(strays.look(start, &[near, far], &[near], limit).is_empty());
        assert!(
            strays
                .look(later(20), &[near, far], &[near], limit)
                .is_empty()
        );
        assert_eq!(strays.look(later(21), &[near, far], &[near], limit), [far]);
        // Who was away in between begins anew.
        assert!(strays.look(later(22), &[near], &[near], limit).is_empty());
        assert!(strays.look(later(43), &[far], &[], limit).is_empty());
    }
}
