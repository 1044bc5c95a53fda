//! Settings as people write them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::time::Duration;

use chappe_ble::{BearerChoice, BleOptions, OptionError};

fn read(text: &str) -> Result<BleOptions, OptionError> {
    text.parse()
}

#[test]
fn an_adapter_alone_has_the_defaults() {
    assert_eq!(read("hci0"), Ok(BleOptions::on("hci0")));
}

#[test]
fn the_kernel_has_a_new_address_for_each_token() {
    assert!(BleOptions::on("hci0").epoch > Duration::from_secs(900));
}

#[test]
fn settings_are_read_in_any_order() {
    let options = read("hci12,epoch=300s,links=2,bearer=gatt,connect=5").unwrap();
    assert_eq!(options.epoch, Duration::from_secs(300));
    assert_eq!(options.connect, Duration::from_secs(5));
    assert_eq!((options.links, options.bearer), (2, BearerChoice::Gatt));
}

#[test]
fn whatever_makes_no_sense_is_refused() {
    for text in [
        "",
        "hci",
        "eth0",
        "hci0,",
        "hci0,links",
        "hci0,links=0",
        "hci0,links=33",
        "hci0,scan=0",
        "hci0,scan=4000",
        "hci0,bearer=pigeon",
        "hci0,power=9",
        "hci-1",
    ] {
        assert!(read(text).is_err(), "{text:?}");
    }
}
