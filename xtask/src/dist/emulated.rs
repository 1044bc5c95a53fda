//! The program for the other machine, run here: a relay starts, answers, and stops when it is told to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::{Target, package};
use crate::process;

/// What a node says when it is up.
const RUNS: &str = "Ctrl-C stops it.";
const START_LIMIT: Duration = Duration::from_secs(120);
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// Runs it; gives what was seen, in a line each.
///
/// # Errors
/// When it does not do what it should.
pub(super) fn check(root: &Path, target: &Target, program: &Path) -> anyhow::Result<Vec<String>> {
    let folder = std::env::temp_dir().join(format!("chappe-dist-{}", std::process::id()));
    fs::create_dir(&folder).context("making a folder for its home")?;
    let emulated = Emulated {
        root,
        target,
        program,
        home: folder.join("home"),
        log: folder.join("log"),
    };
    let seen = emulated.check();
    fs::remove_dir_all(&folder).context("removing its home")?;
    seen
}

struct Emulated<'a> {
    root: &'a Path,
    target: &'a Target,
    program: &'a Path,
    home: PathBuf,
    log: PathBuf,
}

impl Emulated<'_> {
    fn check(&self) -> anyhow::Result<Vec<String>> {
        let version = process::output(self.command().arg("--version"))?;
        self.radios_are_built_in()?;
        let mut node = self.start()?;
        let answer = process::output(self.command().arg("status"));
        let ended = stop(self.root, &mut node);
        let answer = answer.context("asking the running relay for its status")?;
        ended?;
        println!("{}", answer.trim_end());
        let emulator = self.target.emulator;
        Ok(vec![
            format!("{} runs under {emulator}", version.trim()),
            "a relay with the packed settings started, answered `chappe status` and stopped"
                .to_owned(),
        ])
    }

    /// A radio that is not built in is refused before anything else.
    fn radios_are_built_in(&self) -> anyhow::Result<()> {
        for radio in ["ble:hci0", "wifi-direct:wlan0"] {
            let mut doctor = self.command();
            // There may be no such radio on this machine: what is said of it does not matter.
            let output = doctor.args(["doctor", "--radio", radio]).output()?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            anyhow::ensure!(!said.contains("built without"), "{radio}: {said}");
            anyhow::ensure!(output.status.code().is_some(), "{radio}: {}", output.status);
        }
        Ok(())
    }

    fn start(&self) -> anyhow::Result<Child> {
        let mut command = self.command();
        command
            .args(["run", "--config"])
            .arg(self.root.join(package::SETTINGS));
        println!("$ {}", process::show(&command));
        let log = fs::File::create(&self.log)?;
        let mut node = command.stdout(log.try_clone()?).stderr(log).spawn()?;
        let started = Instant::now();
        loop {
            let said = fs::read_to_string(&self.log)?;
            if said.contains(RUNS) {
                return Ok(node);
            }
            if let Some(status) = node.try_wait()? {
                anyhow::bail!("the relay ended at its start ({status}): {}", said.trim());
            }
            if started.elapsed() > START_LIMIT {
                node.kill()?;
                node.wait()?;
                anyhow::bail!("the relay did not start: {}", said.trim());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn command(&self) -> Command {
        let mut command = process::program(self.target.emulator, self.root);
        let libraries = Path::new("/usr").join(self.target.gnu);
        command.arg("-L").arg(&libraries);
        // Another C library for the target may be installed too: with the loader of one and the library of the other, the
        // first thread never starts.
        command.arg("-E");
        command.arg(format!(
            "LD_LIBRARY_PATH={}",
            libraries.join("lib").display()
        ));
        command.arg(self.program);
        command.arg("--home").arg(&self.home).stderr(Stdio::piped());
        command
    }
}

/// Stops it as a service is stopped.
fn stop(root: &Path, node: &mut Child) -> anyhow::Result<()> {
    process::run(process::program("kill", root).arg(node.id().to_string()))?;
    let told = Instant::now();
    loop {
        if let Some(status) = node.try_wait()? {
            anyhow::ensure!(status.success(), "the relay stopped badly ({status})");
            return Ok(());
        }
        if told.elapsed() > STOP_LIMIT {
            node.kill()?;
            node.wait()?;
            anyhow::bail!("the relay did not stop when it was told to");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
