//! Tags are visible to everyone who carries an envelope. Whoever copies one hides nothing with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod common;

use chappe_node::{Command, Content, Reply};
use chappe_wire::{Commitment, Envelope};
use common::{Stranger, command, node};

const SECRET: [u8; 32] = [42; 32];

fn add_pair(initiator: bool) -> Command {
    Command::AddPair {
        name: "other".into(),
        secret: SECRET,
        initiator,
    }
}

#[test]
fn mail_that_came_before_its_tag_was_expected_is_found_among_copies() {
    let mut first = node(1);
    let Reply::Contact(second) = command(&mut first, add_pair(true)) else {
        panic!("no contact")
    };
    command(
        &mut first,
        Command::SendOpaque(second.id, b"for you".to_vec()),
    );
    let mut carrier = Stranger::speaking_our_version();
    carrier.meet(&mut first);
    let mail = carrier.envelopes().pop().unwrap();

    let copy = |byte: u8| {
        let header = *mail.header();
        let commitment = Commitment::new([byte; 16]);
        Envelope::compose(header.lifetime, header.tag, commitment, &[byte; 256]).unwrap()
    };
    let mut second = node(2);
    for envelopes in [vec![copy(1)], vec![mail.clone()], vec![copy(2), copy(3)]] {
        let mut stranger = Stranger::speaking_our_version();
        for envelope in envelopes {
            stranger.give(envelope);
        }
        stranger.meet(&mut second);
    }
    command(&mut second, add_pair(false));
    let Reply::Inbox(inbox) = command(&mut second, Command::Inbox { after: None }) else {
        panic!("no inbox")
    };
    assert_eq!(inbox.len(), 1);
    assert_eq!(inbox[0].content, Content::Opaque(b"for you".to_vec()));
}
