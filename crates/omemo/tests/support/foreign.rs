//! A foreign implementation as a process, with one device.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each file of tests includes this and uses a part"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chappe_omemo::{Bundle, Encrypted, Flavour, PreKey, PreKeyId, SignedPreKeyId};
use serde_json::{Value, json};

/// python-twomemo or -oldmemo behind the JSON lines of `interop/README.md`.
pub struct Foreign {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    flavour: Flavour,
}

impl Foreign {
    pub fn start(flavour: Flavour) -> Self {
        let mut child = Command::new(python())
            .arg("peer.py")
            .current_dir(kit())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let from = BufReader::new(child.stdout.take().unwrap());
        let mut this = Self {
            child,
            to,
            from,
            flavour,
        };
        this.init(Value::Null);
        this
    }

    /// Begins anew, or from what [`Foreign::save`] gave.
    pub fn init(&mut self, state: Value) {
        let mut request =
            json!({"cmd": "init", "jid": "bob@mesh", "device_id": 2222, "prekeys": 5});
        if !state.is_null() {
            request["state"] = state;
        }
        self.call(request);
    }

    pub fn save(&mut self) -> Value {
        self.call(json!({"cmd": "save"}))["state"].take()
    }

    #[track_caller]
    pub fn call(&mut self, request: Value) -> Value {
        let answer = self.attempt(request);
        assert_eq!(answer["ok"], true, "{answer}");
        answer
    }

    /// Like [`Foreign::call`], of which the answer may be an error.
    pub fn attempt(&mut self, mut request: Value) -> Value {
        request["flavour"] = match self.flavour {
            Flavour::Legacy => "oldmemo".into(),
            Flavour::Omemo2 => "twomemo".into(),
        };
        writeln!(self.to, "{request}").unwrap();
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    pub fn bundle(&mut self) -> Bundle {
        let answer = self.call(json!({"cmd": "bundle"}));
        let bundle = &answer["bundle"];
        let key = |value| self.flavour.decode_key(&bytes(value)).unwrap();
        let prekeys = bundle["pks"].as_array().unwrap().iter();
        Bundle {
            flavour: self.flavour,
            identity: key(&bundle["ik"]),
            signed_prekey_id: SignedPreKeyId::new(number(&bundle["spk_id"])).unwrap(),
            signed_prekey: key(&bundle["spk"]),
            signature: bytes(&bundle["spks"]).try_into().unwrap(),
            prekeys: prekeys
                .map(|prekey| PreKey {
                    id: PreKeyId::new(number(&prekey["id"])).unwrap(),
                    key: key(&prekey["pk"]),
                })
                .collect(),
        }
    }

    /// Lets it write to the device that it knows as alice's; with a `bundle` in the request, in a new session.
    pub fn write(&mut self, mut request: Value) -> Encrypted {
        let mut to = json!({"jid": "alice@mesh", "device_id": 1});
        if let Some(bundle) = request.get_mut("bundle").map(Value::take) {
            to["bundle"] = bundle;
            to["force_new"] = true.into();
        }
        request["to"] = json!([to]);
        let answer = self.call(request);
        let iv = &answer["iv"];
        Encrypted {
            key_exchange: answer["keys"][0]["kex"].as_bool().unwrap(),
            key: bytes(&answer["keys"][0]["data"]),
            iv: iv.is_string().then(|| bytes(iv).try_into().unwrap()),
            payload: answer["payload"]
                .is_string()
                .then(|| bytes(&answer["payload"])),
        }
    }

    #[track_caller]
    pub fn read(&mut self, sent: &Encrypted) -> Option<String> {
        self.try_read(sent).unwrap()
    }

    /// The text that it reads, or `None` for an empty message, or the code of its error.
    pub fn try_read(&mut self, sent: &Encrypted) -> Result<Option<String>, String> {
        let answer = self.attempt(json!({
            "cmd": "decrypt", "from": {"jid": "alice@mesh", "device_id": 1},
            "iv": sent.iv.map(|iv| STANDARD.encode(iv)),
            "key": {"kex": sent.key_exchange, "data": STANDARD.encode(&sent.key)},
            "payload": sent.payload.as_ref().map(|payload| STANDARD.encode(payload)),
        }));
        if answer["ok"] != true {
            return Err(answer["error"].as_str().unwrap().into());
        }
        let plaintext = &answer["plaintext"];
        Ok(plaintext
            .is_string()
            .then(|| String::from_utf8(bytes(plaintext)).unwrap()))
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A bundle as the foreign side takes it.
pub fn write(bundle: &Bundle) -> Value {
    let key = |key| STANDARD.encode(bundle.flavour.encode_key(key));
    let prekeys = bundle
        .prekeys
        .iter()
        .map(|prekey| json!({"id": prekey.id.number(), "pk": key(&prekey.key)}));
    json!({
        "ik": key(&bundle.identity), "spk": key(&bundle.signed_prekey),
        "spk_id": bundle.signed_prekey_id.number(), "spks": STANDARD.encode(bundle.signature),
        "pks": prekeys.collect::<Vec<_>>(),
    })
}

/// The folder with the foreign side's program.
pub fn kit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop")
}

/// The Python that has the foreign implementation.
pub fn python() -> PathBuf {
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

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap() as u32
}
