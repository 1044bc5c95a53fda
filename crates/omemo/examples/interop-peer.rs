//! One device that speaks the JSON lines of `interop/README.md` on standard input and output, so that the
//! scenarios of `interop/test_peer.py` run against this crate. For tests only: `save` gives secrets away.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chappe_omemo::{
    Bundle, BundleError, DecryptError, Device, DeviceId, EncryptError, Payload, PreKey, PreKeyId,
    Reason, Sessions, SignedPreKeyId, StartError, StateError, TooLong, VerifiedBundle,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let mut peer = None;
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let request: Value = serde_json::from_str(&line).unwrap_or_default();
        if line.trim() == "quit" || request.get("cmd").and_then(Value::as_str) == Some("quit") {
            break;
        }
        let mut answer = match answer(&mut peer, &request) {
            Ok(answer) => answer,
            Err(Failure { code, detail }) => json!({"ok": false, "error": code, "detail": detail}),
        };
        if let Value::Object(fields) = &mut answer {
            fields.entry("ok").or_insert(Value::Bool(true));
            fields.insert("id".into(), request.get("id").cloned().unwrap_or_default());
        }
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

/// A failure with a code that the other side can assert on.
struct Failure {
    code: &'static str,
    detail: String,
}

type Answer = Result<Value, Failure>;

fn answer(peer: &mut Option<Peer>, request: &Value) -> Answer {
    if field(request, "flavour").as_str().unwrap_or("twomemo") != "twomemo" {
        return Err(bad("only twomemo is spoken here"));
    }
    let command = field(request, "cmd").as_str().unwrap_or_default();
    match (command, peer) {
        ("hello", _) => Ok(json!({
            "peer": "chappe-omemo", "protocol": 1, "flavours": ["twomemo"],
            "versions": {"chappe-omemo": env!("CARGO_PKG_VERSION")},
            "features": ["state", "two_phase", "old_chains", "archived_sessions"],
        })),
        ("init", peer) => {
            *peer = Some(Peer::new(request)?);
            Ok(json!({}))
        }
        (_, None) => Err(failure("not_initialised", "send init first")),
        (command, Some(peer)) => peer.answer(command, request),
    }
}

struct Peer {
    jid: String,
    device: Device,
    prekeys: u16,
    sessions: BTreeMap<Address, Sessions>,
    rng: ChaCha20Rng,
}

type Address = (String, u64);

impl Peer {
    fn new(request: &Value) -> Result<Self, Failure> {
        let mut seed = [0; 32];
        match field(request, "rng_seed") {
            Value::Null => getrandom::fill(&mut seed).map_err(|_| bad("no randomness"))?,
            given => {
                for (to, from) in seed.iter_mut().zip(bytes(given)?) {
                    *to = from;
                }
            }
        }
        let mut rng = ChaCha20Rng::from_seed(seed);
        let id = DeviceId::new(number(request, "device_id")?).ok_or_else(|| bad("device_id"))?;
        let prekeys = match field(request, "prekeys") {
            Value::Null => 100,
            _ => u16::try_from(number(request, "prekeys")?).map_err(|_| bad("prekeys"))?,
        };
        let mut sessions = BTreeMap::new();
        let device = match field(request, "state") {
            Value::Null => Device::generate(&mut rng, id, prekeys),
            state => {
                for entry in list(state, "sessions")? {
                    let stored = Sessions::from_bytes(&bytes(field(entry, "state"))?)?;
                    sessions.insert(address(entry)?, stored);
                }
                Device::from_bytes(&bytes(field(state, "device"))?)?
            }
        };
        Ok(Self {
            jid: text(request, "jid")?.into(),
            device,
            prekeys,
            sessions,
            rng,
        })
    }

