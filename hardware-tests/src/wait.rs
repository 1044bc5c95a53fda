//! Waiting for something to become true.

use std::time::{Duration, Instant};

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(500);

/// Looks until `look` gives something, for so long at most.
///
/// # Errors
/// When the time is over, with `what` was waited for; and what `look` says.
pub(crate) fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        anyhow::ensure!(
            started.elapsed() < limit,
            "{what}: not within {} s",
            limit.as_secs()
        );
        std::thread::sleep(LOOK);
    }
}
