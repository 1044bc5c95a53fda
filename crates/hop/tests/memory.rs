//! A hop holds no more than its bound, whatever the other end does.
#![cfg(test)]

mod common;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use chappe_hop::{Hop, MAX_HOP_MEMORY, RECEIVE_WINDOW, Role};
use chappe_wire::{Duration, Instant, MAX_FRAME_LEN};
use common::{
    end,
    neighbour::{ACK, CREDIT, Neighbour},
    rng,
};
use rand_chacha::rand_core::Rng as _;

/// Counts what each thread holds, and the most it held.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    HELD.set(HELD.get() + change);
    PEAK.set(PEAK.get().max(HELD.get()));
}

// SAFETY: everything is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const NOW: Instant = Instant::ZERO;

/// The most that was held while `use_hop` ran, beyond what was held before. What the test itself holds, packets
/// and frames in hand above all, counts too.
fn peak_of(use_hop: impl FnOnce()) -> usize {
    let before = HELD.get();
    PEAK.set(before);
    use_hop();
    (PEAK.get() - before) as usize
}

fn assert_bounded(name: &str, peak: usize) {
    println!("{name}: {peak} bytes");
    assert!(peak <= MAX_HOP_MEMORY, "{name}: {peak} bytes");
}

fn drain(hop: &mut Hop, now: Instant) {
    while hop.poll_transmit(now).is_some() {}
}

#[test]
fn half_open_handshakes() {
    let peak = peak_of(|| {
        let mut hop = end(NOW, Role::Responder, 247, 1);
        let mut rng = rng(1);
        let mut packet = [0; 247];
        for _ in 0..20_000 {
            let length = 1 + rng.next_u32() as usize % 246;
            rng.fill_bytes(&mut packet[..length]);
            let length = if packet[0] & 1 == 0 { 33 } else { length };
            hop.handle_packet(NOW, &packet[..length]).unwrap();
            let _ = hop.poll_transmit(NOW);
        }
    });
    println!("half-open: {peak} bytes");
    assert!(
        peak <= 24 * 1024,
        "a half-open hop is much smaller: {peak} bytes"
    );
}

#[test]
fn fragments_that_never_complete() {
    for role in [Role::Initiator, Role::Responder] {
        let peak = peak_of(|| {
            let mut hop = end(NOW, role, 512, 1);
            if role == Role::Responder {
                Neighbour::meet(&mut hop, NOW);
            }
            let packet = [7; 65_535];
            let mut rng = rng(1);
            for round in 0..10_000 {
                let mut fragment = packet;
                let length =
                    1 + rng.next_u32() as usize % if round % 2 == 0 { 512 } else { 65_535 };
                fragment[0] = rng.next_u32() as u8;
                fragment[1] = rng.next_u32() as u8;
                hop.handle_packet(NOW, &fragment[..length]).unwrap();
            }
        });
        println!("fragments: {peak} bytes");
        assert!(peak <= 48 * 1024, "{peak} bytes");
    }
}

#[test]
fn a_full_window_with_as_many_gaps_as_possible() {
    for step in [15, 200, 511, 4_000] {
        for len in [1, step - 1] {
            let peak = peak_of(|| {
                let mut hop = end(NOW, Role::Responder, 65_535, 1);
                let mut neighbour = Neighbour::meet(&mut hop, NOW);
                let data = vec![0; len];
                for offset in (1..RECEIVE_WINDOW - step).step_by(step).rev() {
                    hop.handle_packet(NOW, &neighbour.stream(offset as u32, &data))
                        .unwrap();
                    drain(&mut hop, NOW);
                }
            });
            assert_bounded("gaps", peak);
        }
    }
}

#[test]
fn tiny_frames_that_nobody_takes_both_ways_at_once() {
    for frame_len in [3, 100, MAX_FRAME_LEN] {
        let peak = peak_of(|| {
            let mut hop = end(NOW, Role::Responder, 65_535, 1);
            let mut neighbour = Neighbour::meet(&mut hop, NOW);
            let mut now = NOW;
            // Everything is allowed, nothing acknowledged.
            hop.handle_packet(
                now,
                &neighbour.record(&[&[CREDIT], &[0xff; 8][..]].concat()),
            )
            .unwrap();
            let frame = [&(frame_len as u16).to_be_bytes()[..], &vec![1; frame_len]].concat();
            let mut offset = 0;
            while offset + frame.len() <= RECEIVE_WINDOW {
                // One-byte frames one by one, so that most records are under way.
                let _ = hop.send_frame(vec![1; frame_len]);
                drain(&mut hop, now);
                hop.handle_packet(now, &neighbour.stream(offset as u32, &frame))
                    .unwrap();
                offset += frame.len();
                now = now.after(Duration::from_micros(10));
            }
            while hop.send_frame(vec![1; frame_len]).is_ok() {
                drain(&mut hop, now);
            }
        });
        assert_bounded("tiny frames", peak);
    }
}

#[test]
fn acknowledgements_that_leave_as_many_holes_as_possible() {
    let peak = peak_of(|| {
        let mut hop = end(NOW, Role::Responder, 65_535, 1);
        let mut neighbour = Neighbour::meet(&mut hop, NOW);
        let mut now = NOW;
        hop.handle_packet(
            now,
            &neighbour.record(&[&[CREDIT], &[0xff; 8][..]].concat()),
        )
        .unwrap();
        for _ in 0..5_000 {
            let _ = hop.send_frame(vec![1]);
            now = now.after(Duration::from_micros(100));
            while let Some(packet) = hop.poll_transmit(now) {
                // Every other record, and never the others.
                if packet[2] % 2 == 0 {
                    let ack = neighbour.record(&[ACK, packet[1], packet[2], 0, 0]);
                    hop.handle_packet(now, &ack).unwrap();
                }
            }
            if hop.poll_timeout() <= now && hop.handle_timeout(now).is_err() {
                break;
            }
        }
    });
    assert_bounded("holes", peak);
}

#[test]
fn everything_at_once() {
    let peak = peak_of(|| {
        let mut hop = end(NOW, Role::Responder, 65_535, 1);
        let mut neighbour = Neighbour::meet(&mut hop, NOW);
        let mut now = NOW;
        let mut rng = rng(3);
        hop.handle_packet(
            now,
            &neighbour.record(&[&[CREDIT], &[0xff; 8][..]].concat()),
        )
        .unwrap();
        // The longest record fills the space for plaintext.
        hop.handle_packet(now, &neighbour.stream(40_000, &[1; 16_000]))
            .unwrap();
        for offset in (1..40_000).step_by(300).rev() {
            hop.handle_packet(now, &neighbour.stream(offset, &[0; 7]))
                .unwrap();
            now = now.after(Duration::from_micros(10));
        }
        for round in 0..5_000 {
            let _ = hop.send_frame(vec![1; if round < 250 { 1 } else { 8_000 }]);
            while let Some(packet) = hop.poll_transmit(now) {
                if packet[2] % 2 == 0 {
                    let ack = neighbour.record(&[ACK, packet[1], packet[2], 0, 0]);
                    hop.handle_packet(now, &ack).unwrap();
                }
            }
            let mut fragment = [0; 130];
            rng.fill_bytes(&mut fragment);
            fragment[0] = 0b1100_0000 | fragment[0] & 0b11_1011;
            hop.handle_packet(now, &fragment).unwrap();
            now = now.after(Duration::from_micros(10));
        }
    });
    assert_bounded("everything at once", peak);
}
