//! Content from a hostile sender: it is refused with a reason, or what is not understood is left out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

use chappe_omemo::sce::{Content, ElementName, MAX_UNKNOWN, MAX_XML_LEN, SceError};
use proptest::prelude::*;

const GOOD: &str = "<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>hi</body>\
                    </content><rpad>xyz</rpad><from jid='n@x'/></envelope>";

fn read(xml: &str) -> Result<Content, SceError> {
    Content::from_xml(xml.as_bytes()).map(|read| read.content)
}

/// The good envelope with one part replaced.
fn changed(part: &str, by: &str) -> Result<Content, SceError> {
    assert!(GOOD.contains(part), "{part}");
    read(&GOOD.replace(part, by))
}

#[test]
fn the_good_one_is_good() {
    assert_eq!(read(GOOD), Ok(Content::text("n@x", "hi")));
    let spaced = GOOD
        .replace("><", ">\n  <")
        .replace("</body>\n  ", "</body>");
    assert_eq!(read(&spaced), Ok(Content::text("n@x", "hi")));
    assert_eq!(
        changed("hi", "<![CDATA[a<b>]]>"),
        Ok(Content::text("n@x", "a<b>"))
    );
}

#[test]
fn parts_that_must_be_there() {
    assert_eq!(
        changed("<rpad>xyz</rpad>", ""),
        Err(SceError::Missing("rpad"))
    );
    assert_eq!(
        changed("<from jid='n@x'/>", ""),
        Err(SceError::Missing("from"))
    );
    let empty = "<envelope xmlns='urn:xmpp:sce:1'><rpad/><from jid='n@x'/></envelope>";
    assert_eq!(read(empty), Err(SceError::Missing("content")));
    assert_eq!(
        changed("urn:xmpp:sce:1", "urn:xmpp:sce:0"),
        Err(SceError::NotAnEnvelope)
    );
    assert_eq!(changed("jid='n@x'", ""), Err(SceError::Invalid("from")));
    assert_eq!(
        changed("jid='n@x'", "jid=''"),
        Err(SceError::Invalid("from"))
    );
}

#[test]
fn parts_that_may_be_there_once() {
    let twice = "<from jid='n@x'/><from jid='m@x'/>";
    assert_eq!(
        changed("<from jid='n@x'/>", twice),
        Err(SceError::Repeated("from"))
    );
    assert_eq!(
        changed("<rpad>xyz</rpad>", "<rpad/><rpad/>"),
        Err(SceError::Repeated("rpad"))
    );
    let bodies = "</body><body xmlns='jabber:client'>ho</body></content>";
    assert_eq!(
        changed("</body></content>", bodies),
        Err(SceError::Repeated("body"))
    );
    assert_eq!(
        changed("</content>", "</content><content/>"),
        Err(SceError::Repeated("content"))
    );
}

#[test]
fn what_is_not_understood_is_left_out_and_named() {
    let xml = GOOD
        .replace("</body>", "</body><body>no namespace of its own</body>")
        .replace(
            "<rpad>",
            "<x xmlns='urn:new'><from jid='evil@x'/></x><rpad>",
        );
    let received = Content::from_xml(xml.as_bytes()).unwrap();
    assert_eq!(received.content, Content::text("n@x", "hi"));
    let name = |namespace: &str, name: &str| ElementName {
        namespace: namespace.into(),
        name: name.into(),
    };
    assert_eq!(
        received.unknown,
        [name("urn:new", "x"), name("urn:xmpp:sce:1", "body")]
    );

    let many = GOOD.replace("<rpad>", &format!("{}<rpad>", "<x/>".repeat(100)));
    assert_eq!(
        Content::from_xml(many.as_bytes()).unwrap().unknown.len(),
        MAX_UNKNOWN
    );
}

#[test]
fn text_and_elements_where_they_do_not_belong() {
    assert_eq!(
        changed("<content>", "stray<content>"),
        Err(SceError::Invalid("envelope"))
    );
    assert_eq!(
        changed("</content>", "stray</content>"),
        Err(SceError::Invalid("content"))
    );
    assert_eq!(changed("hi", "h<b/>i"), Err(SceError::Invalid("body")));
}

