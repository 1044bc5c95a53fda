//! The fuzz targets' neighbour reaches behind the authentication.
#![cfg(test)]

mod common;

use chappe_hop::{HopEvent, Role, hazmat::HostileNeighbour};
use chappe_wire::Instant;
use common::{end, hello, key};

#[test]
fn what_the_hostile_neighbour_seals_is_opened() {
    let mut hop = end(Instant::ZERO, Role::Responder, 300, 1);
    let mut neighbour = HostileNeighbour::meet(&mut hop, Instant::ZERO, &key(7), hello(7)).unwrap();
    let record = neighbour.seal(&[8, 0, 0, 0, 0, 0, 2, b'h', b'i']).unwrap();
    assert_eq!(hop.handle_packet(Instant::ZERO, &record), Ok(()));
    assert_eq!(hop.poll_event(), Some(HopEvent::Frame(b"hi".to_vec())));
    let malformed = neighbour.seal(&[0xff]).unwrap();
    assert!(hop.handle_packet(Instant::ZERO, &malformed).is_err());
}
