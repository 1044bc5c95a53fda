//! A trace with a mistake is refused with its line and what was expected there.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_sim::TraceError;
use chappe_sim::trace;
use proptest::prelude::*;

fn contacts(text: &str) -> TraceError {
    let (_guard, path) = common::file(text);
    trace::read_contacts(&path).unwrap_err()
}

fn messages(text: &str) -> TraceError {
    let (_guard, path) = common::file(text);
    trace::read_messages_among(&path, 3).unwrap_err()
}

fn shown(error: &TraceError) -> String {
    format!(
        "{}: {}; expected {}",
        error.line, error.what, error.expected
    )
}

#[test]
fn contacts_that_cannot_be() {
    let texts = [
        "5 CONN 0 1 up\n4 CONN 0 1 down\n",
        "5 CONN 0 1 down\n",
        "5 CONN 0 1 up\n\n6 CONN 1 0 up\n",
        "5 CONN 0 1 up\n6 CONN 0 1 up\n7 CONN 0 1 down\n",
        "5 CONN 0 1 sideways\n",
        "5 CONN 0 0 up\n",
        "5 CONN 0 -1 up\n",
        "-5 CONN 0 1 up\n",
        "5 CONN 0\n",
        "5 CONN 0 1 up\n6 DE M1 1 0\n",
        "hello\n",
        "# only a comment\n",
        "20 1 2\n19 1 2\n",
        "20 1 2\n40 1\n",
        "0 1 2\n",
        "1 2 30 20\n",
        "a,b,c\n1,2,3\n",
        "start,end,a,b\n5,5,1,2\n",
        "start,end,a,b\n5,6,1\n",
        "time,a,b,state\n5,0,1,down\n",
        "time,a,b,state,rate\n5,0,1,up,0\n",
        "timestamp,user_a,user_b,rssi\n0,1,-3,0\n",
        "5 CONN 0 1 up radio0 6\n",
        "5 C M1 0 1 100\n",
        "start,end,a,b\n",
        "5 CONN 0 1 up\n99999999999 CONN 0 1 down\n",
    ];
    let refusals: Vec<String> = texts.iter().map(|text| shown(&contacts(text))).collect();
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn messages_that_cannot_be() {
    let texts = [
        "5 C M1 0 1 -100\n",
        "5 C M1 0 1 1.5\n",
        "5 C M1 0 3 100\n",
        "5 C M1 0 0 100\n",
        "5 C M1 0 1 100\n6 C M1 1 2 100\n",
        "5 C M1 0 1 100\n4 C M2 1 2 100\n",
        "5 C M1 0 1\n",
        "5 C M1 0 1 100 0\n6 C M2 0 1 100 50\n",
        "5 C M1 0 1 100 0 7\n",
        "5 C M1 0 1 18446744073709551615\n",
        "5 CONN 0 1 up\n",
        "",
    ];
    let refusals: Vec<String> = texts.iter().map(|text| shown(&messages(text))).collect();
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn a_gzip_file_cut_anywhere_is_refused() {
    let whole = common::gzipped("1 CONN 0 1 up\n2 CONN 0 1 down\n");
    for length in 2..whole.len() {
        let (_guard, path) = common::bytes(&whole[..length]);
        assert!(trace::read_contacts(&path).is_err(), "cut at {length}");
    }
    let (_guard, path) = common::bytes(&whole);
    assert_eq!(trace::read_contacts(&path).unwrap().events.len(), 2);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let (_guard, path) = common::bytes(b"1 CONN 0 1 up\n\xff\xfe\n");
    let error = trace::read_contacts(&path).unwrap_err();
    assert_eq!(
        shown(&error),
        "2: bytes that are no text; expected UTF-8 text"
    );
}

#[test]
fn a_missing_file_is_named() {
    let error = trace::read_contacts("no/such/trace".as_ref()).unwrap_err();
    assert!(error.to_string().starts_with("no/such/trace: "), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_fail_otherwise(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        text in "([0-9.]{1,4} (CONN|C)? ?[0-9]{1,2} [0-9]{1,3} ?(up|down|[0-9]{1,3})?\n){0,9}",
    ) {
        for content in [bytes.as_slice(), text.as_bytes()] {
            let (_guard, path) = common::bytes(content);
            for format in trace::Format::ALL {
                let _ = trace::read_contacts_as(&path, Some(format));
            }
            let _ = trace::read_contacts(&path);
            let _ = trace::read_messages(&path);
        }
    }
}
