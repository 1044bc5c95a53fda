//! A Slurm of one node, for this run alone: munge, the controller and the node's daemon, from Debian, with all their files in
//! one folder, on loopback.

use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::{process, setup};

/// Where Debian has daemons.
const DAEMONS: &str = "/usr/sbin";
const PACKAGES: [&str; 2] = ["munge", "slurm-wlm"];
const START_LIMIT: Duration = Duration::from_secs(60);
const KEY_LEN: u64 = 1024;

/// A cluster that runs until it is dropped.
pub(super) struct Cluster {
    root: PathBuf,
    folder: PathBuf,
    /// In the order in which they end: first the node, then the controller, then munge.
    daemons: Vec<Daemon>,
}

impl Cluster {
    /// Starts one, after installing it if it is not there.
    ///
    /// # Errors
    /// When it cannot be installed, or does not come up.
    pub(super) fn start(root: &Path, folder: &Path) -> anyhow::Result<Self> {
        let missing = ["munged", "slurmctld", "slurmd"]
            .iter()
            .any(|name| !Path::new(DAEMONS).join(name).exists());
        if missing {
            ensure!(
                setup::may_install(root),
                "Slurm is needed: install munge and slurm-wlm (Debian: `apt-get install munge slurm-wlm`) and try again"
            );
            setup::install_packages(root, &PACKAGES)?;
        }
        ensure!(
            setup::is_root(root),
            "the daemons of Slurm run as root here; try again as root"
        );
        let mut cluster = Self {
            root: root.to_owned(),
            folder: folder.to_owned(),
            daemons: Vec::new(),
        };
        for part in ["", "state", "spool", "tasks"] {
            fs::create_dir_all(folder.join(part))?;
        }
        cluster.munge()?;
        fs::write(cluster.settings(), cluster.configuration()?)?;
        cluster.daemon("slurmctld", &["-D", "-i"], None)?;
        cluster.daemon("slurmd", &["-D"], Some("slurmd"))?;
        cluster.until("the node is idle", START_LIMIT, || {
            let mut command = cluster.client("sinfo");
            command.args(["--noheader", "--format=%T"]);
            Ok(process::output(&mut command).is_ok_and(|states| states.trim() == "idle"))
        })?;
        Ok(cluster)
    }

    /// A program of Slurm's that speaks to this cluster.
    pub(super) fn client(&self, name: &str) -> Command {
        let mut command = process::program(name, &self.root);
        command.env("SLURM_CONF", self.settings());
        command
    }

    /// Where tasks write what they say.
    pub(super) fn task_log(&self) -> PathBuf {
        self.folder.join("tasks/%A-%a.log")
    }

    /// Ends a job.
    pub(super) fn cancel(&self, job: &str) -> anyhow::Result<()> {
        process::run(self.client("scancel").arg(job))
    }

    /// Whether no task of a job waits, runs or ends.
    pub(super) fn is_gone(&self, job: &str) -> anyhow::Result<bool> {
        let mut command = self.client("squeue");
        command.args(["--noheader", "--states=all", "--format=%T", "--jobs", job]);
        let states = process::output(&mut command)?;
        let over = |state: &str| ["CANCELLED", "COMPLETED", "FAILED"].contains(&state.trim());
        Ok(states.lines().all(over))
    }

    /// Waits until something is so.
    pub(super) fn until(
        &self,
        what: &str,
        limit: Duration,
        is: impl Fn() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let started = Instant::now();
        while !is()? {
            ensure!(
                started.elapsed() < limit,
                "waited {} s until {what}, in vain; the logs are in {}",
                limit.as_secs(),
                self.folder.display()
            );
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn settings(&self) -> PathBuf {
        self.folder.join("slurm.conf")
    }

    fn munge_socket(&self) -> PathBuf {
        self.folder.join("munge.socket")
    }

    /// Who speaks for whom, with a key of this run.
    fn munge(&mut self) -> anyhow::Result<()> {
        let key = self.folder.join("munge.key");
        let mut bytes = Vec::new();
        fs::File::open("/dev/urandom")?
            .take(KEY_LEN)
            .read_to_end(&mut bytes)?;
        fs::write(&key, bytes)?;
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
        let place = |option: &str, name: &str| {
            let path = self.folder.join(name);
            format!("--{option}={}", path.display())
        };
        let arguments = [
            // The folder of a checkout may belong to somebody else than root.
            "--force".to_owned(),
            "--foreground".to_owned(),
            place("key-file", "munge.key"),
            place("socket", "munge.socket"),
            place("pid-file", "munge.pid"),
            place("seed-file", "munge.seed"),
            place("log-file", "munge.log"),
        ];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.daemon("munged", &arguments, None)?;
        self.until("munge listens", START_LIMIT, || {
            Ok(self.munge_socket().exists())
        })
    }

    fn daemon(
        &mut self,
        name: &'static str,
        arguments: &[&str],
        node: Option<&str>,
    ) -> anyhow::Result<()> {
        let mut command = process::program(Path::new(DAEMONS).join(name), &self.root);
        command.args(arguments);
        if name != "munged" {
            command.arg("-f").arg(self.settings());
        }
        if node.is_some() {
            command.args(["-N", &node_name(&self.root)?]);
        }
        let daemon = Daemon::start(name, &mut command, &self.folder)?;
        // Who depends on another ends before it.
        self.daemons.insert(0, daemon);
        Ok(())
    }

    fn configuration(&self) -> anyhow::Result<String> {
        let host = node_name(&self.root)?;
        let folder = self.folder.display();
        let socket = self.munge_socket();
        let socket = socket.display();
        let [controller, node] = free_ports()?;
        let cores = thread::available_parallelism()?;
        Ok(format!(
            "ClusterName=chappe
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={socket}
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# No control groups: a container may have none.
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,batch_sched_delay=0
MpiDefault=none
ReturnToService=2
# A cancelled task does not delay the end.
KillWait=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"
        ))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            daemon.stop();
        }
    }
}

/// A daemon in the foreground, known by its process id.
struct Daemon {
    name: &'static str,
    process: Child,
}

impl Daemon {
    fn start(name: &'static str, command: &mut Command, folder: &Path) -> anyhow::Result<Self> {
        let log = fs::File::create(folder.join(format!("{name}.out")))?;
        let process = command
            .stderr(Stdio::from(log.try_clone()?))
            .stdout(Stdio::from(log))
            .spawn()
            .with_context(|| format!("cannot run {name}"))?;
        println!("slurm-test: {name} runs, process {}", process.id());
        Ok(Self { name, process })
    }

    /// Asks it to end, so that it takes its children with it; ends it if it does not.
    fn stop(&mut self) {
        let id = self.process.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(15) {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                println!("slurm-test: {} ended", self.name);
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        println!("slurm-test: {} was ended by force", self.name);
    }
}

/// Slurm's programs find their own node by the host's name.
fn node_name(root: &Path) -> anyhow::Result<String> {
    let name = process::output(&mut process::program("hostname", root))?;
    let name = name.trim().split('.').next().unwrap_or_default().to_owned();
    ensure!(!name.is_empty(), "this machine has no name");
    Ok(name)
}

/// Two ports that nobody listens on now.
fn free_ports() -> anyhow::Result<[u16; 2]> {
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let (one, two) = (listen()?, listen()?);
    Ok([one.local_addr()?.port(), two.local_addr()?.port()])
}
