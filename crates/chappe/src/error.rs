//! Why a command was not carried out.

use chappe_node::CommandError;

/// Why a command was not carried out. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The node refused.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The node was closed, or has stopped.
    #[error("The node has stopped; start it again.")]
    Stopped,
    /// The node gave an answer to something else: a defect of this library.
    #[error("The node answered something else than it was asked; please report this.")]
    Unexpected,
}
