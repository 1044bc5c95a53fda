//! `proto/vectors/envelope.json` is what this crate computes. The keys in it are derived here once more, by another
//! HKDF, from the text of `proto/envelope.md`.
//!
//! `CHAPPE_WRITE_VECTORS=1 cargo test -p chappe-envelope --test vectors` writes the file anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report; clippy sees only functions marked #[test] as tests"
)]

use chappe_envelope::blob::{self, BlobKey, BlobPlan, RootHasher};
use chappe_envelope::{
    BareJid, ChainRoot, Direction, DisplayName, InboxSecret, Invite, InvitePreKey,
    InviteSignedPreKey, PairSecret, ReceiptSecret, ReceiveChain, SafetyNumber, SendChain,
};
use chappe_wire::{ByteCount, Envelope, Lifetime, Preimage};
use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../proto/vectors/envelope.json"
);

#[test]
fn the_file_is_what_this_crate_computes() {
    let vectors = json!({
        "chains": chains(),
        "inbox_receipts": inbox_receipts(),
        "room": room(),
        "blob": blob(),
        "padme": padme(),
        "invite": invite(),
        "safety_numbers": safety_numbers(),
    });
    if std::env::var_os("CHAPPE_WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&vectors).unwrap();
        std::fs::write(FILE, text + "\n").unwrap();
    }
    let text = std::fs::read_to_string(FILE).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(file, vectors);
}

fn chains() -> Vec<Value> {
    let pair = [0x11; 32];
    let inbox = [0x22; 16];
    let there = ChainRoot::of_pair(&PairSecret::new(pair), Direction::InitiatorToResponder);
    let back = ChainRoot::of_pair(&PairSecret::new(pair), Direction::ResponderToInitiator);
    let first = ChainRoot::of_inbox(&InboxSecret::new(inbox));
    vec![
        chain(
            "pair, initiator to responder",
            &pair,
            b"chappe chain v1\x00",
            there,
        ),
        chain(
            "pair, responder to initiator",
            &pair,
            b"chappe chain v1\x01",
            back,
        ),
        chain("inbox", &inbox, b"chappe inbox v1", first),
    ]
}

/// Envelopes to a contact URI, whose receipts take a session's secret too.
fn inbox_receipts() -> Value {
    let (pair, inbox) = ([0x11; 32], [0x22; 16]);
    let root = ChainRoot::of_inbox(&InboxSecret::new(inbox));
    let secret = ReceiptSecret::of_session(&PairSecret::new(pair));
    let session_key = expand::<32>(&Hkdf::new(None, &pair), b"chappe inbox receipt v1");
    let epoch_key = expand::<32>(&Hkdf::new(None, &inbox), b"chappe inbox v1");
    let envelopes = with_receipts_of(root, &epoch_key, &secret, &session_key, "to a contact URI");
    json!({
        "inbox_secret": hex(&inbox),
        "pair_secret": hex(&pair),
        "receipt_secret": hex(&session_key),
        "envelopes": envelopes,
    })
}

/// Envelopes to a room, whose receipts take a secret of the sender's.
fn room() -> Value {
    let (tags, drawn, room, identity) = ([0x44; 32], [0x55; 32], [0x66; 16], [0x77; 32]);
    let root = ChainRoot::of_room_sender(&tags, &room, &identity);
    let secret = ReceiptSecret::of_room_sender(&drawn);
    let receipt_key = expand::<32>(&Hkdf::new(None, &drawn), b"chappe room receipt v1");
    let info = [&b"chappe room chain v1"[..], &room, &identity].concat();
    let epoch_key = expand::<32>(&Hkdf::new(None, &tags), &info);
    let envelopes = with_receipts_of(root, &epoch_key, &secret, &receipt_key, "to a room");
    json!({
        "tag_secret": hex(&tags),
        "room": hex(&room),
        "identity": hex(&identity),
        "drawn_for_receipts": hex(&drawn),
        "receipt_secret": hex(&receipt_key),
        "envelopes": envelopes,
    })
}

fn with_receipts_of(
    root: ChainRoot,
    epoch_key: &[u8; 32],
    secret: &ReceiptSecret,
    receipt_key: &[u8; 32],
    name: &str,
) -> Vec<Value> {
    let mut sender = SendChain::new(root.clone());
    let receiver = ReceiveChain::new(root);
    let mut envelopes = Vec::new();
    for number in 0..2_u8 {
        let plaintext = format!("{name}, number {number}").into_bytes();
        let sealed = sender.seal_with_receipt_of(Lifetime::WEEK, &plaintext, secret);
        let (envelope, sealed) = sealed.unwrap();
        let claim = receiver.unseal(sealed.counter, &envelope).unwrap();
        let preimage = claim.receipt(secret).unwrap();
        let info = [&b"message"[..], &[number]].concat();
        let mut keys = expand::<64>(&Hkdf::from_prk(epoch_key).unwrap(), &info);
        let mut mac = Hmac::<Sha256>::new_from_slice(receipt_key).unwrap();
        mac.update(&keys[16..32]);
        keys[16..32].copy_from_slice(&mac.finalize().into_bytes()[..16]);
        let mut entry = sealed_entry(&keys, &plaintext, &envelope, &preimage);
        entry["counter"] = json!(number);
        envelopes.push(entry);
    }
    envelopes
}

