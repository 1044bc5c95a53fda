//! Wi-Fi Direct groups on Linux, through the D-Bus interface of wpa_supplicant.
//!
//! A group is agreed on beforehand, with its name and passphrase ([`Credentials`]): nobody is found, no PIN is
//! typed and no button pressed. One node owns it, the others join. What carries packets within a group is not
//! the business of this crate: it tells the name of the group's interface.
//!
//! - [`Life`] decides what is to be done next as groups form, fail and vanish. It is pure: no I/O and no clock.
//! - [`Radio`] does it, by way of wpa_supplicant, and tells of groups in [`GroupEvent`]s.
//! - [`examine`] finds what keeps a machine from it, in plain sentences.
//!
//! ```
//! use std::time::Duration;
//! use chappe_wifi_direct::{Action, Credentials, Goal, Happening, Life};
//!
//! let mut life = Life::new();
//! let goal = Goal::own(Credentials::from_random([7; 24]), None);
//! let now = Duration::ZERO;
//! assert_eq!(life.handle(now, Happening::SupplicantUp), []);
//! assert_eq!(life.handle(now, Happening::Want(Some(goal.clone()))), [Action::Form(goal)]);
//! ```
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod credentials;
mod examine;
mod identity;
mod life;
mod radio;
mod supplicant;

pub use credentials::{Credentials, CredentialsError, MAX_PASSPHRASE_LEN, MAX_SSID_LEN};
pub use examine::{Finding, examine};
pub use life::{Action, Goal, Group, Happening, Life, Role};
pub use radio::{GroupEvent, Radio, RadioHandle, RadioOptions};
pub use supplicant::{Bus, RadioError};
