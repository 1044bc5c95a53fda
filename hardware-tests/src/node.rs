//! A node: a home, and a `chappe` process on a radio of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

use crate::lab::{background, kill, shell};
use crate::rig::{Machine, quoted};
use crate::wait;

/// What a node says when it is up.
const RUNS: &str = "Ctrl-C stops it.";
/// How long a node may take to answer after its start. The guest is emulated.
const START_LIMIT: Duration = Duration::from_secs(90);

/// How long it may take to answer a command. It reads a whole file in one.
const ANSWER_LIMIT: Duration = Duration::from_secs(120);

/// A node.
pub(crate) struct Node {
    pub(crate) name: String,
    /// What follows `--radio`: one radio, or several with blanks between.
    pub(crate) radio: String,
    relay: bool,
    program: PathBuf,
    home: PathBuf,
    log: PathBuf,
    /// Where it lives, if not here.
    machine: Option<Machine>,
    process: Option<Child>,
}

impl Node {
    pub(crate) fn new(name: &str, radio: &str, program: &Path, work: &Path, logs: &Path) -> Self {
        Self {
            name: name.to_owned(),
            radio: radio.to_owned(),
            relay: false,
            program: program.to_owned(),
            home: work.join(name),
            log: logs.join(format!("{name}.log")),
            machine: None,
            process: None,
        }
    }

    /// A node on a machine of a rig. Its log is kept here.
    pub(crate) fn on(machine: &Machine, name: &str, radio: &str, logs: &Path) -> Self {
        let mut node = Self::new(name, radio, &machine.program, &machine.work, logs);
        node.machine = Some(machine.clone());
        node
    }

    /// Makes it a person's home.
    ///
    /// # Errors
    /// When the program refuses.
    pub(crate) fn person(self) -> anyhow::Result<Self> {
        self.say(&["init", "--name", &self.name])?;
        Ok(self)
    }

    /// The same, run by another program than `chappe`: one that runs it.
    pub(crate) fn run_by(mut self, program: &Path) -> Self {
        self.program = program.to_owned();
        self
    }

    /// Makes it a relay.
    ///
    /// # Errors
    /// When the program refuses.
    pub(crate) fn relay(mut self) -> anyhow::Result<Self> {
        self.relay = true;
        self.say(&["init", "--relay"])?;
        Ok(self)
    }

    /// Starts it, and waits until it answers.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn start(&mut self) -> anyhow::Result<()> {
        let mut args = vec!["-vv", "run"];
        for radio in self.radio.split_ascii_whitespace() {
            args.extend(["--radio", radio]);
        }
        if self.relay {
            args.push("--relay");
        }
        let mut command = match &self.machine {
            None => self.command(&args),
            // It says where it can be found: ending ssh would not end it.
            Some(machine) => machine.command(&format!(
                "echo $$ > {}; exec {}",
                self.whereabouts(),
                self.line(&args)
            )),
        };
        // Its control socket is not asked: without a running node, a command would open the home by itself.
        let said = fs::read(&self.log).map_or(0, |log| log.len());
        self.process = Some(background(&mut command, &self.log)?);
        wait::until(&format!("{} to start", self.name), START_LIMIT, || {
            let ended = self
                .process
                .as_mut()
                .and_then(|child| child.try_wait().ok());
            let log = fs::read(&self.log)?;
            let log = String::from_utf8_lossy(log.get(said..).unwrap_or_default());
            if let Some(Some(status)) = ended {
                anyhow::bail!("{} ended at its start ({status}): {log}", self.name);
            }
            Ok(log.contains(RUNS).then_some(()))
        })
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(&mut self) {
        if self.process.is_some() {
            self.signal("KILL");
        }
        self.process.iter_mut().for_each(kill);
        self.process = None;
    }

