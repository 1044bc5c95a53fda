//! Layers: what goes around a link and is a link again.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::{LinkUp, Running, StartError, Transport, TransportEvent};

/// How many events of the transport inside may wait for the one outside.
const EVENTS: usize = 16;

/// Something that goes around a link: a [fault](crate::fault) or a [trace](crate::trace).
pub trait Layer: Send + Sync + 'static {
    /// Goes around a link. Called on a tokio runtime.
    fn wrap(&self, link: LinkUp) -> LinkUp;
}

/// A transport with a layer around each of its links. Layers compose: a layered transport is a transport.
///
/// ```
/// use chappe_link::air::{AirOptions, AirTransport, NodeName};
/// use chappe_link::fault::{FaultLayer, Faults};
/// use chappe_link::trace::Capture;
/// use chappe_link::{Layered, Transport};
///
/// # let folder = tempfile::tempdir()?;
/// let air = AirTransport::new(folder.path(), NodeName::new("north")?, AirOptions::default());
/// let late = Faults { latency: "20ms".parse()?, ..Faults::NONE };
/// let late = Layered::new(Box::new(air), FaultLayer::new(late, 7));
/// let traced = Layered::new(Box::new(late), Capture::create(&folder.path().join("n.pcap"))?);
/// assert_eq!(traced.name(), "air");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Layered {
    transport: Box<dyn Transport>,
    layer: Arc<dyn Layer>,
}

impl Layered {
    /// Puts `layer` around the links of `transport`.
    pub fn new(transport: Box<dyn Transport>, layer: impl Layer) -> Self {
        Self {
            transport,
            layer: Arc::new(layer),
        }
    }
}

impl Transport for Layered {
    fn name(&self) -> &str {
        self.transport.name()
    }

    fn start(
        self: Box<Self>,
        events: mpsc::Sender<TransportEvent>,
    ) -> Pin<Box<dyn Future<Output = Result<Running, StartError>> + Send>> {
        let (inner, heard) = mpsc::channel(EVENTS);
        let Self { transport, layer } = *self;
        Box::pin(async move {
            let running = transport.start(inner).await?;
            tokio::spawn(wrap_links(layer, heard, events));
            Ok(running)
        })
    }
}

/// Ends with the transport inside, and ends it, by dropping `heard`, once nobody listens outside.
async fn wrap_links(
    layer: Arc<dyn Layer>,
    mut heard: mpsc::Receiver<TransportEvent>,
    events: mpsc::Sender<TransportEvent>,
) {
    loop {
        let event = tokio::select! {
            event = heard.recv() => event,
            () = events.closed() => return,
        };
        let event = match event {
            Some(TransportEvent::LinkUp(link)) => TransportEvent::LinkUp(layer.wrap(link)),
            Some(other) => other,
            None => return,
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
}