#[test]
fn xml_that_xmpp_forbids() {
    for forbidden in [
        "<!DOCTYPE envelope>",
        "<!DOCTYPE e [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]>",
        "<!-- hidden -->",
        "<?xml version='1.0'?>",
        "<?target data?>",
    ] {
        assert_eq!(
            read(&format!("{forbidden}{GOOD}")),
            Err(SceError::Forbidden),
            "{forbidden}"
        );
        assert_eq!(
            changed("hi", forbidden),
            Err(SceError::Forbidden),
            "{forbidden}"
        );
    }
    assert_eq!(changed("hi", "&undefined;"), Err(SceError::NotXml));
    assert_eq!(changed("hi", "&#0;"), Err(SceError::NotXml));
    assert_eq!(changed("hi", "\u{1}"), Err(SceError::NotXml));
}

#[test]
fn bombs() {
    for depth in [16, 5_000] {
        let deep = format!("{}{}", "<x>".repeat(depth), "</x>".repeat(depth));
        assert_eq!(
            changed("<rpad>", &format!("{deep}<rpad>")),
            Err(SceError::TooComplex)
        );
    }
    let attributes: String = (0..5_000).map(|number| format!(" a{number}=''")).collect();
    assert_eq!(
        changed("<rpad>", &format!("<x{attributes}/><rpad>")),
        Err(SceError::TooComplex)
    );
    let wide = "<x/>".repeat(5_000);
    assert_eq!(
        changed("<rpad>", &format!("{wide}<rpad>")),
        Err(SceError::TooComplex)
    );
    assert_eq!(
        changed("xyz", &"x".repeat(MAX_XML_LEN)),
        Err(SceError::TooLong)
    );
    let long = "x".repeat(MAX_XML_LEN - GOOD.len());
    assert!(
        changed("xyz", &long).is_ok(),
        "padding may be as long as it likes"
    );
}

#[test]
fn file_references_with_wrong_fields() {
    let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let good = format!(
        "<file-sharing xmlns='urn:xmpp:sfs:0' disposition='attachment'>\
         <file xmlns='urn:xmpp:file:metadata:0'><media-type>text/plain</media-type><name>a.txt</name>\
         <size>7</size><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>{hash}</hash></file>\
         <sources><encrypted xmlns='urn:xmpp:esfs:0' cipher='urn:chappe:blob:1'><key>{hash}</key>\
         <sources xmlns='urn:xmpp:sfs:0'><blob xmlns='urn:chappe:blob:1' root='{hash}'/></sources>\
         </encrypted></sources></file-sharing></content>"
    );
    let with = |file: &str| changed("</content>", file);
    assert!(with(&good).unwrap().file.is_some());
    for (part, by) in [
        ("<name>a.txt</name>", ""),
        ("<name>a.txt</name>", "<name>a.txt</name><name>b.txt</name>"),
        ("a.txt", "../a.txt"),
        ("a.txt", "a&#10;b"),
        ("a.txt", "a<b/>"),
        ("text/plain", "text/pl\u{e4}in"),
        (">7<", ">-7<"),
        (">7<", ">+7<"),
        (">7<", "><"),
        (">7<", ">18446744073709551616<"),
        ("root='AAAA", "root='AAA"),
        ("root='AAAA", "root='AAAAAAAA"),
        ("sha-256'>AAAA", "sha-256'>AA*A"),
        ("sha-256", "md5"),
        ("<key>", "<key/><key>"),
    ] {
        assert!(good.contains(part));
        assert_eq!(
            with(&good.replace(part, by)),
            Err(SceError::Invalid("file")),
            "{part} -> {by}"
        );
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Content::from_xml(&bytes);
    }

    #[test]
    fn changed_bytes_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut: prop::sample::Index,
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        for (index, value) in changes {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        let _ = Content::from_xml(&bytes);
        bytes.truncate(cut.index(bytes.len() + 1));
        let _ = Content::from_xml(&bytes);
    }

    #[test]
    fn bits_of_markup_never_panic(parts in prop::collection::vec(
        prop::sample::select(&["<", ">", "/", "'", "\"", "=", "![CDATA[", "]]>", "&", ";", "a", " ", "é"][..]), 0..40,
    )) {
        let _ = read(&parts.concat());
        let _ = read(&GOOD.replace("hi", &parts.concat()));
    }
}

#[test]
fn an_envelope_cut_anywhere_is_refused() {
    for length in 0..GOOD.len() {
        assert!(
            Content::from_xml(&GOOD.as_bytes()[..length]).is_err(),
            "{length}"
        );
    }
}
