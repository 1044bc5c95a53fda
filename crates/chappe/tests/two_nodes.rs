//! Two nodes in one process exchange texts, files and payloads of their programs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod support;

use chappe::{Builder, CommandError, Content, Delivery, Draft, Error, Event, Profile, Trust};
use support::{befriend, delivered, next, received, start, wire};

fn person(name: &str) -> Builder {
    Builder::in_memory(Profile::named(name))
}

#[tokio::test]
async fn texts_go_both_ways_and_are_delivered_by_receipt() {
    let (one, two) = wire();
    let (north, mut north_events) = start(person("north").transport(one)).await;
    let (south, mut south_events) = start(person("south").transport(two)).await;
    let (to_south, to_north) = befriend(&north, &south).await;
    assert_eq!(to_south.trust, Trust::Verified);

    let there = north
        .send(to_south.id, Draft::Text("there".into()))
        .await
        .unwrap();
    let message = received(&mut south_events).await;
    assert_eq!(message.content, Content::Text("there".into()));
    assert_eq!(message.contact, to_north.id);
    assert_eq!(message.trust, Trust::Verified);
    delivered(&mut north_events, there).await;

    let back = south
        .send(to_north.id, Draft::Text("back".into()))
        .await
        .unwrap();
    let message = received(&mut north_events).await;
    assert_eq!(message.content, Content::Text("back".into()));
    delivered(&mut south_events, back).await;

    let states = [north.outbox().await.unwrap(), south.outbox().await.unwrap()];
    assert!(
        states
            .iter()
            .flatten()
            .all(|sent| sent.state == Delivery::Delivered)
    );
    assert_eq!(south.inbox(None).await.unwrap().len(), 1);
    north.close().await;
    south.close().await;
}

#[tokio::test]
async fn a_file_arrives_whole() {
    let (one, two) = wire();
    let (north, mut north_events) = start(person("north").transport(one)).await;
    let (south, mut south_events) = start(person("south").transport(two)).await;
    let (to_south, _) = befriend(&north, &south).await;

    let data: Vec<u8> = (0..150_000_u32)
        .map(|n| (n.wrapping_mul(n) / 7) as u8)
        .collect();
    let file = Draft::File {
        name: "photo.jpg".into(),
        media_type: "image/jpeg".into(),
        data: data.clone(),
    };
    let id = north.send(to_south.id, file).await.unwrap();
    let complete = next(&mut south_events, |event| match event {
        Event::FileComplete(message) => Some(message),
        _ => None,
    })
    .await;
    let Content::File(info) = &complete.content else {
        panic!("not a file");
    };
    assert_eq!(
        (info.name.as_str(), info.media_type.as_str()),
        ("photo.jpg", "image/jpeg")
    );
    assert_eq!(info.chunks_here, info.chunks);
    assert_eq!(south.file(complete.id).await.unwrap(), data);
    delivered(&mut north_events, id).await;
    north.close().await;
    south.close().await;
}

#[tokio::test]
async fn payloads_of_a_program_with_its_own_omemo_go_both_ways() {
    let (one, two) = wire();
    let (north, mut north_events) = start(person("north").transport(one)).await;
    let (south, mut south_events) = start(person("south").transport(two)).await;
    let secret = [42; 32];
    let to_south = north.add_pair("south's phone", secret, true).await.unwrap();
    let to_north = south
        .add_pair("north's phone", secret, false)
        .await
        .unwrap();

    let payload = b"<encrypted xmlns='urn:xmpp:omemo:2'>1</encrypted>".to_vec();
    let id = north
        .send_opaque(to_south.id, payload.clone())
        .await
        .unwrap();
    let message = received(&mut south_events).await;
    assert_eq!(
        (message.contact, message.content),
        (to_north.id, Content::Opaque(payload))
    );
    delivered(&mut north_events, id).await;

    let answer = vec![0, 255, 7];
    let id = south
        .send_opaque(to_north.id, answer.clone())
        .await
        .unwrap();
    let message = received(&mut north_events).await;
    assert_eq!(
        (message.contact, message.content),
        (to_south.id, Content::Opaque(answer))
    );
    delivered(&mut south_events, id).await;

    let wrong = north
        .send(to_south.id, Draft::Text("no session".into()))
        .await;
    assert_eq!(wrong, Err(Error::Command(CommandError::WrongKind)));
    north.close().await;
    south.close().await;
}

#[tokio::test]
async fn refused_commands_change_nothing() {
    let (north, _events) = start(person("north")).await;
    let mistyped = north.add_contact("chappe:AAAA", None, true).await;
    assert!(
        matches!(mistyped, Err(Error::Command(CommandError::Invite(_)))),
        "{mistyped:?}"
    );
    let own = north.invite().await.unwrap();
    let own = north.add_contact(&own, None, true).await;
    assert_eq!(own, Err(Error::Command(CommandError::OwnInvite)));
    assert_eq!(north.contacts().await.unwrap(), []);
    north.close().await;

    let (relay, _events) = Builder::relay_in_memory().start().await.unwrap();
    assert_eq!(
        relay.invite().await,
        Err(Error::Command(CommandError::Relay))
    );
    relay.close().await;
}
