//! Random conversations with a foreign implementation: messages are lost, come late and come twice, either
//! side restarts, both begin at once and begin anew. Every message that arrives is read once.
//!
//! A few run with the other tests; `cargo xtask omemo-walk` runs thousands.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

#[path = "support/foreign.rs"]
mod foreign;
mod support;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chappe_omemo::{Bundle, Encrypted, Flavour, MAX_SESSIONS, PreKey, PreKeyId, SessionId};
use foreign::{Foreign, write};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde_json::json;
use support::{FLAVOURS, Party};

/// How many conversations there are, and the number of the first.
const COUNT: &str = "CHAPPE_OMEMO_WALKS";
const FIRST: &str = "CHAPPE_OMEMO_WALKS_FROM";

#[test]
fn every_message_that_arrives_is_read_by_either_side() {
    let setting = |name| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    let (count, first) = (setting(COUNT).unwrap_or(6), setting(FIRST).unwrap_or(0));
    let mut foreign = FLAVOURS.map(Foreign::start);
    let mut total = Tally::default();
    for seed in first..first + count {
        let which = (seed % 2) as usize;
        Walk::new(FLAVOURS[which], seed, &mut foreign[which]).run(&mut total);
        if (seed + 1) % 100 == 0 {
            println!("{} conversations: {total:?}", seed + 1 - first);
        }
    }
    println!("{count} conversations: {total:?}");
    assert!(total.read > 0 && total.restarts > 0);
}

#[derive(Debug, Default)]
struct Tally {
    read: u64,
    lost: u64,
    repeated: u64,
    restarts: u64,
    sessions: u64,
    /// Of a session that the foreign side had given up for a newer one: it keeps one, this side several.
    given_up: u64,
}

struct Walk<'a> {
    seed: u64,
    us: Party,
    them: &'a mut Foreign,
    chance: ChaCha20Rng,
    under_way: Vec<Sent>,
    /// What we know of sessions that either side made, by the order in which they were made.
    sessions: BTreeMap<SessionId, u64>,
    made: u64,
    /// The session that the foreign side would read and write.
    theirs: Option<u64>,
    /// All sessions that it has had.
    known: BTreeSet<u64>,
    /// Their prekeys that we used.
    used: BTreeSet<PreKeyId>,
}

#[derive(Clone)]
struct Sent {
    by_us: bool,
    session: u64,
    text: String,
    message: Encrypted,
}

impl<'a> Walk<'a> {
    fn new(flavour: Flavour, seed: u64, them: &'a mut Foreign) -> Self {
        them.init(serde_json::Value::Null);
        let mut us = Party::of(flavour, 1);
        us.rng = ChaCha20Rng::seed_from_u64(seed);
        Self {
            seed,
            us,
            them,
            chance: ChaCha20Rng::seed_from_u64(!seed),
            under_way: Vec::new(),
            sessions: BTreeMap::new(),
            made: 0,
            theirs: None,
            known: BTreeSet::new(),
            used: BTreeSet::new(),
        }
    }

    fn run(mut self, tally: &mut Tally) {
        for serial in 0..40 {
            match self.below(100) {
                0..3 => self.start(tally),
                3..6 => self.start_theirs(serial, tally),
                6..45 => self.send(serial),
                45..85 => self.deliver_any(tally),
                85..93 if !self.under_way.is_empty() => {
                    let index = self.below(self.under_way.len());
                    self.under_way.remove(index);
                    tally.lost += 1;
                }
                93..96 => {
                    self.us.restart();
                    tally.restarts += 1;
                }
                96..98 => {
                    let state = self.them.save();
                    self.them.init(state);
                    tally.restarts += 1;
                }
                _ => {}
            }
        }
        while !self.under_way.is_empty() {
            self.deliver_any(tally);
        }
    }

