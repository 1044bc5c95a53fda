//! `setup`: what the tests need beside Rust, said before it is installed.

use std::path::Path;
use std::process::Command;

use crate::{Outcome, process, radio_lab, venv};

/// Installs what is missing.
pub(crate) fn run(root: &Path) -> anyhow::Result<Outcome> {
    radio_lab(root)?;
    venv::INTEROP.ready(root)?;
    Ok(Outcome::Good)
}

/// The radio lab's programs, where they can be had. Without them it is skipped.
fn radio_lab(root: &Path) -> anyhow::Result<()> {
    let packages = radio_lab::missing_packages(root);
    if packages.is_empty() {
        println!("setup: the radio lab has its programs");
    } else if cfg!(all(target_os = "linux", target_arch = "x86_64")) && may_install(root) {
        install_packages(root, &packages)?;
    } else {
        let packages = packages.join(" ");
        println!("setup: the radio lab will be skipped; it needs {packages}, on Linux on x86_64");
    }
    Ok(())
}

/// Whether Debian packages can be installed here.
pub(crate) fn may_install(root: &Path) -> bool {
    is_root(root) && process::succeeds(process::program("apt-get", root).arg("--version"))
}

/// Installs Debian packages, and says so.
///
/// # Errors
/// When they cannot be had.
pub(crate) fn install_packages(root: &Path, packages: &[&str]) -> anyhow::Result<()> {
    println!(
        "setup: installing the Debian packages {}",
        packages.join(" ")
    );
    process::run(apt_get(root).args(["update", "--quiet"]))?;
    process::run(
        apt_get(root)
            .args(["install", "--yes", "--quiet", "--no-install-recommends"])
            .args(packages),
    )
}

fn apt_get(root: &Path) -> Command {
    let mut command = process::program("apt-get", root);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

pub(crate) fn is_root(root: &Path) -> bool {
    let id = process::output(process::program("id", root).arg("-u"));
    id.is_ok_and(|id| id.trim() == "0")
}
