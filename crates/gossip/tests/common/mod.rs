//! Routers in memory, joined by links that carry one frame in each direction per step.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a harness for tests, of which each test file uses a part; clippy exempts #[test] functions only"
)]

use std::collections::BTreeMap;

use chappe_gossip::policies::Epidemic;
use chappe_gossip::policy::Policy;
use chappe_gossip::{
    Change, Config, Copies, DropReason, Ingress, LinkSetup, OutFrame, Router, SeenEntry,
    StoredItem, StoredReceipt, Transferred,
};
use chappe_wire::proto::{Offer, Want, frame::Body};
use chappe_wire::{
    Age, ByteCount, Commitment, Duration, Header, Instant, ItemId, Lifetime, LinkId, LinkSalt,
    Preimage, ShortId, Tag, decode_frame, encode_frame,
};

/// An item of which nothing but the header is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    pub id: ItemId,
    pub header: Header,
    pub size: ByteCount,
    pub preimage: Preimage,
}

pub fn sample(number: u64) -> Sample {
    sample_with(number, Lifetime::WEEK)
}

pub fn sample_with(number: u64, lifetime: Lifetime) -> Sample {
    with_id(ItemId::of(&number.to_le_bytes()), lifetime)
}

/// The item with this id, of those that are told apart by nothing else.
pub fn sample_of(id: ItemId) -> Sample {
    with_id(id, Lifetime::WEEK)
}

fn with_id(id: ItemId, lifetime: Lifetime) -> Sample {
    let bytes: [u8; 16] = id.as_bytes()[..16].try_into().unwrap();
    let preimage = Preimage::new(bytes);
    let header = Header {
        version: 1,
        lifetime,
        tag: Tag::new(bytes),
        commitment: preimage.commitment(),
    };
    Sample {
        id,
        header,
        size: ByteCount::new(546),
        preimage,
    }
}

/// A router, and what a node would have persisted for it.
pub struct Peer {
    pub router: Router,
    pub items: BTreeMap<ItemId, StoredItem>,
    pub seen: BTreeMap<ItemId, SeenEntry>,
    pub receipts: BTreeMap<Commitment, StoredReceipt>,
    pub dropped: BTreeMap<ItemId, DropReason>,
    pub delivered: Vec<ItemId>,
    pub carriers: BTreeMap<ItemId, u32>,
    pub tags_shown: Vec<Tag>,
}

impl Peer {
    pub fn new(config: Config, policy: Box<dyn Policy + Send>) -> Self {
        Self {
            router: outlined(Router::new(config, policy, [7; 32])),
            items: BTreeMap::new(),
            seen: BTreeMap::new(),
            receipts: BTreeMap::new(),
            dropped: BTreeMap::new(),
            delivered: Vec::new(),
            carriers: BTreeMap::new(),
            tags_shown: Vec::new(),
        }
    }

    /// Does what a node does after each call, and checks that each change makes sense.
    pub fn settle(&mut self) {
        while let Some(change) = self.router.poll_change() {
            match change {
                Change::ItemStored(item) => {
                    assert!(!self.seen.contains_key(&item.id), "taken again");
                    assert_eq!(self.items.insert(item.id, item), None, "stored twice");
                }
                Change::ItemUpdated(item) => {
                    self.items
                        .insert(item.id, item)
                        .expect("updates what is stored");
                }
                Change::ItemDropped { id, reason, .. } => {
                    self.items.remove(&id).expect("drops what is stored");
                    self.dropped.insert(id, reason);
                }
                Change::SeenAdded(entry) => {
                    self.seen.insert(entry.id, entry);
                }
                Change::SeenRemoved(id) => {
                    self.seen.remove(&id).expect("forgets what is remembered");
                }
                Change::ReceiptStored(receipt) => {
                    self.receipts.insert(receipt.preimage.commitment(), receipt);
                }
                Change::ReceiptDropped(commitment) => {
                    self.receipts
                        .remove(&commitment)
                        .expect("drops what is stored");
                }
                Change::Carried { id, carriers } => {
                    self.carriers.insert(id, carriers);
                }
                Change::HandedOver { .. } => {}
                Change::Delivered(id) => self.delivered.push(id),
                other => panic!("unknown change {other:?}"),
            }
        }
    }

