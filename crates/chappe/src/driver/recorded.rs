//! A node, with the recording of what goes in and comes out where one is wanted.

use chappe_node::recording::{self, Sink as _, Watched};
use chappe_node::{Input, Node, NodeConfig, NodeError, Output, Store as _};
use chappe_wire::Instant;

use super::store::SharedStore;
use crate::{Recording, StartError};

pub(crate) struct RecordedNode {
    node: Node<SharedStore>,
    recording: Option<Recording>,
}

impl RecordedNode {
    /// Builds a node.
    pub(super) fn new(
        now: Instant,
        config: NodeConfig,
        mut store: SharedStore,
        seed: [u8; 32],
        recording: Option<Recording>,
    ) -> Result<Self, StartError> {
        if let Some(recording) = &recording {
            for line in recording::start(now, &config, &seed) {
                recording.line(&line);
            }
            // As the node finds it.
            store.rollback();
            recording::stored(&store, |line| recording.line(line)).map_err(StartError::Refused)?;
            store = SharedStore::new(Watched::new(store, recording.clone()));
        }
        let node = Node::new(now, config, store, seed);
        if let Some(recording) = &recording {
            recording.line(&recording::ready(node.as_ref().map(drop)));
        }
        let node = node.map_err(|error| match error {
            NodeError::Store(error) => StartError::Refused(error),
            error => StartError::Node(error),
        })?;
        Ok(Self { node, recording })
    }

    pub(super) fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        if let Some(recording) = &self.recording {
            recording.line(&recording::input(now, &input));
        }
        self.node.handle_input(now, input);
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        let output = self.node.poll_output();
        if let (Some(recording), Some(output)) = (&self.recording, &output) {
            recording.line(&recording::output(output));
        }
        output
    }
}
