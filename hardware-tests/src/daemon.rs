//! `bluetoothd`, started again when it ends by itself.
//!
//! On a real machine D-Bus has systemd do that as soon as anybody asks BlueZ for anything, and a node asks every few seconds: the
//! name `org.bluez` belongs to a unit that D-Bus may start. The guest has no systemd.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use crate::lab::{background, kill};

const PROGRAM: &str = "/usr/libexec/bluetooth/bluetoothd";
/// How often it is looked whether it still runs: about as often as a node asks it something.
const LOOK: Duration = Duration::from_secs(2);

/// A `bluetoothd` that goes on until it is dropped.
pub(crate) struct Daemon(Arc<Mutex<State>>);

struct State {
    log: PathBuf,
    /// `None` once it is to be over.
    child: Option<Child>,
    /// How it ended whenever it did so by itself.
    ended: Vec<String>,
}

impl Daemon {
    /// Starts it, with its output in `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(log: &Path) -> anyhow::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            log: log.to_owned(),
            child: Some(launch(log)?),
            ended: Vec::new(),
        }));
        let looked_at = Arc::clone(&state);
        std::thread::Builder::new()
            .name("bluetoothd".to_owned())
            .spawn(move || {
                while lock(&looked_at).look() {
                    sleep(LOOK);
                }
            })?;
        Ok(Self(state))
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> Option<u32> {
        lock(&self.0).child.as_ref().map(Child::id)
    }

    /// How it ended whenever it did so by itself.
    pub(crate) fn ended(&self) -> Vec<String> {
        lock(&self.0).ended.clone()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut child) = lock(&self.0).child.take() {
            kill(&mut child);
        }
    }
}

impl State {
    /// Starts it again if it has ended. Whether to look again.
    fn look(&mut self) -> bool {
        let Some(child) = &mut self.child else {
            return false;
        };
        if let Ok(Some(status)) = child.try_wait() {
            println!("bluetoothd ended by itself ({status}), and is started again");
            self.ended.push(status.to_string());
            self.child = launch(&self.log).ok();
        }
        self.child.is_some()
    }
}

fn launch(log: &Path) -> anyhow::Result<Child> {
    background(Command::new(PROGRAM).arg("-n"), log)
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
