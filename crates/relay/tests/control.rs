//! The control socket: for its owner only, bounded, and unmoved by nonsense.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;

use support::World;

fn ask(world: &World, line: &[u8]) -> String {
    let mut stream = UnixStream::connect(world.path("n").join("control.sock")).unwrap();
    stream.write_all(line).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer
}

#[test]
fn requests_are_answered_one_line_each() {
    let world = World::new();
    world.person("n");
    let _node = world.start("n", [""; 0]);
    let socket = world.path("n").join("control.sock");
    assert_eq!(
        socket.metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(ask(&world, b"{\"do\":\"status\"}\n").starts_with("{\"ok\":{\"status\":{"));
    assert!(ask(&world, b"{\"do\":\"nonsense\"}\n").starts_with("{\"error\":"));
    assert!(ask(&world, b"\xff\xfe\n").starts_with("{\"error\":"));
    assert!(ask(&world, b"\n").starts_with("{\"error\":"));
    let long = vec![b'x'; 70_000];
    assert!(ask(&world, &long).contains("too long"));
    let large = b"{\"do\":\"send-file\",\"contact\":\"s\",\"name\":\"f\",\"media_type\":\"\",\"size\":99999999}\n";
    assert!(ask(&world, large).contains("32 MiB"));
    // The node is as well as before.
    world.ok("n", ["status"]);
}

#[test]
fn followers_are_let_go_when_the_node_stops() {
    let world = World::new();
    world.person("n");
    let node = world.start("n", [""; 0]);
    let mut stream = UnixStream::connect(world.path("n").join("control.sock")).unwrap();
    stream.write_all(b"{\"do\":\"follow\"}\n").unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "{\"ok\":\"following\"}\n");
    assert!(node.terminate().success());
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"");
}

#[test]
fn a_home_with_a_long_path_has_a_socket_too() {
    let world = World::new();
    let long = format!("{}/{}", "a".repeat(120), "b".repeat(120));
    world.ok(&long, ["init", "--name", "n"]);
    let node = world.start(&long, [""; 0]);
    assert!(world.ok(&long, ["status"]).contains("name"));
    assert!(node.terminate().success());
}

#[test]
fn a_node_outlives_whoever_reads_its_output() {
    let world = World::new();
    world.person("n");
    // The reader of its first line is gone when it says that it has no radio.
    let node = world.start("n", [""; 0]);
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(ask(&world, b"{\"do\":\"status\"}\n").contains("status"));
    assert!(node.terminate().success());
}
