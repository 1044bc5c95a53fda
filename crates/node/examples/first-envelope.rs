//! Prints what passes between the coming up of a link and the first envelope: round trips and bytes, for packets as they are
//! on Bluetooth LE and in a Wi-Fi Direct group, whoever of the two has something to
//! send, and whatever both carry already.
//!
//! `cargo run --release -p chappe-node --example first-envelope`
#![allow(clippy::expect_used, reason = "a program that cannot go on ends")]

#[path = "../tests/common/first_envelope.rs"]
mod first_envelope;

use chappe_testkit::Side;
use first_envelope::{Carried, FirstEnvelope, first_envelope};

fn main() {
    let (mut most, mut most_of_many, mut bytes) = (0.0_f64, 0.0_f64, 0);
    println!("| sent by | packets of | carried before | round trips | bytes before, both ways |");
    println!("|---|---:|---:|---:|---:|");
    for (side, who) in [
        (Side::North, "who opened the link"),
        (Side::South, "the other"),
    ] {
        for mtu in [185, 512, 16 * 1024 - 2] {
            for carried in [0, 1, 20, 200]
                .map(Carried::Both)
                .into_iter()
                .chain([1, 20, 40].map(Carried::Receipted))
            {
                let FirstEnvelope {
                    round_trips,
                    bytes_before,
                } = first_envelope(side, mtu, carried);
                // More than are read out of a sketch.
                let many = matches!(carried, Carried::Receipted(40));
                let carried = match carried {
                    Carried::Both(envelopes) => format!("{envelopes} by both"),
                    Carried::Receipted(envelopes) => {
                        format!("{envelopes}, by the other their receipts")
                    }
                };
                println!("| {who} | {mtu} B | {carried} | {round_trips:.2} | {bytes_before} |");
                let most = if many { &mut most_of_many } else { &mut most };
                *most = most.max(round_trips);
                bytes = bytes.max(bytes_before);
            }
        }
    }
    println!("\nfigure: first-envelope = {most:.2} round trips");
    println!("figure: first-envelope-many = {most_of_many:.2} round trips");
    println!("figure: first-envelope-bytes = {bytes} B");
}
