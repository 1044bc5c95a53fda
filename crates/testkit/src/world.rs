//! Real nodes in virtual time.

use std::collections::BTreeMap;

use chappe_node::{
    BULK_MTU, Command, CommandError, CommandId, Event, Input, LinkUp, Node, NodeConfig, Output,
    Reply, Upgrade,
};
use chappe_store::MemoryStore;
use chappe_wire::{ByteCount, Duration, Instant, Invitation, LinkId};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::pipe::{Pipe, Weather};

/// Which node of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeIndex(pub usize);

/// Nodes, links between them, and one clock. Deterministic: the same seed and the same calls give the same
/// bytes.
pub struct World {
    now: Instant,
    rng: ChaCha20Rng,
    nodes: Vec<Member>,
    pipes: BTreeMap<LinkId, Pipe>,
    next_link: u64,
}

struct Member {
    config: NodeConfig,
    node: Option<Node<MemoryStore>>,
    deadline: Instant,
    events: Vec<Event>,
    upgrades: Vec<Upgrade>,
    replies: BTreeMap<u64, Result<Reply, CommandError>>,
    next_command: u64,
}

impl World {
    /// An empty world.
    pub fn new(seed: u64) -> Self {
        Self {
            now: Instant::ZERO,
            rng: ChaCha20Rng::seed_from_u64(seed),
            nodes: Vec::new(),
            pipes: BTreeMap::new(),
            next_link: 1,
        }
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Adds a node with an empty store.
    pub fn add(&mut self, config: NodeConfig) -> NodeIndex {
        self.add_with_room(config, ByteCount::from_mib(1_024))
    }

    /// Adds a node with an empty store that takes at most so many bytes.
    pub fn add_with_room(&mut self, config: NodeConfig, room: ByteCount) -> NodeIndex {
        let node = self.build(&config, MemoryStore::new(room));
        self.nodes.push(Member {
            config,
            node: Some(node),
            deadline: Instant::ZERO,
            events: Vec::new(),
            upgrades: Vec::new(),
            replies: BTreeMap::new(),
            next_command: 0,
        });
        let index = NodeIndex(self.nodes.len() - 1);
        self.input(index, Input::Timeout);
        index
    }

    /// Brings two nodes into range of each other.
    pub fn connect(&mut self, a: NodeIndex, b: NodeIndex, weather: Weather) -> LinkId {
        let link = LinkId::new(self.next_link);
        self.next_link += 1;
        self.pipes.insert(link, Pipe::new(link, [a, b], weather));
        for (end, initiator) in [(a, true), (b, false)] {
            let up = LinkUp {
                link,
                mtu: weather.mtu,
                initiator,
                reliable: weather.reliable,
                queue: 16,
                bearer: if weather.mtu < BULK_MTU {
                    "world"
                } else {
                    "group"
                }
                .into(),
                label: format!("{link}"),
            };
            self.input(end, Input::LinkUp(up));
        }
        link
    }

    /// Records every byte that passes a link from now on.
    pub fn record(&mut self, link: LinkId) {
        self.pipes.get_mut(&link).expect("the link is up").recorded = Some(Vec::new());
    }

    /// How many bytes of packets were sent on a link, both ways; 0 once it is down.
    pub fn sent(&self, link: LinkId) -> ByteCount {
        ByteCount::new(self.pipes.get(&link).map_or(0, |pipe| pipe.sent))
    }

    /// What was recorded.
    pub fn recorded(&self, link: LinkId) -> &[u8] {
        self.pipes
            .get(&link)
            .and_then(|pipe| pipe.recorded.as_deref())
            .unwrap_or_default()
    }

    /// Takes two nodes out of range. Packets under way are lost.
    pub fn disconnect(&mut self, link: LinkId) {
        let Some(pipe) = self.pipes.remove(&link) else {
            return;
        };
        for end in pipe.ends {
            self.input(end, Input::LinkDown(link));
        }
    }

    /// Ends a node at once, as `kill -9` would, and starts it again from what it had committed.
    pub fn crash(&mut self, index: NodeIndex) {
        self.restart_from(index, |store| store);
    }

    /// Ends a node at once and starts it again from another store, made of its own.
    pub fn restart_from(
        &mut self,
        index: NodeIndex,
        other: impl FnOnce(MemoryStore) -> MemoryStore,
    ) {
        let links: Vec<LinkId> = self
            .pipes
            .values()
            .filter(|pipe| pipe.ends.contains(&index))
            .map(|pipe| pipe.link)
            .collect();
        for link in links {
            let pipe = self.pipes.remove(&link).expect("it was listed");
            self.input(pipe.other(index), Input::LinkDown(link));
        }
        let member = &mut self.nodes[index.0];
        let store = member.node.take().expect("the node runs").into_store();
        let config = member.config.clone();
        let node = self.build(&config, other(store));
        let member = &mut self.nodes[index.0];
        member.node = Some(node);
        member.deadline = Instant::ZERO;
        self.input(index, Input::Timeout);
    }

    /// Hands in a command and returns its answer, which has been committed.
    pub fn command(&mut self, index: NodeIndex, command: Command) -> Result<Reply, CommandError> {
        let member = &mut self.nodes[index.0];
        member.next_command += 1;
        let id = member.next_command;
        self.input(index, Input::Command(CommandId(id), command));
        self.nodes[index.0]
            .replies
            .remove(&id)
            .expect("every command is answered at once")
    }

    /// Hands in an input, but does not drain the outputs: what it changed is not committed.
    pub fn input_without_commit(&mut self, index: NodeIndex, input: Input<'_>) {
        let now = self.now;
        self.nodes[index.0]
            .node
            .as_mut()
            .expect("the node runs")
            .handle_input(now, input);
    }

    /// What a node has told since it was asked last.
    pub fn events(&mut self, index: NodeIndex) -> Vec<Event> {
        std::mem::take(&mut self.nodes[index.0].events)
    }

    /// What a node has wanted of a radio that makes groups since it was asked last.
    pub fn upgrades(&mut self, index: NodeIndex) -> Vec<Upgrade> {
        std::mem::take(&mut self.nodes[index.0].upgrades)
    }

    /// The radio of a node tells how its group is joined.
    pub fn invitation(&mut self, index: NodeIndex, link: LinkId, invitation: Invitation) {
        self.input(index, Input::Invitation(link, Some(invitation)));
    }

    /// Lets time pass.
    pub fn run(&mut self, duration: Duration) {
        let until = self.now.after(duration);
        loop {
            let packet = self
                .pipes
                .values()
                .map(Pipe::next)
                .min()
                .unwrap_or(Instant::NEVER);
            let timer = self
                .nodes
                .iter()
                .map(|member| member.deadline)
                .min()
                .unwrap_or(Instant::NEVER);
            let next = packet.min(timer);
            if next > until {
                break;
            }
            self.now = self.now.max(next);
            self.deliver();
            for index in 0..self.nodes.len() {
                if self.nodes[index].deadline <= self.now {
                    self.input(NodeIndex(index), Input::Timeout);
                }
            }
        }
        self.now = until;
    }

    fn deliver(&mut self) {
        let links: Vec<LinkId> = self.pipes.keys().copied().collect();
        for link in links {
            while let Some((to, packet)) = self
                .pipes
                .get_mut(&link)
                .and_then(|pipe| pipe.take_due(self.now))
            {
                self.input(
                    to,
                    Input::Received {
                        link,
                        packet: &packet,
                    },
                );
            }
        }
    }

    fn input(&mut self, index: NodeIndex, input: Input<'_>) {
        self.input_without_commit(index, input);
        self.drain(index);
    }

    fn drain(&mut self, index: NodeIndex) {
        let now = self.now;
        let mut sent: BTreeMap<LinkId, usize> = BTreeMap::new();
        let mut closed = Vec::new();
        loop {
            let member = &mut self.nodes[index.0];
            let node = member.node.as_mut().expect("the node runs");
            match node.poll_output().expect("a node always has an output") {
                Output::Transmit { link, packet } => {
                    *sent.entry(link).or_default() += 1;
                    if let Some(pipe) = self.pipes.get_mut(&link) {
                        assert!(
                            packet.len() <= pipe.weather.mtu,
                            "a packet longer than the MTU"
                        );
                        pipe.put(now, index, packet, &mut self.rng);
                    }
                }
                Output::Disconnect { link, .. } => closed.push(link),
                Output::Event(event) => member.events.push(event),
                Output::Upgrade(upgrade) => member.upgrades.push(upgrade),
                Output::Reply(id, result) => {
                    member.replies.insert(id.0, result);
                }
                Output::StoreFailed(error) => panic!("the store failed: {error}"),
                Output::Timeout(deadline) => {
                    // A deadline that has passed already must not stop time.
                    member.deadline = deadline.max(now.after(Duration::from_micros(1)));
                    break;
                }
                other => panic!("an output that the world does not know: {other:?}"),
            }
        }
        for link in closed {
            if let Some(pipe) = self.pipes.remove(&link) {
                self.input(pipe.other(index), Input::LinkDown(link));
            }
        }
        for (link, packets) in sent {
            if self.pipes.contains_key(&link) {
                self.input(index, Input::Drained { link, packets });
            }
        }
    }

    fn build(&mut self, config: &NodeConfig, store: MemoryStore) -> Node<MemoryStore> {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        Node::new(self.now, config.clone(), store, seed).expect("the store is sound")
    }
}
