//! The scenarios, in the order in which they run.

mod ble_bytes;
mod ble_central;
mod ble_churn;
mod ble_discovery;
mod ble_doctor;
mod ble_hostile;
mod ble_pair;
mod ble_privacy;
mod ble_recovery;
mod ble_relay;
mod boot;
mod no_server;
mod radio_memory;
mod wifi_direct_beside;
mod wifi_direct_doctor;
mod wifi_direct_ferry;
mod wifi_direct_figures;
mod wifi_direct_pair;
mod wifi_direct_persistent;
mod wifi_direct_privacy;
mod wifi_direct_relay;
mod wifi_direct_star;

use crate::lab::Lab;
use crate::report::Shown;

/// Something that real nodes do over virtual radios.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// It does not end well every time yet, or takes long.
    by_name_only: bool,
    pub(crate) run: fn(&mut Lab) -> anyhow::Result<Shown>,
}

const ALL: [Scenario; 24] = [
    Scenario {
        name: "boot",
        by_name_only: false,
        run: boot::run,
    },
    Scenario {
        name: "ble-doctor",
        by_name_only: true,
        run: ble_doctor::run,
    },
    Scenario {
        name: "ble-pair",
        by_name_only: false,
        run: ble_pair::run,
    },
    Scenario {
        name: "ble-relay",
        by_name_only: false,
        run: ble_relay::run,
    },
    Scenario {
        name: "ble-gatt",
        by_name_only: false,
        run: ble_pair::run_gatt,
    },
    Scenario {
        name: "ble-central",
        by_name_only: true,
        run: ble_central::run,
    },
    Scenario {
        name: "ble-privacy",
        by_name_only: true,
        run: ble_privacy::run,
    },
    Scenario {
        name: "ble-bytes",
        by_name_only: true,
        run: ble_bytes::run,
    },
    Scenario {
        name: "ble-gatt-bytes",
        by_name_only: true,
        run: ble_bytes::run_gatt,
    },
    Scenario {
        name: "ble-churn",
        by_name_only: true,
        run: ble_churn::run,
    },
    Scenario {
        name: "ble-hostile",
        by_name_only: true,
        run: ble_hostile::run,
    },
    Scenario {
        name: "ble-recovery",
        by_name_only: true,
        run: ble_recovery::run,
    },
    Scenario {
        name: "ble-discovery",
        by_name_only: true,
        run: ble_discovery::run,
    },
    Scenario {
        name: "wifi-direct-pair",
        by_name_only: false,
        run: wifi_direct_pair::run,
    },
    Scenario {
        name: "wifi-direct-star",
        by_name_only: true,
        run: wifi_direct_star::run,
    },
    Scenario {
        name: "wifi-direct-ferry",
        by_name_only: false,
        run: wifi_direct_ferry::run,
    },
    Scenario {
        name: "wifi-direct-relay",
        by_name_only: true,
        run: wifi_direct_relay::run,
    },
    Scenario {
        name: "wifi-direct-persistent",
        by_name_only: true,
        run: wifi_direct_persistent::run,
    },
    Scenario {
        name: "wifi-direct-privacy",
        by_name_only: true,
        run: wifi_direct_privacy::run,
    },
    Scenario {
        name: "wifi-direct-doctor",
        by_name_only: false,
        run: wifi_direct_doctor::run,
    },
    Scenario {
        name: "wifi-direct-beside",
        by_name_only: true,
        run: wifi_direct_beside::run,
    },
    Scenario {
        name: "wifi-direct-figures",
        by_name_only: true,
        run: wifi_direct_figures::run,
    },
    Scenario {
        name: "radio-memory",
        by_name_only: true,
        run: radio_memory::run,
    },
    Scenario {
        name: "no-server",
        by_name_only: false,
        run: no_server::run,
    },
];

/// Those that need nothing but machines with a radio: nobody cuts their power, and nobody reads along.
const ON_RIGS: [&str; 2] = ["ble-pair", "ble-relay"];

/// The scenarios that are named, on real machines; without names, all that can be run there.
///
/// # Errors
/// When there is no such scenario, or it needs virtual radios.
pub(crate) fn chosen_for_rigs(names: &[String]) -> anyhow::Result<Vec<&'static Scenario>> {
    if names.is_empty() {
        return chosen(&ON_RIGS.map(str::to_owned));
    }
    let virtual_only = names.iter().find(|name| !ON_RIGS.contains(&name.as_str()));
    if let Some(name) = virtual_only {
        let there = ON_RIGS.join(", ");
        anyhow::bail!("`{name}` does not run on real machines; these do: {there}");
    }
    chosen(names)
}

/// The scenarios that are named; without names, those that are known to end well.
///
/// # Errors
/// When there is no such scenario.
pub(crate) fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Scenario>> {
    if names.is_empty() {
        return Ok(ALL.iter().filter(|one| !one.by_name_only).collect());
    }
    let find = |name: &String| {
        let list = || ALL.map(|one| one.name).join(", ");
        ALL.iter()
            .find(|scenario| scenario.name == name)
            .ok_or_else(|| anyhow::anyhow!("no scenario `{name}`; there are {}", list()))
    };
    names.iter().map(find).collect()
}
