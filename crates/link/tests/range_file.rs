//! The range file: written and read back the same; what is wrong in it is said with its line.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use chappe_link::air::{
    Hearing, HearingError, MAX_RANGE_LEN, Mtu, NodeName, Pair, Range, RangeError, SettingError,
    Settings,
};
use chappe_link::fault::{Latency, Probability, Rate};
use common::name;
use proptest::option::of;
use proptest::prelude::*;

fn names() -> impl Strategy<Value = NodeName> {
    "[a-zA-Z0-9][a-zA-Z0-9._-]{0,8}".prop_map(|text| name(&text))
}

fn settings() -> impl Strategy<Value = Settings> {
    let probability = || of((0..=1_000_000_u32).prop_map(Probability::millionths));
    let rate = prop_oneof![0..100_u64, 0..=1_000_000_000_000_u64].prop_map(Rate::bytes_per_second);
    let latency =
        (0..=60_000_000_u64).prop_map(|micros| format!("{micros}us").parse::<Latency>().unwrap());
    let mtu = (20..=65_535_usize).prop_map(|bytes| Mtu::new(bytes).unwrap());
    (
        of(rate),
        of(latency),
        probability(),
        probability(),
        probability(),
        of(mtu),
    )
        .prop_map(|(rate, latency, loss, duplicate, reorder, mtu)| Settings {
            rate,
            latency,
            loss,
            duplicate,
            reorder,
            mtu,
        })
}

fn ranges() -> impl Strategy<Value = Range> {
    let group = prop::collection::btree_set(names(), 0..5);
    let groups = of(prop::collection::vec(group, 0..4));
    let pairs = prop::collection::vec((names(), names(), settings()), 0..4);
    (groups, settings(), pairs).prop_map(|(groups, settings, pairs)| {
        let pairs: BTreeMap<Pair, Settings> = pairs
            .into_iter()
            .filter_map(|(one, other, settings)| Some((Pair::new(one, other)?, settings)))
            .collect();
        Range {
            hearing: groups.map_or(Hearing::Everybody, Hearing::Groups),
            settings,
            pairs,
        }
    })
}

