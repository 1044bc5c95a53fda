//! The XML forms of messages, bundles and device lists. Whether foreign implementations and the XEP's
//! schemas agree is shown by the scenarios of `foreign_peer.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_omemo::xml::{MAX_XML_LEN, XmlError};
use chappe_omemo::{
    Bundle, DeviceId, DeviceKey, DeviceList, EncryptedKey, Flavour, ListedDevice, MAX_DEVICES,
    Message, SignedLabel,
};
use proptest::prelude::*;
use support::{FLAVOURS, Party, acquainted_in};

fn message(flavour: Flavour) -> Message {
    let jid = |name: &str| (flavour == Flavour::Omemo2).then(|| name.to_owned());
    let key = |jid, device, key_exchange| DeviceKey {
        jid,
        device: DeviceId::new(device).unwrap(),
        key: EncryptedKey {
            key_exchange,
            key: vec![device as u8; 5],
        },
    };
    Message {
        flavour,
        sender: DeviceId::new(7).unwrap(),
        keys: vec![
            key(jid("a&b@example.org"), 1, true),
            key(jid("a&b@example.org"), 2, false),
            key(jid("c@example.org"), 3, false),
        ],
        payload: Some(vec![1, 2, 3, 4]),
        iv: (flavour == Flavour::Legacy).then_some([9; 12]),
    }
}

#[test]
fn messages_are_written_as_the_xeps_say() {
    assert_eq!(
        message(Flavour::Omemo2).to_xml().unwrap(),
        "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='7'><keys jid='a&amp;b@example.org'>\
         <key rid='1' kex='true'>AQEBAQE=</key><key rid='2'>AgICAgI=</key></keys>\
         <keys jid='c@example.org'><key rid='3'>AwMDAwM=</key></keys></header>\
         <payload>AQIDBA==</payload></encrypted>"
    );
    assert_eq!(
        message(Flavour::Legacy).to_xml().unwrap(),
        "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='7'>\
         <key rid='1' prekey='true'>AQEBAQE=</key><key rid='2' prekey='false'>AgICAgI=</key>\
         <key rid='3' prekey='false'>AwMDAwM=</key><iv>CQkJCQkJCQkJCQkJ</iv></header>\
         <payload>AQIDBA==</payload></encrypted>"
    );
}

#[test]
fn what_is_written_is_read_again() {
    for flavour in FLAVOURS {
        let message = message(flavour);
        assert_eq!(
            Message::from_xml(&message.to_xml().unwrap()),
            Ok(message.clone())
        );
        let empty = Message {
            payload: None,
            ..message
        };
        assert_eq!(Message::from_xml(&empty.to_xml().unwrap()), Ok(empty));
        let bundle = Party::of(flavour, 1).device.bundle();
        let read = Bundle::from_xml(&bundle.to_xml()).unwrap();
        assert_eq!(read, bundle);
        assert!(read.verify().is_ok());
    }
}

/// A gateway moves a message from the mesh to XMPP and back; only the two ends can read it.
#[test]
fn a_message_crosses_a_gateway_unchanged() {
    for flavour in FLAVOURS {
        let (mut alice, mut bob) = acquainted_in(flavour);
        let sent = alice.send("over the bridge");
        let message = Message {
            flavour,
            sender: alice.device.id(),
            keys: vec![DeviceKey {
                jid: (flavour == Flavour::Omemo2).then(|| "bob@example.org".to_owned()),
                device: bob.device.id(),
                key: EncryptedKey {
                    key_exchange: sent.key_exchange,
                    key: sent.key.clone(),
                },
            }],
            payload: sent.payload.clone(),
            iv: sent.iv,
        };
        let crossed = Message::from_xml(&message.to_xml().unwrap()).unwrap();
        let nobody = DeviceId::new(99).unwrap();
        assert!(crossed.incoming("bob@example.org", nobody).is_none());
        let incoming = crossed
            .incoming("bob@example.org", bob.device.id())
            .unwrap();
        let read = bob
            .sessions
            .decrypt(&mut bob.device, &incoming)
            .ok()
            .unwrap();
        assert_eq!(read.plaintext.as_deref(), Some(&b"over the bridge"[..]));
    }
}

#[test]
fn device_lists_carry_labels_that_can_be_checked() {
    let phone = Party::new(1);
    let label = SignedLabel::sign(phone.device.identity(), "phone <1> & 'co'").unwrap();
    let list = DeviceList {
        devices: vec![
            ListedDevice {
                id: phone.device.id(),
                label: Some(label),
            },
            ListedDevice {
                id: DeviceId::new(5).unwrap(),
                label: None,
            },
        ],
    };
    let xml = list.to_xml(Flavour::Omemo2).unwrap();
    let (flavour, read) = DeviceList::from_xml(&xml).unwrap();
    assert_eq!((flavour, &read), (Flavour::Omemo2, &list));
    let label = read.devices[0].label.as_ref().unwrap();
    let identity = phone.device.identity().public();
    assert_eq!(label.verify(&identity), Some("phone <1> & 'co'"));
    assert_eq!(
        label.verify(&Party::new(2).device.identity().public()),
        None
    );
    let renamed = SignedLabel::unverified("other".into(), *label.signature());
    assert_eq!(renamed.verify(&identity), None);

    assert_eq!(
        list.to_xml(Flavour::Legacy).unwrap(),
        "<list xmlns='eu.siacs.conversations.axolotl'><device id='1'/><device id='5'/></list>"
    );
    let empty = DeviceList::default();
    let xml = empty.to_xml(Flavour::Omemo2).unwrap();
    assert_eq!(DeviceList::from_xml(&xml), Ok((Flavour::Omemo2, empty)));
}

