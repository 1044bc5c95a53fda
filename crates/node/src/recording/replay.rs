//! A recorded node, once more: the same code is given the same inputs, and has to say the same.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::{String, ToString as _};

use chappe_wire::Instant;

use super::store::RecordedStore;
use super::{Entry, EntryError, FIRST_LINE, RecordedInput};
use crate::{Node, NodeConfig, Output};

/// A recording that is handed over line by line to the code of today. Lines are compared as they stand, so that no byte of an
/// output can differ unseen.
///
/// ```
/// use chappe_node::recording::{Ending, Replay};
///
/// let mut replay = Replay::new();
/// for line in ["chappe-recording 2", "end"] {
///     assert!(replay.line(line)?.is_none());
/// }
/// assert_eq!(replay.finish(), Ending::Same);
/// # Ok::<(), chappe_node::recording::EntryError>(())
/// ```
pub struct Replay {
    lines: u64,
    nodes: u64,
    inputs: u64,
    outputs: u64,
    building: Option<Building>,
    /// The store of the node that runs or is being built; the node has another handle.
    store: RecordedStore,
    node: Option<Node<RecordedStore>>,
    /// Waits for what the store says to it, which stands after it.
    waiting: Option<(Instant, RecordedInput)>,
    /// The last input, and on which line it stands.
    input: Option<(u64, String)>,
    ended: bool,
}

/// A node that is being built.
struct Building {
    now: Instant,
    seed: [u8; 32],
    config: Option<NodeConfig>,
}

/// How a recorded node did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All was the same so far, and then the recording breaks off.
    BrokenOff,
    /// All was the same, to the end.
    Same,
}

/// The first thing that is not as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// On which line it is recorded, from 1.
    pub line: u64,
    /// What was handed in last, and on which line that is.
    pub input: Option<(u64, String)>,
    /// The line as recorded.
    pub recorded: String,
    /// The line as it would be now.
    pub now: String,
}

impl Replay {
    /// Nothing is replayed yet.
    #[expect(
        clippy::new_without_default,
        reason = "nobody has one that is not about to read a recording"
    )]
    pub fn new() -> Self {
        Self {
            lines: 0,
            nodes: 0,
            inputs: 0,
            outputs: 0,
            building: None,
            store: RecordedStore::new(),
            node: None,
            waiting: None,
            input: None,
            ended: false,
        }
    }

    /// How often a node was built: once, and after each failure of its store.
    pub const fn nodes(&self) -> u64 {
        self.nodes
    }

    /// How many inputs were handed in.
    pub const fn inputs(&self) -> u64 {
        self.inputs
    }

    /// How many outputs were the same.
    pub const fn outputs(&self) -> u64 {
        self.outputs
    }

    /// How many lines were handed over.
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// Takes the next line, without its end. The first difference, if this is where it is: then there is no sense in more.
    ///
    /// # Errors
    /// [`EntryError`], where the line is none of a recording, or not here.
    pub fn line(&mut self, line: &str) -> Result<Option<Box<Difference>>, EntryError> {
        self.lines = self.lines.saturating_add(1);
        if self.lines == 1 {
            return match line {
                FIRST_LINE => Ok(None),
                other => Err(EntryError::word(
                    other,
                    "the first line, `chappe-recording 2`",
                )),
            };
        }
        if self.ended {
            return Err(EntryError::word(line, "nothing after `end`"));
        }
        let entry = Entry::parse(line)?;
        let building = self.building.is_some();
        let running = !building && self.node.is_some();
        match entry {
            Entry::Answer { call, answer } if building || running => {
                self.store.expect(call, answer);
                Ok(None)
            }
            Entry::Config(config) => match &mut self.building {
                Some(Building {
                    config: place @ None,
                    ..
                }) => {
                    *place = Some(config);
                    Ok(None)
                }
                _ => Err(EntryError::word(line, "`config` after `start`")),
            },
            Entry::End => {
                let difference = self.hand_in();
                self.ended = true;
                Ok(difference)
            }
            Entry::Input { now, input } if running => {
                let difference = self.hand_in();
                self.waiting = Some((now, input));
                self.input = Some((self.lines, line.to_owned()));
                Ok(difference)
            }
            Entry::Output if running => Ok(self.hand_in().or_else(|| self.poll(line))),
            Entry::Ready if building => self.build(line),
            Entry::Start { now, seed } => {
                let difference = self.hand_in();
                self.building = Some(Building {
                    now,
                    seed,
                    config: None,
                });
                self.node = None;
                self.input = None;
                self.store = RecordedStore::new();
                Ok(difference)
            }
            Entry::Stored { table, key, value } if building => {
                let put = self.store.begin_with(table, &key, &value);
                put.map_err(|error| EntryError::new(error.to_string(), "an entry of a store"))?;
                Ok(None)
            }
            _ if building => Err(EntryError::word(line, "answer, config, ready or stored")),
            _ if running => Err(EntryError::word(line, "answer, end, in, out or start")),
            _ => Err(EntryError::word(line, "start or end")),
        }
    }

    /// There are no more lines. Where the recording broke off, the node is given the last input all the same, and is asked what
    /// it says: what it did not survive it does not survive here either.
    pub fn finish(mut self) -> Ending {
        if self.ended {
            return Ending::Same;
        }
        let _ = self.hand_in();
        if let Some(node) = &mut self.node {
            while let Some(output) = node.poll_output() {
                if matches!(output, Output::StoreFailed(_) | Output::Timeout(_)) {
                    break;
                }
            }
        }
        Ending::BrokenOff
    }

    /// Hands in the input that waits, now that it is known what the store says to it.
    fn hand_in(&mut self) -> Option<Box<Difference>> {
        let (now, input) = self.waiting.take()?;
        input.hand_to(self.node.as_mut()?, now);
        self.inputs = self.inputs.saturating_add(1);
        let (recorded, now) = self.store.strayed()?;
        Some(self.difference(recorded, now))
    }

    fn poll(&mut self, recorded: &str) -> Option<Box<Difference>> {
        let output = self.node.as_mut()?.poll_output();
        let now = output.as_ref().map_or(String::new(), super::output);
        if now != recorded {
            return Some(self.difference(recorded.to_owned(), now));
        }
        self.outputs = self.outputs.saturating_add(1);
        let (recorded, now) = self.store.left()?;
        Some(self.difference(recorded, now))
    }

    fn build(&mut self, line: &str) -> Result<Option<Box<Difference>>, EntryError> {
        let Some(Building {
            now,
            seed,
            config: Some(config),
        }) = self.building.take()
        else {
            return Err(EntryError::word(line, "`config` before it"));
        };
        let node = Node::new(now, config, self.store.clone(), seed);
        let built = super::ready(node.as_ref().map(drop));
        self.node = node.ok();
        self.nodes = self.nodes.saturating_add(1);
        if built != line {
            return Ok(Some(self.difference(line.to_owned(), built)));
        }
        let left = self.store.left();
        Ok(left.map(|(recorded, now)| self.difference(recorded, now)))
    }

    fn difference(&self, recorded: String, now: String) -> Box<Difference> {
        Box::new(Difference {
            line: self.lines,
            input: self.input.clone(),
            recorded,
            now,
        })
    }
}
