//! A capture file holds what passed over the links, in a form that other programs read.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use chappe_link::air::{AirOptions, AirTransport};
use chappe_link::trace::{Capture, LINK_TYPE};
use chappe_link::{Layer, Layered, Transport, TransportEvent};
use common::*;
use tokio::sync::mpsc;

/// A record, read as pcap and the module `trace` describe it.
#[derive(Debug, PartialEq)]
struct Record {
    time: Duration,
    kind: u8,
    link: u32,
    content: Vec<u8>,
}

fn read(path: &Path) -> Vec<Record> {
    let file = std::fs::read(path).unwrap();
    let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!(number(0), 0xa1b2_3c4d, "pcap with nanoseconds");
    assert_eq!(number(4), 0x0002_0004, "version 2.4");
    assert!(number(16) >= 65_540, "the longest record fits");
    assert_eq!((number(20), LINK_TYPE), (147, 147));
    let mut records = Vec::new();
    let mut at = 24;
    while at < file.len() {
        let time = Duration::new(number(at).into(), number(at + 4));
        let length = number(at + 8) as usize;
        assert_eq!(number(at + 12) as usize, length);
        let content = file[at + 21..at + 16 + length].to_vec();
        records.push(Record {
            time,
            kind: file[at + 16],
            link: number(at + 17),
            content,
        });
        at += 16 + length;
    }
    records
}

fn brief(records: &[Record]) -> Vec<(u8, u32, &[u8])> {
    records
        .iter()
        .map(|record| (record.kind, record.link, &record.content[..]))
        .collect()
}

/// Waits until the layer has noticed that its links are down.
async fn read_with(path: &Path, records: usize) -> Vec<Record> {
    soon(async {
        while read(path).len() < records {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    read(path)
}

#[tokio::test]
async fn every_packet_is_captured_with_its_direction_link_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("links.pcap");
    let capture = Capture::create(&path).unwrap();
    let (below, mut end) = memory_link(100, 4);
    let mut up = capture.wrap(below);
    up.outgoing.send(b"there".to_vec()).await.unwrap();
    assert_eq!(end.source.next().await.unwrap().bytes(), b"there");
    end.sink.deliver(b"back".to_vec()).await.unwrap();
    assert_eq!(up.incoming.recv().await.as_deref(), Some(&b"back"[..]));
    let (second, _end) = memory_link(20, 4);
    let _second = capture.wrap(second);
    drop(end);
    assert_eq!(up.incoming.recv().await, None);

    let records = read_with(&path, 5).await;
    let expected: [(u8, u32, &[u8]); 5] = [
        (2, 1, b"memory 100 other"),
        (0, 1, b"there"),
        (1, 1, b"back"),
        (2, 2, b"memory 20 other"),
        (3, 1, b""),
    ];
    assert_eq!(brief(&records), expected);
    #[expect(
        clippy::disallowed_methods,
        reason = "the time in a capture is for people"
    )]
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    for pair in records.windows(2) {
        assert!(pair[0].time <= pair[1].time);
    }
    assert!(
        records
            .iter()
            .all(|record| now - record.time < Duration::from_secs(60))
    );
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(capture.failure(), None);
}

#[tokio::test]
async fn a_captured_link_drains_and_closes_like_the_link_below() {
    let folder = tempfile::tempdir().unwrap();
    let (below, mut end) = memory_link(100, 2);
    let up = Capture::create(&folder.path().join("links.pcap"))
        .unwrap()
        .wrap(below);
    let mut drains = up.outgoing.drains();
    up.outgoing.try_send(vec![1]).unwrap();
    up.outgoing.try_send(vec![2]).unwrap();
    let first = end.source.next().await.unwrap();
    let second = end.source.next().await.unwrap();
    assert_eq!(
        up.outgoing.room(),
        0,
        "both are outstanding, wherever they are"
    );
    drop(first);
    assert_eq!(drains.next().await, Some(1));
    drop(second);
    assert_eq!(drains.next().await, Some(1));

    up.outgoing.try_send(vec![3]).unwrap();
    drop(up);
    assert_eq!(end.source.next().await.unwrap().bytes(), [3]);
    assert!(end.source.next().await.is_none());
}

#[tokio::test]
async fn a_capture_that_cannot_be_written_ends_and_the_link_goes_on() {
    // A pipe whose reader goes away, since a disk cannot be filled in a test.
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || File::open(pipe).unwrap().read_exact(&mut [0; 24]).unwrap()
    });
    let capture = Capture::create(&pipe).unwrap();
    reader.join().unwrap();
    let (below, mut end) = memory_link(100, 4);
    let up = capture.wrap(below);
    assert_eq!(capture.failure(), Some(ErrorKind::BrokenPipe));
    up.outgoing.send(b"there".to_vec()).await.unwrap();
    assert_eq!(end.source.next().await.unwrap().bytes(), b"there");
}

#[tokio::test]
async fn a_capture_on_a_full_disk_is_refused() {
    let error = Capture::create(Path::new("/dev/full")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
}

#[tokio::test]
async fn all_links_of_a_transport_are_captured() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("links.pcap");
    let air = AirTransport::new(folder.path(), name("north"), AirOptions::default());
    let traced = Layered::new(Box::new(air), Capture::create(&path).unwrap());
    let (events, mut heard) = mpsc::channel(4);
    let running = Box::new(traced).start(events).await.unwrap();
    let mut south = Node::start(folder.path(), "south").await;
    let Some(TransportEvent::LinkUp(mut one)) = soon(heard.recv()).await else {
        panic!()
    };
    let mut other = south.link_up().await;
    talk(&mut one, &mut other).await;
    running.stop().await;
    is_down(&mut one).await;
    let records = read_with(&path, 4).await;
    let expected: [(u8, u32, &[u8]); 4] = [
        (2, 1, b"air 8192 south"),
        (0, 1, b"hello"),
        (1, 1, b"hello"),
        (3, 1, b""),
    ];
    assert_eq!(brief(&records), expected);
}
