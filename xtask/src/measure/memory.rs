//! The memory of a running program.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::Context as _;

use crate::process;

/// Runs `program` with `arguments` on a home of its own for some seconds and gives its Pss in MB
/// (10^6 bytes): its memory, what it shares with other programs divided among them.
///
/// # Errors
/// When it does not run that long, or its memory cannot be read.
pub(super) fn idle_pss(
    root: &Path,
    program: &Path,
    arguments: &[&str],
    seconds: u64,
) -> anyhow::Result<f64> {
    let home = std::env::temp_dir().join(format!("chappe-idle-{}", std::process::id()));
    let mut command = process::program(program, root);
    command.arg("--home").arg(&home).args(arguments);
    println!("$ {} (for {seconds} s)", process::show(&command));
    let child = command
        .stdout(Stdio::null())
        .spawn()
        .context("cannot start it")?;
    let measured = after(Duration::from_secs(seconds), child);
    fs::remove_dir_all(&home).ok();
    measured
}

fn after(time: Duration, mut child: Child) -> anyhow::Result<f64> {
    let started = Instant::now();
    while started.elapsed() < time {
        if let Some(status) = child.try_wait()? {
            anyhow::bail!("it ended by itself ({status})");
        }
        thread::sleep(Duration::from_millis(200));
    }
    let bytes = pss(child.id());
    child.kill().context("cannot stop it")?;
    child.wait()?;
    Ok(bytes? as f64 / 1e6)
}

/// Pss of a process, in bytes.
fn pss(id: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{id}/smaps_rollup");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    read_pss(&text).with_context(|| format!("{path} has no Pss"))
}

fn read_pss(text: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kib: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pss_is_read_in_kibibytes() {
        let text =
            "00400000-7ffd [rollup]\nRss:     1848 kB\nPss:      100 kB\nPss_Dirty:  64 kB\n";
        assert_eq!(read_pss(text), Some(102_400));
        assert_eq!(read_pss("Pss_Dirty: 64 kB\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_a_pss() {
        assert!(pss(std::process::id()).unwrap() > 100_000);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_running_program_is_measured_and_stopped() {
        let root = crate::root().unwrap();
        let child = process::program("sleep", &root).arg("600").spawn().unwrap();
        let id = child.id();
        let megabytes = after(Duration::from_millis(300), child).unwrap();
        assert!(megabytes > 0.01 && megabytes < 100.0, "{megabytes}");
        assert!(pss(id).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_program_that_ends_early_is_not_measured() {
        let root = crate::root().unwrap();
        let error = idle_pss(&root, Path::new("false"), &[], 5).unwrap_err();
        assert!(error.to_string().contains("ended by itself"), "{error}");
    }
}
