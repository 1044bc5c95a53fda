//! `dist`: the `chappe` program with its radios for another machine, packed; what can be seen of it here is looked at.

mod emulated;
mod package;
mod toolchain;
mod unit;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use toolchain::Toolchain;

use crate::{Outcome, metadata, process};

/// A machine that the program is packed for.
struct Target {
    /// What it is called on the command line.
    name: &'static str,
    /// What rustc calls it.
    triple: &'static str,
    /// What Debian calls it.
    debian: &'static str,
    /// What the names of Debian's cross tools begin with.
    gnu: &'static str,
    /// The emulator for one program.
    emulator: &'static str,
    /// What it is packed with beside Rust: a C compiler and libraries, and the emulator.
    packages: [&'static str; 3],
}

const TARGETS: [Target; 1] = [Target {
    name: "aarch64",
    triple: "aarch64-unknown-linux-gnu",
    debian: "arm64",
    gnu: "aarch64-linux-gnu",
    emulator: "qemu-aarch64-static",
    packages: [
        "gcc-aarch64-linux-gnu",
        "libc6-dev-arm64-cross",
        "qemu-user-static",
    ],
}];

const PACKAGE: &str = "chappe-relay";
const FEATURES: &str = "ble,wifi-direct";
/// Where packages go, below cargo's own folder. Cargo builds there too: with another compiler than everything else.
const FOLDER: &str = "dist";

/// Builds, looks and packs.
pub(crate) fn run(root: &Path, args: &[String]) -> anyhow::Result<Outcome> {
    let names = TARGETS.map(|target| target.name).join(", ");
    let [name] = args else {
        anyhow::bail!("name the machine: cargo xtask dist {names}");
    };
    let target = TARGETS.iter().find(|target| target.name == name);
    let target =
        target.with_context(|| format!("there is no machine `{name}`; there are {names}"))?;
    anyhow::ensure!(
        cfg!(all(target_os = "linux", target_arch = "x86_64")),
        "packages are made on Linux on x86_64; run it on such a machine"
    );

    let toolchain = Toolchain::ready(root, target)?;
    let program = build(root, target, &toolchain)?;
    let seen = [
        emulated::check(root, target, &program).context("the program under emulation")?,
        unit::check(root).context("the service")?,
    ];
    let packed = package::pack(root, target, &program)?;
    println!();
    for line in seen.iter().flatten() {
        println!("dist: {line}");
    }
    for path in packed {
        let path = path.strip_prefix(root).unwrap_or(&path);
        println!("dist: {}", path.display());
    }
    println!("dist: it ran under emulation only, and on no {name} machine");
    Ok(Outcome::Good)
}

fn build(root: &Path, target: &Target, toolchain: &Toolchain) -> anyhow::Result<PathBuf> {
    let Target { triple, gnu, .. } = target;
    let folder = metadata::target(root)?.join(FOLDER);
    let upper = triple.replace('-', "_").to_uppercase();
    let lower = triple.replace('-', "_");
    let mut cargo = process::cargo(root);
    cargo
        .args(["build", "--locked", "--release", "--package", PACKAGE])
        .args(["--features", FEATURES, "--target", triple])
        .arg("--target-dir")
        .arg(&folder)
        .env(format!("CARGO_TARGET_{upper}_LINKER"), format!("{gnu}-gcc"))
        .env(format!("CC_{lower}"), format!("{gnu}-gcc"))
        .env(format!("AR_{lower}"), format!("{gnu}-ar"));
    toolchain.apply(&mut cargo);
    process::run(&mut cargo)?;
    Ok(folder.join(triple).join("release").join("chappe"))
}
