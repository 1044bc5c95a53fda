//! The GATT services that neighbours connect to who have no L2CAP.
//!
//! BlueZ sends a notification to everybody who asked for that characteristic. So there is one characteristic per
//! neighbour, a slot: who reads the greeting characteristic is told which slot is its own.
//!
//! Each characteristic is in a service of its own: `bluetoothd` takes the characteristics of a service in any order, and
//! strangers would know a node again by that. No two services are of one kind, since btleplug knows them by that.
//!
//! ```text
//! service           characteristic
//! SERVICE           SERVICE + 1      greeting  read: the beacon (10 bytes), then the reader's slot (1 byte;
//!                                              0xff: none is free)
//! SERVICE + 16 + n  SERVICE + 2 + n  slot n    write without response: to this node; notify: from this node
//! ```

use crate::{BEACON_LEN, SERVICE};

/// Neighbours that a node serves over GATT at once.
pub(crate) const SLOTS: u8 = 4;
/// Told to a reader when no slot is free.
#[cfg(any(target_os = "linux", test))]
pub(crate) const NO_SLOT: u8 = 0xff;
/// The characteristic that is read first, as a UUID.
pub(crate) const GREETING: u128 = SERVICE + 1;

/// The characteristic of a slot, as a UUID.
pub(crate) const fn slot(number: u8) -> u128 {
    SERVICE + 2 + number as u128
}

/// The service around a slot's characteristic, as a UUID.
#[cfg(any(target_os = "linux", test))]
pub(crate) const fn slot_service(number: u8) -> u128 {
    SERVICE + 16 + number as u128
}

/// The slot that the greeting characteristic tells its reader; `None` if none is free.
pub(crate) fn told_slot(greeting: &[u8]) -> Option<u8> {
    let slot = greeting.get(BEACON_LEN).copied();
    slot.filter(|slot| *slot < SLOTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_told_behind_the_beacon_or_none_is() {
        let greeting = |slot| [&[0; BEACON_LEN][..], &[slot]].concat();
        assert_eq!(told_slot(&greeting(0)), Some(0));
        assert_eq!(told_slot(&greeting(SLOTS - 1)), Some(SLOTS - 1));
        for nobody in [SLOTS, NO_SLOT] {
            assert_eq!(told_slot(&greeting(nobody)), None);
        }
        assert_eq!(told_slot(&[0; BEACON_LEN]), None);
        assert_eq!(told_slot(&[]), None);
    }
}
