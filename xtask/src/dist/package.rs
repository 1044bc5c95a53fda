//! What is handed over: a tar.gz that is unpacked by hand, and a Debian package, with the same files.

use std::fs;
use std::path::{Path, PathBuf};

use super::{FOLDER, Target};
use crate::{metadata, process};

/// Settings with every option in a comment.
pub(super) const SETTINGS: &str = "crates/relay/debian/chappe.toml";
pub(super) const UNIT: &str = "crates/relay/debian/chappe.service";
/// Where the program is once it is installed.
pub(super) const PROGRAM: &str = "/usr/bin/chappe";
/// All packages of the workspace have one version.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The oldest C library that it runs with, which is the one it is built with.
const LIBC: &str = "2.36";

/// A file, where it lies in the checkout, and where it is installed.
struct File {
    from: &'static str,
    to: &'static str,
    mode: &'static str,
}

const FILES: [File; 7] = [
    File {
        from: SETTINGS,
        to: "etc/chappe/chappe.toml",
        mode: "644",
    },
    File {
        from: UNIT,
        to: "lib/systemd/system/chappe.service",
        mode: "644",
    },
    File {
        from: "crates/relay/debian/chappe.sysusers",
        to: "usr/lib/sysusers.d/chappe.conf",
        mode: "644",
    },
    File {
        from: "crates/relay/debian/README.md",
        to: "usr/share/doc/chappe/README.md",
        mode: "644",
    },
    File {
        from: "LICENSE-MIT",
        to: "usr/share/doc/chappe/LICENSE-MIT",
        mode: "644",
    },
    File {
        from: "LICENSE-APACHE",
        to: "usr/share/doc/chappe/LICENSE-APACHE",
        mode: "644",
    },
    File {
        from: "CHANGELOG.md",
        to: "usr/share/doc/chappe/CHANGELOG.md",
        mode: "644",
    },
];

/// What Debian runs; the same words as in the README for installing by hand.
const SCRIPTS: [&str; 3] = ["postinst", "postrm", "prerm"];
const SCRIPTS_FOLDER: &str = "crates/relay/debian";

/// Packs; gives the paths of the packages.
///
/// # Errors
/// When a file cannot be written, or a program that packs fails.
pub(super) fn pack(root: &Path, target: &Target, program: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = metadata::target(root)?.join(FOLDER);
    let name = format!("chappe-{VERSION}-{}-linux", target.name);
    let tree = folder.join(&name);
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    lay(root, program, &tree)?;
    Ok(vec![
        tar(root, &folder, &name)?,
        deb(root, target, &folder, &tree)?,
    ])
}

/// Lays the files out as they are installed.
fn lay(root: &Path, program: &Path, tree: &Path) -> anyhow::Result<()> {
    let install = |mode: &str, from: &Path, to: &str| {
        let mut install = process::program("install", root);
        install
            .args(["-D", "--mode", mode])
            .arg(from)
            .arg(tree.join(to));
        process::run(&mut install)
    };
    install("755", program, PROGRAM.trim_start_matches('/'))?;
    FILES
        .iter()
        .try_for_each(|file| install(file.mode, &root.join(file.from), file.to))
}

fn tar(root: &Path, folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join(format!("{name}.tar.gz"));
    let mut tar = process::program("tar", root);
    tar.args([
        "--create",
        "--gzip",
        "--sort=name",
        "--owner=root:0",
        "--group=root:0",
    ]);
    tar.arg("--file")
        .arg(&path)
        .arg("--directory")
        .arg(folder)
        .arg(name);
    process::run(&mut tar)?;
    Ok(path)
}

fn deb(root: &Path, target: &Target, folder: &Path, tree: &Path) -> anyhow::Result<PathBuf> {
    let control = tree.join("DEBIAN");
    fs::create_dir(&control)?;
    fs::write(control.join("control"), description(target))?;
    fs::write(control.join("conffiles"), "/etc/chappe/chappe.toml\n")?;
    for script in SCRIPTS {
        let from = root.join(SCRIPTS_FOLDER).join(script);
        let mut install = process::program("install", root);
        install
            .args(["--mode", "755"])
            .arg(from)
            .arg(control.join(script));
        process::run(&mut install)?;
    }
    let path = folder.join(format!("chappe_{VERSION}_{}.deb", target.debian));
    let mut build = process::program("dpkg-deb", root);
    build
        .args(["--build", "--root-owner-group"])
        .arg(tree)
        .arg(&path);
    process::run(&mut build)?;
    fs::remove_dir_all(&control)?;
    Ok(path)
}

fn description(target: &Target) -> String {
    let architecture = target.debian;
    format!(
        "Package: chappe\n\
         Version: {VERSION}\n\
         Architecture: {architecture}\n\
         Maintainer: The Chappe project <chappe@localhost>\n\
         Section: net\n\
         Priority: optional\n\
         Depends: libc6 (>= {LIBC}), libgcc-s1, systemd\n\
         Recommends: bluez, wpasupplicant\n\
         Description: relay for encrypted messages over Bluetooth LE and Wi-Fi Direct\n \
         Carries end-to-end encrypted messages between devices that meet, with no server.\n"
    )
}
