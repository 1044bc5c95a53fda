//! `chappe-sim oracle`.

use std::path::PathBuf;
use std::time::Duration;

use chappe_sim::oracle::{self, Bound, Question};
use chappe_sim::{Rate, trace, units};

use super::{Failure, say};

/// Arguments of `oracle`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Contacts, plain or gzipped.
    #[arg(long, value_name = "FILE")]
    contacts: PathBuf,
    /// Messages, plain or gzipped.
    #[arg(long, value_name = "FILE")]
    messages: PathBuf,
    /// The rate of contacts for which the trace tells none.
    #[arg(long, default_value = "250kB/s")]
    rate: Rate,
    /// Lifetime of messages.
    #[arg(long, value_name = "TIME", value_parser = units::duration, default_value = "300min")]
    ttl: Duration,
    /// One object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let contacts = trace::read_contacts(&args.contacts)?;
    let messages = trace::read_messages_among(&args.messages, contacts.nodes)?;
    let (rate, ttl) = (args.rate, args.ttl);
    let bounds = oracle::bounds(&contacts, &messages, &Question { rate, ttl });
    if args.json {
        let object = serde_json::to_string(&bounds)?;
        return say(&format!("{object}\n"));
    }
    let mut text = format!(
        "of {} messages   delivered  mean delay      median     relays\n",
        messages.len()
    );
    for (name, bound) in [
        ("zero time", &bounds.zero_time),
        ("earliest arrival", &bounds.earliest_arrival),
        ("schedule", &bounds.schedule),
        ("fewest relays", &bounds.fewest_relays),
    ] {
        text.push_str(&row(name, bound));
        text.push('\n');
    }
    say(&text)
}

fn row(name: &str, bound: &Bound) -> String {
    let seconds = |time: Option<f64>| time.map_or("-".to_owned(), |time| format!("{time:.1} s"));
    let relays = bound.relayed.map_or("-".to_owned(), |n| n.to_string());
    let (mean, median) = (seconds(bound.latency_avg), seconds(bound.latency_med));
    let delivered = bound.delivered;
    format!("{name:<16} {delivered:>12}  {mean:>10}  {median:>10}  {relays:>9}")
}
