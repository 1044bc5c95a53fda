//! The vectors that a foreign implementation made, and that a second computation confirmed: every message of
//! a conversation comes out to the byte, in both directions, and is read in the order of the vectors.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

mod support;

use chappe_omemo::{
    Bundle, Device, Flavour, Incoming, Iv, PreKey, PreKeyId, Sessions, SignedPreKeyId,
};
use serde_json::Value;
use support::Scripted;

const OMEMO2: &str = include_str!("vectors/twomemo.json");
const LEGACY: &str = include_str!("vectors/oldmemo.json");

/// What happens to the messages of the vectors, by index.
enum Step {
    Send(usize),
    Read(usize),
}

use Step::{Read, Send};

const STEPS: [Step; 16] = [
    Send(0),
    Send(1),
    Send(2),
    Read(1),
    Read(0),
    Send(3),
    Send(4),
    Read(4),
    Send(5),
    Send(6),
    Read(6),
    Read(3),
    Read(2),
    Send(7),
    Read(7),
    Read(5),
];

#[test]
fn the_conversation_of_omemo_2_is_reproduced_to_the_byte() {
    reproduce(Flavour::Omemo2, OMEMO2);
}

#[test]
fn the_legacy_conversation_is_reproduced_to_the_byte() {
    reproduce(Flavour::Legacy, LEGACY);
}

fn reproduce(flavour: Flavour, vectors: &str) {
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let messages = vectors["messages"].as_array().unwrap();
    let mut alice = Side::new(flavour, &vectors["alice"]);
    let mut bob = Side::new(flavour, &vectors["bob"]);
    assert_eq!(
        alice.device.identity().fingerprint().as_bytes()[..],
        hex(&vectors["alice"]["ik_curve25519"])
    );
    alice.start(&vectors);

    let mut last_chain = Value::from(0);
    let mut read = Vec::new();
    for step in STEPS {
        match step {
            Send(index) => {
                let message = &messages[index];
                let from = if message["from"] == "alice" {
                    &mut alice
                } else {
                    &mut bob
                };
                from.rng.0.push_back(hex(&message["payload_key"]));
                if flavour == Flavour::Legacy {
                    from.rng.0.push_back(hex(&message["iv"]));
                }
                if message["chain"] != last_chain {
                    let chain = message["chain"].as_u64().unwrap() as usize;
                    from.rng
                        .0
                        .push_back(hex(&vectors["chains"][chain]["ratchet_priv"]));
                    last_chain = message["chain"].clone();
                }
                let plaintext = hex(&message["plaintext"]);
                let sent = from
                    .sessions
                    .encrypt(&mut from.rng, Some(&plaintext))
                    .unwrap();
                assert!(from.rng.0.is_empty());
                assert_eq!(
                    sent.key_exchange,
                    message["kex"].as_bool().unwrap(),
                    "{index}"
                );
                let element = hex(&message["key_element"]);
                if flavour == Flavour::Legacy && sent.key_exchange {
                    let device = from.device.id().number();
                    assert_eq!(sent.key, with_registration_id(&element, device), "{index}");
                } else {
                    assert_eq!(sent.key, element, "{index}");
                }
                assert_eq!(
                    sent.iv.map(Vec::from),
                    iv(message).map(Vec::from),
                    "{index}"
                );
                assert_eq!(sent.payload, Some(hex(&message["payload"])), "{index}");
            }
            Read(index) => {
                let message = &messages[index];
                let to = if message["from"] == "alice" {
                    &mut bob
                } else {
                    &mut alice
                };
                let (key, payload) = (hex(&message["key_element"]), hex(&message["payload"]));
                let incoming = Incoming {
                    payload: Some(&payload),
                    iv: iv(message),
                    ..Incoming::new(message["kex"].as_bool().unwrap(), &key)
                };
                let got = to.sessions.decrypt(&mut to.device, &incoming).unwrap();
                assert_eq!(got.plaintext, Some(hex(&message["plaintext"])), "{index}");
                read.push(Value::from(index));
            }
        }
    }
    assert_eq!(Value::from(read), vectors["delivery_order"]);
}

struct Side {
    device: Device,
    sessions: Sessions,
    rng: Scripted,
}

impl Side {
    fn new(flavour: Flavour, person: &Value) -> Self {
        Self {
            device: Device::from_bytes(&device_state(flavour, person)).unwrap(),
            sessions: Sessions::new(),
            rng: Scripted::default(),
        }
    }

    fn start(&mut self, vectors: &Value) {
        let (bob, x3dh) = (&vectors["bob"], &vectors["x3dh"]);
        let prekey = bob["pks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|pk| pk["id"] == x3dh["pk_id"]);
        let flavour = self.device.flavour();
        let key = |value| flavour.decode_key(&hex(value)).unwrap();
        let bundle = Bundle {
            flavour,
            identity: key(&bob["bundle_ik_wire"]),
            signed_prekey_id: SignedPreKeyId::new(number(&x3dh["spk_id"])).unwrap(),
            signed_prekey: key(&bob["bundle_spk_wire"]),
            signature: array(&bob["spk_sig_wire"]),
            prekeys: vec![PreKey {
                id: PreKeyId::new(number(&x3dh["pk_id"])).unwrap(),
                key: array(&prekey.unwrap()["pub"]),
            }],
        };
        self.rng.0.push_back(hex(&x3dh["ek_priv"]));
        self.rng
            .0
            .push_back(hex(&vectors["chains"][0]["ratchet_priv"]));
        self.sessions
            .start(&mut self.rng, &self.device, &bundle.verify().unwrap())
            .unwrap();
    }
}

/// The stored form of a device with the keys of the vectors, as `Device::to_bytes` draws it.
fn device_state(flavour: Flavour, person: &Value) -> Vec<u8> {
    let prekeys = person["pks"].as_array().unwrap();
    let number_of_flavour = if flavour == Flavour::Omemo2 { 1 } else { 2 };
    let mut state = vec![2, number_of_flavour];
    state.extend(number(&person["device_id"]).to_be_bytes());
    state.extend(hex(&person["ik_seed"]));
    state.extend(100_u32.to_be_bytes());
    state.extend(0_u16.to_be_bytes());
    state.extend(number(&person["spk_id"]).to_be_bytes());
    for name in ["spk_priv", "spk_pub", "spk_sig_wire"] {
        state.extend(hex(&person[name]));
    }
    state.extend((prekeys.len() as u16).to_be_bytes());
    for prekey in prekeys {
        state.extend(number(&prekey["id"]).to_be_bytes());
        state.push(1);
        state.extend(0_u32.to_be_bytes());
        state.extend(hex(&prekey["priv"]));
        state.extend(hex(&prekey["pub"]));
    }
    state.push(0);
    state.extend([0; 4]);
    state.extend([0; 2]);
    state
}

/// The reference leaves the registration id out of legacy key exchanges; here it is the device id, in field
/// 5 before the last one, which is the signed prekey's id of one byte.
fn with_registration_id(element: &[u8], device: u32) -> Vec<u8> {
    let (before, last) = element.split_at(element.len() - 2);
    assert_eq!(last[0], 6 << 3);
    let id = [device as u8 & 0x7f | 0x80, (device >> 7) as u8];
    [before, &[5 << 3], &id, last].concat()
}

fn iv(message: &Value) -> Option<Iv> {
    message["iv"].is_string().then(|| array(&message["iv"]))
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap() as u32
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
