//! `chappe-sim presets`.

use std::fmt::Write as _;

use chappe_sim::radio::{self, PRESETS};

use super::{Failure, say};

/// Arguments of `presets`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Show one as its file has it, each number with its source.
    name: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if let Some(name) = &args.name {
        radio::preset(name)?;
        let texts = PRESETS.iter().filter(|(known, _)| known == name);
        return say(&texts.map(|(_, text)| *text).collect::<String>());
    }
    let mut text = format!(
        "{:<12} {:>6} {:>11} {:>6} {:>5}  about\n",
        "radio", "range", "mean rate", "links", "star"
    );
    for (name, _) in PRESETS {
        let preset = radio::preset(name)?;
        let links = preset
            .links
            .as_ref()
            .map_or("any".to_owned(), |links| links.value.to_string());
        let star = if preset.star.value { "yes" } else { "no" };
        let range = format!("{} m", preset.range.value.0);
        let rate = format!(
            "{:.0} kB/s",
            preset.mean_rate().bytes_per_second() as f64 / 1000.0
        );
        let _ = writeln!(
            text,
            "{name:<12} {range:>6} {rate:>11} {links:>6} {star:>5}  {}",
            preset.about
        );
    }
    text.push_str("All are models. `presets NAME` shows each number with its source.\n");
    say(&text)
}
