//! Rates, latencies and probabilities as people write them.

use std::time::Duration;

use chappe_link::fault::{Latency, Probability, QuantityError, Rate};
use proptest::prelude::*;

#[test]
fn rates_are_read_with_their_units() {
    let cases = [
        ("1B/s", 1),
        ("20kB/s", 20_000),
        ("1MB/s", 1_000_000),
        ("1.5 MB/s", 1_500_000),
        ("0.001kB/s", 1),
        ("1000GB/s", 1_000_000_000_000),
    ];
    for (text, bytes) in cases {
        assert_eq!(text.parse(), Ok(Rate::bytes_per_second(bytes)), "{text}");
    }
    assert_eq!("unlimited".parse(), Ok(Rate::UNLIMITED));
    let wrong = [
        "", "B/s", "0B/s", "1", "1MB", "1mb/s", "-1B/s", "+1B/s", "1e3B/s", ".5MB/s", "0.5B/s",
        "1001GB/s",
    ];
    for text in wrong {
        assert_eq!(text.parse::<Rate>(), Err(QuantityError::Rate), "{text}");
    }
}

#[test]
fn latencies_are_read_with_their_units() {
    for (text, micros) in [
        ("0s", 0),
        ("20ms", 20_000),
        ("1.5s", 1_500_000),
        ("7us", 7),
        ("60s", 60_000_000),
    ] {
        let latency: Latency = text.parse().unwrap();
        assert_eq!(
            latency.as_duration(),
            Duration::from_micros(micros),
            "{text}"
        );
    }
    for text in ["20", "ms", "60.000001s", "61s", "0.5us", "1m", "1 h"] {
        assert_eq!(
            text.parse::<Latency>(),
            Err(QuantityError::Latency),
            "{text}"
        );
    }
}

#[test]
fn probabilities_are_read_as_percentages() {
    for (text, millionths) in [
        ("0%", 0),
        ("1%", 10_000),
        ("0.0001%", 1),
        ("12.5%", 125_000),
        ("100%", 1_000_000),
    ] {
        assert_eq!(
            text.parse(),
            Ok(Probability::millionths(millionths)),
            "{text}"
        );
    }
    for text in ["1", "0.01", "101%", "100.0001%", "0.00001%", "-1%", "NaN%"] {
        assert_eq!(
            text.parse::<Probability>(),
            Err(QuantityError::Probability),
            "{text}"
        );
    }
}

#[test]
fn a_packet_takes_its_length_over_the_rate() {
    assert_eq!(
        Rate::bytes_per_second(1_000_000).airtime(8_192),
        Duration::from_micros(8_192)
    );
    assert_eq!(
        Rate::bytes_per_second(3).airtime(1),
        Duration::from_nanos(333_333_333)
    );
    assert_eq!(Rate::UNLIMITED.airtime(8_192), Duration::ZERO);
}

proptest! {
    #[test]
    fn quantities_read_back_as_they_were_written(rate in 0..=1_000_000_000_000_u64, micros in 0..=60_000_000_u64, millionths in 0..=1_000_000_u32) {
        let rate = Rate::bytes_per_second(rate);
        prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        let latency: Latency = format!("{micros}us").parse().unwrap();
        prop_assert_eq!(latency.to_string().parse(), Ok(latency));
        let probability = Probability::millionths(millionths);
        prop_assert_eq!(probability.to_string().parse(), Ok(probability));
    }

    #[test]
    fn arbitrary_text_is_read_or_refused(text in "\\PC{0,30}", digits in "[0-9.]{0,40}", unit in "(GB/s|MB/s|B/s|s|ms|us|%)") {
        for text in [text, format!("{digits}{unit}")] {
            let _ = text.parse::<Rate>();
            let _ = text.parse::<Latency>();
            let _ = text.parse::<Probability>();
        }
    }
}
