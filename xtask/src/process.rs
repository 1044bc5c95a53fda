//! Running other programs: without standard input, and with the command line shown first.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// A program that will run at the top of the checkout.
pub(crate) fn program(name: impl AsRef<OsStr>, root: &Path) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root).stdin(Stdio::null());
    command
}

/// The cargo that runs this chore. It is told nothing of this package: some build scripts run again when they are.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut cargo = program(std::env::var_os("CARGO").unwrap_or("cargo".into()), root);
    for (name, _) in std::env::vars_os() {
        let told = name.to_string_lossy();
        if told.starts_with("CARGO_PKG_") || told.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Runs `command` to its end.
///
/// # Errors
/// When it cannot be started or says that it failed.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = show(command);
    println!("$ {line}");
    let status = command
        .status()
        .with_context(|| format!("cannot run `{line}`"))?;
    anyhow::ensure!(status.success(), "`{line}` failed ({status})");
    Ok(())
}

/// Runs `command`, for so long at most.
///
/// # Errors
/// As [`run`], and when the time is over.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> anyhow::Result<()> {
    let line = show(command);
    println!("$ {line}");
    let started = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run `{line}`"))?;
    loop {
        if let Some(status) = child.try_wait()? {
            anyhow::ensure!(status.success(), "`{line}` failed ({status})");
            return Ok(());
        }
        if started.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            anyhow::bail!("`{line}` was stopped after {} s", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Runs `command` and hands over its standard output; nothing is shown.
///
/// # Errors
/// When it cannot be started or says that it failed; with what it wrote to its standard error.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let line = show(command);
    let output = command
        .output()
        .with_context(|| format!("cannot run `{line}`"))?;
    anyhow::ensure!(
        output.status.success(),
        "`{line}` failed ({}): {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether `command` can be started and succeeds; nothing is shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Whether a program of this name is installed.
pub(crate) fn is_installed(name: &str, root: &Path) -> bool {
    let look = format!("command -v {name}");
    succeeds(program("sh", root).args(["-c", &look]))
}

/// Runs `command`, shows its standard output line by line and hands each line to `see`.
/// True if it succeeded.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn watch(command: &mut Command, mut see: impl FnMut(&str)) -> anyhow::Result<bool> {
    let line = show(command);
    println!("$ {line}");
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run `{line}`"))?;
    if let Some(stdout) = child.stdout.take() {
        let mut stdout = BufReader::new(stdout);
        let mut bytes = Vec::new();
        while stdout.read_until(b'\n', &mut bytes)? > 0 {
            let text = String::from_utf8_lossy(&bytes);
            print!("{text}");
            see(text.trim_end());
            bytes.clear();
        }
    }
    Ok(child.wait()?.success())
}

/// The command line, for people.
pub(crate) fn show(command: &Command) -> String {
    let name = Path::new(command.get_program());
    let name = name.file_name().unwrap_or(name.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_program_that_takes_too_long_is_stopped() {
        let root = crate::root().unwrap();
        let run = |seconds, limit| {
            run_within(
                program("sleep", &root).arg(seconds),
                Duration::from_millis(limit),
            )
        };
        assert!(run("0", 60_000).is_ok());
        let error = run("60", 100).unwrap_err().to_string();
        assert!(error.contains("stopped"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn failure_is_told_with_the_command_line() {
        let root = crate::root().unwrap();
        let error = run(program("false", &root).arg("x")).unwrap_err();
        assert!(error.to_string().contains("`false x` failed"), "{error}");
        assert!(!watch(&mut program("false", &root), |_| {}).unwrap());
        let text = output(program("echo", &root).arg("hello")).unwrap();
        assert_eq!(text, "hello\n");
    }
}
