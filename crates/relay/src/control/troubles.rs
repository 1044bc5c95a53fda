//! What went wrong with the radios since the node started, for `chappe doctor`. In memory only.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::protocol::TroubleView;

/// So many are remembered; the oldest is forgotten for a new one.
const MAX_TROUBLES: usize = 16;

/// The latest troubles. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Troubles(Arc<Mutex<VecDeque<(Instant, String)>>>);

impl Troubles {
    /// Notes one.
    pub(crate) fn note(&self, says: String) {
        // Nothing panics while it is held.
        let mut troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if troubles.len() == MAX_TROUBLES {
            troubles.pop_front();
        }
        troubles.push_back((Instant::now(), says));
    }

    /// All of them, oldest first.
    pub(crate) fn list(&self) -> Vec<TroubleView> {
        let troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let view = |(at, says): &(Instant, String)| TroubleView {
            says: says.clone(),
            seconds_ago: at.elapsed().as_secs(),
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
}
