//! Looks through the memory of a process for secrets that it has dropped: `cargo run --release -p chappe-omemo
//! --example memory-scan`. On Linux.
//!
//! It starts itself once more. That process has two devices talk, hands over all their secrets and drops them; this
//! one reads its memory then, as somebody who took the device could. Twice: once the other process keeps one
//! secret on purpose, which must be found, so that the search is known to work. It ends with an error if anything
//! else is found.
#![allow(clippy::print_stdout, reason = "a program for people to read")]

mod memory;
mod secrets;
mod talk;

use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use secrets::Secret;

type Failure = Box<dyn Error>;

/// What the second process is started with.
const KEEP: &str = "keep-one";
const DROP: &str = "drop-all";

fn main() -> Result<(), Failure> {
    match std::env::args().nth(1).as_deref() {
        Some(KEEP) => talk::run(true),
        Some(DROP) => talk::run(false),
        Some(_) => Err("usage: memory-scan".into()),
        None => scan(),
    }
}

fn scan() -> Result<(), Failure> {
    let kept = look_into(KEEP)?;
    let names: Vec<_> = kept.left.iter().map(|secret| &secret.name).collect();
    if names != ["initiator: identity"] {
        return Err(format!("one secret was kept, and this was found: {names:?}").into());
    }
    println!("A secret that was kept on purpose is found.");

    let dropped = look_into(DROP)?;
    println!(
        "figure: omemo-secrets-looked-for = {}\n\
         figure: omemo-secrets-on-the-heap-after-drop = {} (target = 0)\n\
         figure: omemo-secrets-on-the-stack-after-drop = {} (target = 0)\n\
         figure: omemo-secrets-anywhere-after-the-next-calls = {} (target = 0)",
        dropped.searched,
        dropped.heap.len(),
        dropped.stack.len(),
        dropped.left.len()
    );
    let places = [
        ("on the heap", &dropped.heap),
        ("on the stack", &dropped.stack),
        ("after the next calls", &dropped.left),
    ];
    for (place, found) in places {
        for secret in found {
            println!("  {place}: {}", secret.name);
        }
    }
    if places.iter().all(|(_, found)| found.is_empty()) {
        Ok(())
    } else {
        Err("secrets are still in memory".into())
    }
}

/// What was found.
struct Report {
    searched: usize,
    /// Right after the drop, outside of stacks.
    heap: Vec<Secret>,
    /// Right after the drop, on stacks.
    stack: Vec<Secret>,
    /// Anywhere, after the stack was used for something else.
    left: Vec<Secret>,
}

fn look_into(mode: &str) -> Result<Report, Failure> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(mode)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let outcome = examine(&mut child);
    child.kill()?;
    child.wait()?;
    outcome
}

fn examine(child: &mut Child) -> Result<Report, Failure> {
    let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
    let secrets = secrets::read(&mut output)?;
    wait_for(&mut output, "dropped")?;
    let memory = memory::Memory::of(child.id())?;
    let (stack, heap) = memory.find(&secrets)?;
    go_on(child)?;
    wait_for(&mut output, "overwritten")?;
    let (on_stack, elsewhere) = memory.find(&secrets)?;
    Ok(Report {
        searched: secrets.len(),
        heap,
        stack,
        left: on_stack.into_iter().chain(elsewhere).collect(),
    })
}

fn wait_for(output: &mut BufReader<ChildStdout>, word: &str) -> Result<(), Failure> {
    let mut line = String::new();
    output.read_line(&mut line)?;
    if line.trim_end() == word {
        Ok(())
    } else {
        Err(format!("the other process said `{line}`, not `{word}`").into())
    }
}

fn go_on(child: &mut Child) -> Result<(), Failure> {
    Ok(child.stdin.as_mut().ok_or("no input")?.write_all(b"\n")?)
}

/// Waits until the process that looks into this one says so.
fn wait_to_go_on() -> Result<(), Failure> {
    Ok(std::io::stdin().read_exact(&mut [0])?)
}
