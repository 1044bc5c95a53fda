//! What the machine has to have for the lab.

use std::path::Path;

use crate::process;
use crate::setup::is_root;

/// Programs, and the Debian packages that bring them.
const PROGRAMS: [(&str, &str); 4] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("debootstrap", "debootstrap"),
    ("mke2fs", "e2fsprogs"),
    ("strip", "binutils"),
];

/// What is missing, and what to do, in one sentence; `None` if nothing is.
pub(crate) fn missing(root: &Path) -> Option<String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Some("the radio lab needs Linux on x86_64; run it on such a machine".to_owned());
    }
    let packages = missing_packages(root);
    if !packages.is_empty() {
        let packages = packages.join(" ");
        return Some(format!(
            "the radio lab needs {packages}: run `cargo xtask setup` as root, or `apt-get install {packages}`"
        ));
    }
    if !is_root(root) {
        let why = "its guest's disk is made with chroot";
        return Some(format!(
            "the radio lab needs root ({why}): run it with sudo"
        ));
    }
    None
}

/// The Debian packages that the lab needs and that are not there.
pub(crate) fn missing_packages(root: &Path) -> Vec<&'static str> {
    let absent = PROGRAMS
        .into_iter()
        .filter(|(program, _)| !process::is_installed(program, root));
    absent.map(|(_, package)| package).collect()
}
