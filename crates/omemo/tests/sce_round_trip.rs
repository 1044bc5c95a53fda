//! What is written is read again, and looks as XEP-0420 says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

use chappe_omemo::sce::{Content, FileReference, MAX_XML_LEN, Padding, SceError, Timestamp};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1; 32])
}

fn file() -> FileReference {
    FileReference {
        name: "télégraphe & co.jpg".into(),
        media_type: "image/jpeg".into(),
        size: u64::MAX,
        key: [1; 32],
        root: [2; 32],
        sha256: [0xff; 32],
    }
}

#[test]
fn the_whole_envelope() {
    let content = Content {
        from: "north@example.org".into(),
        to: Some("room@example.org".into()),
        time: Timestamp::from_unix(1_795_464_300),
        body: Some("a < b && c\r\n\t'ö'".into()),
        file: None,
        trust: None,
    };
    let xml = content.to_xml(&mut rng(), Padding::Exactly(0)).unwrap();
    assert_eq!(
        xml,
        "<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>a &lt; b &amp;&amp; c\
         &#13;&#10;&#9;&apos;ö&apos;</body></content><rpad></rpad><from jid='north@example.org'/>\
         <to jid='room@example.org'/><time stamp='2026-11-23T20:05:00Z'/></envelope>"
    );
    assert_eq!(Content::from_xml(xml.as_bytes()).unwrap().content, content);
}

#[test]
fn a_file_reference() {
    let content = Content {
        body: None,
        file: Some(file()),
        ..Content::text("north@example.org", "")
    };
    let xml = content.to_xml(&mut rng(), Padding::Exactly(0)).unwrap();
    assert!(xml.contains("<name>télégraphe &amp; co.jpg</name>"));
    assert_eq!(Content::from_xml(xml.as_bytes()).unwrap().content, content);
    assert!(!format!("{content:?}").contains("key"));

    // A file of another client, with sources that are not Chappe's, is named but not understood.
    let other = xml.replace(
        "cipher='urn:chappe:blob:1'",
        "cipher='urn:xmpp:ciphers:x:0'",
    );
    let read = Content::from_xml(other.as_bytes()).unwrap();
    assert_eq!(read.content.file, None);
    assert_eq!(read.unknown[0].name, "file-sharing");
}

#[test]
fn padding_is_as_long_as_asked_for() {
    let content = Content::text("n@x", "hi");
    let length = |padding| content.to_xml(&mut rng(), padding).map(|xml| xml.len());
    let bare = length(Padding::Exactly(0)).unwrap();
    assert_eq!(length(Padding::Exactly(100)), Ok(bare + 100));
    assert_eq!(
        length(Padding::Exactly(4_097)),
        Err(SceError::Invalid("rpad"))
    );
    let mut rng = rng();
    let lengths: std::collections::BTreeSet<_> = (0..400)
        .map(|_| content.to_xml(&mut rng, Padding::Random).unwrap().len() - bare)
        .collect();
    assert!(lengths.len() > 100 && lengths.iter().all(|length| *length <= 200));
}

#[test]
fn what_xml_cannot_carry_is_not_written() {
    for text in ["\0", "\u{8}", "\u{b}", "\u{1f}", "\u{ffff}", "\u{fffe}"] {
        let content = Content::text("n@x", text);
        assert_eq!(
            content.to_xml(&mut rng(), Padding::Random),
            Err(SceError::NotXml)
        );
    }
    let long = Content::text("n@x", "x".repeat(MAX_XML_LEN));
    assert_eq!(
        long.to_xml(&mut rng(), Padding::Random),
        Err(SceError::TooLong)
    );
    let nobody = Content::text("", "x");
    assert_eq!(
        nobody.to_xml(&mut rng(), Padding::Random),
        Err(SceError::Invalid("from"))
    );
}

#[test]
fn file_names_are_no_paths() {
    for name in [
        "../passwd",
        "a/b",
        "a\\b",
        "..",
        ".",
        "",
        "a\nb",
        &"x".repeat(256),
    ] {
        let file = FileReference {
            name: name.into(),
            ..file()
        };
        let content = Content {
            file: Some(file),
            ..Content::text("n@x", "")
        };
        let written = content.to_xml(&mut rng(), Padding::Random);
        assert_eq!(written, Err(SceError::Invalid("file")), "{name:?}");
    }
}

#[test]
fn times_are_read_in_all_forms_of_xep_0082() {
    let read = |stamp: &str| {
        let xml = format!(
            "<envelope xmlns='urn:xmpp:sce:1'><content/><rpad/><from jid='n@x'/><time stamp='{stamp}'/></envelope>"
        );
        Content::from_xml(xml.as_bytes()).map(|read| read.content.time.unwrap().as_unix())
    };
    assert_eq!(read("1970-01-01T00:00:00Z"), Ok(0));
    assert_eq!(read("1969-07-21T02:56:15Z"), Ok(-14_159_025));
    assert_eq!(read("1969-07-20T21:56:15-05:00"), Ok(-14_159_025));
    assert_eq!(read("2026-11-23T21:05:00.250+01:00"), Ok(1_795_464_300));
    assert_eq!(read("2024-02-29T00:00:00Z"), Ok(1_709_164_800));
    for wrong in [
        "2023-02-29T00:00:00Z",
        "2023-13-01T00:00:00Z",
        "2023-00-01T00:00:00Z",
        "2023-01-01T24:00:00Z",
        "2023-01-01T00:00:60Z",
        "2023-01-01T00:00:00",
        "2023-01-01T00:00:00.Z",
        "2023-01-01 00:00:00Z",
        "20230101T00:00:00",
        "0001-01-01T00:00:00+00:01",
        "0000-01-01T00:00:00Z",
        "\u{fc}023-01-01T00:00:00Z",
        "",
    ] {
        assert_eq!(read(wrong), Err(SceError::Invalid("time")), "{wrong:?}");
    }
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..80).prop_map(|chars| {
        let fit = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
        chars.into_iter().filter(fit).collect()
    })
}

proptest! {
    #[test]
    fn any_content_comes_back(
        from in "[a-z]{1,10}@[a-z.]{1,10}", to in prop::option::of("[^\\p{C}\u{fffe}\u{ffff}]{1,20}"),
        seconds in prop::option::of(-62_135_596_800_i64..=253_402_300_799),
        body in prop::option::of(text()), size: u64, hashes: [[u8; 32]; 3], with_file: bool,
        padding in 0_usize..300,
    ) {
        let [key, root, sha256] = hashes;
        let file = FileReference { size, key, root, sha256, ..file() };
        let content = Content {
            from, to, time: seconds.and_then(Timestamp::from_unix), body,
            file: with_file.then_some(file),
            trust: None,
        };
        let xml = content.to_xml(&mut rng(), Padding::Exactly(padding)).unwrap();
        let read = Content::from_xml(xml.as_bytes()).unwrap();
        prop_assert_eq!(read.content, content);
        prop_assert!(read.unknown.is_empty());
    }
}