    /// What was persisted is what the router has.
    pub fn check(&self) {
        assert!(self.router.items().eq(self.items.values()));
        let mut receipts: Vec<_> = self.router.receipts().copied().collect();
        receipts.sort_by_key(|receipt| receipt.preimage.commitment());
        assert!(receipts.iter().eq(self.receipts.values()));
        assert_eq!(self.router.seen_len(), self.seen.len());
    }

    /// The process dies and comes back with what was persisted.
    pub fn restart(&mut self, config: Config, policy: Box<dyn Policy + Send>) {
        self.router = outlined(Router::new(config, policy, [8; 32]));
        for entry in self.seen.values() {
            self.router.restore_seen(*entry);
        }
        for receipt in self.receipts.values() {
            self.router.restore_receipt(*receipt);
        }
        for item in self.items.values() {
            self.router.restore_item(item.clone());
        }
        self.settle();
        self.check();
    }
}

/// The salt of everyone's outline at first; in earnest each node has its own, and often another one.
pub const OUTLINE_SALT: LinkSalt = LinkSalt::new([0x0d; 16]);

fn outlined(mut router: Router) -> Router {
    router.set_outline_salt(OUTLINE_SALT);
    router
}

/// Frames by which two neighbours find out what they lack.
const RECONCILIATION: [&str; 6] = ["digest", "cells", "more", "list", "want", "offer"];

/// What passed over the links.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Frames of each kind, with their bytes.
    pub frames: BTreeMap<&'static str, (u64, u64)>,
    /// How often each item was sent from whom to whom.
    pub transfers: BTreeMap<(usize, usize, ItemId), u64>,
    /// Steps in which something was sent.
    pub steps: u64,
    /// The last turn in which one end told the other about its store (see [`Net::run_in_turns`]).
    pub known_after: u64,
    /// Bytes both ways until both ends know the whole difference: up to the Offer that ends the reconciliation.
    pub bytes_until_known: u64,
    /// Turns until then (see [`Net::run_in_turns`]).
    pub turns_until_known: u64,
}

impl Traffic {
    /// Bytes of the frames by which two neighbours find out what they lack.
    pub fn reconciliation_bytes(&self) -> u64 {
        RECONCILIATION.iter().map(|kind| self.bytes_of(kind)).sum()
    }

    pub fn bytes_of(&self, kind: &str) -> u64 {
        self.frames.get(kind).map_or(0, |(_, bytes)| *bytes)
    }

    pub fn count_of(&self, kind: &str) -> u64 {
        self.frames.get(kind).map_or(0, |(count, _)| *count)
    }

    fn count(&mut self, kind: &'static str, bytes: usize) {
        let entry = self.frames.entry(kind).or_default();
        *entry = (entry.0 + 1, entry.1 + bytes as u64);
    }
}

pub struct Net {
    pub now: Instant,
    pub peers: Vec<Peer>,
    pub links: BTreeMap<(usize, usize), LinkId>,
    pub traffic: Traffic,
    /// Whether openers hear the outline of the other end.
    pub outlines: bool,
    pub outline_salt: LinkSalt,
    next_link: u64,
}

impl Net {
    pub fn new(peers: usize) -> Self {
        Self::with(peers, Config::default(), || Box::new(Epidemic))
    }

    pub fn with(peers: usize, config: Config, policy: impl Fn() -> Box<dyn Policy + Send>) -> Self {
        Self {
            now: Instant::from_micros(1_000_000_000),
            peers: (0..peers)
                .map(|peer| Peer {
                    router: outlined(Router::new(config, policy(), [peer as u8; 32])),
                    ..Peer::new(config, policy())
                })
                .collect(),
            links: BTreeMap::new(),
            traffic: Traffic::default(),
            outlines: true,
            outline_salt: OUTLINE_SALT,
            next_link: 1,
        }
    }

    pub fn add_own(&mut self, peer: usize, sample: &Sample) {
        let peer = &mut self.peers[peer];
        peer.router
            .add_own(self.now, sample.id, sample.header, sample.size)
            .unwrap();
        peer.settle();
    }

    pub fn connect(&mut self, a: usize, b: usize) {
        self.connect_as(a, b, false);
    }