fn chain(name: &str, secret: &[u8], info: &[u8], root: ChainRoot) -> Value {
    let mut sender = SendChain::new(root.clone());
    let mut receiver = ReceiveChain::new(root);
    let mut epoch_key = expand::<32>(&Hkdf::new(None, secret), info);
    let mut envelopes = Vec::new();
    for number in 0..130_u64 {
        if number > 0 && number % 64 == 0 {
            epoch_key = expand(&Hkdf::from_prk(&epoch_key).unwrap(), b"next");
        }
        let plaintext = format!("{name}, number {number}").into_bytes();
        let (envelope, sealed) = sender.seal(Lifetime::WEEK, &plaintext).unwrap();
        let preimage = receiver.open(sealed.counter, &envelope).unwrap().preimage;
        if [0, 1, 63, 64, 129].contains(&number) {
            let info = [&b"message"[..], &[(number % 64) as u8]].concat();
            let keys = expand::<64>(&Hkdf::from_prk(&epoch_key).unwrap(), &info);
            let mut entry = sealed_entry(&keys, &plaintext, &envelope, &preimage);
            entry["counter"] = json!(number);
            entry["epoch_key"] = hex(&epoch_key);
            envelopes.push(entry);
        }
    }
    json!({ "name": name, "secret": hex(secret), "envelopes": envelopes })
}

fn blob() -> Value {
    let key = BlobKey::new([0x33; 32]);
    let content: Vec<u8> = (0..5_000).map(|at| (at % 251) as u8).collect();
    let plan = BlobPlan::new(ByteCount::of(content.len())).unwrap();
    let mut hasher = RootHasher::new(&plan);
    let mut chunks = Vec::new();
    for index in plan.indexes() {
        let piece = plan.chunk(index, &content);
        let envelope = blob::seal_chunk(&key, index, Lifetime::DAY, piece).unwrap();
        let preimage = blob::open_chunk(&key, index, &envelope).unwrap().preimage;
        hasher.add(&envelope.id());
        let info = [&b"chappe blob v1"[..], &index.get().to_be_bytes()].concat();
        let keys = expand::<64>(&Hkdf::new(None, key.as_bytes()), &info);
        let mut entry = sealed_entry(&keys, piece, &envelope, &preimage);
        entry["index"] = json!(index.get());
        entry["id"] = hex(envelope.id().as_bytes());
        chunks.push(entry);
    }
    json!({
        "key": hex(key.as_bytes()),
        "content": "byte n of 5,000 is n modulo 251",
        "size": content.len(),
        "chunks": chunks,
        "root": hex(hasher.finish().unwrap().as_bytes()),
    })
}

fn padme() -> Vec<Value> {
    let sizes = [
        0, 1, 7, 8, 9, 100, 4_078, 10_000, 1_000_000, 67_108_863, 67_108_864,
    ];
    let entry = |size| {
        let plan = BlobPlan::new(ByteCount::new(size)).unwrap();
        json!({ "size": size, "padded": plan.padded_size().get(), "chunks": plan.chunks() })
    };
    sizes.into_iter().map(entry).collect()
}

fn invite() -> Value {
    let invite = Invite {
        jid: BareJid::new("north@example.org").unwrap(),
        name: DisplayName::new("North").unwrap(),
        device: 1,
        identity: [2; 32],
        signed_prekey: InviteSignedPreKey {
            id: 3,
            key: [4; 32],
            signature: [5; 64],
        },
        prekey: InvitePreKey {
            id: 6,
            key: [7; 32],
        },
        inbox: InboxSecret::new([8; 16]),
    };
    let uri = invite.to_uri();
    assert_eq!(Invite::from_uri(&uri).unwrap(), invite);
    json!({
        "jid": invite.jid.as_str(),
        "name": invite.name.as_str(),
        "device": invite.device,
        "identity": hex(&invite.identity),
        "signed_prekey_id": invite.signed_prekey.id,
        "signed_prekey": hex(&invite.signed_prekey.key),
        "signature": hex(&invite.signed_prekey.signature),
        "prekey_id": invite.prekey.id,
        "prekey": hex(&invite.prekey.key),
        "inbox_secret": hex(invite.inbox.as_bytes()),
        "uri": uri,
    })
}

fn safety_numbers() -> Vec<Value> {
    let pairs = [
        ([1; 32], [2; 32]),
        ([0xff; 32], [0; 32]),
        ([7; 32], [7; 32]),
    ];
    let entry = |(one, other): ([u8; 32], [u8; 32])| {
        let number = SafetyNumber::of(&one, &other).to_string();
        json!({ "one": hex(&one), "other": hex(&other), "number": number })
    };
    pairs.into_iter().map(entry).collect()
}

/// One envelope with all that it is made from. `keys` are the 64 bytes that somebody else derived.
fn sealed_entry(
    keys: &[u8; 64],
    plaintext: &[u8],
    envelope: &Envelope,
    preimage: &Preimage,
) -> Value {
    let header = envelope.header();
    assert_eq!(keys[..16], *header.tag.as_bytes());
    assert_eq!(preimage.commitment(), header.commitment);
    json!({
        "lifetime": header.lifetime.code(),
        "plaintext": hex(plaintext),
        "tag": hex(&keys[..16]),
        "receipt_key": hex(&keys[16..32]),
        "seal_key": hex(&keys[32..]),
        "preimage": hex(preimage.as_bytes()),
        "commitment": hex(header.commitment.as_bytes()),
        "envelope": hex(envelope.as_bytes()),
    })
}

fn expand<const N: usize>(hkdf: &Hkdf<Sha256>, info: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    hkdf.expand(info, &mut bytes).unwrap();
    bytes
}

fn hex(bytes: &[u8]) -> Value {
    Value::String(HEXLOWER.encode(bytes))
}
