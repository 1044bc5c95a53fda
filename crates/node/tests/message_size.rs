//! What a message weighs on the air.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use chappe_node::{Command, Lock, Reply};
use chappe_testkit::{Pair, Side, Weather};
use chappe_wire::Duration;

/// The sizes of the envelopes that north has written and that are not delivered.
fn own(pair: &mut Pair) -> Vec<u64> {
    let node = pair.node(Side::North);
    match pair.world.command(node, Command::Carried).unwrap() {
        Reply::Carried(list) => {
            let own = list.iter().filter(|envelope| envelope.own);
            own.map(|envelope| envelope.size.get()).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// In a session that was answered: OMEMO's key element and payload, addresses, the seal, and padding to one of five
/// sizes. The further layer of CipherMachine adds 57 bytes before the padding.
#[test]
fn a_text_of_100_bytes_is_an_envelope_of_546_bytes_and_of_1058_if_it_is_locked() {
    let mut pair = Pair::new(1);
    pair.connect(Weather::default());
    for side in Side::BOTH {
        pair.send(side, "hello").unwrap();
        pair.run(Duration::from_minutes(2));
    }
    pair.disconnect();
    let before = own(&mut pair);
    assert_eq!(before, [0; 0]);
    pair.send(Side::North, &"x".repeat(100)).unwrap();
    assert_eq!(own(&mut pair), [546]);
    let lock = Command::Lock(pair.contact(Side::North), Lock::Key([1; 32].into()));
    let node = pair.node(Side::North);
    pair.world.command(node, lock).unwrap();
    pair.send(Side::North, &"x".repeat(100)).unwrap();
    let mut sizes = own(&mut pair);
    sizes.sort_unstable();
    assert_eq!(sizes, [546, 1_058]);
}
