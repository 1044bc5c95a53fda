//! `chappe doctor`

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use chappe::home::KeyMode;
use chappe::{Builder, Home, HomeError, OpenError, StartError, StoreError};
use serde::Serialize;

use super::print_json;
use crate::cli::{Doctor, Place};
use crate::control::client::Connection;
use crate::control::protocol::{Answer, Request, TroubleView};
use crate::failure::{Failure, start_failure};
use crate::passphrase;
use crate::radio::Radio;
use crate::render::{Style, bytes, safe_line, say, span, styled};

/// Less free disk than this is worth a word.
const LITTLE_DISK: u64 = 200_000_000;

/// One finding.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    ok: bool,
    says: String,
}

pub(super) async fn run(place: &Place, options: &Doctor) -> Result<(), Failure> {
    let dir = place.dir()?;
    let mut findings = Findings::default();
    if findings.home(&dir) {
        findings.rights(&dir);
        findings.key_mode(&dir);
        findings.store(place, &dir, options.repair).await?;
        findings.disk(&dir);
    }
    for radio in &options.radios {
        match radio {
            Radio::Air { dir, .. } => findings.air(dir),
            #[cfg(feature = "ble")]
            Radio::Ble(options) => findings.ble(&options.adapter).await,
            #[cfg(feature = "wifi-direct")]
            Radio::WifiDirect(options) => findings.wifi_direct(options).await,
        }
    }
    findings.print(options.format.json)?;
    match findings.0.iter().filter(|finding| !finding.ok).count() {
        0 => Ok(()),
        1 => Err(Failure::new("One finding needs you; see above.")),
        count => Err(Failure::new(format!(
            "{count} findings need you; see above."
        ))),
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn good(&mut self, what: &'static str, says: impl Into<String>) {
        let says = says.into();
        self.0.push(Finding {
            what,
            ok: true,
            says,
        });
    }

    fn bad(&mut self, what: &'static str, says: impl Into<String>) {
        let says = says.into();
        self.0.push(Finding {
            what,
            ok: false,
            says,
        });
    }

    fn home(&mut self, dir: &Path) -> bool {
        let there = Home::exists(dir);
        if there {
            self.good("home", format!("A node lives in {}.", dir.display()));
        } else {
            self.bad("home", HomeError::Missing(dir.to_owned()).to_string());
        }
        there
    }

    fn rights(&mut self, dir: &Path) {
        let mut open = Vec::new();
        let mut look = |path: &Path| {
            let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
            if mode & 0o077 != 0 {
                open.push(path.display().to_string());
            }
        };
        look(dir);
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            look(&entry.path());
        }
        if open.is_empty() {
            self.good("rights", "Only you can read the home.");
        } else {
            let paths = open.join(" ");
            self.bad(
                "rights",
                format!("Others can read {paths}; run `chmod go-rwx {paths}`."),
            );
        }
    }

    fn key_mode(&mut self, dir: &Path) {
        let says = match Home::key_mode(dir) {
            Ok(KeyMode::Passphrase) => "The store is locked with a passphrase.",
            _ => {
                "The store's key lies in a file beside it: the node starts by itself, and whoever \
                 takes the disk has both."
            }
        };
        self.good("key", says);
    }

    async fn store(&mut self, place: &Place, dir: &Path, repair: bool) -> Result<(), Failure> {
        if let Some(mut node) = Connection::open(dir).await? {
            match node.ask(&Request::Status, &[]).await {
                Ok((Answer::Status(status), _)) => self.good(
                    "store",
                    format!(
                        "A node runs and its store answers; it carries {}.",
                        bytes(status.bytes)
                    ),
                ),
                Ok(_) => self.bad(
                    "store",
                    "The running node is of another version; restart it.",
                ),
                Err(failure) => self.bad("store", failure.to_string()),
            }
            if let Ok((Answer::Troubles(troubles), _)) = node.ask(&Request::Troubles, &[]).await {
                self.troubles(&troubles);
            }
            if repair {
                self.bad(
                    "repair",
                    "Nothing was repaired while the node runs; stop it first.",
                );
            }
            return Ok(());
        }
        match check_store(place, dir).await {
            Ok(()) => {
                self.good("store", "The store opens and answers.");
                if repair {
                    self.good("repair", "There was nothing to repair.");
                }
            }
            Err(failure) if failure.damaged && repair => {
                let secret = passphrase::for_home(dir, place)?;
                let moved = Home::open(dir, secret)?.move_store_aside()?;
                self.good(
                    "repair",
                    format!(
                        "The damaged store is now {}; a new one starts with the same identity. \
                         Contacts have to be added again, on both sides.",
                        moved.display()
                    ),
                );
            }
            Err(failure) => self.bad("store", failure.says),
        }
        Ok(())
    }

    /// They may be over by now; whether they are shows in what follows.
    fn troubles(&mut self, troubles: &[TroubleView]) {
        for trouble in troubles {
            let says = safe_line(&trouble.says);
            let times = match trouble.times {
                0 | 1 => String::new(),
                times => format!("{times} times, the last "),
            };
            let ago = span(trouble.seconds_ago);
            self.good("past", format!("{times}{ago} ago: {says}"));
        }
    }

    fn disk(&mut self, dir: &Path) {
        let Ok(disk) = rustix::fs::statvfs(dir) else {
            return;
        };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let says = format!("{} are free on the disk of the home", bytes(free));
        if free < LITTLE_DISK {
            self.bad(
                "disk",
                format!("Only {says}; make room, or new messages will be refused."),
            );
        } else {
            self.good("disk", format!("{says}."));
        }
    }

    #[cfg(feature = "wifi-direct")]
    async fn wifi_direct(&mut self, options: &chappe::wifi_direct::WifiDirectOptions) {
        for finding in chappe::wifi_direct::examine(options).await {
            match finding.ok {
                true => self.good("radio", finding.says),
                false => self.bad("radio", finding.says),
            }
        }
    }

    #[cfg(feature = "ble")]
    async fn ble(&mut self, adapter: &str) {
        for finding in chappe::ble::check(adapter).await {
            match finding.ok {
                true => self.good("radio", finding.says),
                false => self.bad("radio", finding.says),
            }
        }
    }

    fn air(&mut self, dir: &Path) {
        match fs::metadata(dir) {
            Ok(metadata) if metadata.is_dir() => {
                self.good("radio", format!("{} is a local air.", dir.display()));
            }
            Ok(_) => self.bad(
                "radio",
                format!("{} is no folder; name another one.", dir.display()),
            ),
            Err(_) => self.good("radio", format!("{} will be made by `run`.", dir.display())),
        }
    }

    fn print(&self, json: bool) -> Result<(), Failure> {
        if json {
            return self.0.iter().try_for_each(print_json);
        }
        for finding in &self.0 {
            let (style, sign) = match finding.ok {
                true => (Style::Good, "ok  "),
                false => (Style::Warn, "LOOK"),
            };
            say!(
                "{}  {:<6}  {}",
                styled(style, sign),
                finding.what,
                finding.says
            );
        }
        Ok(())
    }
}

/// What is wrong with a store.
struct StoreTrouble {
    says: String,
    damaged: bool,
}

async fn check_store(place: &Place, dir: &Path) -> Result<(), StoreTrouble> {
    let trouble = |says: String| StoreTrouble {
        says,
        damaged: false,
    };
    let secret =
        passphrase::for_home(dir, place).map_err(|failure| trouble(failure.to_string()))?;
    let home = Home::open(dir, secret).map_err(|error| trouble(error.to_string()))?;
    let (node, _events) = Builder::at(home)
        .start()
        .await
        .map_err(|error| StoreTrouble {
            damaged: matches!(
                error,
                StartError::Open(OpenError::Corrupt) | StartError::Refused(StoreError::Corrupt)
            ),
            says: start_failure(error, dir).to_string(),
        })?;
    let answer = node
        .status()
        .await
        .map_err(|error| trouble(error.to_string()));
    node.close().await;
    answer.map(drop)
}
