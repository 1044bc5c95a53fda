//! `codegen`: what is made from something else and checked in, so that builders need neither protoc
//! nor this chore: the messages of `proto/`, and two lists of the fuzz targets.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use anyhow::Context as _;

use crate::{Outcome, fuzz, process};

const PROTO: [&str; 4] = [
    "chappe/v1/hop.proto",
    "chappe/v1/upgrade.proto",
    "chappe/v1/gossip.proto",
    "chappe/v1/parcel.proto",
];
const MESSAGES: &str = "crates/wire/src/generated.rs";
/// Cargo runs no binary that its manifest does not name.
const FUZZ_MANIFEST: &str = "crates/fuzz/Cargo.toml";
/// Replays the corpora with each target's own code.
const REPLAY: &str = "crates/testkit/tests/corpora.rs";

/// Writes everything that is generated into the tree.
pub(crate) fn run(root: &Path) -> anyhow::Result<Outcome> {
    for (path, text) in generate(root)? {
        fs::write(root.join(path), text).with_context(|| format!("writing {path}"))?;
        println!("codegen: wrote {path}");
    }
    println!("codegen: done");
    Ok(Outcome::Good)
}

/// Every generated file: its path and what it should hold.
fn generate(root: &Path) -> anyhow::Result<Vec<(&'static str, String)>> {
    let targets = fuzz::targets(root)?;
    let read =
        |path: &str| fs::read_to_string(root.join(path)).with_context(|| format!("reading {path}"));
    Ok(vec![
        (MESSAGES, messages(root)?),
        (
            FUZZ_MANIFEST,
            with_block(&read(FUZZ_MANIFEST)?, &bins(&targets))?,
        ),
        (
            REPLAY,
            formatted(root, &with_block(&read(REPLAY)?, &replays(&targets))?)?,
        ),
    ])
}

fn messages(root: &Path) -> anyhow::Result<String> {
    let proto = root.join("proto");
    let descriptors = protox::compile(PROTO, [&proto]).context("compiling proto/")?;
    let out = std::env::temp_dir().join(format!("chappe-codegen-{}", std::process::id()));
    fs::create_dir_all(&out)?;
    prost_build::Config::new()
        .out_dir(&out)
        .btree_map(["."])
        // It has a passphrase in it.
        .skip_debug([".chappe.v1.Invitation"])
        .compile_fds(descriptors)
        .context("generating code")?;
    let code = fs::read_to_string(out.join("chappe.v1.rs"))?;
    fs::remove_dir_all(&out)?;
    formatted(root, &code)
}

/// `code` as `cargo fmt` leaves it.
fn formatted(root: &Path, code: &str) -> anyhow::Result<String> {
    let mut rustfmt = process::program("rustfmt", root)
        .args(["--edition", "2024", "--emit", "stdout", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run rustfmt")?;
    let mut stdin = rustfmt.stdin.take().context("rustfmt has no input")?;
    stdin.write_all(code.as_bytes())?;
    drop(stdin);
    let output = rustfmt.wait_with_output()?;
    anyhow::ensure!(output.status.success(), "rustfmt failed on generated code");
    Ok(String::from_utf8(output.stdout)?)
}

fn bins(targets: &[String]) -> String {
    let bin = |name: &String| {
        format!(
            "[[bin]]\nname = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\ndoc = false\ntest = false\n"
        )
    };
    targets.iter().map(bin).collect::<Vec<_>>().join("\n")
}

fn replays(targets: &[String]) -> String {
    let replay =
        |name: &String| format!("replay!({name}, \"../../fuzz/fuzz_targets/{name}.rs\");\n");
    targets.iter().map(replay).collect()
}

/// `text` with `block` between the line that starts the generated part and the one that ends it.
fn with_block(text: &str, block: &str) -> anyhow::Result<String> {
    let start = text.find("codegen: begin").context("no `codegen: begin`")?;
    let end = text.find("codegen: end").context("no `codegen: end`")?;
    let (head, rest) = text.split_at(start);
    let (begin_line, _) = rest.split_once('\n').context("nothing after the mark")?;
    let tail_line = text
        .get(..end)
        .and_then(|before| before.rfind('\n'))
        .context("the marks are on one line")?;
    let tail = text.get(tail_line + 1..).unwrap_or_default();
    anyhow::ensure!(
        start < tail_line,
        "`codegen: end` comes before the beginning"
    );
    Ok(format!("{head}{begin_line}\n{block}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_checked_in_is_current() {
        let root = crate::root().unwrap();
        for (path, text) in generate(&root).unwrap() {
            let there = fs::read_to_string(root.join(path)).unwrap();
            assert!(there == text, "{path} is old: run `cargo xtask codegen`");
        }
    }

    #[test]
    fn a_block_is_replaced_between_its_marks() {
        let text = "a\n# codegen: begin (x)\nold\n# codegen: end\nb\n";
        let new = "a\n# codegen: begin (x)\nnew\n# codegen: end\nb\n";
        assert_eq!(with_block(text, "new\n").unwrap(), new);
        assert_eq!(with_block(new, "new\n").unwrap(), new);
    }

    #[test]
    fn a_file_without_marks_is_left_alone() {
        for text in [
            "",
            "# codegen: begin\n",
            "# codegen: end\n# codegen: begin\n",
        ] {
            assert!(with_block(text, "x\n").is_err(), "{text:?}");
        }
    }
}
