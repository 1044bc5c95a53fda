//! `chappe-sim replay-node`.

use std::fmt::Write as _;
use std::path::PathBuf;

use chappe_node::recording::{self, Difference};
use chappe_sim::recorded::{self, Replayed};

use super::{Ending, Failure, say};

/// Arguments of `replay-node`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What `chappe run --record FILE` has written.
    file: PathBuf,
}

/// What of a line is shown: so many characters before the first one that differs, and so many from there on.
const SHOWN: (usize, usize) = (24, 48);
/// How much is shown of the input before it.
const INPUT_SHOWN: usize = 80;

/// Ends with status 3 where something differs, or where the recording breaks off.
pub(crate) fn run(args: &Args) -> Result<Ending, Failure> {
    let replayed = recorded::replay(&args.file)?;
    let file = args.file.display();
    let Replayed {
        lines,
        inputs,
        outputs,
        ..
    } = replayed;
    let mut text = String::new();
    let ending = match &replayed.verdict {
        Ok(recording::Ending::Same) => {
            let _ = writeln!(
                text,
                "{file}: {inputs} inputs, {outputs} outputs, the same byte for byte"
            );
            Ending::Good
        }
        Ok(recording::Ending::BrokenOff) => {
            let _ = writeln!(
                text,
                "{file}: {inputs} inputs, {outputs} outputs, the same byte for byte so far; the recording breaks off after line \
                 {lines}, without `end`"
            );
            Ending::Worse
        }
        Err(difference) => {
            let _ = writeln!(
                text,
                "{file}:{}: the first difference, after {inputs} inputs and {outputs} outputs that were the same",
                difference.line
            );
            show(&mut text, difference);
            Ending::Worse
        }
    };
    say(&text)?;
    Ok(ending)
}

fn show(text: &mut String, difference: &Difference) {
    let Difference {
        input,
        recorded,
        now,
        ..
    } = difference;
    let same = recorded.chars().zip(now.chars());
    let same = same.take_while(|(one, other)| one == other).count();
    let from = same.saturating_sub(SHOWN.0);
    if let Some((line, input)) = input {
        let _ = writeln!(
            text,
            "  input of line {line}: {}",
            part(input, 0, INPUT_SHOWN)
        );
    }
    for (whose, line) in [("recorded", recorded), ("now", now)] {
        let shown = part(line, from, same + SHOWN.1 - from);
        let _ = writeln!(text, "  {whose:<8} {shown}");
    }
    let _ = writeln!(text, "  they differ from character {} on", same + 1);
}

/// Some characters of a line; dots stand for what is left out.
fn part(line: &str, from: usize, length: usize) -> String {
    let mut shown: String = line.chars().skip(from).take(length).collect();
    if from > 0 {
        shown.insert_str(0, "...");
    }
    if line.chars().count() > from + length {
        shown.push_str("...");
    }
    shown
}
