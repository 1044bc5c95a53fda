//! A roster is what was written, or nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::Ipv6Addr;

use chappe_ip::{MAX_MEMBERS, MAX_ROSTER_LEN, Member, MemberKey, Roster, RosterError};
use proptest::prelude::*;

fn member() -> impl Strategy<Value = Member> {
    (any::<[u8; 32]>(), any::<[u8; 16]>(), any::<u16>()).prop_map(|(key, address, port)| Member {
        key: MemberKey::new(key),
        address: Ipv6Addr::from(address),
        port,
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read(members in prop::collection::vec(member(), 0..=MAX_MEMBERS)) {
        let roster = Roster::new(members.clone());
        prop_assert_eq!(roster.members(), &members);
        prop_assert_eq!(Roster::parse(&roster.to_bytes()), Ok(roster));
    }

    #[test]
    fn arbitrary_bytes_are_a_roster_of_their_length_or_none(bytes in prop::collection::vec(any::<u8>(), 0..1000)) {
        match Roster::parse(&bytes) {
            Ok(roster) => prop_assert_eq!(roster.to_bytes(), bytes),
            Err(RosterError) => prop_assert!(bytes.len() % 50 != 0 || bytes.len() > MAX_ROSTER_LEN),
        }
    }
}

#[test]
fn one_member_too_many_is_refused_when_read_and_left_out_when_written() {
    let one = Member {
        key: MemberKey::new([1; 32]),
        address: Ipv6Addr::LOCALHOST,
        port: 9,
    };
    let roster = Roster::new(vec![one; MAX_MEMBERS + 1]);
    assert_eq!(roster.members().len(), MAX_MEMBERS);
    let mut bytes = roster.to_bytes();
    assert_eq!(bytes.len(), MAX_ROSTER_LEN);
    bytes.extend(Roster::new([one]).to_bytes());
    assert_eq!(Roster::parse(&bytes), Err(RosterError));
}
