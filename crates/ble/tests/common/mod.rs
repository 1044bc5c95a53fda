//! Nodes with names that are easy to read, and a clock.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

use std::time::{Duration, Instant};

use chappe_ble::{BleOptions, Neighbours, Token};

pub struct Clock {
    pub now: Instant,
}

impl Clock {
    pub fn new() -> Self {
        Self {
            now: Instant::now(),
        }
    }

    pub fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    pub fn pass_millis(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }
}

pub fn options() -> BleOptions {
    BleOptions::on("hci0")
}

/// Tokens are in the order of their numbers.
pub fn token(number: u64) -> Token {
    Token::new(number.to_be_bytes())
}

pub fn node(number: u64) -> Neighbours {
    Neighbours::new(&options(), token(number))
}
