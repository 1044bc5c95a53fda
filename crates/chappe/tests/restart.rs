//! What a node accepted is there after it was closed, and only with its key.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::path::Path;

use chappe::{Builder, Content, Draft, Error, Home, HomeError, OpenError, Profile, StartError};
use support::{befriend, received, start, wire};
use zeroize::Zeroizing;

fn home(dir: &Path, name: &str) -> Home {
    Home::create(dir, Some(Profile::named(name)), None).unwrap()
}

#[tokio::test]
async fn close_and_restart_keep_everything() {
    let folder = tempfile::tempdir().unwrap();
    let (north_dir, south_dir) = (folder.path().join("north"), folder.path().join("south"));
    let (north, _) = start(Builder::at(home(&north_dir, "north"))).await;
    let (south, _) = start(Builder::at(home(&south_dir, "south"))).await;
    let (to_south, _) = befriend(&north, &south).await;
    // Accepted with nobody in range.
    let id = north
        .send(to_south.id, Draft::Text("later".into()))
        .await
        .unwrap();
    let before = (
        north.status().await.unwrap(),
        north.contacts().await.unwrap(),
    );
    north.close().await;
    south.close().await;
    assert_eq!(north.status().await, Err(Error::Stopped));

    let (one, two) = wire();
    let north = Builder::at(Home::open(&north_dir, None).unwrap());
    let south = Builder::at(Home::open(&south_dir, None).unwrap());
    let (north, _) = start(north.transport(one)).await;
    let (south, mut south_events) = start(south.transport(two)).await;
    let after = north.status().await.unwrap();
    assert_eq!((after.name, after.jid), (before.0.name, before.0.jid));
    assert_eq!(after.fingerprint, before.0.fingerprint);
    assert_eq!(north.contacts().await.unwrap(), before.1);
    assert_eq!(north.outbox().await.unwrap()[0].id, id);
    let message = received(&mut south_events).await;
    assert_eq!(message.content, Content::Text("later".into()));
    north.close().await;
    south.close().await;

    let (south, _) = start(Builder::at(Home::open(&south_dir, None).unwrap())).await;
    assert_eq!(south.inbox(None).await.unwrap(), [message]);
    south.close().await;
}

#[tokio::test]
async fn a_home_belongs_to_one_node_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("north");
    let (north, _) = start(Builder::at(home(&dir, "north"))).await;
    assert_eq!(
        Home::open(&dir, None).err(),
        Some(HomeError::InUse(dir.clone()))
    );
    // Dropping the last handle closes the node as well.
    drop(north);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while let Err(error) = Home::open(&dir, None) {
        assert_eq!(error, HomeError::InUse(dir.clone()));
        assert!(std::time::Instant::now() < end, "the node did not close");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_damaged_store_is_refused_and_moved_aside_without_losing_the_person() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("north");
    let (north, _) = start(Builder::at(home(&dir, "north"))).await;
    let before = north.status().await.unwrap();
    north.close().await;
    let store = Home::store_path(&dir);
    let mut bytes = std::fs::read(&store).unwrap();
    bytes.iter_mut().skip(100).for_each(|byte| *byte ^= 0x55);
    std::fs::write(&store, &bytes).unwrap();

    let started = Builder::at(Home::open(&dir, None).unwrap()).start().await;
    assert_eq!(started.err(), Some(StartError::Open(OpenError::Corrupt)));
    assert_eq!(
        std::fs::read(&store).unwrap(),
        bytes,
        "a damaged store is left as it is"
    );

    let opened = Home::open(&dir, None).unwrap();
    let moved = opened.move_store_aside().unwrap();
    assert_eq!(std::fs::read(moved).unwrap(), bytes);
    let (north, _) = start(Builder::at(opened)).await;
    let after = north.status().await.unwrap();
    assert_eq!(
        (after.name, after.fingerprint),
        (before.name, before.fingerprint)
    );
    north.close().await;
}

#[test]
fn a_home_opens_with_its_passphrase_only() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("north");
    let secret = |text: &str| Some(Zeroizing::new(text.as_bytes().to_vec()));
    let profile = Some(Profile::named("north"));
    drop(Home::create(&dir, profile.clone(), secret("right")).unwrap());
    assert_eq!(
        Home::open(&dir, None).err(),
        Some(HomeError::PassphraseNeeded)
    );
    assert_eq!(
        Home::open(&dir, secret("wrong")).err(),
        Some(HomeError::WrongPassphrase)
    );
    drop(Home::open(&dir, secret("right")).unwrap());
    assert_eq!(
        Home::create(&dir, profile, None).err(),
        Some(HomeError::Exists(dir))
    );
}

#[test]
fn a_home_that_others_can_read_or_that_lost_a_file_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("north");
    assert_eq!(
        Home::open(&dir, None).err(),
        Some(HomeError::Missing(dir.clone()))
    );
    drop(home(&dir, "north"));
    let mode =
        |bits| std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(bits)).unwrap();
    mode(0o755);
    assert_eq!(
        Home::open(&dir, None).err(),
        Some(HomeError::Permissions(dir.clone()))
    );
    mode(0o700);

    let identity = dir.join("identity");
    let bytes = std::fs::read(&identity).unwrap();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        std::fs::write(&identity, flipped).unwrap();
        let refused = Home::open(&dir, None).err();
        assert_eq!(
            refused,
            Some(HomeError::Identity(identity.clone())),
            "byte {at}"
        );
        std::fs::write(&identity, &bytes[..at]).unwrap();
        assert!(Home::open(&dir, None).is_err(), "cut at {at}");
    }
    std::fs::write(&identity, bytes).unwrap();
    std::fs::remove_file(dir.join("key")).unwrap();
    assert_eq!(
        Home::open(&dir, None).err(),
        Some(HomeError::KeyMissing(dir.join("key")))
    );
    assert!(
        !dir.join("key").exists(),
        "no new key is made for an old store"
    );
}

#[test]
fn names_and_addresses_have_limits() {
    let folder = tempfile::tempdir().unwrap();
    let profile = Profile::named("n".repeat(65));
    let refused = Home::create(&folder.path().join("a"), Some(profile), None);
    assert_eq!(refused.err(), Some(HomeError::Profile));
    let profile = Profile::named("n".repeat(64));
    assert!(Home::create(&folder.path().join("b"), Some(profile), None).is_ok());
}
