//! `chappe-sim compare`.

use std::fmt::Write as _;
use std::path::PathBuf;

use chappe_sim::report::{Compared, Comparison, Results, Verdict, compare};

use super::{Ending, Failure, say};

/// Arguments of `compare`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of results to compare with.
    base: PathBuf,
    /// The folder of results that are new.
    new: PathBuf,
    /// A difference of up to this part of the first mean counts as none.
    #[arg(long, value_name = "PART", default_value_t = 0.0)]
    tolerance: f64,
    /// Only these metrics.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    metrics: Vec<String>,
    /// One object for each router and metric, one a line.
    #[arg(long)]
    json: bool,
}

/// Ends with status 3 where something is worse.
pub(crate) fn run(args: &Args) -> Result<Ending, Failure> {
    let (base, new) = (Results::read(&args.base)?, Results::read(&args.new)?);
    let Compared {
        mut comparisons,
        alone,
    } = compare(&base, &new, args.tolerance);
    if comparisons.is_empty() {
        return Err(Failure::new(format_args!(
            "no run is in both {} and {}; expected the same scenarios, routers and seeds",
            args.base.display(),
            args.new.display()
        )));
    }
    if alone != [0, 0] {
        let [base, new] = alone;
        eprintln!(
            "chappe-sim: {base} runs of the first folder and {new} of the second have no partner in the other"
        );
    }
    if !args.metrics.is_empty() {
        comparisons.retain(|comparison| args.metrics.iter().any(|name| name == comparison.metric));
        if comparisons.is_empty() {
            return Err(Failure::new(format_args!(
                "nothing is compared by {}; expected one of delivery_prob, latency_avg, latency_med, overhead_ratio, relayed, \
                 data_bytes, control_bytes",
                args.metrics.join(", ")
            )));
        }
    }
    let mut text = String::new();
    if args.json {
        for comparison in &comparisons {
            text.push_str(&serde_json::to_string(comparison)?);
            text.push('\n');
        }
    } else {
        for_people(&mut text, &comparisons);
    }
    say(&text)?;
    let worse = comparisons
        .iter()
        .any(|comparison| comparison.verdict == Verdict::Worse);
    Ok(if worse { Ending::Worse } else { Ending::Good })
}

fn for_people(text: &mut String, comparisons: &[Comparison]) {
    let mut last = None;
    let mut most = 0;
    for comparison in comparisons {
        let Comparison {
            scenario,
            router,
            metric,
            pairs,
            base,
            new,
            difference,
            half,
            verdict,
        } = comparison;
        if last != Some((scenario, router)) {
            let word = if *pairs == 1 { "pair" } else { "pairs" };
            let _ = writeln!(text, "{scenario}, {router}: {pairs} {word}");
            last = Some((scenario, router));
            most = *pairs;
        }
        let mark = match verdict {
            Verdict::Better => "better",
            Verdict::Same => "",
            Verdict::Worse => "WORSE",
        };
        let part = if *base == 0.0 {
            0.0
        } else {
            difference / base * 100.0
        };
        let half = half.map_or("of one pair".to_owned(), |half| format!("± {half:.3}"));
        let few = if *pairs < most {
            format!("(only {pairs} of the pairs have it)")
        } else {
            String::new()
        };
        let line = format!(
            "  {metric:<15} {base:>14.3} -> {new:>14.3}   {difference:>+14.3} {half:<14} {part:>+7.1} %  {mark:<6} {few}"
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
}
