//! This crate and a foreign implementation (python-twomemo and -oldmemo, see `interop/README.md`) read each other, by
//! bytes alone: all scenarios of the kit with either side starting, one conversation by hand, and the XML by its schemas.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

#[path = "support/foreign.rs"]
mod foreign;
mod support;

use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chappe_omemo::trust::Trust;
use chappe_omemo::{
    DeviceId, DeviceList, Flavour, ListedDevice, Message, Recipient, Sessions, SignedLabel,
};
use foreign::{Foreign, kit, python, write};
use serde_json::{Value, json};
use support::{FLAVOURS, Party, acquainted_in};

#[test]
fn all_scenarios_with_this_side_starting() {
    scenarios(&rust_peer(), &python_peer());
}

#[test]
fn all_scenarios_with_the_foreign_side_starting() {
    scenarios(&python_peer(), &rust_peer());
}

#[test]
fn a_conversation_by_hand() {
    FLAVOURS.into_iter().for_each(converse);
}

/// The schemas of XEP-0384 0.9.1 and 0.3.0, as the foreign implementation has them.
#[test]
fn what_is_written_is_valid_by_the_schemas_of_the_xeps() {
    for flavour in FLAVOURS {
        let (mut alice, bob) = acquainted_in(flavour);
        let phone = alice.device.id();
        let label = SignedLabel::sign(alice.device.identity(), "phone <1> & 'co'").unwrap();
        let labelled = |label| ListedDevice { id: phone, label };
        for devices in [
            vec![],
            vec![labelled(None)],
            vec![labelled(Some(label)), labelled(None)],
        ] {
            let list = DeviceList { devices }.to_xml(flavour).unwrap();
            assert!(is_valid(flavour, "DEVICE_LIST_SCHEMA", &list), "{list}");
        }
        let bundle = bob.device.bundle().to_xml();
        assert!(is_valid(flavour, "BUNDLE_SCHEMA", &bundle), "{bundle}");
        for plaintext in [None, Some(&b"fog"[..])] {
            let mut anew = Sessions::new();
            let bundle = bob.bundle();
            anew.start(&mut alice.rng, &alice.device, &bundle).unwrap();
            let recipients = [
                ("b&b@example.org", 2, &mut alice.sessions),
                ("b&b@example.org", 3, &mut anew),
            ];
            let recipients = recipients.map(|(jid, device, sessions)| Recipient {
                jid,
                device: DeviceId::new(device).unwrap(),
                trust: Trust::FirstUse,
                sessions,
            });
            let sent = Message::encrypt(&mut alice.rng, flavour, phone, plaintext, recipients);
            let message = sent.unwrap().message.to_xml().unwrap();
            assert!(is_valid(flavour, "MESSAGE_SCHEMA", &message), "{message}");
            let bad = message.replace(" sid='1'", " sid='one'");
            assert!(!is_valid(flavour, "MESSAGE_SCHEMA", &bad), "{bad}");
        }
    }
}

fn is_valid(flavour: Flavour, schema: &str, xml: &str) -> bool {
    let module = match flavour {
        Flavour::Legacy => "oldmemo",
        Flavour::Omemo2 => "twomemo",
    };
    let script = format!(
        "import sys, xml.etree.ElementTree as ET; from {module} import etree; \
         sys.exit(0 if etree.{schema}.is_valid(ET.fromstring(sys.argv[1])) else 3)"
    );
    let run = Command::new(python()).args(["-c", &script, xml]).output();
    let run = run.unwrap();
    match run.status.code() {
        Some(0) => true,
        Some(3) => false,
        _ => panic!("{}", String::from_utf8_lossy(&run.stderr)),
    }
}

fn converse(flavour: Flavour) {
    let mut us = Party::of(flavour, 1);
    let mut them = Foreign::start(flavour);

    // We start from their bundle; the key exchange is repeated until they answer.
    let bundle = them.bundle();
    assert_eq!(
        them.call(json!({"cmd": "bundle"}))["fingerprint"],
        bundle
            .verify()
            .unwrap()
            .identity()
            .fingerprint()
            .to_string()
            .replace(' ', "")
    );
    us.sessions
        .start(&mut us.rng, &us.device, &bundle.verify().unwrap())
        .unwrap();
    let first = us.send("fog on the hill");
    let second = us.send("and on the coast");
    assert!(first.key_exchange && second.key_exchange);
    assert_eq!(them.read(&second), Some("and on the coast".into()));
    assert_eq!(them.read(&first), Some("fog on the hill".into()));
    let answer = them.write(json!({"cmd": "encrypt", "plaintext": STANDARD.encode("grüße")}));
    us.expect(&answer, "grüße");
    let third = us.send("clear now");
    assert!(!third.key_exchange);
    assert_eq!(them.read(&third), Some("clear now".into()));
    let empty = them.write(json!({"cmd": "encrypt_empty"}));
    assert_eq!(us.read(&empty).unwrap().plaintext, None);
    assert_eq!(them.read(&us.send_empty()), None);

    // They start anew from our bundle: a second session, in which we answer.
    let theirs = them.write(json!({
        "cmd": "encrypt", "plaintext": STANDARD.encode("anew"), "bundle": write(&us.device.bundle()),
    }));
    assert!(theirs.key_exchange);
    let read = us.expect(&theirs, "anew");
    assert!(read.new_session && read.answer_due);
    assert_eq!(them.read(&us.send("agreed")), Some("agreed".into()));
}

/// Runs the kit with side A starting all sessions; what it prints is shown if it fails.
fn scenarios(a: &str, b: &str) {
    let run = Command::new(python())
        .current_dir(kit())
        .args(["test_peer.py", "--a", a, "--b", b])
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    assert!(run.status.success(), "{out}\n{err}");
    for scenario in [
        "random_walk",
        "tamper",
        "simultaneous",
        "restart",
        "prekey_rules",
        "xml",
    ] {
        for flavour in ["twomemo", "oldmemo"] {
            assert!(
                out.contains(&format!("ok   {flavour} {scenario}")),
                "{flavour} {scenario} did not run:\n{out}"
            );
        }
    }
}

fn python_peer() -> String {
    format!(
        "'{}' peer.py",
        std::path::absolute(python()).unwrap().display()
    )
}

/// The example `interop-peer`, which is built here so that it is never an old one.
fn rust_peer() -> String {
    let build = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "build",
            "--quiet",
            "--example",
            "interop-peer",
            "--message-format=json",
        ])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(build.status.success());
    String::from_utf8(build.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|message| message["target"]["name"] == "interop-peer")
        .find_map(|message| {
            message["executable"]
                .as_str()
                .map(|path| format!("'{path}'"))
        })
        .unwrap()
}
