//! A contact URI survives copying, and a wrong character in it is found before anyone is added.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

use chappe_envelope::{
    BareJid, DisplayName, InboxSecret, Invite, InviteError, InvitePreKey, InviteSignedPreKey,
    MAX_URI_LEN, TextError,
};
use proptest::prelude::*;

fn invite(jid: &str, name: &str) -> Invite {
    Invite {
        jid: BareJid::new(jid).unwrap(),
        name: DisplayName::new(name).unwrap(),
        device: 1_234_567,
        identity: core::array::from_fn(|at| at as u8),
        signed_prekey: InviteSignedPreKey {
            id: 1,
            key: [0xa5; 32],
            signature: core::array::from_fn(|at| (at * 7) as u8),
        },
        prekey: InvitePreKey {
            id: 99,
            key: [0x3c; 32],
        },
        inbox: InboxSecret::new([0xee; 16]),
    }
}

fn example() -> Invite {
    invite("north@example.org", "North")
}

/// Builds a URI around any bytes, with a checksum that is right.
fn uri_of(body: &[u8]) -> String {
    use sha2::Digest;
    let checksum = sha2::Sha256::digest(body);
    let bytes = [body, &checksum[..4]].concat();
    format!("chappe:{}", data_encoding::BASE32_NOPAD.encode(&bytes))
}

fn body_of(uri: &str) -> Vec<u8> {
    let bytes = data_encoding::BASE32_NOPAD
        .decode(&uri.as_bytes()[7..])
        .unwrap();
    bytes[..bytes.len() - 4].to_vec()
}

#[test]
fn it_comes_back_however_it_was_copied() {
    let uri = example().to_uri();
    let lines: Vec<_> = uri
        .as_bytes()
        .chunks(60)
        .map(|l| core::str::from_utf8(l).unwrap())
        .collect();
    let copies = [
        uri.clone(),
        uri.to_uppercase(),
        uri.to_lowercase(),
        format!("  {uri}\r\n"),
        lines.join("\n"),
        lines.join("\r\n   "),
    ];
    for copy in copies {
        assert_eq!(Invite::from_uri(&copy).unwrap(), example());
    }
}

#[test]
fn its_length_is_what_the_documentation_says() {
    assert_eq!(example().to_uri().len(), 355);
    let jid = format!("{}@{}", "n".repeat(63), "d".repeat(64));
    let longest = invite(&jid, &"é".repeat(32));
    assert_eq!(longest.to_uri().len(), 627);
    assert_eq!(Invite::from_uri(&longest.to_uri()).unwrap(), longest);
}

#[test]
fn every_single_wrong_character_is_found() {
    let uri = example().to_uri();
    let typed: Vec<char> = (' '..='~').collect();
    for (at, right) in uri.char_indices() {
        for wrong in typed
            .iter()
            .filter(|wrong| !wrong.eq_ignore_ascii_case(&right))
        {
            let mut text = uri.clone();
            text.replace_range(at..=at, &wrong.to_string());
            let expected = if at < 7 {
                InviteError::NotAnInvite
            } else {
                InviteError::Mistyped
            };
            // A blank is a missing character; in the scheme it shifts what follows.
            assert_eq!(Invite::from_uri(&text), Err(expected), "{wrong:?} at {at}");
        }
    }
}

