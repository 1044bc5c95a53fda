//! Carriers that have met the recipient before.

use alloc::vec::Vec;
use core::any::Any;
use core::f64::consts::LN_2;

use chappe_wire::{Duration, Instant};

use crate::Copies;
use crate::policy::{
    Candidate, Endpoint, Habits, Neighbour, Policy, Priority, Sharing, Surroundings,
};

/// PRoPHET (Lindgren, Doria, Schelen: "Probabilistic Routing in Intermittently Connected Networks", 2003): each node
/// knows how predictable it is that it meets another one, directly or over others. An item goes to neighbours that
/// are more likely than its holder to meet the destination, most likely first.
#[derive(Clone, Debug)]
pub struct Prophet {
    version: Version,
    /// By the number of the endpoint, as it was at `aged`. Endpoints that are not in it are unknown: 0.
    predictability: Vec<f64>,
    /// When each endpoint was met last, for version 2.
    met: Vec<Option<Instant>>,
    aged: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    First,
    Second,
}

/// Predictabilities are given for this time.
const UNIT: Duration = Duration::from_secs(30);

/// P_encounter 0.75, beta 0.25, gamma 0.98 a unit (ln 0.98): the constants of the paper.
const FIRST_ENCOUNTER: f64 = 0.75;
const FIRST_BETA: f64 = 0.25;
const FIRST_LN_GAMMA: f64 = -0.020_202_707_317_519_466;

/// Grasic, Davies, Lindgren, Doria: "The evolution of a DTN routing protocol: PRoPHETv2", 2011. P_encounter is at most
/// 0.5, and less for who was met within the typical interval; beta 0.9; gamma 0.999885791 a unit (ln of it).
const SECOND_ENCOUNTER: f64 = 0.5;
const SECOND_BETA: f64 = 0.9;
const SECOND_LN_GAMMA: f64 = -0.000_114_215_522_344_483_94;
const TYPICAL_INTERVAL: Duration = Duration::from_secs(1_800);

impl Prophet {
    /// The first version, with the constants of the paper.
    pub const fn new() -> Self {
        Self::of(Version::First)
    }

    /// The second version, which is harder to mislead by many short encounters.
    pub const fn v2() -> Self {
        Self::of(Version::Second)
    }

    /// How predictable it was, when predictabilities were brought up to date last, that this node meets `endpoint`.
    pub fn predictability(&self, endpoint: Endpoint) -> f64 {
        self.at(endpoint.place())
    }

    const fn of(version: Version) -> Self {
        Self {
            version,
            predictability: Vec::new(),
            met: Vec::new(),
            aged: Instant::ZERO,
        }
    }

    fn at(&self, place: usize) -> f64 {
        self.predictability.get(place).copied().unwrap_or(0.0)
    }

    /// How much what was brought up to date earlier counts less, beside what was brought up to date at `later`.
    fn faded(&self, later: Instant) -> f64 {
        let ln_gamma = match self.version {
            Version::First => FIRST_LN_GAMMA,
            Version::Second => SECOND_LN_GAMMA,
        };
        let elapsed = later.since(self.aged).as_micros() as f64;
        exp(ln_gamma * elapsed / UNIT.as_micros() as f64)
    }

    fn age(&mut self, now: Instant) {
        if self.aged < now {
            let faded = self.faded(now);
            for value in &mut self.predictability {
                *value *= faded;
            }
            self.aged = now;
        }
    }

    /// The predictabilities of both for `destination`, at the same time.
    fn compared(&self, theirs: &Self, destination: Endpoint) -> (f64, f64) {
        let later = self.aged.max(theirs.aged);
        let [ours, theirs] = [self, theirs].map(|one| {
            let value = one.predictability(destination);
            if one.aged == later || value == 0.0 {
                value
            } else {
                value * one.faded(later)
            }
        });
        (ours, theirs)
    }

    /// The share of what is missing to certainty that an encounter makes up for.
    fn encounter(&mut self, now: Instant, neighbour: Endpoint) -> f64 {
        if self.version == Version::First {
            return FIRST_ENCOUNTER;
        }
        let last = place(&mut self.met, neighbour.place()).and_then(|last| last.replace(now));
        match last.map(|last| now.since(last)) {
            Some(since) if since < TYPICAL_INTERVAL => {
                SECOND_ENCOUNTER * since.as_micros() as f64 / TYPICAL_INTERVAL.as_micros() as f64
            }
            _ => SECOND_ENCOUNTER,
        }
    }
}

