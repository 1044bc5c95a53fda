//! How many different neighbours were met lately.

use alloc::collections::{BTreeMap, VecDeque};

use chappe_wire::{Duration, Instant};

use crate::Ingress;

/// Who was met longer ago does not count.
const WINDOW: Duration = Duration::from_minutes(180);
/// Who comes so soon after somebody went may be the same neighbour with another key.
const RETURN: Duration = Duration::from_secs(30);
/// The most that are counted.
const MAX_MET: usize = 1_024;
/// The most departures that are kept in mind.
const MAX_GONE: usize = 64;
/// Who was met long ago is forgotten when there are so many, or twice as many, and so on; and when they are counted.
const CROWD: usize = 256;

/// Counts neighbours by their ingresses.
///
/// Phones change their keys every few minutes. So that a few of them who stay together are not counted as a crowd, a
/// newcomer who may be somebody that just went is not counted: the count is rather too small than too large.
#[derive(Debug, Default)]
pub(crate) struct Encounters {
    met: BTreeMap<Ingress, Instant>,
    gone: VecDeque<Instant>,
}

impl Encounters {
    pub(crate) fn came(&mut self, now: Instant, ingress: Ingress) {
        while self
            .gone
            .pop_front_if(|gone| now.since(*gone) > RETURN)
            .is_some()
        {}
        if let Some(last) = self.met.get_mut(&ingress) {
            *last = now;
        } else if self.gone.pop_front().is_none() {
            if self.met.len() >= CROWD && self.met.len().is_power_of_two() {
                self.forget(now);
            }
            if self.met.len() < MAX_MET {
                self.met.insert(ingress, now);
            }
        }
    }

    pub(crate) fn left(&mut self, now: Instant, ingress: Ingress) {
        if let Some(last) = self.met.get_mut(&ingress) {
            *last = now;
        }
        if self.gone.len() < MAX_GONE {
            self.gone.push_back(now);
        }
    }

    /// Different neighbours met lately, besides those who are here.
    pub(crate) fn count(&mut self, now: Instant) -> usize {
        self.forget(now);
        self.met.len()
    }

    fn forget(&mut self, now: Instant) {
        self.met.retain(|_, last| now.since(*last) <= WINDOW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Instant {
        Instant::ZERO.after(Duration::from_secs(secs))
    }

    #[test]
    fn who_never_counts_does_not_pile_up() {
        let mut encounters = Encounters::default();
        for n in 0..10_000 {
            encounters.came(at(n * 100), Ingress::new(n));
            assert!(encounters.met.len() <= CROWD);
        }
        assert_eq!(encounters.count(at(9_999 * 100)), 109);
    }

    #[test]
    fn passers_by_are_counted_and_forgotten() {
        let mut encounters = Encounters::default();
        for n in 0..20 {
            encounters.came(at(n * 100), Ingress::new(n));
            encounters.left(at(n * 100 + 50), Ingress::new(n));
        }
        assert_eq!(encounters.count(at(2_000)), 20);
        // They come back: the same.
        for n in 0..20 {
            encounters.came(at(2_000 + n * 100), Ingress::new(n));
            encounters.left(at(2_050 + n * 100), Ingress::new(n));
        }
        assert_eq!(encounters.count(at(4_000)), 20);
        assert_eq!(encounters.count(at(4_000 + 3 * 3_600)), 0);
    }

    #[test]
    fn a_few_who_change_their_keys_are_no_crowd() {
        let mut encounters = Encounters::default();
        for n in 0..4 {
            encounters.came(at(0), Ingress::new(n));
        }
        for epoch in 1..18 {
            for n in 0..4 {
                encounters.left(at(epoch * 600), Ingress::new((epoch - 1) * 4 + n));
                encounters.came(at(epoch * 600 + 10), Ingress::new(epoch * 4 + n));
            }
        }
        assert!(encounters.count(at(17 * 600)) <= 8);
    }

    #[test]
    fn a_flood_of_names_is_bounded() {
        let mut encounters = Encounters::default();
        for n in 0..5_000 {
            encounters.came(at(n), Ingress::new(n));
        }
        assert_eq!(encounters.count(at(5_000)), MAX_MET);
    }
}
