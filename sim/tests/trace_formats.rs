//! Contacts are read from every format of the field, recognised by its first line, and written as The ONE's.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

mod common;

use chappe_sim::trace;

/// What a file of this text is in The ONE's words.
fn converted(text: &str) -> String {
    let (_guard, path) = common::file(text);
    let mut out = Vec::new();
    trace::write_contacts(&mut out, trace::read_contacts(&path).unwrap().events).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_one_is_written_as_it_was_read_in_the_order_of_the_lines() {
    let text = "0 CONN 1 0 up\n10.5 CONN 2 1 up\n10.5 CONN 0 1 down\n12.000001 CONN 1 2 down\n";
    assert_eq!(converted(text), text);
}

#[test]
fn two_radios_of_one_pair_are_one_contact_from_the_first_up_to_the_first_down() {
    let text = "1 CONN 0 1 up\n2 CONN 0 1 up\n3 CONN 0 1 down\n4 CONN 0 1 down\n";
    assert_eq!(converted(text), "1 CONN 0 1 up\n3 CONN 0 1 down\n");
}

#[test]
fn sociopatterns_slots_end_at_their_time_and_join_where_they_touch() {
    let text = "32520\t1467\t1591\n32540 1591 1467\n32560 1513 1591\n32600 1591 1467\n";
    assert_eq!(
        converted(text),
        "0 CONN 0 2 up\n40 CONN 0 2 down\n40 CONN 1 2 up\n60 CONN 1 2 down\n\
         80 CONN 0 2 up\n100 CONN 0 2 down\n"
    );
}

#[test]
fn sociopatterns_with_classes_reads_alike() {
    assert_eq!(
        converted("1353303380 454 640 MP MP*1\n"),
        "0 CONN 0 1 up\n20 CONN 0 1 down\n"
    );
}

#[test]
fn haggle_sightings_of_both_ends_are_one_contact() {
    let text = "1 3 20 140 1 0\n3 1 100 200 1 0\n2 3 30 30 1 0\n";
    assert_eq!(
        converted(text),
        "0 CONN 0 2 up\n10 CONN 1 2 up\n11 CONN 1 2 down\n180 CONN 0 2 down\n"
    );
}

#[test]
fn a_way_in_whole_numbers_is_not_taken_for_a_sighting() {
    let recognised = |line: &str| {
        let (_guard, path) = common::file(line);
        trace::recognise(&path).unwrap().name()
    };
    // A device neither meets itself nor parts before it has met.
    assert_eq!(recognised("0 0 0 50 100 0\n"), "bonnmotion");
    assert_eq!(recognised("0 5 90 30 10 0\n"), "bonnmotion");
    assert_eq!(recognised("0 5 90 130 1 0\n"), "haggle");
    assert_eq!(recognised("1 2 100 200 1 0\n"), "haggle");
}

#[test]
fn what_other_systems_add_to_lines_is_no_part_of_them() {
    let plain = converted("start,end,a,b\n0,10,1,2\n");
    assert_eq!(converted("\u{feff}start,end,a,b\r\n0,10,1,2\r\n"), plain);
}

#[test]
fn tables_of_intervals_and_of_events_are_told_apart_by_their_header() {
    let contacts = "0 CONN 0 1 up\n5 CONN 0 1 down\n";
    assert_eq!(converted("start,end,a,b\n100,105,7,9\n"), contacts);
    assert_eq!(
        converted("time,a,b,state\n0,0,1,up\n5,0,1,down\n"),
        contacts
    );
    let (_guard, path) = common::file("time,a,b,state,rate\n0,0,1,up,40000\n");
    let rate = trace::read_contacts(&path).unwrap().events[0].rate.unwrap();
    assert_eq!(rate.bytes_per_second(), 40_000);
}

#[test]
fn copenhagen_scans_last_five_minutes_and_strangers_are_no_nodes() {
    let text = "# timestamp,user_a,user_b,rssi\n0,0,-1,0\n0,5,-2,-80\n0,3,7,-70\n300,7,3,-75\n900,0,3,-60\n";
    assert_eq!(
        converted(text),
        "0 CONN 1 2 up\n600 CONN 1 2 down\n900 CONN 0 1 up\n1200 CONN 0 1 down\n"
    );
}

#[test]
fn the_conference_of_sociopatterns_is_converted_to_the_byte() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/traces/sociopatterns/");
    let source = format!("{folder}SFHH_tij.dat.gz");
    let mut out = Vec::new();
    let contacts = trace::read_contacts(source.as_ref()).unwrap();
    trace::write_contacts(&mut out, contacts.events).unwrap();
    let mut expected = String::new();
    let file = std::fs::File::open(format!("{folder}sfhh-contacts.txt.gz")).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut expected).unwrap();
    assert!(String::from_utf8(out).unwrap() == expected);
}

#[test]
fn the_statistics_of_the_conference_are_known() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/traces/sociopatterns/");
    let contacts = trace::read_contacts(format!("{folder}SFHH_tij.dat.gz").as_ref()).unwrap();
    insta::assert_snapshot!(trace::statistics::Statistics::of(&contacts));
}
