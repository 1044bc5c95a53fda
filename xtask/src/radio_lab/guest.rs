//! The guest: what it is given, and its boot.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use super::{Options, RESULTS, programs};
use crate::process;

/// The folder that host and guest share, fresh: the programs, and what they are to run.
///
/// # Errors
/// When a program cannot be built or copied.
pub(super) fn share(root: &Path, options: &Options) -> anyhow::Result<PathBuf> {
    let programs = programs(root, options.release)?;
    let share = root.join(RESULTS);
    if share.exists() {
        fs::remove_dir_all(&share).context("removing the last run's results")?;
    }
    fs::create_dir_all(&share)?;
    for program in programs {
        let name = program.file_name().context("a program has a name")?;
        process::run(
            process::program("strip", root)
                .arg("-o")
                .arg(share.join(name))
                .arg(&program),
        )?;
    }
    let names = options.scenarios.join(" ");
    let script = format!("#!/bin/bash\nexec /lab/radio-lab run {names}\n");
    let guest = share.join("guest");
    fs::write(&guest, script)?;
    process::run(process::program("chmod", root).arg("755").arg(&guest))?;
    Ok(share)
}

/// Boots the guest and waits until it has run everything and turned itself off.
///
/// # Errors
/// When it does not within `limit`.
pub(super) fn boot(root: &Path, image: &Path, share: &Path, limit: Duration) -> anyhow::Result<()> {
    let disk = image.join("disk.img");
    let console = share.join("console.log");
    let mut qemu = process::program("qemu-system-x86_64", root);
    // Emulated: where KVM is offered it may still hang. No network: the guest has its radios only.
    // Without AVX2: vectors of 256 bits are emulated so slowly that ciphers take twice the time with them.
    qemu.args(["-accel", "tcg,thread=multi", "-cpu", "max,-avx2"]);
    qemu.args(["-m", "1536", "-smp", "2", "-no-reboot", "-nic", "none"]);
    qemu.args(["-device", "virtio-rng-pci"]);
    qemu.args(["-display", "none", "-monitor", "none", "-serial"]);
    qemu.arg(format!("file:{}", console.display()));
    qemu.arg("-kernel").arg(image.join("vmlinuz"));
    qemu.arg("-initrd").arg(image.join("initrd"));
    qemu.args(["-append", KERNEL_ARGUMENTS, "-drive"]);
    let disk = disk.display();
    qemu.arg(format!(
        "file={disk},format=raw,if=virtio,snapshot=on,cache=unsafe"
    ));
    qemu.arg("-fsdev");
    let path = share.display();
    qemu.arg(format!("local,id=lab,path={path},security_model=none"));
    qemu.args(["-device", "virtio-9p-pci,fsdev=lab,mount_tag=lab"]);
    process::run_within(&mut qemu, limit)
        .with_context(|| format!("the guest; its console is in {}", console.display()))
}

const KERNEL_ARGUMENTS: &str =
    "console=ttyS0 root=/dev/vda rw init=/lab-init quiet panic=-1 loglevel=3";
