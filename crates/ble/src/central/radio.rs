//! What the loop needs of a radio.

use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;

use futures_util::Stream;

use crate::Beacon;
use crate::packets::Packets;

/// What a radio tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event<Id> {
    /// The connection to somebody has ended.
    Gone(Id),
    /// A beacon was heard.
    Heard(Id, Beacon),
    /// The radio was switched off.
    Off,
}

/// What a radio tells, until it breaks.
pub(super) type Events<Id> = Pin<Box<dyn Stream<Item = Event<Id>> + Send>>;

/// A radio that scans and connects. Failures are told in a sentence.
pub(super) trait Radio: Clone + Send + Sync + 'static {
    /// Where somebody can be reached, as long as its address does not change.
    type Id: Clone + Debug + Eq + Send + Sync + 'static;
    /// A channel to somebody.
    type Channel: Packets + Send + 'static;

    /// What happens from now on.
    fn events(&self) -> impl Future<Output = Result<Events<Self::Id>, String>> + Send;

    /// Begins a scan, or ends it.
    fn scan(&self, on: bool) -> impl Future<Output = Result<(), String>> + Send;

    /// Connects, and opens a channel over GATT.
    fn connect(
        &self,
        id: &Self::Id,
        limit: Duration,
    ) -> impl Future<Output = Result<Self::Channel, String>> + Send;

    /// Ends a connection, if there is one.
    fn disconnect(&self, id: &Self::Id) -> impl Future<Output = ()> + Send;
}
