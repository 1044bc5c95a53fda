//! Introductions before a run: two nodes scan each other's contact URI and say hello.

use std::collections::{BTreeSet, VecDeque};

use chappe_node::{Command, ContactId, Draft, Input, LinkUp, Output, Reply};
use chappe_wire::{Duration, Instant, LinkId};

use super::engine::{Engine, FullError, MTU, QUEUE};
use super::node::State;
use crate::event::{NodeIndex, SimTime};
use crate::scenario::Behaviour;

/// For so long two nodes that get to know each other are together: receipts have come back by then.
const TOGETHER: Duration = Duration::from_secs(30);
/// What is said first. It has no number, and so it is no message of the scenario.
const HELLO: &str = "hello";

impl Engine<'_> {
    /// Everyone who writes to another gets to know it. The run begins when the last two have parted.
    pub(super) fn introduce_all(&mut self) -> Result<(), FullError> {
        let messages = self.world.messages.iter();
        let pairs: BTreeSet<(NodeIndex, NodeIndex)> = messages
            .filter(|message| message.from != message.to)
            .map(|message| (message.from.min(message.to), message.from.max(message.to)))
            .collect();
        for (a, b) in pairs {
            self.introduce(a, b)?;
        }
        let faults = &self.world.faults.nodes;
        for (node, fault) in (0..).map(NodeIndex::new).zip(faults) {
            if matches!(fault.behaviour, Behaviour::Flood { .. }) {
                let secret = self.random();
                let command = Command::AddPair {
                    name: "nobody".to_owned(),
                    secret,
                    initiator: true,
                };
                let mut alone = Talk::new([node; 2], self.next_link());
                self.nodes[node].nobody = Some(self.contact(&mut alone, node, command)?);
            }
        }
        Ok(())
    }

    fn introduce(&mut self, a: NodeIndex, b: NodeIndex) -> Result<(), FullError> {
        let link = self.next_link();
        let mut talk = Talk::new([a, b], link);
        let [from_a, from_b] = [self.invite(&mut talk, a)?, self.invite(&mut talk, b)?];
        for (node, other, uri) in [(a, b, from_b), (b, a, from_a)] {
            let command = Command::AddContact {
                uri,
                name: None,
                scanned: true,
            };
            let contact = self.contact(&mut talk, node, command)?;
            self.nodes[node].contacts.insert(other, contact);
        }
        for (node, initiator) in [(a, true), (b, false)] {
            self.say(&mut talk, node, Input::LinkUp(link_up(link, initiator)))?;
        }
        let end = self.start.after(TOGETHER);
        self.talk(&mut talk, self.start.after(Duration::from_secs(5)))?;
        for (node, other) in [(a, b), (b, a)] {
            let Some(contact) = self.nodes[node].contacts.get(&other).copied() else {
                return Err(FullError::Introduction(node));
            };
            let hello = Command::Send(contact, Draft::Text(HELLO.to_owned()), None);
            self.command(&mut talk, node, hello)?;
        }
        self.talk(&mut talk, end)?;
        for node in [a, b] {
            self.say(&mut talk, node, Input::LinkDown(link))?;
        }
        Ok(())
    }

    fn invite(&mut self, talk: &mut Talk, node: NodeIndex) -> Result<String, FullError> {
        match self.command(talk, node, Command::Invite)? {
            Reply::Invite(uri) => Ok(uri),
            _ => Err(FullError::Introduction(node)),
        }
    }

    fn contact(
        &mut self,
        talk: &mut Talk,
        node: NodeIndex,
        command: Command,
    ) -> Result<ContactId, FullError> {
        match self.command(talk, node, command)? {
            Reply::Contact(contact) => Ok(contact.id),
            _ => Err(FullError::Introduction(node)),
        }
    }

    fn command(
        &mut self,
        talk: &mut Talk,
        node: NodeIndex,
        command: Command,
    ) -> Result<Reply, FullError> {
        let id = self.next_command(node);
        let reply = self.say(talk, node, Input::Command(id, command))?;
        reply.ok_or(FullError::Introduction(node))
    }

    /// Packets go to and fro in no time, until then.
    fn talk(&mut self, talk: &mut Talk, until: Instant) -> Result<(), FullError> {
        loop {
            while let Some((from, packet)) = talk.packets.pop_front() {
                let [a, b] = talk.ends;
                let to = if from == a { b } else { a };
                let link = talk.link;
                let packet = packet.as_slice();
                self.say(talk, to, Input::Received { link, packet })?;
                self.say(talk, from, Input::Drained { link, packets: 1 })?;
            }
            let wakes = talk.ends.map(|node| self.nodes[node].wakes);
            let next = wakes.into_iter().min().unwrap_or(SimTime::NEVER);
            let next = Instant::from_micros(next.as_micros());
            if next > until {
                self.start = until;
                return Ok(());
            }
            self.start = next.max(self.start);
            for node in talk.ends {
                if self.nodes[node].wakes.as_micros() <= self.start.as_micros() {
                    self.say(talk, node, Input::Timeout)?;
                }
            }
        }
    }

    /// Hands in an input before the run has begun, and does what follows. Deadlines are of the node's clock until then.
    fn say(
        &mut self,
        talk: &mut Talk,
        node: NodeIndex,
        input: Input<'_>,
    ) -> Result<Option<Reply>, FullError> {
        let now = self.start;
        let mut answer = None;
        let member = &mut self.nodes[node];
        let State::Runs(running) = &mut member.state else {
            return Err(FullError::Introduction(node));
        };
        running.handle_input(now, input);
        while let Some(output) = running.poll_output() {
            match output {
                Output::Transmit { link, packet } if link == talk.link => {
                    talk.packets.push_back((node, packet));
                }
                Output::Reply(_, reply) => answer = reply.ok(),
                Output::Disconnect { .. } => return Err(FullError::Introduction(node)),
                Output::StoreFailed(_) => return Err(FullError::Store(node)),
                Output::Timeout(at) => {
                    let at = at.max(now.after(Duration::from_micros(1)));
                    member.wakes = SimTime::from_micros(at.as_micros());
                    break;
                }
                _ => {}
            }
        }
        Ok(answer)
    }
}

/// Two nodes on a link of their own.
struct Talk {
    ends: [NodeIndex; 2],
    link: LinkId,
    packets: VecDeque<(NodeIndex, Vec<u8>)>,
}

impl Talk {
    const fn new(ends: [NodeIndex; 2], link: LinkId) -> Self {
        Self {
            ends,
            link,
            packets: VecDeque::new(),
        }
    }
}

/// A link as it comes up.
pub(super) fn link_up(link: LinkId, initiator: bool) -> LinkUp {
    LinkUp {
        link,
        mtu: MTU,
        initiator,
        reliable: false,
        queue: QUEUE,
        bearer: "simulated".to_owned(),
        label: link.to_string(),
    }
}