impl Default for Prophet {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy for Prophet {
    fn initial_copies(&self, _surroundings: &Surroundings) -> Copies {
        Copies::NONE
    }

    fn received_copies(&self, _declared: Copies) -> Copies {
        Copies::NONE
    }

    fn sharing(&self, item: &Candidate<'_>, neighbour: &Neighbour<'_>) -> Sharing {
        let Some((clear, theirs)) = item.clear.zip(neighbour.knowledge::<Self>()) else {
            return Sharing::Withhold;
        };
        let (ours, theirs) = self.compared(theirs, clear.destination);
        let better = match self.version {
            Version::First => theirs > ours,
            Version::Second => theirs >= ours,
        };
        if better {
            Sharing::Push
        } else {
            Sharing::TagOnly
        }
    }

    fn priority(&self, item: &Candidate<'_>, neighbour: &Neighbour<'_>) -> Priority {
        let both = item.clear.zip(neighbour.knowledge::<Self>());
        let (_, theirs) = both.map_or((0.0, 0.0), |(clear, theirs)| {
            self.compared(theirs, clear.destination)
        });
        Priority::likely_first(theirs)
    }

    fn handed_over(&self, _copies: Copies) -> Copies {
        Copies::NONE
    }

    fn habits(&self) -> Habits {
        Habits {
            sees_destinations: true,
            tells_neighbours_apart: true,
            ..Habits::default()
        }
    }

    fn meet(&mut self, now: Instant, neighbour: Endpoint) {
        self.age(now);
        let share = self.encounter(now, neighbour);
        if let Some(value) = place(&mut self.predictability, neighbour.place()) {
            *value += (1.0 - *value) * share;
        }
    }

    fn learn(&mut self, now: Instant, neighbour: Endpoint, theirs: &dyn Any) {
        let Some(theirs) = theirs.downcast_ref::<Self>() else {
            return;
        };
        self.age(now);
        let ours = self.predictability(neighbour);
        let fresh = theirs.faded(now);
        if self.predictability.len() < theirs.predictability.len() {
            self.predictability.resize(theirs.predictability.len(), 0.0);
        }
        // What the neighbour knows of itself leads nowhere.
        let of_itself = self.predictability(neighbour);
        let values = self.predictability.iter_mut().zip(&theirs.predictability);
        match self.version {
            Version::First => {
                for (value, their) in values {
                    *value += (1.0 - *value) * ours * (their * fresh) * FIRST_BETA;
                }
            }
            Version::Second => {
                for (value, their) in values {
                    *value = value.max(ours * (their * fresh) * SECOND_BETA);
                }
            }
        }
        if let Some(value) = place(&mut self.predictability, neighbour.place()) {
            *value = of_itself;
        }
    }
}

/// The value at a place, and zero or nothing before it if the list ends earlier.
fn place<T: Clone + Default>(list: &mut Vec<T>, place: usize) -> Option<&mut T> {
    if list.len() <= place {
        list.resize(place + 1, T::default());
    }
    list.get_mut(place)
}

/// e to the power of `x`, which is not positive. (The core library has no floating-point functions.)
fn exp(x: f64) -> f64 {
    let halvings = (-x / LN_2) as u32;
    let Some(exponent) = 1_022_u32.checked_sub(halvings) else {
        return 0.0;
    };
    let rest = x + f64::from(halvings) * LN_2;
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..=18 {
        term *= rest / f64::from(n);
        sum += term;
    }
    2.0 * sum * f64::from_bits(u64::from(exponent) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_power_is_right() {
        for (x, right) in [
            (0.0, 1.0),
            (-1.0, 0.367_879_441_171_442_33),
            (FIRST_LN_GAMMA, 0.98),
            (SECOND_LN_GAMMA, 0.999_885_791),
            (-50.0, 1.928_749_847_963_917_8e-22),
        ] {
            let off = (exp(x) / right - 1.0).abs();
            assert!(off < 1e-12, "{x}: {off}");
        }
        assert_eq!(exp(-1e6), 0.0);
    }
}