    fn answer(&mut self, command: &str, request: &Value) -> Answer {
        match command {
            "bundle" => Ok(json!({
                "jid": self.jid, "device_id": self.device.id().number(),
                "bundle": write_bundle(&self.device.bundle()),
                "fingerprint": self.device.identity().fingerprint().to_string().replace(' ', ""),
            })),
            "encrypt" => {
                let plaintext = bytes(field(request, "plaintext"))?;
                let payload = Payload::seal(&mut self.rng, &plaintext)?;
                self.encrypt(request, &payload)
            }
            "encrypt_empty" => self.encrypt(request, &Payload::empty()),
            "decrypt" => self.decrypt(request),
            "session" => {
                let sessions = self.sessions.get(&address(request)?);
                Ok(json!({"exists": sessions.is_some_and(|sessions| !sessions.is_empty())}))
            }
            "reset_session" => {
                let gone = self.sessions.remove(&address(request)?);
                Ok(json!({"removed": usize::from(gone.is_some())}))
            }
            "prekeys" => Ok(json!({"visible": self.device.published()})),
            "generate_prekeys" => {
                let more = number(request, "count")? as usize + self.device.published();
                let wanted = u16::try_from(more).map_err(|_| bad("count"))?;
                self.device.refill(&mut self.rng, wanted);
                Ok(json!({"visible": self.device.published()}))
            }
            "rotate_spk" => {
                self.device.rotate_signed_prekey(&mut self.rng);
                self.device.keep_old_signed_prekeys(1); // as the protocol of these tests says
                Ok(json!({}))
            }
            "save" => Ok(json!({"state": {
                "device": STANDARD.encode(self.device.to_bytes()),
                "sessions": self.sessions.iter().map(|((jid, id), sessions)| json!({
                    "jid": jid, "device_id": id, "state": STANDARD.encode(sessions.to_bytes()),
                })).collect::<Vec<_>>(),
            }})),
            unknown => Err(bad(&format!("unknown cmd {unknown:?}"))),
        }
    }

    fn encrypt(&mut self, request: &Value, payload: &Payload) -> Answer {
        // All bundles are checked before any session changes.
        let mut recipients = Vec::new();
        for to in list(request, "to")? {
            let address = address(to)?;
            let bundle = match field(to, "bundle") {
                Value::Null => None,
                bundle => Some(read_bundle(bundle)?),
            };
            let known = self
                .sessions
                .get(&address)
                .is_some_and(|known| !known.is_empty());
            let fresh = !known || field(to, "force_new").as_bool() == Some(true);
            if fresh && bundle.is_none() {
                return Err(failure("no_session", "no session and no bundle"));
            }
            recipients.push((address, bundle.filter(|_| fresh)));
        }
        let mut keys = Vec::new();
        for (address, bundle) in recipients {
            let sessions = self.sessions.entry(address.clone()).or_default();
            if let Some(bundle) = &bundle {
                sessions.start(&mut self.rng, &self.device, bundle)?;
            }
            let encrypted = sessions.encrypt_key(&mut self.rng, payload)?;
            keys.push(json!({
                "jid": address.0, "rid": address.1, "kex": encrypted.key_exchange,
                "new_session": bundle.is_some(), "data": STANDARD.encode(encrypted.key),
            }));
        }
        Ok(json!({
            "jid": self.jid, "sid": self.device.id().number(), "iv": null, "keys": keys,
            "payload": payload.ciphertext().map(|bytes| STANDARD.encode(bytes)),
        }))
    }

    fn decrypt(&mut self, request: &Value) -> Answer {
        let key = field(request, "key");
        let data = bytes(field(key, "data"))?;
        let key_exchange = field(key, "kex").as_bool().ok_or_else(|| bad("kex"))?;
        let payload = match field(request, "payload") {
            Value::Null => None,
            given => Some(bytes(given)?),
        };
        let from = address(field(request, "from"))?;
        let mut stranger = Sessions::new();
        let known = self.sessions.get_mut(&from);
        let is_known = known.is_some();
        let read = known.unwrap_or(&mut stranger).decrypt(
            &mut self.device,
            None,
            key_exchange,
            &data,
            payload.as_deref(),
        )?;
        if !is_known {
            self.sessions.insert(from, stranger);
        }
        self.device.refill(&mut self.rng, self.prekeys);
        Ok(json!({
            "plaintext": read.plaintext.map(|bytes| STANDARD.encode(bytes)),
            "new_session": read.new_session,
            "bundle_changed": read.spent_prekey.is_some(),
            "heartbeat_due": read.answer_due,
        }))
    }
}

