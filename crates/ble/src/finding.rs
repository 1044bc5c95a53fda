//! What `chappe doctor` is told of an adapter.

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is as it should be.
    pub ok: bool,
    /// One sentence; where it is not, with what to do.
    pub says: String,
}
