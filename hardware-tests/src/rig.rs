//! Real machines over ssh in place of the guest. A rig's file names them: see `rigs/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde::Deserialize;

/// The machines of a rig.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rig {
    machines: Vec<Machine>,
}

/// One of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Machine {
    pub(crate) name: String,
    /// What ssh is told: options, and where to.
    ssh: Vec<String>,
    /// The `chappe` program there.
    pub(crate) program: PathBuf,
    /// A folder of the rig's own there.
    pub(crate) work: PathBuf,
    /// What follows `--radio` for Bluetooth LE.
    ble: String,
}

impl Rig {
    /// Reads a file.
    ///
    /// # Errors
    /// With the place where something else was expected.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("reading {}", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let rig: Self = toml::from_str(text)?;
        anyhow::ensure!(!rig.machines.is_empty(), "it names no machine");
        for machine in &rig.machines {
            let Machine {
                name, ssh, work, ..
            } = machine;
            anyhow::ensure!(!ssh.is_empty(), "{name}: ssh has to be told where to");
            // It is removed with all that is in it.
            let deep = work.is_absolute() && work.components().count() > 2;
            anyhow::ensure!(
                deep,
                "{name}: {} is no folder of the rig's own",
                work.display()
            );
        }
        Ok(rig)
    }

    /// Empties the machines' folders, and looks that each has the program.
    ///
    /// # Errors
    /// When a machine does not answer, or lacks it.
    pub(crate) fn prepare(&self) -> anyhow::Result<()> {
        self.clear()?;
        for machine in &self.machines {
            let work = quoted(&machine.work.to_string_lossy());
            machine.shell(&format!("umask 077; mkdir -p {work}"))?;
            let program = quoted(&machine.program.to_string_lossy());
            let version = machine.shell(&format!("{program} --version"))?;
            println!("{}: {}", machine.name, version.trim());
        }
        Ok(())
    }

    /// Removes the machines' folders.
    ///
    /// # Errors
    /// When a machine does not answer.
    pub(crate) fn clear(&self) -> anyhow::Result<()> {
        for machine in &self.machines {
            let work = quoted(&machine.work.to_string_lossy());
            machine.shell(&format!("rm -rf {work}"))?;
        }
        Ok(())
    }

    /// How many adapters for Bluetooth LE there are.
    pub(crate) fn adapters(&self) -> usize {
        self.machines.len()
    }

    /// The machine that stands for the guest's adapter in `radio`, and what its node is told.
    /// `None` if there are fewer machines, or it is another radio.
    pub(crate) fn place(&self, radio: &str) -> Option<(&Machine, String)> {
        let rest = radio.strip_prefix("ble:hci")?;
        let (number, options) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
        let machine = self.machines.get(number.parse::<usize>().ok()?)?;
        Some((machine, format!("{}{options}", machine.ble)))
    }
}

impl Machine {
    /// A command there. Its end is this command's end; it is not ended by ending this one.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut ssh = Command::new("ssh");
        ssh.args(&self.ssh).arg("--").arg(line);
        ssh
    }

    /// Runs a command line there to its end, and gives what it printed.
    ///
    /// # Errors
    /// When it fails; with what it printed.
    pub(crate) fn shell(&self, line: &str) -> anyhow::Result<String> {
        let output = self.command(line).stdin(Stdio::null()).output();
        let output = output.context("cannot run ssh")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        anyhow::ensure!(
            output.status.success(),
            "{}: `{line}` failed ({}): {text}{}",
            self.name,
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(text)
    }

    /// Copies a file to the folder there, and gives its path there.
    ///
    /// # Errors
    /// When it does not get there.
    pub(crate) fn take(&self, file: &Path) -> anyhow::Result<PathBuf> {
        let name = file.file_name().context("a file has a name")?;
        let there = self.work.join(name);
        let line = format!("cat > {}", quoted(&there.to_string_lossy()));
        let status = self.command(&line).stdin(fs::File::open(file)?).status()?;
        anyhow::ensure!(
            status.success(),
            "{}: `{line}` failed ({status})",
            self.name
        );
        Ok(there)
    }
}

/// A word that a shell takes as it is.
pub(crate) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    const EXAMPLE: &str = include_str!("../rigs/two-machines.toml");

    #[test]
    fn an_adapter_of_the_guest_is_a_machine_of_the_rig() {
        let rig = Rig::parse(&EXAMPLE.replacen("ble:hci0", "ble:hci3,links=2", 3)).unwrap();
        let (machine, radio) = rig.place("ble:hci0,bearer=gatt").unwrap();
        assert_eq!(
            (machine.name.as_str(), radio.as_str()),
            ("left", "ble:hci3,links=2,bearer=gatt")
        );
        assert_eq!(rig.place("ble:hci1").unwrap().0.name, "right");
        for absent in ["ble:hci2", "ble:hci", "wifi-direct:wlan0", "air:x"] {
            assert!(rig.place(absent).is_none(), "{absent}");
        }
    }

    #[test]
    fn a_rig_that_cannot_be_used_is_refused() {
        assert!(Rig::parse(EXAMPLE).is_ok());
        for (right, wrong) in [
            ("work = \"/tmp/chappe-lab\"", "work = \"/tmp\""),
            ("work = \"/tmp/chappe-lab\"", "work = \"chappe-lab\""),
            (
                "ssh = [\"-o\", \"BatchMode=yes\", \"pi@left.local\"]",
                "ssh = []",
            ),
            ("ble = ", "bel = "),
            ("[[machines]]", "[[machine]]"),
        ] {
            assert!(
                Rig::parse(&EXAMPLE.replace(right, wrong)).is_err(),
                "{wrong}"
            );
        }
        assert!(Rig::parse("machines = []").is_err());
    }

    #[test]
    fn a_quoted_word_is_one_word() {
        for word in ["plain", "two words", "it's", "$HOME; rm", "'", ""] {
            let line = format!("printf %s {}", quoted(word));
            let said = Command::new("sh").args(["-c", &line]).output().unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), word);
        }
    }
}
