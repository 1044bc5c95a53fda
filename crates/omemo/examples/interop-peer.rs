//! One device that speaks the JSON lines of `interop/README.md` on standard input and output, so that the
//! scenarios of `interop/test_peer.py` run against this crate. For tests only: `save` gives secrets away.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chappe_omemo::xml::XmlError;
use chappe_omemo::{
    Bundle, BundleError, ContentError, DecryptError, Device, DeviceId, DeviceKey, EncryptError,
    Flavour, Identity, IdentityKey, Incoming, LabelError, Message, Payload, PreKey, PreKeyId,
    Reason, Sessions, SignedLabel, SignedPreKeyId, StartError, StateError, VerifiedBundle,
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
    let command = field(request, "cmd").as_str().unwrap_or_default();
    match (command, peer) {
        ("hello", _) => Ok(json!({
            "peer": "chappe-omemo", "protocol": 1, "flavours": ["twomemo", "oldmemo"],
            "versions": {"chappe-omemo": env!("CARGO_PKG_VERSION")},
            "features": ["state", "xml", "labels", "two_phase", "old_chains", "archived_sessions"],
        })),
        ("init", peer) => {
            *peer = Some(Peer::new(flavour(request)?, request)?);
            Ok(json!({}))
        }
        (_, None) => Err(failure("not_initialised", "send init first")),
        (_, Some(peer)) if flavour(request)? != peer.device.flavour() => Err(bad(
            "one process speaks one flavour: the one it was initialised with",
        )),
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
    fn new(flavour: Flavour, request: &Value) -> Result<Self, Failure> {
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
            Value::Null => {
                let identity = Identity::generate(&mut rng);
                Device::with_identity(&mut rng, flavour, identity, id, prekeys)
            }
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
                "xml": self.device.bundle().to_xml(), "jid": self.jid, "device_id": self.device.id().number(),
                "bundle": write_bundle(&self.device.bundle()),
                "fingerprint": self.device.identity().fingerprint().to_string().replace(' ', ""),
            })),
            "encrypt" => {
                let plaintext = bytes(field(request, "plaintext"))?;
                let payload = Payload::seal(&mut self.rng, self.device.flavour(), &plaintext)?;
                self.encrypt(request, &payload)
            }
            "encrypt_empty" => {
                let payload = Payload::empty(&mut self.rng, self.device.flavour());
                self.encrypt(request, &payload)
            }
            "decrypt" => self.decrypt(request),
            "sign_label" => {
                let label = SignedLabel::sign(self.device.identity(), text(request, "label")?)?;
                Ok(json!({"signature": STANDARD.encode(label.signature())}))
            }
            "verify_label" => {
                let label = text(request, "label")?.into();
                let label = SignedLabel::unverified(label, array(request, "signature")?);
                let identity = array(request, "ik")?;
                let identity = IdentityKey::from_bytes(identity).map_err(|_| malformed())?;
                Ok(json!({"valid": label.verify(&identity).is_some()}))
            }
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
            let bundle = match (field(to, "bundle"), field(to, "bundle_xml").as_str()) {
                (Value::Null, None) => None,
                (Value::Null, Some(xml)) => Some(Bundle::from_xml(xml)?.verify()?),
                (bundle, _) => Some(read_bundle(self.device.flavour(), bundle)?),
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
        let (mut keys, mut message) = (Vec::new(), self.message(payload));
        for (address, bundle) in recipients {
            let sessions = self.sessions.entry(address.clone()).or_default();
            if let Some(bundle) = &bundle {
                sessions.start(&mut self.rng, &self.device, bundle)?;
            }
            let encrypted = sessions.encrypt_key(&mut self.rng, payload)?;
            keys.push(json!({
                "jid": address.0, "rid": address.1, "kex": encrypted.key_exchange,
                "new_session": bundle.is_some(), "data": STANDARD.encode(&encrypted.key),
            }));
            let device = address.1.try_into().ok().and_then(DeviceId::new);
            message.keys.push(DeviceKey {
                jid: Some(address.0),
                device: device.ok_or_else(|| bad("device_id"))?,
                key: encrypted,
            });
        }
        let xml = field(request, "xml").as_bool() == Some(true);
        let xml = xml.then(|| message.to_xml()).transpose()?;
        Ok(json!({
            "xml": xml, "jid": self.jid, "sid": self.device.id().number(), "iv": payload.iv().map(|iv| STANDARD.encode(iv)), "keys": keys,
            "payload": payload.ciphertext().map(|bytes| STANDARD.encode(bytes)),
        }))
    }

    /// The message around keys that are still to be made.
    fn message(&self, payload: &Payload) -> Message {
        Message {
            flavour: payload.flavour(),
            sender: self.device.id(),
            keys: Vec::new(),
            payload: payload.ciphertext().map(Vec::from),
            iv: payload.iv().copied(),
        }
    }

    fn decrypt(&mut self, request: &Value) -> Answer {
        if let Some(xml) = field(request, "xml").as_str() {
            let message = Message::from_xml(xml)?;
            let from = (
                text(request, "from_jid")?.into(),
                u64::from(message.sender.number()),
            );
            let incoming = message.incoming(&self.jid, self.device.id());
            let incoming =
                incoming.ok_or_else(|| failure("not_for_us", "no key for this device"))?;
            return self.read(from, &incoming);
        }
        let key = field(request, "key");
        let data = bytes(field(key, "data"))?;
        let key_exchange = field(key, "kex").as_bool().ok_or_else(|| bad("kex"))?;
        let payload = match field(request, "payload") {
            Value::Null => None,
            given => Some(bytes(given)?),
        };
        let iv = match field(request, "iv") {
            Value::Null => None,
            _ => Some(array(request, "iv")?),
        };
        let from = address(field(request, "from"))?;
        let incoming = Incoming {
            payload: payload.as_deref(),
            iv,
            ..Incoming::new(key_exchange, &data)
        };
        self.read(from, &incoming)
    }

    fn read(&mut self, from: Address, incoming: &Incoming<'_>) -> Answer {
        let mut stranger = Sessions::new();
        let known = self.sessions.get_mut(&from);
        let is_known = known.is_some();
        let read = known
            .unwrap_or(&mut stranger)
            .decrypt(&mut self.device, incoming)?;
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
    let key = |key| STANDARD.encode(bundle.flavour.encode_key(key));
    json!({
        "ik": key(&bundle.identity), "spk": key(&bundle.signed_prekey),
        "spk_id": bundle.signed_prekey_id.number(), "spks": STANDARD.encode(bundle.signature),
        "pks": prekeys.map(|prekey| json!({
            "id": prekey.id.number(), "pk": key(&prekey.key),
        })).collect::<Vec<_>>(),
    })
}