    pub fn connect_as(&mut self, a: usize, b: usize, pinned: bool) {
        let link = LinkId::new(self.next_link);
        self.next_link += 1;
        let mut salt = [0x5a; 16];
        salt[..8].copy_from_slice(&link.number().to_le_bytes());
        let outline = self.peers[b].router.outline().copied();
        for (peer, other, opener) in [(a, b, true), (b, a, false)] {
            let setup = LinkSetup {
                opener,
                salt: LinkSalt::new(salt),
                pinned,
                ingress: Ingress::new(other as u64),
            };
            self.peers[peer].router.link_up(self.now, link, setup);
            self.peers[peer].settle();
        }
        // As the responder's hello does.
        if let Some(outline) = outline.filter(|_| self.outlines) {
            self.peers[a]
                .router
                .heard_outline(link, &self.outline_salt, &outline);
        }
        self.links.insert((a, b), link);
    }

    /// The next links and all outlines have other salts, so that another estimate is drawn too.
    pub fn skip_links(&mut self, links: u64) {
        self.next_link += links;
        let mut salt = [0x0d; 16];
        salt[..8].copy_from_slice(&links.to_le_bytes());
        self.outline_salt = LinkSalt::new(salt);
        for peer in &mut self.peers {
            peer.router.set_outline_salt(self.outline_salt);
        }
    }

    /// The opener of a link takes this for the other end's outline.
    pub fn hear_outline(&mut self, a: usize, b: usize, outline: &chappe_wire::Outline) {
        let link = self.links[&(a, b)];
        self.peers[a]
            .router
            .heard_outline(link, &self.outline_salt, outline);
    }

    pub fn disconnect(&mut self, a: usize, b: usize) {
        let link = self.links.remove(&(a, b)).unwrap();
        for peer in [a, b] {
            self.peers[peer].router.link_down(self.now, link);
            self.peers[peer].settle();
        }
    }

    pub fn restart(&mut self, peer: usize, config: Config, policy: Box<dyn Policy + Send>) {
        self.peers[peer].restart(config, policy);
    }

    /// Time passes.
    pub fn wait(&mut self, duration: Duration) {
        self.now = self.now.after(duration);
        for peer in &mut self.peers {
            peer.router.handle_timeout(self.now);
            peer.settle();
        }
    }

    /// Every link carries at most one frame in each direction. False if there was none.
    pub fn step(&mut self) -> bool {
        let mut flying = Vec::new();
        for (&(a, b), &link) in &self.links {
            for (from, to) in [(a, b), (b, a)] {
                if let Some(frame) = self.peers[from].router.poll_frame(self.now, link) {
                    flying.push((from, to, link, self.open(from, frame)));
                }
                self.peers[from].settle();
            }
        }
        let any = !flying.is_empty();
        for (from, to, link, frame) in flying {
            self.deliver(from, to, link, frame);
        }
        self.traffic.steps += u64::from(any);
        any
    }

    /// One end sends all it has to say, then the other. Returns how often that went on until the pair was silent.
    pub fn run_in_turns(&mut self, a: usize, b: usize) -> u64 {
        let (mut turns, mut silent) = (0, 0);
        let mut ends = [(a, b), (b, a)].into_iter().cycle();
        while silent < 2 {
            let (from, to) = ends.next().unwrap();
            if self.turn((a, b), from, to, turns + 1) {
                turns += 1;
                silent = 0;
            } else {
                silent += 1;
            }
        }
        turns
    }

    /// The same, until both ends know the whole difference.
    pub fn run_until_known(&mut self, a: usize, b: usize) {
        let mut ends = [(a, b), (b, a)].into_iter().cycle();
        let (mut turns, mut silent) = (0, 0);
        while self.traffic.turns_until_known == 0 && silent < 2 {
            let (from, to) = ends.next().unwrap();
            let spoke = self.turn((a, b), from, to, turns + 1);
            turns += u64::from(spoke);
            silent = if spoke { 0 } else { silent + 1 };
        }
        // A neighbour without an outline says that there is no difference by its digest.
        if self.traffic.turns_until_known == 0 {
            self.traffic.turns_until_known = turns;
            self.traffic.bytes_until_known = self.traffic.reconciliation_bytes();
        }
    }