#[test]
fn every_missing_doubled_or_swapped_character_is_found() {
    let uri = example().to_uri();
    for at in 0..uri.len() {
        let missing = format!("{}{}", &uri[..at], &uri[at + 1..]);
        let doubled = format!("{}{}", &uri[..=at], &uri[at..]);
        let mut swapped = uri.clone().into_bytes();
        if at > 0 {
            swapped.swap(at - 1, at);
        }
        for text in [missing, doubled, String::from_utf8(swapped).unwrap()] {
            let read = Invite::from_uri(&text);
            assert!(text == uri || read.is_err(), "at {at}");
            assert!(!matches!(
                read,
                Err(InviteError::Malformed | InviteError::NewerVersion(_))
            ));
        }
    }
    for at in 0..uri.len() {
        assert!(Invite::from_uri(&uri[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn the_errors_tell_what_to_do() {
    let uri = example().to_uri();
    let text = |read: Result<Invite, InviteError>| read.unwrap_err().to_string();
    assert!(text(Invite::from_uri("xmpp:north@example.org")).contains("not a contact URI"));
    assert!(text(Invite::from_uri("")).contains("not a contact URI"));
    assert!(text(Invite::from_uri("chappe:")).contains("typing error"));
    assert!(text(Invite::from_uri(&uri[..200])).contains("typing error"));

    let mut later = body_of(&uri);
    later[0] = 2;
    assert_eq!(
        Invite::from_uri(&uri_of(&later)),
        Err(InviteError::NewerVersion(2))
    );
    later[0] = 0;
    assert_eq!(
        Invite::from_uri(&uri_of(&later)),
        Err(InviteError::Malformed)
    );
    let long = " ".repeat(MAX_URI_LEN) + &uri;
    assert_eq!(Invite::from_uri(&long), Err(InviteError::TooLong));
}

#[test]
fn a_checksum_does_not_make_fields_good() {
    let body = body_of(&example().to_uri());
    assert!(Invite::from_uri(&uri_of(&body)).is_ok());
    let malformed = |body: &[u8]| {
        assert_eq!(Invite::from_uri(&uri_of(body)), Err(InviteError::Malformed));
    };
    for length in 1..body.len() {
        malformed(&body[..length]);
    }
    malformed(&[&body[..], &[0]].concat());
    let with = |at: usize, byte: u8| {
        let mut changed = body.clone();
        changed[at] = byte;
        changed
    };
    malformed(&with(1, 255)); // a length beyond the end
    malformed(&with(2, 0x1b)); // an escape in the address
    malformed(&with(2, 0xff)); // no UTF-8
    malformed(&with(7, b'n')); // no @ in the address
}

#[test]
fn texts_cannot_deceive_a_terminal() {
    for name in [
        "a\nb",
        "\u{1b}[2J",
        "a\u{202e}b",
        "\u{2067}",
        "\u{7f}",
        "\u{2028}",
    ] {
        assert_eq!(
            DisplayName::new(name),
            Err(TextError::Unprintable),
            "{name:?}"
        );
        assert!(BareJid::new(&format!("{name}@b")).is_err());
    }
    assert!(DisplayName::new("").is_ok());
    assert!(DisplayName::new("Zoë 北 🛰").is_ok());
    assert_eq!(
        DisplayName::new(&"a".repeat(65)),
        Err(TextError::TooLong(64))
    );
    assert_eq!(
        BareJid::new(&format!("a@{}", "b".repeat(127))),
        Err(TextError::TooLong(128))
    );
    for jid in ["", "a", "@b", "a@", "a@b/c", "a@b@c", "a b@c", "a@b "] {
        assert_eq!(BareJid::new(jid), Err(TextError::NotAJid), "{jid:?}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", example());
    assert!(shown.contains("north@example.org"));
    assert!(!shown.contains("238") && !shown.to_lowercase().contains("ee, "));
    assert!(!shown.contains("inbox"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_text_is_refused(text in "(chappe:)?[ -~\\n]{0,400}") {
        prop_assert!(Invite::from_uri(&text).is_err());
    }

    #[test]
    fn any_text_is_refused(text in any::<String>()) {
        prop_assert!(Invite::from_uri(&text).is_err());
    }

    #[test]
    fn what_is_read_is_written_again(
        rest in prop::collection::vec(any::<u8>(), 188..=188),
        name in "[a-zé北 ]{0,12}",
        jid in "[a-z.]{1,20}@[a-z.]{1,40}",
    ) {
        let texts = [&[jid.len() as u8], jid.as_bytes(), &[name.len() as u8], name.as_bytes()];
        let body = [&[1][..], &texts.concat(), &rest].concat();
        let uri = uri_of(&body);
        prop_assert_eq!(Invite::from_uri(&uri).unwrap().to_uri(), uri);
    }
}
