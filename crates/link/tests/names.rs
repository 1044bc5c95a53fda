//! Names in the air: one running node each, in folders with paths of any length.

mod common;

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;

use chappe_link::StartError;
use chappe_link::air::{NodeName, present};
use common::*;
use proptest::prelude::*;

#[tokio::test]
async fn the_name_of_a_running_node_is_refused_with_one_sentence() {
    let air = tempfile::tempdir().unwrap();
    let mut first = Node::start(air.path(), "north").await;
    let Err(error) = Node::try_start(air.path(), "north").await else {
        panic!("two of one name")
    };
    assert!(matches!(error, StartError::InUse { .. }), "{error:?}");
    let sentence = error.to_string();
    assert!(
        sentence.starts_with("the name north in the air /"),
        "{sentence}"
    );
    assert!(
        sentence.ends_with("choose another, or stop that node"),
        "{sentence}"
    );

    // The first is unharmed, and the name is free once it has stopped.
    let mut south = Node::start(air.path(), "south").await;
    talk(&mut first.link_up().await, &mut south.link_up().await).await;
    first.running.stop().await;
    Node::start(air.path(), "north").await;
}

#[tokio::test]
async fn the_socket_of_a_dead_node_is_replaced() {
    let air = tempfile::tempdir().unwrap();
    drop(UnixListener::bind(air.path().join("north.sock")).unwrap());
    let mut north = Node::start(air.path(), "north").await;
    let mut south = Node::start(air.path(), "south").await;
    talk(&mut north.link_up().await, &mut south.link_up().await).await;
}

#[tokio::test]
async fn a_folder_with_a_path_longer_than_sockets_take_works() {
    let root = tempfile::tempdir().unwrap();
    let air = root.path().join("a".repeat(120)).join("b".repeat(120));
    let mut north = Node::start(&air, "north").await;
    let mut south = Node::start(&air, &"s".repeat(64)).await;
    assert!(
        air.join("north.sock")
            .metadata()
            .unwrap()
            .file_type()
            .is_socket()
    );
    talk(&mut north.link_up().await, &mut south.link_up().await).await;
    north.running.stop().await;
    assert_eq!(present(&air).unwrap().len(), 1);
}

#[tokio::test]
async fn a_new_folder_is_for_its_owner_alone() {
    let root = tempfile::tempdir().unwrap();
    let air = root.path().join("air");
    Node::start(&air, "north").await;
    assert_eq!(air.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_folder_that_is_a_file_is_refused_with_one_sentence() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let Err(error) = Node::try_start(file.path(), "north").await else {
        panic!()
    };
    assert!(matches!(error, StartError::Io { .. }), "{error:?}");
    assert!(
        error.to_string().contains("cannot be used as air: "),
        "{error}"
    );
}

#[test]
fn names_that_are_no_plain_file_names_are_refused() {
    let long = "n".repeat(65);
    for name in [
        "",
        ".",
        "..",
        ".hidden",
        "a/b",
        "-n",
        "ä",
        "a b",
        "a\0",
        long.as_str(),
    ] {
        assert!(NodeName::new(name).is_err(), "{name:?}");
    }
    assert!(NodeName::new("n".repeat(64)).is_ok());
}

proptest! {
    #[test]
    fn a_name_never_leaves_its_folder(name in ".{0,70}") {
        if let Ok(name) = NodeName::new(name) {
            let path = std::path::Path::new("air").join(format!("{name}.sock"));
            prop_assert_eq!(path.components().count(), 2);
        }
    }
}
