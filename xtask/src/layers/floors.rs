//! Dependencies point down only.

use crate::metadata::{Dependency, Kind, Package};

/// The floors, lowest first. A crate uses what stands on lower floors, and nothing on its own.
const FLOORS: [&[&str]; 7] = [
    &["wire"],
    &["omemo", "envelope", "hop", "gossip"],
    &["node"],
    &["store", "link"],
    &["ble", "wifi-direct", "ip"],
    &["chappe"],
    &["ffi", "relay"],
];
/// Tools of development: they use what they like, and only tests use them.
const DEVELOPMENT: [&str; 4] = ["testkit", "fuzz", "hardware-tests", "xtask"];
/// The highest floor that the simulator drives: `node`. So it never meets the tokio driver.
const SIM_CEILING: usize = 2;

/// A package's name without the prefix.
pub(crate) fn short(name: &str) -> &str {
    name.strip_prefix("chappe-").unwrap_or(name)
}

/// Every edge between packages of the workspace that does not point down.
pub(super) fn breaches(packages: &[Package]) -> Vec<String> {
    let mut breaches = Vec::new();
    for package in packages {
        let Some(from) = Place::of(&package.name) else {
            breaches.push(format!(
                "{} stands on no floor: give it one in xtask/src/layers/floors.rs",
                package.name
            ));
            continue;
        };
        // A package may ask itself for a feature that its tests need.
        let others = |d: &&Dependency| d.path.is_some() && d.name != package.name;
        for dependency in package.dependencies.iter().filter(others) {
            let to = Place::of(&dependency.name);
            if let Some(reason) = to.and_then(|to| from.objection(to, dependency.kind)) {
                breaches.push(format!("{} -> {}: {reason}", package.name, dependency.name));
            }
        }
    }
    breaches
}

#[derive(Clone, Copy)]
enum Place {
    Development,
    Floor(usize),
    Sim,
}

impl Place {
    fn of(name: &str) -> Option<Self> {
        let name = short(name);
        if name == "sim" || name.starts_with("sim-") {
            return Some(Self::Sim);
        }
        if DEVELOPMENT.contains(&name) {
            return Some(Self::Development);
        }
        let floor = FLOORS.iter().position(|floor| floor.contains(&name))?;
        Some(Self::Floor(floor))
    }

    /// Why `self` may not use `to`, if so.
    fn objection(self, to: Self, kind: Option<Kind>) -> Option<&'static str> {
        match (self, to) {
            (Self::Sim, Self::Sim | Self::Development) => None,
            (Self::Sim, Self::Floor(to)) if to <= SIM_CEILING => None,
            (Self::Sim, Self::Floor(_)) => Some("the simulator drives node and what is below it"),
            (_, Self::Sim) => Some("only sim knows sim"),
            (Self::Development, _) => None,
            (Self::Floor(_), Self::Development) if kind == Some(Kind::Dev) => None,
            (Self::Floor(_), Self::Development) => Some("only tests use tools of development"),
            (Self::Floor(from), Self::Floor(to)) if to < from => None,
            (Self::Floor(from), Self::Floor(to)) if to == from => {
                Some("crates of one floor do not know each other")
            }
            (Self::Floor(_), Self::Floor(_)) => Some("dependencies point down"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn edge(from: &str, to: &str, kind: Option<Kind>) -> Vec<String> {
        breaches(&[Package {
            name: from.to_owned(),
            manifest_path: PathBuf::from("Cargo.toml"),
            dependencies: vec![Dependency {
                name: to.to_owned(),
                kind,
                uses_default_features: true,
                path: Some(PathBuf::from("there")),
            }],
        }])
    }

    #[test]
    fn edges_that_point_down_are_good() {
        for (from, to) in [
            ("chappe-omemo", "chappe-wire"),
            ("chappe-node", "chappe-gossip"),
            ("chappe-store", "chappe-node"),
            ("chappe", "chappe-link"),
            ("chappe-relay", "chappe"),
            ("chappe-testkit", "chappe-node"),
            ("chappe-sim", "chappe-node"),
            ("chappe-sim", "chappe-testkit"),
        ] {
            assert_eq!(edge(from, to, None), [""; 0], "{from} -> {to}");
        }
    }

    #[test]
    fn every_other_edge_is_a_breach_whatever_it_is_for() {
        for (from, to) in [
            ("chappe-wire", "chappe-gossip"),
            ("chappe-omemo", "chappe-envelope"),
            ("chappe-hop", "chappe-gossip"),
            ("chappe-gossip", "chappe-node"),
            ("chappe-node", "chappe-store"),
            ("chappe-store", "chappe-link"),
            ("chappe-ble", "chappe-wifi-direct"),
            ("chappe-link", "chappe"),
            ("chappe", "chappe-relay"),
            ("chappe-node", "chappe-sim"),
            ("chappe-testkit", "chappe-sim"),
            ("chappe-sim", "chappe"),
            ("chappe-sim", "chappe-link"),
        ] {
            for kind in [None, Some(Kind::Build), Some(Kind::Dev)] {
                assert_eq!(edge(from, to, kind).len(), 1, "{from} -> {to}");
            }
        }
    }

    #[test]
    fn tools_of_development_are_for_tests() {
        assert!(edge("chappe-node", "chappe-testkit", Some(Kind::Dev)).is_empty());
        assert_eq!(edge("chappe-node", "chappe-testkit", None).len(), 1);
        let build = Some(Kind::Build);
        assert_eq!(edge("chappe-node", "chappe-testkit", build).len(), 1);
    }

    #[test]
    fn a_package_may_name_itself() {
        assert!(edge("chappe-store", "chappe-store", Some(Kind::Dev)).is_empty());
    }

    #[test]
    fn a_package_without_a_floor_is_a_breach() {
        assert_eq!(edge("chappe-attic", "chappe-wire", None).len(), 1);
    }

    #[test]
    fn dependencies_from_elsewhere_are_not_judged_here() {
        let mut package = Package {
            name: "chappe-wire".to_owned(),
            manifest_path: PathBuf::from("Cargo.toml"),
            dependencies: Vec::new(),
        };
        package.dependencies.push(Dependency {
            name: "relay".to_owned(),
            kind: None,
            uses_default_features: true,
            path: None,
        });
        assert!(breaches(&[package]).is_empty());
    }
}
