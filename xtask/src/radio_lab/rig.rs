//! The scenarios on real machines, which a rig's file names; and on this machine by way of its own sshd, to show that
//! the rig's part works where there are no such machines.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::{RESULTS, programs, report};
use crate::{Outcome, process};

/// Runs scenarios on the machines of the rig in `file`.
///
/// # Errors
/// When they cannot be run; one that fails is in the report.
pub(super) fn run(root: &Path, file: &Path, scenarios: &[String]) -> anyhow::Result<Outcome> {
    let missing = "the machines of a rig are reached by ssh: install openssh-client";
    anyhow::ensure!(process::is_installed("ssh", root), missing);
    let results = root.join(RESULTS);
    if results.exists() {
        fs::remove_dir_all(&results).context("removing the results of the last run")?;
    }
    fs::create_dir_all(&results)?;
    let programs = programs(root, false)?;
    let lab = programs.last().context("the lab's program")?;
    let mut lab = process::program(lab, root);
    lab.arg("rig").arg(file).arg(&results).args(scenarios);
    process::run(&mut lab)?;
    report::show(&results)
}

/// Runs `ble-relay` on a rig of three nodes on this machine: over ssh, with the local air in place of radios.
pub(crate) fn test(root: &Path) -> anyhow::Result<Outcome> {
    let folder = std::env::temp_dir().join(format!("chappe-rig-{}", std::process::id()));
    fs::create_dir(&folder).context("making a folder for the rig")?;
    let done = Sshd::start(root, &folder).and_then(|sshd| {
        let file = folder.join("rig.toml");
        let program = programs(root, false)?.into_iter().next();
        let program = program.context("the program")?;
        fs::write(&file, sshd.rig(&program))?;
        run(root, &file, &["ble-relay".to_owned()])
    });
    fs::remove_dir_all(&folder).context("removing the rig's folder")?;
    done
}

/// An ssh server on loopback, for whoever has the key in its folder.
struct Sshd {
    folder: PathBuf,
    port: u16,
    user: String,
    server: Child,
}

const PROGRAM: &str = "/usr/sbin/sshd";
const START_LIMIT: Duration = Duration::from_secs(20);

impl Sshd {
    fn start(root: &Path, folder: &Path) -> anyhow::Result<Self> {
        let missing = "the test needs sshd and ssh: install openssh-server and openssh-client";
        let there = Path::new(PROGRAM).exists() && process::is_installed("ssh", root);
        anyhow::ensure!(there, missing);
        for key in ["host", "person"] {
            let mut make = process::program("ssh-keygen", root);
            make.args(["-q", "-t", "ed25519", "-N", "", "-f"]);
            process::run(make.arg(folder.join(key)))?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let place = folder.display();
        let settings = folder.join("sshd_config");
        fs::write(
            &settings,
            format!(
                "ListenAddress 127.0.0.1\nPort {port}\nHostKey {place}/host\nPidFile none\n\
                 AuthorizedKeysFile {place}/person.pub\nStrictModes no\nUsePAM no\n\
                 PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            ),
        )?;
        let user = process::output(process::program("id", root).arg("-un"))?;
        // It lets the process go that looks after strangers into this folder, when it is run by root.
        let _ = fs::create_dir("/run/sshd");
        let log = fs::File::create(folder.join("sshd.log"))?;
        let mut sshd = process::program(PROGRAM, root);
        sshd.args(["-D", "-e", "-f"]).arg(&settings);
        println!("$ {}", process::show(&sshd));
        let server = sshd.stdout(Stdio::null()).stderr(log).spawn()?;
        let mut sshd = Self {
            folder: folder.to_owned(),
            port,
            user: user.trim().to_owned(),
            server,
        };
        sshd.is_up()?;
        Ok(sshd)
    }

    fn is_up(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.server.try_wait()?;
            if ended.is_some() || started.elapsed() > START_LIMIT {
                let log = fs::read_to_string(self.folder.join("sshd.log"))?;
                anyhow::bail!("sshd does not answer: {}", log.trim());
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Three machines that are this one, each with a place of its own in one local air.
    fn rig(&self, program: &Path) -> String {
        let Self {
            folder, port, user, ..
        } = self;
        let (folder, program) = (folder.display(), program.display());
        let machine = |name: &str| {
            format!(
                "[[machines]]\nname = \"{name}\"\nssh = [\"-p\", \"{port}\", \"-i\", \"{folder}/person\", \
                 \"-o\", \"BatchMode=yes\", \"-o\", \"IdentitiesOnly=yes\", \"-o\", \"StrictHostKeyChecking=no\", \
                 \"-o\", \"UserKnownHostsFile=/dev/null\", \"-o\", \"LogLevel=ERROR\", \"{user}@127.0.0.1\"]\n\
                 program = \"{program}\"\nwork = \"{folder}/{name}\"\nble = \"air:{folder}/air,name={name}\"\n"
            )
        };
        ["left", "right", "middle"].map(machine).concat()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