proptest! {
    #[test]
    fn a_range_reads_back_as_it_was_written(range in ranges()) {
        prop_assert_eq!(Range::parse(&range.to_toml()).unwrap(), range);
    }

    #[test]
    fn arbitrary_text_is_read_or_refused_with_a_line_of_its_own(text in "[a-z0-9 =\\[\\]\"%/.\n#-]{0,200}") {
        if let Err(RangeError::Syntax { line, reason }) = Range::parse(&text) {
            prop_assert!(line >= 1 && line <= text.matches('\n').count() + 1);
            prop_assert!(!reason.is_empty());
        }
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(range in ranges(), at: prop::sample::Index, byte: u8) {
        let mut bytes = range.to_toml().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(text) = str::from_utf8(&bytes) && let Ok(range) = Range::parse(text) {
            prop_assert_eq!(Range::parse(&range.to_toml()).unwrap(), range);
        }
    }

    #[test]
    fn settings_given_as_words_are_the_ones_shown(settings in settings()) {
        let range = Range { settings, ..Range::default() };
        let shown = range.to_string();
        let words = shown.lines().nth(1).map_or("", |line| line.strip_prefix("all:").unwrap());
        prop_assert_eq!(Settings::from_words(words.split_whitespace()).unwrap(), settings);
    }
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let cases = [
        ("\nrate = \"fast\"", 2, "expected a rate, such as \"1MB/s\""),
        ("rate = \"0B/s\"", 1, "expected a rate"),
        (
            "rate = 5",
            1,
            "invalid type: integer `5`, expected a string",
        ),
        (
            "\n\nlatency = \"20\"",
            3,
            "expected a time of at most 60s, such as \"20ms\"",
        ),
        ("latency = \"61s\"", 1, "expected a time of at most 60s"),
        (
            "loss = \"101%\"",
            1,
            "expected a percentage, such as \"1%\"",
        ),
        ("mtu = 19", 1, "expected a number of bytes from 20 to 65535"),
        (
            "mtu = 65536",
            1,
            "expected a number of bytes from 20 to 65535",
        ),
        ("mtu = -1", 1, "expected a number of bytes from 20 to 65535"),
        (
            "\nspeed = 1",
            2,
            "unknown field `speed`, expected one of `groups`, `rate`",
        ),
        (
            "groups = [\n[\"a\", \"../b\"]]",
            2,
            "expected a name of 1 to 64 letters",
        ),
        ("rate = \"1MB/s\"\nrate = \"1MB/s\"", 2, "duplicate key"),
        (
            "[[pair]]\nbetween = [\"a\", \"a\"]",
            2,
            "expected two different names",
        ),
        (
            "[[pair]]\nbetween = [\"a\"]",
            2,
            "invalid length 1, expected an array of length 2",
        ),
        ("[[pair]]\nrate = \"1MB/s\"", 1, "missing field `between`"),
        (
            "[[pair]]\nbetween = [\"a\", \"b\"]\n[[pair]]\nbetween = [\"b\", \"a\"]",
            4,
            "expected each pair once",
        ),
        ("groups = [", 1, "unclosed array"),
    ];
    for (text, expected_line, expected) in cases {
        match Range::parse(text) {
            Err(RangeError::Syntax { line, reason }) => {
                assert_eq!(line, expected_line, "{text}: {reason}");
                assert!(reason.contains(expected), "{text}: {reason}");
                assert!(!reason.contains('\n'), "{text}: {reason}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn a_pair_goes_before_what_is_set_for_all() {
    let text = "rate = \"1MB/s\"\nloss = \"1%\"\n[[pair]]\nbetween = [\"s\", \"n\"]\nrate = \"unlimited\"\n";
    let range = Range::parse(text).unwrap();
    let near = range.conditions(&name("n"), &name("s"));
    assert_eq!(near, range.conditions(&name("s"), &name("n")));
    assert_eq!(
        (near.faults.rate, near.faults.loss),
        (Rate::UNLIMITED, Probability::millionths(10_000))
    );
    let far = range.conditions(&name("n"), &name("r"));
    assert_eq!(far.faults.rate, Rate::bytes_per_second(1_000_000));
    assert_eq!(far.mtu.bytes(), 8192);
}

#[test]
fn setting_one_thing_leaves_the_others() {
    let mut range = Range::default();
    range.set(Settings::from_words(["rate=1MB/s", "loss=1%"]).unwrap());
    range.set(Settings::from_words(["rate=unlimited"]).unwrap());
    assert_eq!(
        range.to_string(),
        "everybody hears everybody\nall: rate=unlimited loss=1%"
    );
}

#[test]
fn words_name_groups_of_nodes_that_hear_one_another() {
    let groups = Hearing::from_words(["n", "r", "--", "r", "s", "t"]).unwrap();
    assert_eq!(
        groups.to_string(),
        "n hears r\nr hears n, s, t\ns hears r, t\nt hears r, s"
    );
    assert_eq!(Hearing::NOBODY.to_string(), "nobody hears anybody");
    let alone = [
        &[][..],
        &["n"],
        &["n", "n"],
        &["n", "r", "--"],
        &["n", "--", "r", "s"],
    ];
    for words in alone {
        assert_eq!(
            Hearing::from_words(words.iter().copied()),
            Err(HearingError::Alone),
            "{words:?}"
        );
    }
    assert!(matches!(
        Hearing::from_words(["n", "a/b"]),
        Err(HearingError::Name { .. })
    ));
}

#[test]
fn nobody_hears_itself() {
    let both: BTreeSet<NodeName> = [name("n"), name("r")].into();
    for hearing in [Hearing::Everybody, Hearing::Groups(vec![both])] {
        let range = Range {
            hearing,
            ..Range::default()
        };
        assert!(range.hears(&name("n"), &name("r")));
        assert!(!range.hears(&name("n"), &name("n")));
    }
}

#[test]
fn wrong_words_for_settings_are_said_in_one_sentence() {
    let error = |words: &[&str]| Settings::from_words(words.iter().copied()).unwrap_err();
    assert!(
        error(&["speed=1"])
            .to_string()
            .starts_with("\"speed=1\" is not a setting: expected rate=")
    );
    assert!(
        error(&["rate"])
            .to_string()
            .starts_with("\"rate\" is not a setting")
    );
    assert!(
        error(&["rate=1"])
            .to_string()
            .starts_with("rate: expected a rate, such as")
    );
    assert!(
        error(&["mtu=1"])
            .to_string()
            .starts_with("mtu: expected a number of bytes from 20")
    );
    assert!(matches!(
        error(&["loss=1%", "loss=1%"]),
        SettingError::Again { .. }
    ));
}

#[test]
fn a_missing_file_is_the_default_and_a_saved_one_is_found_again() {
    let root = tempfile::tempdir().unwrap();
    let air = root.path().join("air");
    assert_eq!(Range::load(&air).unwrap(), Range::default());
    let range = Range {
        hearing: Hearing::NOBODY,
        ..Range::default()
    };
    range.save(&air).unwrap();
    range.save(&air).unwrap();
    assert_eq!(Range::load(&air).unwrap(), range);
    assert_eq!(air.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let files: Vec<_> = fs::read_dir(&air)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["range.toml"], "no temporary file stays");
}

#[test]
fn a_file_that_is_too_long_or_no_text_is_refused() {
    let air = tempfile::tempdir().unwrap();
    let file = air.path().join("range.toml");
    fs::write(&file, "#".repeat(MAX_RANGE_LEN)).unwrap();
    assert_eq!(Range::load(air.path()).unwrap(), Range::default());
    fs::write(&file, "#".repeat(MAX_RANGE_LEN + 1)).unwrap();
    assert!(matches!(Range::load(air.path()), Err(RangeError::TooLong)));
    fs::write(&file, b"# one\n# \xff\n").unwrap();
    assert!(matches!(
        Range::load(air.path()),
        Err(RangeError::Syntax { line: 2, .. })
    ));
}
