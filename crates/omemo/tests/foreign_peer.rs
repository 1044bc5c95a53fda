//! This crate and a foreign implementation (python-twomemo and -oldmemo, see `interop/README.md`) read each other, by
//! bytes alone: all scenarios of the kit with either side starting, and one conversation by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chappe_omemo::{Bundle, Encrypted, Flavour, PreKey, PreKeyId, SignedPreKeyId};
use serde_json::{Value, json};
use support::Party;

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
    let mut us = Party::new(1);
    let mut them = Foreign::start();

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

/// The foreign peer as a process, with one device that talks to ours.
struct Foreign {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Foreign {
    fn start() -> Self {
        let mut child = Command::new(python())
            .arg("peer.py")
            .current_dir(kit())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let from = BufReader::new(child.stdout.take().unwrap());
        let mut this = Self { child, to, from };
        this.call(json!({"cmd": "init", "jid": "bob@mesh", "device_id": 2222, "prekeys": 5}));
        this
    }

    fn call(&mut self, request: Value) -> Value {
        writeln!(self.to, "{request}").unwrap();
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["ok"], true, "{request} -> {answer}");
        answer
    }

    fn bundle(&mut self) -> Bundle {
        let answer = self.call(json!({"cmd": "bundle"}));
        let bundle = &answer["bundle"];
        let prekeys = bundle["pks"].as_array().unwrap().iter();
        Bundle {
            flavour: Flavour::Omemo2,
            identity: bytes(&bundle["ik"]).try_into().unwrap(),
            signed_prekey_id: SignedPreKeyId::new(number(&bundle["spk_id"])).unwrap(),
            signed_prekey: bytes(&bundle["spk"]).try_into().unwrap(),
            signature: bytes(&bundle["spks"]).try_into().unwrap(),
            prekeys: prekeys
                .map(|prekey| PreKey {
                    id: PreKeyId::new(number(&prekey["id"])).unwrap(),
                    key: bytes(&prekey["pk"]).try_into().unwrap(),
                })
                .collect(),
        }
    }

    fn write(&mut self, mut request: Value) -> Encrypted {
        let mut to = json!({"jid": "alice@mesh", "device_id": 1});
        if let Some(bundle) = request.get_mut("bundle").map(Value::take) {
            to["bundle"] = bundle;
            to["force_new"] = true.into();
        }
        request["to"] = json!([to]);
        let answer = self.call(request);
        Encrypted {
            key_exchange: answer["keys"][0]["kex"].as_bool().unwrap(),
            key: bytes(&answer["keys"][0]["data"]),
            iv: None,
            payload: answer["payload"]
                .is_string()
                .then(|| bytes(&answer["payload"])),
        }
    }

    fn read(&mut self, sent: &Encrypted) -> Option<String> {
        let answer = self.call(json!({
            "cmd": "decrypt", "from": {"jid": "alice@mesh", "device_id": 1}, "iv": null,
            "key": {"kex": sent.key_exchange, "data": STANDARD.encode(&sent.key)},
            "payload": sent.payload.as_ref().map(|payload| STANDARD.encode(payload)),
        }));
        let plaintext = &answer["plaintext"];
        plaintext
            .is_string()
            .then(|| String::from_utf8(bytes(plaintext)).unwrap())
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write(bundle: &Bundle) -> Value {
    let prekeys = bundle
        .prekeys
        .iter()
        .map(|prekey| json!({"id": prekey.id.number(), "pk": STANDARD.encode(prekey.key)}));
    json!({
        "ik": STANDARD.encode(bundle.identity), "spk": STANDARD.encode(bundle.signed_prekey),
        "spk_id": bundle.signed_prekey_id.number(), "spks": STANDARD.encode(bundle.signature),
        "pks": prekeys.collect::<Vec<_>>(),
    })
}

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap() as u32
}

fn kit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop")
}

/// The Python that has the foreign implementation.
fn python() -> PathBuf {
    let python = std::env::var_os("CHAPPE_INTEROP_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/interop-venv/bin/python"),
        PathBuf::from,
    );
    assert!(
        python.exists(),
        "The foreign OMEMO implementation is not installed: run `cargo xtask setup` once."
    );
    python
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