    fn start(&mut self, tally: &mut Tally) {
        if self.made >= MAX_SESSIONS as u64 {
            return;
        }
        let bundle = self.their_bundle().verify().unwrap();
        let id = self
            .us
            .sessions
            .start(&mut self.us.rng, &self.us.device, &bundle);
        self.sessions.insert(id.unwrap(), self.made);
        self.made += 1;
        tally.sessions += 1;
    }

    /// Their bundle with a prekey that was not used yet.
    fn their_bundle(&mut self) -> Bundle {
        loop {
            let bundle = self.them.bundle();
            let unused = |prekey: &&PreKey| !self.used.contains(&prekey.id);
            if let Some(&prekey) = bundle.prekeys.iter().find(unused) {
                self.used.insert(prekey.id);
                return bundle.with_prekey(prekey);
            }
            self.them
                .call(json!({"cmd": "generate_prekeys", "count": 5}));
        }
    }

    /// The foreign side starts a session with its first message.
    fn start_theirs(&mut self, serial: u64, tally: &mut Tally) {
        if self.made >= MAX_SESSIONS as u64 {
            return;
        }
        let prekey = self.us.device.reserve_prekey(&mut self.us.rng).unwrap();
        let bundle = write(&self.us.device.bundle().with_prekey(prekey));
        self.known.insert(self.made);
        self.theirs = Some(self.made);
        self.made += 1;
        tally.sessions += 1;
        self.send_theirs(serial, Some(bundle));
    }

    fn send(&mut self, serial: u64) {
        if self.below(2) == 0 {
            if self.theirs.is_some() {
                self.send_theirs(serial, None);
            }
            return;
        }
        let Some(id) = self.us.sessions.sending_session() else {
            return;
        };
        let text = format!("ours {serial}");
        let message = self.us.send(&text);
        let session = self.sessions[&id];
        self.push(true, session, text, message);
    }

    fn send_theirs(&mut self, serial: u64, bundle: Option<serde_json::Value>) {
        let text = format!("theirs {serial}");
        let mut request = json!({"cmd": "encrypt", "plaintext": STANDARD.encode(&text)});
        if let Some(bundle) = bundle {
            request["bundle"] = bundle;
        }
        let message = self.them.write(request);
        self.push(false, self.theirs.unwrap(), text, message);
    }

    fn push(&mut self, by_us: bool, session: u64, text: String, message: Encrypted) {
        self.under_way.push(Sent {
            by_us,
            session,
            text,
            message,
        });
    }

    fn deliver_any(&mut self, tally: &mut Tally) {
        if self.under_way.is_empty() {
            return;
        }
        let late = self.below(10) < 4;
        let index = if late {
            self.below(self.under_way.len())
        } else {
            0
        };
        let sent = self.under_way.remove(index);
        self.deliver(&sent, tally);
        if self.below(10) == 0 {
            let again = if sent.by_us {
                self.them.try_read(&sent.message).is_ok()
            } else {
                self.us.read(&sent.message).is_ok()
            };
            assert!(!again, "seed {}: {} was read twice", self.seed, sent.text);
            tally.repeated += 1;
        }
    }

    fn deliver(&mut self, sent: &Sent, tally: &mut Tally) {
        let Sent {
            by_us,
            session,
            text,
            message,
        } = sent;
        if !by_us {
            let read = self.us.expect(message, text);
            self.sessions.insert(read.session, *session);
            tally.read += 1;
            return;
        }
        let fresh = message.key_exchange && !self.known.contains(session);
        match self.them.try_read(message) {
            Ok(read) => {
                assert_eq!(read.as_ref(), Some(text));
                self.theirs = Some(*session);
                self.known.insert(*session);
                tally.read += 1;
            }
            Err(_) if self.theirs != Some(*session) && !fresh => {
                tally.given_up += 1;
            }
            Err(code) => panic!("seed {}: {text} was refused: {code}", self.seed),
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.chance.next_u64() % bound as u64) as usize
    }
}
