//! What the log says of troubles that come again and again: strangers can cause some as often as they like.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The same sentence is not a warning again for so long.
const PAUSE: Duration = Duration::from_secs(60);
/// So many sentences are kept in mind; the oldest is forgotten for a new one.
const MAX_SENTENCES: usize = 16;

/// The warnings of late, oldest first.
#[derive(Default)]
pub(super) struct Warnings(VecDeque<(String, Instant)>);

impl Warnings {
    /// Whether this is worth a warning at `now`; if so, it is not for a while.
    pub(super) fn is_due(&mut self, says: &str, now: Instant) -> bool {
        let recent = |at: Instant| now.saturating_duration_since(at) < PAUSE;
        self.0.retain(|(_, at)| recent(*at));
        if self.0.iter().any(|(known, _)| known == says) {
            return false;
        }
        if self.0.len() == MAX_SENTENCES {
            self.0.pop_front();
        }
        self.0.push_back((says.to_owned(), now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_sentence_is_a_warning_once_a_minute() {
        let mut warnings = Warnings::default();
        let start = Instant::now();
        assert!(warnings.is_due("off", start));
        assert!(warnings.is_due("gone", start));
        let almost = start + PAUSE - Duration::from_millis(1);
        assert!(!warnings.is_due("off", almost));
        assert!(warnings.is_due("off", start + PAUSE));
    }

    #[test]
    fn no_more_sentences_are_kept_than_there_is_room_for() {
        let mut warnings = Warnings::default();
        let start = Instant::now();
        for number in 0..100 {
            assert!(warnings.is_due(&number.to_string(), start));
            assert!(warnings.0.len() <= MAX_SENTENCES);
        }
    }
}