    /// Stops it as a person does, and waits until it has ended.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.process.take() {
            let id = child.id();
            if self.machine.is_some() {
                self.signal("TERM");
            // What runs it, strace, takes no signal: then it is its child that is meant.
            } else if shell(&format!("kill $(pgrep -P {id} || echo {id})")).is_err() {
                let _ = child.kill();
            }
            let _ = child.wait();
        }
    }

    /// Whether its process still runs.
    pub(crate) fn runs(&mut self) -> bool {
        let process = self.process.as_mut();
        process.is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Runs a command of the program, and gives what it prints.
    ///
    /// # Errors
    /// When it fails, or the node does not answer in time.
    pub(crate) fn say(&self, args: &[&str]) -> anyhow::Result<String> {
        let limit = ANSWER_LIMIT.as_secs().to_string();
        let output = Command::new("timeout")
            .args(["-s", "KILL", &limit])
            .arg(&self.program)
            .arg("--home")
            .arg(&self.home)
            .args(args)
            .stdin(Stdio::null())
            .output()
            .context("cannot run chappe")?;
        anyhow::ensure!(
            output.status.success(),
            "{}: `chappe {}` failed: {}{}",
            self.name,
            args.join(" "),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs a command that prints one JSON object a line.
    ///
    /// # Errors
    /// When it fails, or prints something else.
    pub(crate) fn json(&self, args: &[&str]) -> anyhow::Result<Vec<Value>> {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let text = self.say(&args)?;
        text.lines()
            .map(|line| serde_json::from_str(line).context("reading chappe's JSON"))
            .collect()
    }

    /// The same for a command that fails when it has found something.
    ///
    /// # Errors
    /// When it prints something else.
    pub(crate) fn findings(&self, args: &[&str]) -> anyhow::Result<Vec<Value>> {
        let mut command = self.command(args);
        command.arg("--json").stdin(Stdio::null());
        let output = command.output().context("cannot run chappe")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines()
            .map(|line| serde_json::from_str(line).context("reading chappe's JSON"))
            .collect()
    }

    /// What it has logged so far.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn log(&self) -> anyhow::Result<String> {
        let log = fs::read(&self.log)?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    /// The neighbours.
    ///
    /// # Errors
    /// When the node does not answer.
    pub(crate) fn peers(&self) -> anyhow::Result<Vec<Value>> {
        self.json(&["peers"])
    }

    /// Records that were sent again on the links that it has now.
    ///
    /// # Errors
    /// When the node does not answer.
    pub(crate) fn retransmitted(&self) -> anyhow::Result<u64> {
        let peers = self.peers()?;
        let counts = peers.iter().filter_map(|peer| peer.get("retransmitted"));
        Ok(counts.filter_map(Value::as_u64).sum())
    }

    /// The texts that arrived, in order.
    ///
    /// # Errors
    /// When the node does not answer.
    pub(crate) fn texts(&self) -> anyhow::Result<Vec<String>> {
        let inbox = self.json(&["inbox"])?;
        let text = |entry: &Value| entry.get("text")?.as_str().map(str::to_owned);
        Ok(inbox.iter().filter_map(text).collect())
    }

    /// Waits until `text` is in the inbox.
    ///
    /// # Errors
    /// When it does not come in time.
    pub(crate) fn receives(&self, text: &str, limit: Duration) -> anyhow::Result<()> {
        let what = format!("{} to receive {text:?}", self.name);
        wait::until(&what, limit, || {
            Ok(self.texts()?.iter().any(|got| got == text).then_some(()))
        })
    }

    /// Saves the files that arrived to `folder`.
    ///
    /// # Errors
    /// When the node does not answer.
    pub(crate) fn save_files(&self, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder)?;
        self.say(&["inbox", "--save", &folder.to_string_lossy()])?;
        Ok(())
    }

    /// Sends a file.
    ///
    /// # Errors
    /// When it does not get to the node's machine, or the node refuses.
    pub(crate) fn send_file(&self, to: &str, file: &Path) -> anyhow::Result<()> {
        let file = match &self.machine {
            None => file.to_owned(),
            Some(machine) => machine.take(file)?,
        };
        self.say(&["send", to, "--file", &file.to_string_lossy()])?;
        Ok(())
    }

    /// Fails unless a file that arrived is the same as this one.
    ///
    /// # Errors
    /// When the node does not answer, or has no such file.
    pub(crate) fn has_file(&self, sent: &Path) -> anyhow::Result<()> {
        if let Some(machine) = &self.machine {
            return self.has_file_there(machine, sent);
        }
        let folder = sent.with_extension(format!("at-{}", self.name));
        self.save_files(&folder)?;
        let bytes = fs::read(sent)?;
        let mut saved = fs::read_dir(&folder)?.flatten();
        let same = saved.any(|entry| fs::read(entry.path()).is_ok_and(|here| here == bytes));
        anyhow::ensure!(same, "{} arrived changed", sent.display());
        fs::remove_dir_all(folder)?;
        Ok(())
    }

    fn has_file_there(&self, machine: &Machine, sent: &Path) -> anyhow::Result<()> {
        let folder = machine.work.join(format!("at-{}", self.name));
        let folder = folder.to_string_lossy();
        let quoted = quoted(&folder);
        machine.shell(&format!("mkdir -p {quoted}"))?;
        self.say(&["inbox", "--save", &folder])?;
        let sums = machine.shell(&format!("cd {quoted} && sha256sum -- *"))?;
        machine.shell(&format!("rm -r {quoted}"))?;
        let mut sum = Command::new("sha256sum");
        let sum = sum.arg(sent).output().context("cannot run sha256sum")?;
        let sum = String::from_utf8_lossy(&sum.stdout).into_owned();
        let sum = sum.split_ascii_whitespace().next().context("no sum")?;
        let same = sums.lines().any(|line| line.starts_with(sum));
        anyhow::ensure!(same, "{} arrived changed", sent.display());
        Ok(())
    }

    /// One of the numbers in its status.
    ///
    /// # Errors
    /// When the node does not answer.
    pub(crate) fn count(&self, name: &str) -> anyhow::Result<u64> {
        let status = self.json(&["status"])?;
        let count = status.first().and_then(|status| status.get(name)?.as_u64());
        count.with_context(|| format!("no {name} in the status"))
    }

    /// How much of a file is there: 1 is all of it.
    ///
    /// # Errors
    /// When the node does not answer.
    pub(crate) fn arrived(&self, name: &str) -> anyhow::Result<f64> {
        let inbox = self.json(&["inbox"])?;
        let mut files = inbox.iter().filter_map(|entry| entry.get("file"));
        let of_name = |file: &&Value| file.get("name").and_then(Value::as_str) == Some(name);
        let Some(file) = files.rfind(of_name) else {
            return Ok(0.0);
        };
        if file.get("complete").and_then(Value::as_bool) == Some(true) {
            return Ok(1.0);
        }
        let count = |key| file.get(key).and_then(Value::as_f64).unwrap_or(0.0);
        Ok(count("chunks_here") / count("chunks").max(1.0))
    }

    /// The processor time that it has used.
    ///
    /// # Errors
    /// When it does not run.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        // Ticks of 10 ms, behind the name in brackets (proc(5): utime and stime).
        let stat = self.of_process("stat")?;
        let (_, fields) = stat.rsplit_once(')').context("reading its times")?;
        let times = fields.split_ascii_whitespace().skip(11).take(2);
        let ticks: u64 = times.filter_map(|time| time.parse::<u64>().ok()).sum();
        Ok(Duration::from_millis(ticks * 10))
    }

    /// The memory that is its own, and its share of what it shares (Pss), in bytes.
    ///
    /// # Errors
    /// When it does not run.
    pub(crate) fn pss(&self) -> anyhow::Result<u64> {
        self.memory("Pss:")
    }

    /// The memory that it has asked for (Pss, without its program's own pages, of which more are read as more of it runs), in
    /// bytes.
    ///
    /// # Errors
    /// When it does not run.
    pub(crate) fn allocated(&self) -> anyhow::Result<u64> {
        self.memory("Pss_Anon:")
    }

    fn memory(&self, kind: &str) -> anyhow::Result<u64> {
        let memory = self.of_process("smaps_rollup")?;
        let line = memory.lines().find_map(|line| line.strip_prefix(kind));
        let words = line.and_then(|line| line.split_ascii_whitespace().next());
        let kib: u64 = words.context("reading its memory")?.parse()?;
        Ok(kib * 1024)
    }

    fn of_process(&self, file: &str) -> anyhow::Result<String> {
        let process = self.process.as_ref().context("the node does not run")?;
        Ok(fs::read_to_string(format!(
            "/proc/{}/{file}",
            process.id()
        ))?)
    }

    fn command(&self, args: &[&str]) -> Command {
        if let Some(machine) = &self.machine {
            return machine.command(&self.line(args));
        }
        let mut command = Command::new(&self.program);
        command.arg("--home").arg(&self.home).args(args);
        command
    }
}

