//! `setup`: what the tests need beside Rust, said before it is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::{Outcome, process, radio_lab};

/// The pinned foreign OMEMO implementations that `chappe-omemo` is tested against.
const REQUIREMENTS: &str = "crates/omemo/interop/requirements.txt";
/// Where they are installed. The tests look for `bin/python` in it.
const VENV: &str = "target/interop-venv";
/// Copy of the requirements in the venv, written when all of them are installed.
const STAMP: &str = "requirements.installed";

/// Installs what is missing.
pub(crate) fn run(root: &Path) -> anyhow::Result<Outcome> {
    radio_lab(root)?;
    let requirements = root.join(REQUIREMENTS);
    if !requirements.exists() {
        println!("setup: nothing to install (there is no {REQUIREMENTS})");
        return Ok(Outcome::Good);
    }
    let wanted = fs::read(&requirements).with_context(|| format!("reading {REQUIREMENTS}"))?;
    if current(root, &wanted) {
        println!("setup: {VENV} is current");
        return Ok(Outcome::Good);
    }
    install(root, &wanted)?;
    println!("setup: {VENV} is ready");
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

fn current(root: &Path, wanted: &[u8]) -> bool {
    let stamp = fs::read(root.join(VENV).join(STAMP));
    stamp.is_ok_and(|stamp| stamp == wanted)
        && succeeds(process::program(python_in_venv(root), root).arg("--version"))
}

fn install(root: &Path, wanted: &[u8]) -> anyhow::Result<()> {
    println!("setup: making {VENV} with the Python packages of {REQUIREMENTS} (test tools only)");
    let python = python(root)?;
    let venv = root.join(VENV);
    if venv.exists() {
        fs::remove_dir_all(&venv).with_context(|| format!("removing the old {VENV}"))?;
    }
    process::run(process::program(python, root).args(["-m", "venv", VENV]))?;
    process::run(process::program(python_in_venv(root), root).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--requirement",
        REQUIREMENTS,
    ]))?;
    fs::write(venv.join(STAMP), wanted).with_context(|| format!("writing {VENV}/{STAMP}"))
}

/// A Python that can make virtual environments; on Debian it is installed if need be and we may.
fn python(root: &Path) -> anyhow::Result<&'static str> {
    const CANDIDATES: [&str; 2] = ["python3", "/usr/bin/python3"];
    let usable = || {
        CANDIDATES
            .into_iter()
            .find(|name| succeeds(process::program(name, root).args(["-c", PROBE])))
    };
    if let Some(name) = usable() {
        return Ok(name);
    }
    anyhow::ensure!(
        may_install(root),
        "a Python 3 with venv is needed: install it (Debian: `apt-get install python3-venv`) and try again"
    );
    install_packages(root, &["python3", "python3-venv"])?;
    usable().context("python3 is installed, but cannot make a virtual environment")
}

/// Debian splits `ensurepip`, without which `venv` fails half-way, into a package of its own.
const PROBE: &str = "import ensurepip, sys, venv; assert sys.version_info >= (3, 10)";

fn may_install(root: &Path) -> bool {
    is_root(root) && succeeds(process::program("apt-get", root).arg("--version"))
}

fn install_packages(root: &Path, packages: &[&str]) -> anyhow::Result<()> {
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

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn python_in_venv(root: &Path) -> PathBuf {
    root.join(VENV).join("bin/python")
}
