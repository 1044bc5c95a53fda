//! One side of a conversation: a program that takes texts by its input and prints what it reads.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Lines that wait to be looked at; then the program waits.
const LINES: usize = 64;

/// A program that runs until it is dropped.
pub(crate) struct Program {
    name: &'static str,
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Program {
    /// Starts it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> anyhow::Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {name}"))?;
        let output = process.stdout.take().context("it has no output")?;
        let (sender, lines) = mpsc::sync_channel(LINES);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            name,
            input: process.stdin.take(),
            process,
            lines,
        })
    }

    /// The fingerprint of its key, which it prints when it is ready.
    ///
    /// # Errors
    /// When it ends, or prints something else, or nothing for so long.
    pub(crate) fn started(&mut self, limit: Duration) -> anyhow::Result<String> {
        let line = self.line(limit)?;
        let key = line.strip_prefix("start ").map(str::to_owned);
        key.with_context(|| format!("{} said `{line}`, not that it is ready", self.name))
    }

    /// Gives it a text to send.
    ///
    /// # Errors
    /// When it does not take it.
    pub(crate) fn say(&mut self, text: &str) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("its input was closed")?;
        writeln!(input, "{text}").with_context(|| format!("{} takes no text", self.name))
    }

    /// Sees that it reads this text next, and proven to be from this key.
    ///
    /// # Errors
    /// When it reads something else, or nothing for so long.
    pub(crate) fn reads(&mut self, key: &str, text: &str, limit: Duration) -> anyhow::Result<()> {
        let (line, wanted) = (self.line(limit)?, format!("read {key} {text}"));
        anyhow::ensure!(
            line == wanted,
            "{} said `{line}`, not `{wanted}`",
            self.name
        );
        Ok(())
    }

    /// Closes its input and sees that it ends well, and has said nothing more.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn end(mut self, limit: Duration) -> anyhow::Result<()> {
        self.input = None;
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.process.try_wait()? {
                break status;
            }
            anyhow::ensure!(started.elapsed() < limit, "{} does not end", self.name);
            thread::sleep(Duration::from_millis(20));
        };
        anyhow::ensure!(status.success(), "{} failed ({status})", self.name);
        let more = self.lines.recv_timeout(limit);
        anyhow::ensure!(more.is_err(), "{} said more: {more:?}", self.name);
        Ok(())
    }

    fn line(&self, limit: Duration) -> anyhow::Result<String> {
        let line = self.lines.recv_timeout(limit);
        line.with_context(|| format!("{} said nothing, or has ended", self.name))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
