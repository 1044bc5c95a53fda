//! What makes a crate a core: no std, no unsafe code, documented, and few dependencies that know no
//! more of the world than it does.

use crate::metadata::{Kind, Package};

/// A core and what it may use from elsewhere. A new name is added here by hand, after a look at
/// whether the crate builds without std.
pub(super) struct Core {
    name: &'static str,
    may_use: &'static [&'static str],
}

const CORES: [Core; 6] = [
    Core {
        name: "chappe-wire",
        may_use: &[
            "prost",
            "sha2",
            "siphasher",
            "subtle",
            "thiserror",
            "zeroize",
        ],
    },
    Core {
        name: "chappe-omemo",
        may_use: &[
            "aes",
            "aes-gcm",
            "argon2",
            "base64",
            "cbc",
            "curve25519-dalek",
            "ed25519-dalek",
            "hkdf",
            "hmac",
            "prost",
            "rand_core",
            "roxmltree",
            "sha2",
            "subtle",
            "thiserror",
            "x25519-dalek",
            "zeroize",
        ],
    },
    Core {
        name: "chappe-envelope",
        may_use: &[
            "chacha20poly1305",
            "data-encoding",
            "hkdf",
            "hmac",
            "rand_core",
            "sha2",
            "subtle",
            "thiserror",
            "x25519-dalek",
            "zeroize",
        ],
    },
    Core {
        name: "chappe-hop",
        may_use: &[
            "chacha20poly1305",
            "hkdf",
            "prost",
            "rand_chacha",
            "rand_core",
            "sha2",
            "snow",
            "subtle",
            "thiserror",
            "x25519-dalek",
            "zeroize",
        ],
    },
    Core {
        name: "chappe-gossip",
        may_use: &["rand_chacha", "rand_core", "sha2", "siphasher", "thiserror"],
    },
    Core {
        name: "chappe-node",
        may_use: &[
            "prost",
            "rand_chacha",
            "rand_core",
            "sha2",
            "subtle",
            "thiserror",
            "zeroize",
        ],
    },
];

/// The first lines of a core's `lib.rs`, each alone on its line.
const ATTRIBUTES: [&str; 3] = [
    "#![no_std]",
    "#![forbid(unsafe_code)]",
    "#![deny(missing_docs)]",
];

impl Core {
    /// The rules for `package`, if it is a core.
    pub(super) fn of(package: &Package) -> Option<&'static Self> {
        CORES.iter().find(|core| core.name == package.name)
    }

    /// What in the manifest or in `lib`, the text of `lib.rs`, is not as in a core.
    pub(super) fn breaches(&self, package: &Package, lib: &str) -> Vec<String> {
        let name = self.name;
        let mut breaches = Vec::new();
        for attribute in ATTRIBUTES {
            if !lib.lines().any(|line| line == attribute) {
                breaches.push(format!("{name}: lib.rs lacks `{attribute}`"));
            }
        }
        if lib.contains("extern crate std") {
            breaches.push(format!("{name}: a core names no std"));
        }
        for dependency in &package.dependencies {
            if dependency.path.is_some() || dependency.kind == Some(Kind::Dev) {
                continue;
            }
            let used = &dependency.name;
            if !self.may_use.contains(&used.as_str()) {
                breaches.push(format!(
                    "{name} uses {used}, which xtask/src/layers/cores.rs does not list for it"
                ));
            }
            if dependency.uses_default_features {
                breaches.push(format!("{name} uses {used} with its default features"));
            }
        }
        breaches
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::metadata::Dependency;

    const LIB: &str = "//! A core.\n#![no_std]\n#![forbid(unsafe_code)]\n#![deny(missing_docs)]\n";

    fn breaches(used: &str, kind: Option<Kind>, default_features: bool, lib: &str) -> Vec<String> {
        let package = Package {
            name: "chappe-wire".to_owned(),
            manifest_path: PathBuf::from("Cargo.toml"),
            dependencies: vec![Dependency {
                name: used.to_owned(),
                kind,
                uses_default_features: default_features,
                path: None,
            }],
        };
        Core::of(&package).unwrap().breaches(&package, lib)
    }

    #[test]
    fn a_listed_dependency_without_default_features_is_good() {
        assert!(breaches("prost", None, false, LIB).is_empty());
    }

    #[test]
    fn unlisted_dependencies_and_default_features_are_breaches() {
        assert_eq!(breaches("tokio", None, false, LIB).len(), 1);
        assert_eq!(breaches("prost", None, true, LIB).len(), 1);
        assert_eq!(breaches("cc", Some(Kind::Build), true, LIB).len(), 2);
    }

    #[test]
    fn tests_of_a_core_use_what_they_like() {
        assert!(breaches("proptest", Some(Kind::Dev), true, LIB).is_empty());
    }

    #[test]
    fn each_attribute_must_be_there_in_full() {
        for attribute in ATTRIBUTES {
            let without = LIB.replace(attribute, "");
            assert_eq!(breaches("prost", None, false, &without).len(), 1);
            let conditional = LIB.replace(attribute, &format!("// {attribute}"));
            assert_eq!(breaches("prost", None, false, &conditional).len(), 1);
        }
        let with_std = format!("{LIB}extern crate std;\n");
        assert_eq!(breaches("prost", None, false, &with_std).len(), 1);
    }

    #[test]
    fn only_cores_are_cores() {
        let package = Package {
            name: "chappe-link".to_owned(),
            manifest_path: PathBuf::from("Cargo.toml"),
            dependencies: Vec::new(),
        };
        assert!(Core::of(&package).is_none());
    }
}