    /// One end sends all it has to say, as the `turn`th that says something. False if it is silent.
    fn turn(&mut self, link: (usize, usize), from: usize, to: usize, turn: u64) -> bool {
        let link = self.links[&link];
        let mut frames = Vec::new();
        while let Some(frame) = self.peers[from].router.poll_frame(self.now, link) {
            frames.push(self.open(from, frame));
            self.peers[from].settle();
        }
        let spoke = !frames.is_empty();
        let told = self.traffic.reconciliation_bytes();
        for frame in frames {
            let ends = matches!(&frame, Flying::Frame(bytes)
                if matches!(decode_frame(bytes), Ok(Body::Offer(_))));
            self.deliver(from, to, link, frame);
            // The first one: the Wants came before it.
            if ends && self.traffic.turns_until_known == 0 {
                self.traffic.turns_until_known = turn;
                self.traffic.bytes_until_known = self.traffic.reconciliation_bytes();
            }
        }
        if self.traffic.reconciliation_bytes() > told {
            self.traffic.known_after = turn;
        }
        spoke
    }

    /// Steps until all links are silent.
    pub fn run(&mut self) {
        let mut steps = 0;
        while self.step() {
            steps += 1;
            assert!(steps < 200_000, "never silent");
        }
        for peer in &self.peers {
            peer.check();
        }
    }

    fn open(&self, from: usize, frame: OutFrame) -> Flying {
        match frame {
            OutFrame::Bytes(bytes) => Flying::Frame(bytes),
            OutFrame::Envelope(handover) => {
                let item = self.peers[from].router.item(&handover.id).unwrap();
                Flying::Envelope(Transferred {
                    id: handover.id,
                    header: item.header,
                    size: item.size,
                    age: Age::from_wire(handover.age.to_wire()),
                    copies: handover.copies,
                })
            }
        }
    }

    fn deliver(&mut self, from: usize, to: usize, link: LinkId, frame: Flying) {
        let peer = &mut self.peers[to];
        match frame {
            Flying::Frame(bytes) => {
                self.traffic
                    .count(kind_of(&decode_frame(&bytes).unwrap()), bytes.len());
                match peer.router.handle_frame(self.now, link, &bytes).unwrap() {
                    chappe_gossip::Received::TagsShown(tags) => peer.tags_shown.extend(tags),
                    chappe_gossip::Received::Nothing => {}
                    chappe_gossip::Received::Envelope { .. }
                    | chappe_gossip::Received::NotTaken(_) => unreachable!(),
                }
            }
            Flying::Envelope(transferred) => {
                let key = (from, to, transferred.id);
                *self.traffic.transfers.entry(key).or_default() += 1;
                self.traffic
                    .count("transfer", transferred.size.get() as usize + 10);
                let arrival = peer.router.handle_transfer(self.now, link, &transferred);
                if let Some(arrival) = arrival {
                    peer.router.accept(self.now, arrival).unwrap();
                }
            }
        }
        peer.settle();
    }
}

enum Flying {
    Frame(Vec<u8>),
    Envelope(Transferred),
}

pub fn kind_of(body: &Body) -> &'static str {
    match body {
        Body::Digest(_) => "digest",
        Body::Cells(_) => "cells",
        Body::More(_) => "more",
        Body::List(_) => "list",
        Body::Offer(_) => "offer",
        Body::Want(_) => "want",
        Body::Cancel(_) => "cancel",
        Body::Transfer(_) => "transfer",
        Body::Receipts(_) => "receipts",
        Body::Accepted(_) => "accepted",
        Body::Refused(_) => "refused",
        Body::TagOffer(_) => "tag offer",
        Body::Take(_) => "take",
        Body::Invitation(_) => "invitation",
        Body::Named(_) => "named",
        Body::Resumed(_) => "resumed",
    }
}

/// One router and a neighbour whose frames the test writes.
pub struct Victim {
    pub peer: Peer,
    pub now: Instant,
    pub bytes_in: u64,
    pub bytes_out: u64,
}

pub const LINK: LinkId = LinkId::new(1);
pub const SALT: LinkSalt = LinkSalt::new([3; 16]);

impl Victim {
    pub fn new(config: Config, items: u64, opener: bool) -> Self {
        Self::with(config, items, opener, || Box::new(Epidemic))
    }

    pub fn with(
        config: Config,
        items: u64,
        opener: bool,
        policy: impl Fn() -> Box<dyn Policy + Send>,
    ) -> Self {
        let mut net = Net::with(1, config, policy);
        for number in 0..items {
            net.add_own(0, &sample(number));
        }
        let mut victim = Self {
            peer: net.peers.remove(0),
            now: net.now,
            bytes_in: 0,
            bytes_out: 0,
        };
        victim.link_up(LINK, opener, 1, false);
        victim
    }

