//! Into a node and out of it: inputs, and doing what the outputs say.

use chappe_node::{Command, CommandId, Content, Event, Incoming, Input, Output, Reply};
use chappe_wire::{ItemId, LinkId};

use super::engine::{Engine, FullError, Timer};
use super::letter;
use super::node::{Copy, State};
use crate::event::{NodeIndex, SimTime};
use crate::log::{Handed, What};
use crate::outcome::Release;

/// What a node says of an envelope that it lets go because it was delivered.
const RECEIPTED: &str = "its receipt came";

impl Engine<'_> {
    /// Something happens to a node that runs; one that is stopped does not notice.
    pub(super) fn input(&mut self, node: NodeIndex, input: Input<'_>) {
        self.feed(node, input);
        self.transmit(node);
    }

    /// Asks a node for something; `None` if it refuses.
    pub(super) fn ask(&mut self, node: NodeIndex, command: Command) -> Option<Reply> {
        let id = self.next_command(node);
        let reply = self.feed(node, Input::Command(id, command));
        self.transmit(node);
        reply
    }

    pub(super) fn next_command(&mut self, node: NodeIndex) -> CommandId {
        self.nodes[node].commands += 1;
        CommandId(self.nodes[node].commands)
    }

    fn feed(&mut self, node: NodeIndex, input: Input<'_>) -> Option<Reply> {
        let now = self.instant();
        let mut reply = None;
        let mut closed = Vec::new();
        if let State::Runs(running) = &mut self.nodes[node].state {
            running.handle_input(now, input);
        }
        while let State::Runs(running) = &mut self.nodes[node].state {
            match running.poll_output() {
                Some(Output::Transmit { link, packet }) => {
                    if let Some(slot) = self.slots.get(&link).copied() {
                        let end = self.links[slot].end_of(node);
                        self.links[slot].queue(end).push_back(packet);
                    }
                }
                Some(Output::Disconnect { link, .. }) => closed.push(link),
                Some(Output::Event(event)) => self.note(node, event),
                Some(Output::Reply(_, answer)) => reply = answer.ok(),
                Some(Output::StoreFailed(_)) => self.failure = Some(FullError::Store(node)),
                Some(Output::Timeout(at)) => {
                    let at = at.as_micros().saturating_sub(self.start.as_micros());
                    self.wake(node, SimTime::from_micros(at));
                    break;
                }
                Some(_) => {}
                None => break,
            }
        }
        for link in closed {
            if let Some(slot) = self.slots.get(&link).copied() {
                self.link_down(slot);
            }
        }
        reply
    }

    /// A deadline that has passed already must not stop time.
    fn wake(&mut self, node: NodeIndex, at: SimTime) {
        let soon = SimTime::from_micros(self.now.as_micros() + 1);
        let at = at.max(soon);
        if at != self.nodes[node].wakes {
            self.nodes[node].wakes = at;
            if at <= self.world.end {
                self.timers.schedule(at, Timer::Wake(node));
            }
        }
    }

    fn note(&mut self, node: NodeIndex, event: Event) {
        match event {
            Event::Taken { link, id, size } => self.taken(node, link, id, size.get()),
            Event::Dropped { id, reason } => {
                if let Some(copy) = self.nodes[node].held.remove(&id) {
                    let release = Release {
                        node,
                        message: self.items.get(&id).copied(),
                        size: copy.size,
                        received: copy.received,
                        dropped: reason != RECEIPTED,
                    };
                    self.tally.release(self.now, release);
                }
            }
            Event::FileComplete(incoming) => self.read(node, &incoming),
            Event::Received(incoming) if is_whole(&incoming.content) => self.read(node, &incoming),
            _ => {}
        }
    }

    /// A node has taken custody of an envelope.
    fn taken(&mut self, node: NodeIndex, link: LinkId, id: ItemId, size: u64) {
        let Some(slot) = self.slots.get(&link).copied() else {
            return;
        };
        let from = self.links[slot].node(1 - self.links[slot].end_of(node));
        let (at, message) = (self.now, self.items.get(&id).copied());
        let hops = self.nodes[from]
            .held
            .get(&id)
            .map_or(1, |copy| copy.hops + 1);
        let (received, to) = (at, node);
        let copy = Copy {
            received,
            hops,
            size,
        };
        self.nodes[node].held.insert(id, copy);
        self.tally.note(
            at,
            What::Taken {
                node,
                message,
                size,
            },
        );
        self.tally.relayed += 1;
        self.tally.data_bytes += size;
        self.tally.control_bytes = self.tally.control_bytes.saturating_sub(size);
        let handed = Handed { from, to, message };
        self.tally.note(at, What::Handed(handed));
        if let Some(message) = message {
            let event = self.world.messages.get(message.as_usize());
            if event.is_some_and(|event| event.to == node) {
                self.hops[message] = hops;
            }
        }
    }

    /// The recipient has a message, whole.
    fn read(&mut self, node: NodeIndex, incoming: &Incoming) {
        let Some(message) = letter::message_of(&incoming.content) else {
            return;
        };
        let Some(event) = self.world.messages.get(message.as_usize()) else {
            return;
        };
        if event.to != node || self.delivered[message] {
            return;
        }
        self.delivered[message] = true;
        if self.now.since(event.at) <= self.world.ttl.since(SimTime::ZERO) {
            let hops = self.hops[message];
            self.tally.deliver(message, event.at, self.now, hops);
        }
    }
}

/// A file may come piece by piece after its message.
fn is_whole(content: &Content) -> bool {
    match content {
        Content::File(file) => file.complete,
        _ => true,
    }
}