#[test]
fn a_label_cannot_be_mistaken_for_a_prekey() {
    let identity = Party::new(1).device.identity().clone();
    for length in [32, 33] {
        assert!(SignedLabel::sign(&identity, &"x".repeat(length)).is_err());
    }
    assert!(SignedLabel::sign(&identity, "two\nlines").is_err());
    assert!(SignedLabel::sign(&identity, &"x".repeat(257)).is_err());
    assert!(SignedLabel::sign(&identity, &"x".repeat(34)).is_ok());
}

#[test]
fn what_xmpp_forbids_is_refused() {
    let good = message(Flavour::Omemo2).to_xml().unwrap();
    for (bad, error) in [
        (
            format!("<!DOCTYPE x [<!ENTITY a 'b'>]>{good}"),
            XmlError::NotXml,
        ),
        (format!("<?xml version='1.0'?>{good}"), XmlError::NotXml),
        (
            good.replace("<payload>", "<!-- x --><payload>"),
            XmlError::NotXml,
        ),
        (
            good.replace("urn:xmpp:omemo:2", "urn:xmpp:omemo:1"),
            XmlError::Kind,
        ),
        (
            good.replace("sid='7'", "sid='0'"),
            XmlError::Invalid("header"),
        ),
        (
            good.replace("sid='7'", "sid='+7'"),
            XmlError::Invalid("header"),
        ),
        (
            good.replace("kex='true'", "kex='yes'"),
            XmlError::Invalid("kex"),
        ),
        (
            good.replace("AQIDBA==", "AQIDBA"),
            XmlError::Invalid("payload"),
        ),
        (
            good.replace("</payload>", "</payload><payload/>"),
            XmlError::Invalid("payload"),
        ),
        (
            good.replace("jid='c@example.org'", ""),
            XmlError::Invalid("keys"),
        ),
        (" ".repeat(MAX_XML_LEN) + &good, XmlError::TooLong),
    ] {
        assert_eq!(
            Message::from_xml(&bad),
            Err(error),
            "{}",
            &bad[..bad.len().min(200)]
        );
    }
    let for_nobody = Message {
        keys: vec![],
        ..message(Flavour::Omemo2)
    };
    assert_eq!(for_nobody.to_xml(), Err(XmlError::Invalid("keys")));
    let legacy = message(Flavour::Legacy).to_xml().unwrap();
    let without_iv = legacy.replace("<iv>CQkJCQkJCQkJCQkJ</iv>", "");
    assert_eq!(Message::from_xml(&without_iv), Err(XmlError::Invalid("iv")));
    let many = "<device id='1'/>".repeat(MAX_DEVICES + 1);
    let many = format!("<devices xmlns='urn:xmpp:omemo:2'>{many}</devices>");
    assert_eq!(DeviceList::from_xml(&many), Err(XmlError::TooLong));
}

/// Clients differ: white space in base64, device ids that are negative, elements of tomorrow.
#[test]
fn what_harmless_clients_write_is_read() {
    let xml = message(Flavour::Legacy).to_xml().unwrap();
    let odd = xml
        .replace("AQIDBA==", "\n AQID\n BA==\n")
        .replace("<iv>", "<key rid='-5'>AA==</key><new xmlns='urn:x'/><iv>");
    assert_eq!(Message::from_xml(&odd), Ok(message(Flavour::Legacy)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_text_never_panics(text in ".{0,200}") {
        let _ = (Message::from_xml(&text), Bundle::from_xml(&text), DeviceList::from_xml(&text));
    }

    #[test]
    fn changed_characters_never_panic(
        legacy: bool, index: prop::sample::Index, by in any::<char>(), cut: prop::sample::Index,
    ) {
        let flavour = FLAVOURS[usize::from(!legacy)];
        let documents = [message(flavour).to_xml().unwrap(), Party::of(flavour, 1).device.bundle().to_xml()];
        for document in documents {
            let mut characters: Vec<char> = document.chars().collect();
            let index = index.index(characters.len());
            characters[index] = by;
            characters.truncate(cut.index(characters.len()) + 1);
            let text: String = characters.into_iter().collect();
            let _ = (Message::from_xml(&text), Bundle::from_xml(&text));
        }
    }
}
