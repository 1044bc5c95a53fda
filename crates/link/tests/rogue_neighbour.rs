//! Processes that do not keep to the air's protocol: they get no link, cost little and disturb nobody.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::path::Path;
use std::time::Duration;

use chappe_link::air::{MAX_GREETINGS, encode_packet};
use common::*;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// A hello as the module `hello` draws it.
fn hello(name: &str, mtu: u16) -> Vec<u8> {
    let hello = [b"chappe air\x01", &mtu.to_be_bytes()[..], name.as_bytes()].concat();
    encode_packet(&hello).unwrap()
}

async fn connect(air: &Path) -> UnixStream {
    UnixStream::connect(air.join("north.sock")).await.unwrap()
}

/// Sends bytes to `north` and asserts that it closes without an answer.
async fn is_refused(air: &Path, bytes: &[u8]) {
    let mut stream = connect(air).await;
    // It may have closed already.
    let _ = stream.write_all(bytes).await;
    let mut answer = [0; 1];
    let read = soon(stream.read(&mut answer)).await;
    assert!(
        matches!(read, Ok(0) | Err(_)),
        "answered {:?}",
        &bytes[..bytes.len().min(64)]
    );
}

#[tokio::test]
async fn a_neighbour_who_says_hello_gets_a_link() {
    // What the other tests rely on: it is the fault in them that is refused.
    let air = tempfile::tempdir().unwrap();
    let mut north = Node::start(air.path(), "north").await;
    let mut stream = connect(air.path()).await;
    stream.write_all(&hello("east", 512)).await.unwrap();
    let mut answer = vec![0; 20];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(answer, hello("north", 8192));
    let mut link = north.link_up().await;
    assert_eq!((link.info.mtu, link.info.label.as_str()), (512, "east"));
    stream
        .write_all(&encode_packet(&[7; 512]).unwrap())
        .await
        .unwrap();
    assert_eq!(soon(link.incoming.recv()).await, Some(vec![7; 512]));
}

#[tokio::test]
async fn a_wrong_hello_is_refused_without_an_answer() {
    let air = tempfile::tempdir().unwrap();
    set_range(air.path(), &["north", "east", "south"]);
    let mut north = Node::start(air.path(), "north").await;
    let mut flipped = hello("east", 512);
    flipped[6] ^= 1;
    let wrong: [&[u8]; 10] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[0, 0],
        &[0xff; 40],
        &flipped,
        &hello("", 512),
        &hello("../east", 512),
        &hello("east", 19),
        &hello("east", 0),
        // Not on this one to open the link; and not in range.
        &hello("south", 512),
        &hello("away", 512),
    ];
    for bytes in wrong {
        is_refused(air.path(), bytes).await;
    }
    is_refused(air.path(), &hello("north", 512)).await;
    north.hears_nothing().await;
}

#[tokio::test]
async fn a_second_link_under_the_same_name_is_refused() {
    let air = tempfile::tempdir().unwrap();
    let mut north = Node::start(air.path(), "north").await;
    let mut first = connect(air.path()).await;
    first.write_all(&hello("east", 512)).await.unwrap();
    let mut link = north.link_up().await;
    is_refused(air.path(), &hello("east", 512)).await;
    first
        .write_all(&encode_packet(b"still here").unwrap())
        .await
        .unwrap();
    assert_eq!(
        soon(link.incoming.recv()).await.as_deref(),
        Some(&b"still here"[..])
    );
}

#[tokio::test]
async fn a_packet_over_the_mtu_or_of_no_bytes_ends_the_link() {
    for wrong in [&[2, 1][..], &[0xff, 0xff], &[0, 0]] {
        let air = tempfile::tempdir().unwrap();
        let mut north = Node::start(air.path(), "north").await;
        let mut stream = connect(air.path()).await;
        stream.write_all(&hello("east", 512)).await.unwrap();
        let mut link = north.link_up().await;
        stream
            .write_all(&encode_packet(&[1; 512]).unwrap())
            .await
            .unwrap();
        stream.write_all(wrong).await.unwrap();
        assert_eq!(soon(link.incoming.recv()).await, Some(vec![1; 512]));
        assert_eq!(soon(link.incoming.recv()).await, None, "{wrong:?}");
    }
}

#[tokio::test]
async fn strangers_who_stay_silent_do_not_keep_others_out_for_long() {
    let air = tempfile::tempdir().unwrap();
    let mut north = Node::start(air.path(), "north").await;
    let mut silent = Vec::new();
    for _ in 0..2 * MAX_GREETINGS {
        silent.push(connect(air.path()).await);
    }
    let mut east = Node::start(air.path(), "east").await;
    talk(&mut north.link_up().await, &mut east.link_up().await).await;
}

#[tokio::test]
async fn a_neighbour_who_never_reads_holds_back_its_own_link_only() {
    let air = tempfile::tempdir().unwrap();
    let mut north = Node::start(air.path(), "north").await;
    let mut stream = connect(air.path()).await;
    stream.write_all(&hello("east", 8192)).await.unwrap();
    let deaf = north.link_up().await;
    let sent = async {
        let mut sent = 0;
        while timeout(
            Duration::from_millis(500),
            deaf.outgoing.send(vec![0; 8192]),
        )
        .await
        .is_ok()
        {
            sent += 1;
        }
        sent
    };
    // What the system buffers for a socket, and the link's queue.
    let sent = soon(sent).await;
    assert!(sent < 200, "{sent} packets of 8 KiB were taken");
    let mut south = Node::start(air.path(), "south").await;
    talk(&mut north.link_up().await, &mut south.link_up().await).await;
}

#[tokio::test]
async fn a_node_that_does_not_read_is_not_flooded() {
    let air = tempfile::tempdir().unwrap();
    let mut north = Node::start(air.path(), "north").await;
    let mut stream = connect(air.path()).await;
    stream.write_all(&hello("east", 8192)).await.unwrap();
    let _link = north.link_up().await;
    let packet = encode_packet(&[0; 8192]).unwrap();
    let mut taken = 0_usize;
    while timeout(Duration::from_millis(500), stream.write_all(&packet))
        .await
        .is_ok()
    {
        taken += packet.len();
        assert!(taken < 2_000_000, "{taken} bytes were taken");
    }
}

#[test]
fn arbitrary_bytes_never_get_a_link_nor_end_the_node() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let air = tempfile::tempdir().unwrap();
    let mut north = runtime.block_on(Node::start(air.path(), "north"));
    let valid = hello("east", 512);
    // In the magic and the version. The length, the MTU and the name have other right values.
    let flips = (2 * 8..13 * 8_usize).prop_map(move |bit| {
        let mut bytes = valid.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    });
    let bytes = prop_oneof![prop::collection::vec(any::<u8>(), 1..200), flips];
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(128));
    runner
        .run(&bytes, |bytes| {
            runtime.block_on(async {
                let mut stream = connect(air.path()).await;
                stream.write_all(&bytes).await.unwrap();
                stream.shutdown().await.unwrap();
                let mut answer = Vec::new();
                let _ = soon(stream.read_to_end(&mut answer)).await;
                prop_assert_eq!(answer, []);
                Ok(())
            })
        })
        .unwrap();
    runtime.block_on(async {
        let mut east = Node::start(air.path(), "east").await;
        talk(&mut north.link_up().await, &mut east.link_up().await).await;
    });
}
