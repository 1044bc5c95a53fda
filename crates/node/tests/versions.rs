//! Versions: agreed with the neighbour before anything else; envelopes of an unknown one are carried, not
//! read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod common;

use chappe_node::{Command, CommandId, Input, Output, Reply};
use chappe_wire::{Envelope, Hello, Instant, NodeNonce, WireVersion};
use common::{Stranger, node};

fn carried(node: &mut chappe_node::Node<chappe_testkit::MemoryStore>) -> Vec<u8> {
    node.handle_input(
        Instant::ZERO,
        Input::Command(CommandId(1), Command::Carried),
    );
    let mut versions = Vec::new();
    loop {
        match node.poll_output() {
            Some(Output::Reply(_, Ok(Reply::Carried(list)))) => {
                versions.extend(list.iter().map(|envelope| envelope.version));
            }
            Some(Output::Timeout(_)) | None => return versions,
            Some(_) => {}
        }
    }
}

fn of_version_200() -> Envelope {
    let mut bytes = vec![200, 4];
    bytes.extend([7; 32]);
    bytes.extend([1; 777]);
    Envelope::parse(bytes).unwrap()
}

#[test]
fn an_envelope_of_an_unknown_version_is_carried_to_the_next() {
    let envelope = of_version_200();
    let mut carrier = node(1);
    let mut first = Stranger::speaking_our_version();
    first.give(envelope.clone());
    assert_eq!(first.meet(&mut carrier), None);
    assert_eq!(carried(&mut carrier), [200]);

    let mut second = Stranger::speaking_our_version();
    assert_eq!(second.meet(&mut carrier), None);
    assert!(second.holds(&envelope.id()));
}

#[test]
fn a_neighbour_without_a_common_version_is_refused() {
    let mut carrier = node(2);
    let hello = Hello {
        wire_min: WireVersion::new(7),
        wire_max: WireVersion::new(9),
        capabilities: 0,
        node_nonce: NodeNonce::new([5; 16]),
        outline: None,
    };
    let mut stranger = Stranger::new(hello);
    stranger.give(of_version_200());
    stranger.meet(&mut carrier);
    assert!(carried(&mut carrier).is_empty());
}

#[test]
fn a_neighbour_with_more_versions_and_capabilities_is_understood() {
    let mut carrier = node(3);
    let hello = Hello {
        wire_min: WireVersion::new(1),
        wire_max: WireVersion::new(9),
        capabilities: u64::MAX,
        node_nonce: NodeNonce::new([5; 16]),
        outline: None,
    };
    let mut stranger = Stranger::new(hello);
    stranger.give(of_version_200());
    stranger.meet(&mut carrier);
    assert_eq!(carried(&mut carrier), [200]);
}