/// On a machine of a rig.
impl Node {
    /// A command of the program, for a shell there.
    fn line(&self, args: &[&str]) -> String {
        let home = self.home.to_string_lossy();
        let program = self.program.to_string_lossy();
        let words = [program.as_ref(), "--home", home.as_ref()];
        let words = words.iter().chain(args).map(|word| quoted(word));
        words.collect::<Vec<_>>().join(" ")
    }

    /// The file with the number of its process there.
    fn whereabouts(&self) -> String {
        quoted(&self.home.with_extension("process").to_string_lossy())
    }

    fn signal(&self, signal: &str) {
        if let Some(machine) = &self.machine {
            // It may have ended by itself.
            let _ = machine.shell(&format!("kill -{signal} $(cat {})", self.whereabouts()));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Makes two people contacts of each other: each takes the other's contact URI. Both have to run.
///
/// # Errors
/// When a node refuses.
pub(crate) fn introduce(one: &Node, other: &Node) -> anyhow::Result<()> {
    for (from, to) in [(one, other), (other, one)] {
        let id = from.json(&["id", "--no-qr"])?;
        let uri = id
            .first()
            .and_then(|id| id.get("uri")?.as_str())
            .context("a contact URI")?;
        to.say(&["contact", "add", uri, "--name", &from.name])?;
    }
    Ok(())
}
