//! What went wrong with the radios since the node started, for `chappe doctor`. In memory only.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::protocol::TroubleView;

/// So many different ones are remembered; the oldest is forgotten for a new one.
const MAX_TROUBLES: usize = 16;

/// The latest troubles. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Troubles(Arc<Mutex<VecDeque<Trouble>>>);

struct Trouble {
    says: String,
    last: Instant,
    times: u32,
}

impl Troubles {
    /// Notes one.
    pub(crate) fn note(&self, says: String) {
        // Nothing panics while it is held.
        let mut troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = troubles.iter().position(|trouble| trouble.says == says);
        let times = known.and_then(|at| troubles.remove(at));
        let times = times.map_or(1, |trouble| trouble.times.saturating_add(1));
        if troubles.len() == MAX_TROUBLES {
            troubles.pop_front();
        }
        let last = Instant::now();
        troubles.push_back(Trouble { says, last, times });
    }

    /// All of them, oldest first.
    pub(crate) fn list(&self) -> Vec<TroubleView> {
        let troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let view = |trouble: &Trouble| TroubleView {
            says: trouble.says.clone(),
            seconds_ago: trouble.last.elapsed().as_secs(),
            times: trouble.times,
        };
        troubles.iter().map(view).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten() {
        let troubles = Troubles::default();
        for number in 0..=MAX_TROUBLES {
            troubles.clone().note(number.to_string());
        }
        let list = troubles.list();
        assert_eq!(list.len(), MAX_TROUBLES);
        assert_eq!(list[0].says, "1");
    }

    #[test]
    fn what_happens_again_is_counted() {
        let troubles = Troubles::default();
        for says in ["off", "gone", "off"] {
            troubles.note(says.to_owned());
        }
        let list = troubles.list();
        let counted: Vec<_> = list
            .iter()
            .map(|one| (one.says.as_str(), one.times))
            .collect();
        assert_eq!(counted, [("gone", 1), ("off", 2)]);
    }
}
