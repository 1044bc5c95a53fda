//! Tells the program which revision it is built from, for the tables that it writes.
//!
//! Only in a release build: else each commit would build everything anew for those who work on it.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let revision = if release { revision() } else { None };
    let revision = revision.unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env=CHAPPE_REVISION={revision}");
}

/// The commit, and a `+` where files differ from it; `None` outside of a checkout.
fn revision() -> Option<String> {
    for path in [
        "../.git/HEAD",
        "../.git/logs/HEAD",
        "src",
        "../crates",
        "../Cargo.lock",
    ] {
        println!("cargo:rerun-if-changed={path}");
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
    let mark = if changes.is_empty() { "" } else { "+" };
    Some(format!("{commit}{mark}"))
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = output.status.success().then_some(output.stdout)?;
    Some(String::from_utf8(text).ok()?.trim().to_owned())
}
