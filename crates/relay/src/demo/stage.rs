//! Who is in range of whom, what is heard meanwhile, and waiting for things to happen.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chappe_link::air::Hearing;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::show::Show;
use crate::commands::air::set_range;
use crate::control::protocol::EventView;
use crate::failure::Failure;

/// How long anything may take before the demo gives up.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long news may be on its way from a node to the show.
const SETTLE: Duration = Duration::from_millis(150);

/// Something that a node of the play told.
pub(crate) struct Heard {
    /// Which node.
    pub(crate) who: &'static str,
    /// What.
    pub(crate) event: EventView,
}

/// The air of the play.
pub(crate) struct Stage {
    air: PathBuf,
    heard: mpsc::Receiver<Heard>,
    meetings: BTreeSet<(String, String)>,
    /// What the audience sees.
    pub(crate) show: Show,
}

impl Stage {
    /// An air in `folder` in which nobody hears anybody.
    pub(crate) fn new(
        folder: &Path,
        heard: mpsc::Receiver<Heard>,
        show: Show,
    ) -> Result<Self, Failure> {
        let air = folder.join("air");
        set_range(&air, Hearing::NOBODY)?;
        Ok(Self {
            air,
            heard,
            meetings: BTreeSet::new(),
            show,
        })
    }

    /// Puts exactly these two in range of each other.
    pub(crate) fn meet(&mut self, one: &str, other: &str) -> Result<(), Failure> {
        let both =
            Hearing::from_words([one, other]).map_err(|error| Failure::new(format!("{error}.")))?;
        set_range(&self.air, both)
    }

    /// Puts everybody out of range.
    pub(crate) fn part(&mut self) -> Result<(), Failure> {
        set_range(&self.air, Hearing::NOBODY)
    }

    /// All pairs that ever had a hop, as both sides told.
    pub(crate) const fn meetings(&self) -> &BTreeSet<(String, String)> {
        &self.meetings
    }

    /// Shows what is heard until `met` says so.
    pub(crate) async fn wait(
        &mut self,
        what: &str,
        mut met: impl AsyncFnMut(&mut Show) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        loop {
            let look = Instant::now() + LOOK;
            loop {
                tokio::select! {
                    Some(heard) = self.heard.recv() => self.take(&heard),
                    () = sleep_until(look) => break,
                }
            }
            if met(&mut self.show).await? {
                return Ok(());
            }
            if Instant::now() > end {
                let seconds = PATIENCE.as_secs();
                return Err(Failure::new(format!(
                    "The demo waited {seconds} s in vain for this: {what}; see the logs (--keep DIR)."
                )));
            }
        }
    }

    /// Shows what is still on its way to be shown.
    pub(crate) async fn settle(&mut self) {
        let end = Instant::now() + SETTLE;
        loop {
            tokio::select! {
                Some(heard) = self.heard.recv() => self.take(&heard),
                () = sleep_until(end) => return,
            }
        }
    }

    fn take(&mut self, heard: &Heard) {
        if let EventView::PeerUp(peer) = &heard.event {
            self.meetings
                .insert((heard.who.to_owned(), peer.label.clone()));
        }
        self.show.event(heard.who, &heard.event);
    }
}
