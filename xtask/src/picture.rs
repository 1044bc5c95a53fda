//! `picture`: docs/demo.svg, the terminal of a real run of the demo.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::{Outcome, process};

const TARGET: &str = "docs/demo.svg";
/// Pixels of a character and of a line.
const CELL: (usize, usize) = (8, 18);
const MARGIN: usize = 16;
/// Longer lines are cut.
const COLUMNS: usize = 118;

/// Runs the demo of the release build and draws what it printed.
pub(crate) fn run(root: &Path) -> anyhow::Result<Outcome> {
    process::run(process::cargo(root).args(["build", "--release", "--locked"]))?;
    let output = Command::new(root.join("target/release/chappe"))
        .args(["demo"])
        .output()
        .context("running the demo")?;
    ensure!(
        output.status.success(),
        "the demo failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).context("the demo's output is not UTF-8")?;
    std::fs::create_dir_all(root.join("docs"))?;
    std::fs::write(root.join(TARGET), draw(&text))?;
    println!(
        "picture: {} lines of a real run are in {TARGET}",
        text.lines().count()
    );
    Ok(Outcome::Good)
}

fn draw(text: &str) -> String {
    let lines: Vec<&str> = std::iter::once("$ cargo run --release -- demo")
        .chain(text.lines())
        .collect();
    let width = COLUMNS * CELL.0 + 2 * MARGIN;
    let height = lines.len() * CELL.1 + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"monospace\" font-size=\"13\" fill=\"#d8dee9\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1d2129\"/>\n"
    );
    for (number, line) in lines.iter().enumerate() {
        let y = MARGIN + (number + 1) * CELL.1 - 5;
        let colour = match line.trim_start() {
            rest if rest.starts_with("ok") => " fill=\"#a3be8c\"",
            rest if rest.starts_with('$') => " fill=\"#88c0d0\"",
            _ if !line.starts_with(' ') && !line.is_empty() => " fill=\"#ebcb8b\"",
            _ => "",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            svg,
            "<text x=\"{MARGIN}\" y=\"{y}\" xml:space=\"preserve\"{colour}>{}</text>",
            escaped(&line.chars().take(COLUMNS).collect::<String>())
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn escaped(line: &str) -> String {
    line.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_there_and_nothing_breaks_out() {
        let svg = draw("one\n  ok <two> & three\n");
        assert_eq!(svg.matches("<text").count(), 3);
        assert!(svg.contains("ok &lt;two&gt; &amp; three"));
    }
}