fn read_bundle(flavour: Flavour, bundle: &Value) -> Result<VerifiedBundle, Failure> {
    let key = |value: &Value, name| {
        let bytes = bytes(field(value, name))?;
        flavour.decode_key(&bytes).map_err(|_| malformed())
    };
    let mut prekeys = Vec::new();
    for prekey in list(bundle, "pks")? {
        prekeys.push(PreKey {
            id: PreKeyId::new(number(prekey, "id")?).ok_or_else(malformed)?,
            key: key(prekey, "pk")?,
        });
    }
    let bundle = Bundle {
        flavour,
        identity: key(bundle, "ik")?,
        signed_prekey_id: SignedPreKeyId::new(number(bundle, "spk_id")?).ok_or_else(malformed)?,
        signed_prekey: key(bundle, "spk")?,
        signature: array(bundle, "spks")?,
        prekeys,
    };
    Ok(bundle.verify()?)
}

fn flavour(request: &Value) -> Result<Flavour, Failure> {
    match field(request, "flavour").as_str().unwrap_or("twomemo") {
        "oldmemo" => Ok(Flavour::Legacy),
        "twomemo" => Ok(Flavour::Omemo2),
        other => Err(bad(&format!("unknown flavour {other:?}"))),
    }
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

impl From<XmlError> for Failure {
    fn from(error: XmlError) -> Self {
        failure("malformed", &error.to_string())
    }
}

impl From<LabelError> for Failure {
    fn from(error: LabelError) -> Self {
        failure("bad_request", &error.to_string())
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

impl From<ContentError> for Failure {
    fn from(error: ContentError) -> Self {
        failure("bad_request", &error.to_string())
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        failure("bad_request", &error.to_string())
    }
}
