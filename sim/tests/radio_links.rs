//! What radios make of nearness: discovery takes time, devices hold only so many links, groups are stars.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is a failed test; clippy exempts #[test] functions only"
)]

use std::collections::BTreeMap;

use chappe_sim::radio::{Links, PRESETS, Preset, preset};
use chappe_sim::{ContactEvent, NodeIndex, SimTime};

/// All pairs of so many nodes meet at 10 s and leave at the end.
fn crowd(nodes: u32, end: u64) -> Vec<ContactEvent> {
    let pairs = (0..nodes).flat_map(|a| (a + 1..nodes).map(move |b| (a, b)));
    let event = |(a, b), at, up| ContactEvent {
        at: SimTime::from_secs(at),
        a: NodeIndex::new(a),
        b: NodeIndex::new(b),
        up,
        rate: None,
    };
    let mut events: Vec<_> = pairs.clone().map(|pair| event(pair, 10, true)).collect();
    events.extend(pairs.map(|pair| event(pair, end, false)));
    events
}

fn links(contacts: Vec<ContactEvent>, radio: Preset, nodes: u32) -> Vec<ContactEvent> {
    let end = SimTime::from_secs(10_000);
    Links::new(
        contacts.into_iter(),
        vec![radio],
        vec![0; nodes as usize],
        1,
        end,
    )
    .collect()
}

#[test]
fn every_preset_has_its_data_and_sources() {
    for (name, text) in PRESETS {
        let preset = preset(name).unwrap();
        assert!(preset.mean_rate().bytes_per_second() > 0);
        assert!(text.matches("source = ").count() >= 6, "{name}");
    }
    assert!(preset("smoke").is_err());
}

#[test]
fn the_ideal_radio_links_at_once() {
    let contacts = crowd(4, 50);
    let linked = links(contacts.clone(), preset("ideal").unwrap(), 4);
    let bare = |events: Vec<ContactEvent>| -> Vec<_> {
        events
            .into_iter()
            .map(|event| (event.at, event.a, event.b, event.up))
            .collect()
    };
    assert!(
        linked
            .iter()
            .all(|link| link.rate.unwrap().bytes_per_second() == 250_000)
    );
    assert_eq!(bare(linked), bare(contacts));
}

#[test]
fn a_device_holds_no_more_links_than_its_radio_allows() {
    let mut held: BTreeMap<NodeIndex, u32> = BTreeMap::new();
    let mut most = 0;
    for link in links(crowd(12, 500), preset("ble").unwrap(), 12) {
        for node in [link.a, link.b] {
            let count = held.entry(node).or_default();
            *count = if link.up { *count + 1 } else { *count - 1 };
            most = most.max(*count);
        }
    }
    assert_eq!(most, 5);
}

#[test]
fn whoever_waits_is_let_in_when_a_link_ends() {
    // Node 0 holds five; the pair (0, 6) comes when (0, 1) has left.
    let mut radio = preset("ideal").unwrap();
    radio.links = preset("ble").unwrap().links;
    let mut contacts: Vec<_> = crowd(7, 500)
        .into_iter()
        .filter(|event| event.a == NodeIndex::new(0))
        .collect();
    for event in contacts
        .iter_mut()
        .filter(|event| !event.up && event.b == NodeIndex::new(1))
    {
        event.at = SimTime::from_secs(100);
    }
    contacts.sort_by_key(|event| event.at);
    let linked = links(contacts, radio, 7);
    let late = linked
        .iter()
        .find(|link| link.b == NodeIndex::new(6) && link.up)
        .unwrap();
    assert_eq!(late.at, SimTime::from_secs(100));
}

#[test]
fn a_contact_that_is_over_before_the_devices_have_connected_is_no_link() {
    // Ten seconds asleep, half a second to connect: nobody is through within half a second.
    let mut contacts = crowd(12, 500);
    contacts
        .iter_mut()
        .filter(|event| !event.up)
        .for_each(|event| {
            event.at = SimTime::from_micros(10_400_000);
        });
    assert!(links(contacts, preset("ble").unwrap(), 12).is_empty());
}

#[test]
fn a_group_of_wifi_direct_is_a_star() {
    let linked = links(crowd(8, 500), preset("wifi-direct").unwrap(), 8);
    // At the end, when links end one by one, those who wait come and go in the same instant.
    let end = SimTime::from_secs(500);
    let ups: Vec<_> = linked
        .iter()
        .filter(|link| link.up && link.at < end)
        .collect();
    assert!(!ups.is_empty());
    let degree = |node| {
        ups.iter()
            .filter(|link| link.a == node || link.b == node)
            .count()
    };
    // Of the two ends of each link one is a client, which has this link only.
    assert!(
        ups.iter()
            .all(|link| degree(link.a) == 1 || degree(link.b) == 1)
    );
    assert!((0..8).all(|node| degree(NodeIndex::new(node)) <= 5));
}
