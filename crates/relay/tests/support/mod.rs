//! Runs the real program.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder for homes and an air.
pub(crate) struct World {
    folder: tempfile::TempDir,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program on the home `name`, without an environment of its own.
    pub(crate) fn command<S: AsRef<OsStr>>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chappe"));
        command.arg("--home").arg(self.path(name)).args(args);
        command.env("NO_COLOR", "1").env_remove("CHAPPE_HOME");
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command on the home `name`.
    pub(crate) fn run<S: AsRef<OsStr>>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Ran {
        Ran::from(self.command(name, args).output().unwrap())
    }

    /// Runs a command with this on its standard input.
    pub(crate) fn typed<S: AsRef<OsStr>>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = S>,
        text: &str,
    ) -> Ran {
        let mut command = self.command(name, args);
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        drop(input);
        Ran::from(child.wait_with_output().unwrap())
    }

    /// Runs a command that has to succeed; answers with its output.
    pub(crate) fn ok<S: AsRef<OsStr>>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = S>,
    ) -> String {
        let ran = self.run(name, args);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.out
    }

    /// Runs a command that has to fail, with one plain sentence; answers with it.
    pub(crate) fn fails<S: AsRef<OsStr>>(
        &self,
        code: i32,
        name: &str,
        args: impl IntoIterator<Item = S>,
    ) -> String {
        self.run(name, args).sentence(code)
    }

    /// Makes a person.
    pub(crate) fn person(&self, name: &str) {
        self.ok(name, ["init", "--name", name]);
    }

    /// A fresh contact URI of a person.
    pub(crate) fn uri(&self, name: &str) -> String {
        let out = self.ok(name, ["id", "--no-qr"]);
        let line = out
            .lines()
            .find(|line| line.to_lowercase().starts_with("chappe:"));
        line.unwrap().to_owned()
    }

    /// Two people who scanned each other.
    pub(crate) fn friends(&self, one: &str, other: &str) {
        self.person(one);
        self.person(other);
        self.ok(one, ["contact", "add", &self.uri(other), "--scanned"]);
        self.ok(other, ["contact", "add", &self.uri(one), "--scanned"]);
    }

    /// Starts a node and waits until it listens.
    pub(crate) fn start<S: AsRef<OsStr>>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Node {
        let mut command = self.command(name, ["run"]);
        let mut child = command.args(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert!(
            line.contains("Ctrl-C stops it"),
            "{name} did not start: {line}"
        );
        Node(child)
    }
}

impl Ran {
    /// The one sentence of a failure.
    pub(crate) fn sentence(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        let sentence = self.err.trim_end();
        assert!(!sentence.contains('\n'), "more than one line: {sentence}");
        assert!(!sentence.contains("panic"), "{sentence}");
        assert!(sentence.ends_with('.'), "not a sentence: {sentence}");
        sentence.to_owned()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A running node; it is killed if the test forgets it.
pub(crate) struct Node(Child);

impl Node {
    /// Stops it as Ctrl-C does.
    pub(crate) fn interrupt(self) -> ExitStatus {
        self.signal("INT")
    }

    /// Stops it as a service manager does.
    pub(crate) fn terminate(self) -> ExitStatus {
        self.signal("TERM")
    }

    fn signal(mut self, name: &str) -> ExitStatus {
        let process = self.0.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -{name} {process}")])
            .status();
        assert!(sent.unwrap().success());
        let mut status = None;
        wait(|| {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something is so.
pub(crate) fn wait(mut so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < end, "it takes too long");
        std::thread::sleep(Duration::from_millis(30));
    }
}