    pub fn link_up(&mut self, link: LinkId, opener: bool, ingress: u64, pinned: bool) {
        let setup = LinkSetup {
            opener,
            salt: SALT,
            pinned,
            ingress: Ingress::new(ingress),
        };
        self.peer.router.link_up(self.now, link, setup);
        self.peer.settle();
    }

    /// The person there writes an item.
    pub fn write(&mut self, sample: &Sample) {
        let router = &mut self.peer.router;
        router
            .add_own(self.now, sample.id, sample.header, sample.size)
            .unwrap();
        self.peer.settle();
    }

    /// The neighbour sends a frame.
    pub fn say(&mut self, body: Body) -> Result<(), chappe_gossip::Misbehaviour> {
        self.say_bytes(&encode_frame(body))
    }

    pub fn say_bytes(&mut self, bytes: &[u8]) -> Result<(), chappe_gossip::Misbehaviour> {
        self.bytes_in += bytes.len() as u64;
        let said = self.peer.router.handle_frame(self.now, LINK, bytes);
        if let Ok(chappe_gossip::Received::Envelope { arrival, .. }) = said {
            let _ = self.peer.router.accept(self.now, arrival);
            self.peer.settle();
            return Ok(());
        }
        self.peer.settle();
        said.map(|_| ())
    }

    /// The neighbour brings an item in the regular way.
    pub fn bring(&mut self, link: LinkId, sample: &Sample, age: Age) -> bool {
        self.bring_copies(link, sample, age, Copies::NONE)
    }

    pub fn bring_copies(
        &mut self,
        link: LinkId,
        sample: &Sample,
        age: Age,
        copies: Copies,
    ) -> bool {
        let short = ShortId::of(&SALT, &sample.id).get();
        let offer = encode_frame(Body::Offer(Offer {
            ids: vec![short],
            settled: false,
        }));
        let _ = self
            .peer
            .router
            .handle_frame(self.now, link, &offer)
            .unwrap();
        while self.peer.router.poll_frame(self.now, link).is_some() {}
        let transferred = Transferred {
            id: sample.id,
            header: sample.header,
            size: sample.size,
            age,
            copies,
        };
        let arrival = self
            .peer
            .router
            .handle_transfer(self.now, link, &transferred);
        let taken = arrival.is_some_and(|a| self.peer.router.accept(self.now, a).is_ok());
        self.peer.settle();
        taken
    }

    /// The neighbour asks for all of these. Their ids, in the order in which they come.
    pub fn give(&mut self, samples: &[Sample]) -> Vec<ItemId> {
        self.say(Body::Offer(Offer::default())).unwrap();
        self.hear();
        let ids = samples.iter().map(|it| ShortId::of(&SALT, &it.id).get());
        let ids = ids.collect();
        self.say(Body::Want(Want { ids })).unwrap();
        let given = self.hear().into_iter().filter_map(|body| match body {
            Body::Transfer(transfer) => transfer.envelope.as_slice().try_into().ok(),
            _ => None,
        });
        given.map(ItemId::new).collect()
    }

    /// What the router has to say. Envelopes count as their size.
    pub fn hear(&mut self) -> Vec<Body> {
        let mut bodies = Vec::new();
        while let Some(frame) = self.peer.router.poll_frame(self.now, LINK) {
            match frame {
                OutFrame::Bytes(bytes) => {
                    self.bytes_out += bytes.len() as u64;
                    bodies.push(decode_frame(&bytes).unwrap());
                }
                OutFrame::Envelope(handover) => {
                    let size = self.peer.router.item(&handover.id).unwrap().size;
                    self.bytes_out += size.get();
                    bodies.push(Body::Transfer(chappe_wire::proto::Transfer {
                        envelope: handover.id.as_bytes().to_vec(),
                        age_minutes: handover.age.to_wire(),
                        copies: handover.copies.count(),
                    }));
                }
            }
            self.peer.settle();
        }
        self.peer.settle();
        bodies
    }

    pub fn wait(&mut self, duration: Duration) {
        self.now = self.now.after(duration);
        self.peer.router.handle_timeout(self.now);
        self.peer.settle();
    }
}

pub fn commitment_of(number: u64) -> Commitment {
    sample(number).header.commitment
}
