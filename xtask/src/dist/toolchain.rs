//! A compiler with the target's standard library: rustup's where it has one, else Debian's.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::Target;
use crate::{process, setup};

/// Debian's compiler, which is newer in its package for browsers than in `rustc`.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_PACKAGE: &str = "rustc-web";
const DEBIAN_LIBRARY: &str = "libstd-rust-web-dev";

/// Which compiler builds.
pub(super) struct Toolchain {
    rustc: OsString,
}

impl Toolchain {
    /// The compiler, after installing what is missing.
    ///
    /// # Errors
    /// When it cannot be had.
    pub(super) fn ready(root: &Path, target: &Target) -> anyhow::Result<Self> {
        let own = std::env::var_os("RUSTC").unwrap_or("rustc".into());
        let rustc = [own, DEBIAN_RUSTC.into()]
            .into_iter()
            .find(|rustc| has_library(root, rustc, target));
        let missing = missing(root, target, rustc.is_some());
        if !missing.is_empty() {
            install(root, target, &missing)?;
        }
        let rustc = rustc.unwrap_or(DEBIAN_RUSTC.into());
        anyhow::ensure!(
            has_library(root, &rustc, target),
            "no compiler here has the standard library for {0}: run `rustup target add {0}`",
            target.triple
        );
        let version = process::output(process::program(&rustc, root).arg("--version"))?;
        println!("dist: building with {}", version.trim());
        Ok(Self { rustc })
    }

    /// Makes cargo use it.
    pub(super) fn apply(&self, cargo: &mut Command) {
        cargo.env("RUSTC", &self.rustc);
    }
}

fn has_library(root: &Path, rustc: &OsString, target: &Target) -> bool {
    let mut ask = process::program(rustc, root);
    ask.args(["--print", "target-libdir", "--target", target.triple]);
    let folder = process::output(&mut ask).unwrap_or_default();
    let mut files = std::fs::read_dir(folder.trim()).into_iter().flatten();
    files.any(|file| file.is_ok_and(|file| file.path().extension().is_some_and(|it| it == "rlib")))
}

fn missing(root: &Path, target: &Target, has_rustc: bool) -> Vec<String> {
    let mut missing = Vec::new();
    let there = [
        process::is_installed(&format!("{}-gcc", target.gnu), root),
        Path::new("/usr")
            .join(target.gnu)
            .join("include/stdio.h")
            .exists(),
        process::is_installed(target.emulator, root),
    ];
    let absent = target
        .packages
        .iter()
        .zip(there)
        .filter(|(_, there)| !there);
    missing.extend(absent.map(|(package, _)| (*package).to_owned()));
    if !has_rustc {
        missing.push(DEBIAN_PACKAGE.to_owned());
        missing.push(format!("{DEBIAN_LIBRARY}:{}", target.debian));
    }
    missing
}

fn install(root: &Path, target: &Target, packages: &[String]) -> anyhow::Result<()> {
    let list = packages.join(" ");
    anyhow::ensure!(
        setup::may_install(root),
        "packing for {} needs the Debian packages {list}: install them as root, and with them \
         `dpkg --add-architecture {}`, or run this as root",
        target.name,
        target.debian
    );
    if packages.iter().any(|package| package.contains(':')) {
        println!(
            "dist: letting apt know of the architecture {}",
            target.debian
        );
        process::run(process::program("dpkg", root).args(["--add-architecture", target.debian]))?;
    }
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    setup::install_packages(root, &packages)
}
