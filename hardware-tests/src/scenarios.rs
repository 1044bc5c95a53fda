//! The scenarios, in the order in which they run.

mod ble_churn;
mod ble_pair;
mod ble_privacy;
mod ble_relay;
mod boot;
mod no_server;
mod wifi_direct_ferry;
mod wifi_direct_pair;
mod wifi_direct_star;

use crate::lab::Lab;
use crate::report::Shown;

/// Something that real nodes do over virtual radios.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&mut Lab) -> anyhow::Result<Shown>,
}

const ALL: [Scenario; 9] = [
    Scenario {
        name: "boot",
        run: boot::run,
    },
    Scenario {
        name: "ble-pair",
        run: ble_pair::run,
    },
    Scenario {
        name: "ble-relay",
        run: ble_relay::run,
    },
    Scenario {
        name: "ble-privacy",
        run: ble_privacy::run,
    },
    Scenario {
        name: "ble-churn",
        run: ble_churn::run,
    },
    Scenario {
        name: "wifi-direct-pair",
        run: wifi_direct_pair::run,
    },
    Scenario {
        name: "wifi-direct-star",
        run: wifi_direct_star::run,
    },
    Scenario {
        name: "wifi-direct-ferry",
        run: wifi_direct_ferry::run,
    },
    Scenario {
        name: "no-server",
        run: no_server::run,
    },
];

/// The scenarios that are named; all without names.
///
/// # Errors
/// When there is no such scenario.
pub(crate) fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Scenario>> {
    if names.is_empty() {
        return Ok(ALL.iter().collect());
    }
    let find = |name: &String| {
        let list = || ALL.map(|one| one.name).join(", ");
        ALL.iter()
            .find(|scenario| scenario.name == name)
            .ok_or_else(|| anyhow::anyhow!("no scenario `{name}`; there are {}", list()))
    };
    names.iter().map(find).collect()
}
