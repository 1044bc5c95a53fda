//! A neighbour made by hand from a hop and a router, so that tests can hand a node what no honest node
//! would make.

use std::collections::BTreeMap;

use chappe_gossip::policies::Epidemic;
use chappe_gossip::{Config, Ingress, LinkSetup, OutFrame, Received, Router};
use chappe_hop::{Hop, HopConfig, HopEvent, Mtu, Role, StaticKey};
use chappe_node::{
    Command, CommandId, Input, LinkUp, Node, NodeConfig, Output, Profile, Reply, Store,
};
use chappe_testkit::MemoryStore;
use chappe_wire::proto::frame::Body;
use chappe_wire::{
    ByteCount, Duration, Envelope, Hello, Instant, ItemId, Lifetime, LinkId, NodeNonce, Preimage,
    Tag, decode_frame,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

const LINK: LinkId = LinkId::new(1);

/// A node of nobody in particular.
#[allow(dead_code, reason = "not every test needs it")]
pub(crate) fn node(seed: u8) -> Node<MemoryStore> {
    let profile = Profile {
        name: "somebody".into(),
        jid: None,
        identity: None,
    };
    let config = NodeConfig::person(profile);
    Node::new(
        Instant::ZERO,
        config,
        MemoryStore::new(ByteCount::from_mib(64)),
        [seed; 32],
    )
    .unwrap()
}

/// Hands in a command and returns its answer.
#[allow(dead_code, reason = "not every test needs it")]
pub(crate) fn command(node: &mut Node<MemoryStore>, command: Command) -> Reply {
    node.handle_input(Instant::ZERO, Input::Command(CommandId(1), command));
    let mut answer = None;
    loop {
        match node.poll_output() {
            Some(Output::Reply(_, reply)) => answer = Some(reply.unwrap()),
            Some(Output::Timeout(_)) | None => return answer.unwrap(),
            Some(_) => {}
        }
    }
}

/// An envelope of the size of a file's pieces that is for nobody here.
#[allow(dead_code, reason = "not every test needs it")]
pub(crate) fn unrelated(number: u64) -> Envelope {
    let mut body = [0xee; 4_096];
    body[..8].copy_from_slice(&number.to_le_bytes());
    let mut tag = [0xdd; 16];
    tag[..8].copy_from_slice(&number.to_be_bytes());
    Envelope::compose(
        Lifetime::WEEK,
        Tag::new(tag),
        Preimage::new(tag).commitment(),
        &body,
    )
    .unwrap()
}

/// Writes something to somebody, and tells how many envelopes are held then.
#[allow(dead_code, reason = "not every test needs it")]
pub(crate) fn sealed(node: &mut Node<MemoryStore>) -> u64 {
    let pair = Command::AddPair {
        name: "south".into(),
        secret: [6; 32],
        initiator: true,
    };
    let Reply::Contact(contact) = command(node, pair) else {
        panic!("no contact");
    };
    for number in 0..3 {
        command(node, Command::SendOpaque(contact.id, vec![number; 100]));
    }
    let Reply::Status(status) = command(node, Command::Status) else {
        panic!("no status");
    };
    status.envelopes
}

/// The neighbour.
pub(crate) struct Stranger {
    hop: Hop,
    router: Router,
    bodies: BTreeMap<ItemId, Envelope>,
    wanted: Vec<u64>,
    now: Instant,
}

impl Stranger {
    /// A neighbour whose hello is `hello`, with nothing to hand over.
    pub(crate) fn new(hello: Hello) -> Self {
        let mut rng = ChaCha20Rng::from_seed([9; 32]);
        let key = StaticKey::generate(&mut rng);
        let config = HopConfig {
            mtu: Mtu::new(1_024).unwrap(),
            reliable: false,
            role: Role::Initiator,
            static_key: &key,
            hello,
        };
        Self {
            hop: Hop::new(Instant::ZERO, &config, &mut rng).unwrap(),
            router: Router::new(Config::default(), Box::new(Epidemic), [8; 32]),
            bodies: BTreeMap::new(),
            wanted: Vec::new(),
            now: Instant::ZERO,
        }
    }

    /// One that speaks this version of the wire.
    pub(crate) fn speaking_our_version() -> Self {
        Self::new(Hello::new(NodeNonce::new([3; 16])))
    }

    /// Gives it an envelope to hand over.
    #[allow(dead_code, reason = "not every test needs it")]
    pub(crate) fn give(&mut self, envelope: Envelope) {
        let (id, header, size) = (envelope.id(), *envelope.header(), envelope.size());
        self.router.add_own(self.now, id, header, size).unwrap();
        self.bodies.insert(id, envelope);
    }

    /// Gives it a receipt to hand over.
    #[allow(dead_code, reason = "not every test needs it")]
    pub(crate) fn give_receipt(&mut self, preimage: Preimage) {
        self.router.add_receipt(self.now, preimage, Lifetime::MONTH);
    }

    /// The envelopes that it has.
    #[allow(dead_code, reason = "not every test needs it")]
    pub(crate) fn envelopes(&self) -> Vec<Envelope> {
        self.bodies.values().cloned().collect()
    }

    /// The short ids that nodes have asked it for, in their order.
    #[allow(dead_code, reason = "not every test needs it")]
    pub(crate) fn wanted(&self) -> &[u64] {
        &self.wanted
    }

    /// Its time.
    #[allow(dead_code, reason = "not every test needs it")]
    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// Whether it has an envelope.
    #[allow(dead_code, reason = "not every test needs it")]
    pub(crate) fn holds(&self, id: &ItemId) -> bool {
        self.bodies.contains_key(id)
    }

    /// Meets a node until neither has anything more to say, or the node hangs up. The reason, if it did.
    pub(crate) fn meet<S: Store>(&mut self, node: &mut Node<S>) -> Option<String> {
        node.handle_input(
            self.now,
            Input::LinkUp(LinkUp {
                link: LINK,
                mtu: 1_024,
                initiator: false,
                reliable: false,
                queue: 64,
                bearer: "test".into(),
                label: "stranger".into(),
            }),
        );
        let mut hung_up = None;
        for _ in 0..500 {
            self.now = self.now.after(Duration::from_millis(10));
            if self.hop.poll_timeout() <= self.now && self.hop.handle_timeout(self.now).is_err() {
                break;
            }
            while let Some(packet) = self.hop.poll_transmit(self.now) {
                node.handle_input(
                    self.now,
                    Input::Received {
                        link: LINK,
                        packet: &packet,
                    },
                );
            }
            loop {
                match node.poll_output() {
                    Some(Output::Transmit { packet, .. }) => {
                        node.handle_input(
                            self.now,
                            Input::Drained {
                                link: LINK,
                                packets: 1,
                            },
                        );
                        if self.hop.handle_packet(self.now, &packet).is_err() {
                            return hung_up;
                        }
                    }
                    Some(Output::Disconnect { reason, .. }) => hung_up = Some(reason),
                    Some(Output::Timeout(_)) | None => break,
                    Some(_) => {}
                }
            }
            self.events();
            self.fill();
        }
        node.handle_input(self.now, Input::LinkDown(LINK));
        hung_up
    }

    fn events(&mut self) {
        while let Some(event) = self.hop.poll_event() {
            match event {
                HopEvent::Established { salt, .. } => {
                    let ingress = Ingress::new(1);
                    let setup = LinkSetup {
                        opener: true,
                        salt,
                        pinned: false,
                        ingress,
                    };
                    self.router.link_up(self.now, LINK, setup);
                }
                HopEvent::Frame(frame) => {
                    if let Ok(Body::Want(want)) = decode_frame(&frame) {
                        self.wanted.extend(want.ids);
                    }
                    if let Ok(Received::Envelope { envelope, arrival }) =
                        self.router.handle_frame(self.now, LINK, &frame)
                    {
                        self.bodies.insert(envelope.id(), envelope);
                        self.router.accept(self.now, arrival).unwrap();
                    }
                }
                _ => {}
            }
        }
    }

    fn fill(&mut self) {
        while self.hop.frame_space() >= chappe_wire::MAX_FRAME_LEN {
            let frame = match self.router.poll_frame(self.now, LINK) {
                Some(OutFrame::Bytes(bytes)) => bytes,
                Some(OutFrame::Envelope(handover)) => handover.frame(&self.bodies[&handover.id]),
                None => break,
            };
            self.hop.send_frame(frame).unwrap();
        }
    }
}
