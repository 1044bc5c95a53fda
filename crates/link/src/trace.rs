//! Traces: a layer that writes every packet of a link to a capture file.
//!
//! The file is a pcap file (draft-ietf-opsawg-pcap) with nanosecond times and the private link type
//! `LINKTYPE_USER0` (147), which Wireshark and tcpdump open as they are. Times are wall time, for people.
//! All numbers of the file and its records are big-endian. Each record is:
//!
//! ```text
//!  0      1             5                     5+n
//! +------+-------------+---------------------+
//! | kind | link number | content (n bytes)   |
//! +------+-------------+---------------------+
//!  kind 0  a packet that this node sent
//!       1  a packet that this node received
//!       2  a link is up; content: bearer, MTU and label as text ("air 8192 south")
//!       3  a link is down; no content
//! ```
//!
//! Links are numbered from 1 in the order in which they came up. A capture holds what a neighbour or anyone in
//! range sees, and when; the file can be read by its owner only.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::{Layer, LinkReceiver, LinkSender, LinkUp, PacketSink, PacketSource, link};

/// The link type of a capture file: `LINKTYPE_USER0`.
pub const LINK_TYPE: u32 = 147;
/// Bytes before the packet in each record.
pub const RECORD_HEADER_LEN: usize = 5;

/// A capture file, and the layer that writes to it. Clones write to the same file.
///
/// ```
/// use chappe_link::trace::Capture;
/// use chappe_link::{Bearer, Layer, LinkInfo, link};
///
/// # let folder = tempfile::tempdir()?;
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let path = folder.path().join("links.pcap");
/// let (up, mut end) = link(LinkInfo {
///     bearer: Bearer::new("wire"),
///     mtu: 512,
///     initiator: true,
///     reliable: true,
///     label: "south".into(),
///     queue: 4,
/// });
/// let up = Capture::create(&path)?.wrap(up);
/// up.outgoing.send(b"over the air".to_vec()).await.unwrap();
/// end.source.next().await;
/// let captured = std::fs::read(&path)?;
/// assert!(captured.ends_with(b"over the air"));
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Capture {
    shared: Arc<Mutex<Shared>>,
}

impl Capture {
    /// Makes the file, or empties it.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(&file_header())?;
        let shared = Shared {
            file,
            failed: None,
            links: 0,
        };
        Ok(Self {
            shared: Arc::new(Mutex::new(shared)),
        })
    }

    /// Why nothing more is written, if a write has failed: a full disk, for example. Links go on without.
    pub fn failure(&self) -> Option<io::ErrorKind> {
        self.with(|shared| shared.failed)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Shared) -> T) -> T {
        work(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, kind: Kind, number: u32, content: &[u8]) {
        self.with(|shared| shared.write(kind, number, content));
    }
}

impl Layer for Capture {
    fn wrap(&self, below: LinkUp) -> LinkUp {
        let number = self.with(|shared| {
            shared.links = shared.links.wrapping_add(1);
            shared.links
        });
        let info = &below.info;
        let up = format!("{} {} {}", info.bearer, info.mtu, info.label);
        self.write(Kind::Up, number, up.as_bytes());
        let (above, end) = link(below.info);
        let capture = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = sent(&capture, number, end.source, below.outgoing) => {}
                () = received(&capture, number, below.incoming, end.sink) => {}
            }
            capture.write(Kind::Down, number, &[]);
        });
        above
    }
}

async fn sent(capture: &Capture, number: u32, mut source: PacketSource, below: LinkSender) {
    loop {
        let packet = tokio::select! {
            packet = source.next() => packet,
            () = below.closed() => return,
        };
        let Some(packet) = packet else { return };
        capture.write(Kind::Sent, number, packet.bytes());
        if below.forward(packet).await.is_err() {
            return;
        }
    }
}

async fn received(capture: &Capture, number: u32, mut below: LinkReceiver, sink: PacketSink) {
    while let Some(packet) = below.recv().await {
        capture.write(Kind::Received, number, &packet);
        // A node that has dropped its receiver may still send; what arrives is thrown away then.
        let _ = sink.deliver(packet).await;
    }
}

#[derive(Debug)]
struct Shared {
    file: File,
    failed: Option<io::ErrorKind>,
    links: u32,
}

impl Shared {
    /// Writes a record with one call, so that the file is whole whenever it is read. It blocks for as long as
    /// the system takes to copy a packet.
    fn write(&mut self, kind: Kind, number: u32, content: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the time in a capture is for people"
        )]
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        if let Err(error) = self.file.write_all(&record(now, kind, number, content)) {
            tracing::warn!(%error, "the capture file cannot be written; capturing ends");
            self.failed = Some(error.kind());
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Sent = 0,
    Received = 1,
    Up = 2,
    Down = 3,
}

/// Magic of big-endian pcap with nanoseconds, version 2.4, no zone, no accuracy, longest record, link type.
fn file_header() -> Vec<u8> {
    let longest = 0x0004_0000_u32;
    let mut header = Vec::with_capacity(24);
    header.extend(0xa1b2_3c4d_u32.to_be_bytes());
    header.extend([0, 2, 0, 4]);
    header.extend([0; 8]);
    header.extend(longest.to_be_bytes());
    header.extend(LINK_TYPE.to_be_bytes());
    header
}

/// Seconds, nanoseconds, captured length, original length, then the record of this format.
fn record(time: Duration, kind: Kind, number: u32, content: &[u8]) -> Vec<u8> {
    // Contents are packets or one line of text, far below 4 GiB.
    let length = u32::try_from(content.len().saturating_add(RECORD_HEADER_LEN)).unwrap_or(u32::MAX);
    let mut record = Vec::with_capacity(content.len() + 16 + RECORD_HEADER_LEN);
    record.extend((time.as_secs() as u32).to_be_bytes());
    record.extend(time.subsec_nanos().to_be_bytes());
    record.extend(length.to_be_bytes());
    record.extend(length.to_be_bytes());
    record.push(kind as u8);
    record.extend(number.to_be_bytes());
    record.extend_from_slice(content);
    record
}