fn write_bundle(bundle: &Bundle) -> Value {
    let prekeys = bundle.prekeys.iter();
    json!({
        "ik": STANDARD.encode(bundle.identity), "spk": STANDARD.encode(bundle.signed_prekey),
        "spk_id": bundle.signed_prekey_id.number(), "spks": STANDARD.encode(bundle.signature),
        "pks": prekeys.map(|prekey| json!({
            "id": prekey.id.number(), "pk": STANDARD.encode(prekey.key),
        })).collect::<Vec<_>>(),
    })
}

fn read_bundle(bundle: &Value) -> Result<VerifiedBundle, Failure> {
    let mut prekeys = Vec::new();
    for prekey in list(bundle, "pks")? {
        prekeys.push(PreKey {
            id: PreKeyId::new(number(prekey, "id")?).ok_or_else(malformed)?,
            key: array(prekey, "pk")?,
        });
    }
    let bundle = Bundle {
        identity: array(bundle, "ik")?,
        signed_prekey_id: SignedPreKeyId::new(number(bundle, "spk_id")?).ok_or_else(malformed)?,
        signed_prekey: array(bundle, "spk")?,
        signature: array(bundle, "spks")?,
        prekeys,
    };
    Ok(bundle.verify()?)
}

fn address(value: &Value) -> Result<Address, Failure> {
    let id = field(value, "device_id").as_u64();
    Ok((
        text(value, "jid")?.into(),
        id.ok_or_else(|| bad("device_id"))?,
    ))
}

fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, Failure> {
    field(value, name).as_str().ok_or_else(|| bad(name))
}

fn number(value: &Value, name: &str) -> Result<u32, Failure> {
    let number = field(value, name).as_u64();
    number
        .and_then(|number| number.try_into().ok())
        .ok_or_else(|| bad(name))
}

fn list<'a>(value: &'a Value, name: &str) -> Result<&'a Vec<Value>, Failure> {
    field(value, name).as_array().ok_or_else(|| bad(name))
}

fn bytes(value: &Value) -> Result<Vec<u8>, Failure> {
    let text = value.as_str().ok_or_else(|| bad("not a string"))?;
    STANDARD.decode(text).map_err(|_| malformed())
}

fn array<const N: usize>(value: &Value, name: &str) -> Result<[u8; N], Failure> {
    bytes(field(value, name))?
        .try_into()
        .map_err(|_| malformed())
}

fn bad(detail: &str) -> Failure {
    failure("bad_request", detail)
}

fn malformed() -> Failure {
    failure("malformed", "wrong form")
}

fn failure(code: &'static str, detail: &str) -> Failure {
    Failure {
        code,
        detail: detail.into(),
    }
}

impl From<DecryptError> for Failure {
    fn from(error: DecryptError) -> Self {
        let code = match error.reason() {
            Reason::Malformed => "malformed",
            Reason::Duplicate => "duplicate",
            Reason::NoSession => "no_session",
            Reason::UnknownPreKey => "unknown_prekey",
            Reason::UnknownSignedPreKey => "unknown_signed_prekey",
            Reason::Identity => "key_exchange_failed",
            Reason::Key => "bad_key",
            Reason::Jump => "too_many_skipped",
            Reason::Spent | Reason::Authentication | Reason::Payload => "auth_failed",
            _ => "decryption_failed",
        };
        failure(code, &error.to_string())
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        let code = match error {
            BundleError::Signature => "bad_signature",
            BundleError::NoPreKey => "no_prekey",
            BundleError::Key(_) => "bad_key",
            _ => "malformed",
        };
        failure(code, &error.to_string())
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        failure("key_exchange_failed", &error.to_string())
    }
}

impl From<EncryptError> for Failure {
    fn from(error: EncryptError) -> Self {
        failure("no_session", &error.to_string())
    }
}

impl From<TooLong> for Failure {
    fn from(error: TooLong) -> Self {
        failure("bad_request", &error.to_string())
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        failure("bad_request", &error.to_string())
    }
}
