#!/usr/bin/env python3
"""Deterministic test vectors with every intermediate value, for both flavours.

A scripted conversation is produced by the reference implementation with seeded randomness; then this script computes
the same bytes again from the private keys alone, with its own few lines of X3DH, ratchet, AEAD and protobuf (only
X25519, AES and SHA-2 are borrowed), and stops if a single byte differs. So the vectors are checked twice, and the
recomputation below is the protocol in its shortest readable form.   Run: python make_vectors.py [--check]
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sys
from typing import Any, Dict, List, Optional

if os.environ.get("PYTHONHASHSEED") != "0":  # set iteration order decides prekey ids in the reference
    os.environ["PYTHONHASHSEED"] = "0"
    os.execv(sys.executable, [sys.executable, *sys.argv])

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
import importlib
import importlib.metadata
import importlib.util

from common import MemoryStorage, SeededRandom, run
from omemo.session import Initiation

HERE = os.path.dirname(os.path.abspath(__file__))


# ---- primitives ---------------------------------------------------------------------------------------------------
def dh(priv: bytes, pub: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(priv).exchange(X25519PublicKey.from_public_bytes(pub))


def pub_of(priv: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(priv).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf(ikm: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    prk, out, block, i = mac(salt, ikm), b"", b"", 1
    while len(out) < length:
        block = mac(prk, block + info + bytes([i]))
        out, i = out + block, i + 1
    return out[:length]


def cbc(key: bytes, iv: bytes, plain: bytes) -> bytes:
    pad = 16 - len(plain) % 16
    enc = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return enc.update(plain + bytes([pad]) * pad) + enc.finalize()


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def pb(*fields: Any) -> bytes:
    """(number, value) in the order given; int -> varint, bytes -> length-delimited."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


# ---- the two flavours, as data ------------------------------------------------------------------------------------
class Twomemo:
    name, info_x3dh, info_root, info_msg, tag = "twomemo", b"OMEMO X3DH", b"OMEMO Root Chain", \
        b"OMEMO Message Key Material", 16

    @staticmethod
    def enc(pub: bytes) -> bytes:
        return pub

    @staticmethod
    def ad(sender: Dict[str, Any], recipient: Dict[str, Any], sender_is_initiator: bool) -> bytes:
        a, b = (sender, recipient) if sender_is_initiator else (recipient, sender)
        return a["ik_ed25519"] + b["ik_ed25519"]

    @staticmethod
    def message(n: int, pn: int, ratchet: bytes, ciphertext: bytes) -> bytes:
        return pb((1, n), (2, pn), (3, ratchet), (4, ciphertext))

    @staticmethod
    def authenticated(message: bytes, tag: bytes) -> bytes:
        return pb((1, tag), (2, message))

    @staticmethod
    def kex(pk_id: int, spk_id: int, ik: Dict[str, Any], ek: bytes, authenticated: bytes) -> bytes:
        return pb((1, pk_id), (2, spk_id), (3, ik["ik_ed25519"]), (4, ek), (5, authenticated))

    @staticmethod
    def seal(key: bytes, iv: Optional[bytes], plain: bytes) -> Dict[str, bytes]:
        okm = hkdf(key, bytes(32), b"OMEMO Payload", 80)
        payload = cbc(okm[:32], okm[64:], plain)
        tag = mac(okm[32:64], payload)[:16]
        return {"payload_okm": okm, "payload": payload, "payload_tag": tag, "key_material": key + tag}


class Oldmemo:
    name, info_x3dh, info_root, info_msg, tag = "oldmemo", b"WhisperText", b"WhisperRatchet", b"WhisperMessageKeys", 8

    @staticmethod
    def enc(pub: bytes) -> bytes:
        return b"\x05" + pub

    @staticmethod
    def ad(sender: Dict[str, Any], recipient: Dict[str, Any], sender_is_initiator: bool) -> bytes:
        return b"\x05" + sender["ik_curve25519"] + b"\x05" + recipient["ik_curve25519"]

    @staticmethod
    def message(n: int, pn: int, ratchet: bytes, ciphertext: bytes) -> bytes:
        return b"\x33" + pb((1, b"\x05" + ratchet), (2, n), (3, pn), (4, ciphertext))

    @staticmethod
    def authenticated(message: bytes, tag: bytes) -> bytes:
        return message + tag

    @staticmethod
    def kex(pk_id: int, spk_id: int, ik: Dict[str, Any], ek: bytes, authenticated: bytes) -> bytes:
        return b"\x33" + pb((1, pk_id), (2, b"\x05" + ek), (3, b"\x05" + ik["ik_curve25519"]), (4, authenticated),
                            (6, spk_id))

    @staticmethod
    def seal(key: bytes, iv: Optional[bytes], plain: bytes) -> Dict[str, bytes]:
        assert iv is not None
        sealed = AESGCM(key).encrypt(iv, plain, None)
        return {"iv": iv, "payload": sealed[:-16], "payload_tag": sealed[-16:], "key_material": key + sealed[-16:]}


# ---- reference side -----------------------------------------------------------------------------------------------
def person(backend: Any, glue: Any, storage: MemoryStorage, jid: str, device_id: int) -> Dict[str, Any]:
    import xeddsa
    import base64

    def latin(text: str) -> bytes:
        return bytes(map(ord, text))

    bundle = run(backend.get_bundle(jid, device_id))
    state: Any = storage.data[f"/{backend.namespace}/x3dh"]
    seed = base64.urlsafe_b64decode(str(storage.data["/ikp/key"]))
    priv = xeddsa.seed_to_priv(seed)
    wire = glue.bundle_to_wire(bundle)
    pks = []
    for raw in state["pre_keys"]:
        pk_priv = latin(raw)
        pks.append({"id": bundle.pre_key_ids[pub_of(pk_priv)], "priv": pk_priv, "pub": pub_of(pk_priv)})
    return {
        "jid": jid, "device_id": device_id, "ik_seed": seed, "ik_priv": priv,
        "ik_ed25519": bundle.identity_key, "ik_curve25519": xeddsa.ed25519_pub_to_curve25519_pub(bundle.identity_key),
        "spk_id": bundle.signed_pre_key_id, "spk_priv": latin(state["signed_pre_key"]["priv"]),
        "spk_pub": bundle.bundle.signed_pre_key, "spk_sig_wire": wire["spks"],
        "bundle_ik_wire": wire["ik"], "bundle_spk_wire": wire["spk"],
        "pks": sorted(pks, key=lambda p: p["id"]), "_bundle": bundle,
    }


def conversation(flavour: Any) -> Dict[str, Any]:
    glue = importlib.import_module("flavour_" + flavour.name)
    rng = SeededRandom(b"mesh omemo vectors 1 " + flavour.name.encode())
    rng.install()
    stores = {"alice": MemoryStorage(), "bob": MemoryStorage()}
    back = {who: glue.Backend(store) for who, store in stores.items()}
    for who in back:
        run(back[who].generate_pre_keys(3))
    who = {"alice": person(back["alice"], glue, stores["alice"], "alice@mesh", 1111),
           "bob": person(back["bob"], glue, stores["bob"], "bob@mesh", 2222)}
    other = {"alice": "bob", "bob": "alice"}
    privs: Dict[str, bytes] = {}
    messages: List[Dict[str, Any]] = []
    x3dh: Dict[str, Any] = {}

    def ratchet_state(side: str) -> Any:
        session = run(back[side].load_session(who[other[side]]["jid"], who[other[side]]["device_id"]))
        return session.double_ratchet.model.diffie_hellman_ratchet

    def send(side: str, text: bytes, note: str) -> None:
        peer = who[other[side]]
        start = len(rng.log)
        content, material = run(back[side].encrypt_plaintext(text))
        session = run(back[side].load_session(peer["jid"], peer["device_id"]))
        if session is None:
            session, encrypted = run(back[side].build_session_active(
                peer["jid"], peer["device_id"], peer["_bundle"], material))
            ek = next(p for p in map(bytes.fromhex, rng.log[start:])
                      if len(p) == 32 and pub_of(p) == session.key_exchange.header.ephemeral_key)
            x3dh.update({"ek_priv": ek, "ek_pub": pub_of(ek), "pk_id": session.key_exchange.pre_key_id,
                         "spk_id": session.key_exchange.signed_pre_key_id})
        else:
            encrypted = run(back[side].encrypt_key_material(session, material))
        run(back[side].store_session(session))
        kex = session.key_exchange if session.initiation is Initiation.ACTIVE and not session.confirmed else None
        wire = glue.content_to_wire(content)
        priv = ratchet_state(side).own_ratchet_priv
        privs[pub_of(priv).hex()] = priv
        messages.append({
            "from": side, "note": note, "kex": kex is not None, "plaintext": text,
            "payload_key": material.key, "iv": wire["iv"], "payload": wire["payload"],
            "key_element": glue.key_element(encrypted, kex), "_header": encrypted.encrypted_message.header,
        })

    def receive(index: int) -> None:
        msg = messages[index]
        side, peer = other[msg["from"]], who[msg["from"]]
        encrypted, kex = glue.parse_key_element(msg["key_element"], msg["kex"], peer["jid"], peer["device_id"],
                                                bool(peer["ik_ed25519"][31] >> 7))
        session = run(back[side].load_session(peer["jid"], peer["device_id"]))
        if session is None:
            session, material = run(back[side].build_session_passive(peer["jid"], peer["device_id"], kex, encrypted))
        else:
            material = run(back[side].decrypt_key_material(session, encrypted))
        assert run(back[side].decrypt_plaintext(
            glue.content_from_wire(msg["payload"], msg["iv"]), material)) == msg["plaintext"]
        run(back[side].store_session(session))
        order.append(index)

    order: List[int] = []
    send("alice", b"first message, carries the key exchange", "first")
    send("alice", b"second, still with key exchange", "second, unconfirmed")
    send("alice", b"third, delivered late", "third, unconfirmed")
    receive(1)
    receive(0)
    send("bob", b"bob answers", "first answer: bob's first own ratchet key")
    send("bob", "and again, with umlauts: äöü".encode(), "same chain")
    receive(4)
    send("alice", b"", "empty plaintext after alice's DH step") if flavour is Twomemo else \
        send("alice", b"x", "one byte after alice's DH step")
    send("alice", bytes(range(256)) * 4, "1 KiB")
    receive(6)
    receive(3)
    receive(2)
    send("bob", b"bob's second chain", "pn = 2")
    receive(7)
    receive(5)
    return {"who": who, "x3dh": x3dh, "messages": messages, "privs": privs, "order": order}


# ---- recompute everything from private keys -----------------------------------------------------------------------
def recompute(flavour: Any, run_: Dict[str, Any]) -> Dict[str, Any]:
    who, x, messages = run_["who"], run_["x3dh"], run_["messages"]
    alice, bob = who["alice"], who["bob"]
    pk = next(p for p in bob["pks"] if p["id"] == x["pk_id"])
    x["dh1"] = dh(alice["ik_priv"], bob["spk_pub"])
    x["dh2"] = dh(x["ek_priv"], bob["ik_curve25519"])
    x["dh3"] = dh(x["ek_priv"], bob["spk_pub"])
    x["dh4"] = dh(x["ek_priv"], pk["pub"])
    assert x["dh1"] == dh(bob["spk_priv"], alice["ik_curve25519"])
    assert x["dh2"] == dh(bob["ik_priv"], x["ek_pub"]) and x["dh4"] == dh(pk["priv"], x["ek_pub"])
    x["ikm"] = b"\xff" * 32 + x["dh1"] + x["dh2"] + x["dh3"] + x["dh4"]
    x["sk"] = hkdf(x["ikm"], bytes(32), flavour.info_x3dh, 32)

    # chains, in the order in which the root chain creates them
    chains: List[Dict[str, Any]] = []
    root, last = x["sk"], {"alice": None, "bob": bob["spk_pub"]}
    for msg in messages:
        header = msg["_header"]
        if any(c["ratchet_pub"] == header.ratchet_pub for c in chains):
            continue
        side = msg["from"]
        priv = run_["privs"][header.ratchet_pub.hex()]
        peer_pub = last["bob" if side == "alice" else "alice"]
        secret = dh(priv, peer_pub)
        okm = hkdf(secret, root, flavour.info_root, 64)
        chains.append({"owner": side, "ratchet_priv": priv, "ratchet_pub": header.ratchet_pub, "peer_pub": peer_pub,
                       "dh_out": secret, "root_key_in": root, "root_key_out": okm[:32], "chain_key_0": okm[32:]})
        root, last[side] = okm[:32], header.ratchet_pub
    for msg in messages:
        header, side = msg["_header"], msg["from"]
        peer = who["bob" if side == "alice" else "alice"]
        index = next(i for i, c in enumerate(chains) if c["ratchet_pub"] == header.ratchet_pub)
        n, pn = header.sending_chain_length, header.previous_sending_chain_length
        chain_key = chains[index]["chain_key_0"]
        for _ in range(n):
            chain_key = mac(chain_key, b"\x02")
        message_key = mac(chain_key, b"\x01")
        okm = hkdf(message_key, bytes(32), flavour.info_msg, 80)
        sealed = flavour.seal(msg["payload_key"], msg["iv"], msg["plaintext"])
        assert sealed["payload"] == msg["payload"]
        inner = flavour.message(n, pn, header.ratchet_pub, cbc(okm[:32], okm[64:], sealed["key_material"]))
        ad = flavour.ad(who[side], peer, side == "alice")
        tag = mac(okm[32:64], ad + inner)[: flavour.tag]
        outer = flavour.authenticated(inner, tag)
        element = flavour.kex(x["pk_id"], x["spk_id"], alice, x["ek_pub"], outer) if msg["kex"] else outer
        assert element == msg["key_element"], f"{flavour.name}: recomputed bytes differ in {msg['note']}"
        msg.update(sealed)
        msg.update({"chain": index, "n": n, "pn": pn, "message_key": message_key, "message_okm": okm,
                    "associated_data": ad, "inner_message": inner, "mac_tag": tag})
        del msg["_header"]
    return {"x3dh": x, "chains": chains, "messages": messages}


def hexed(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {k: hexed(v) for k, v in value.items() if not k.startswith("_")}
    if isinstance(value, list):
        return [hexed(v) for v in value]
    return value


def main() -> int:
    for flavour in (Twomemo, Oldmemo):
        if importlib.util.find_spec(flavour.name) is None:  # python-oldmemo is not in requirements.txt
            print(flavour.name, "is not installed, left out")
            continue
        raw = conversation(flavour)
        parts = recompute(flavour, raw)
        out = hexed({
            "comment": "All byte strings are hex. Generated by make_vectors.py with seeded, PUBLIC keys: tests only.",
            "flavour": flavour.name,
            "made_with": {p: importlib.metadata.version(p)
                          for p in ("omemo", flavour.name, "doubleratchet", "x3dh", "xeddsa")},
            "alice": raw["who"]["alice"], "bob": raw["who"]["bob"], **parts,
            "delivery_order": raw["order"],
        })
        path = os.path.join(HERE, "..", "tests", "vectors", flavour.name + ".json")
        text = json.dumps(out, indent=1) + "\n"
        if "--check" in sys.argv:
            with open(path, encoding="utf-8") as handle:
                assert handle.read() == text, f"{path} is not reproduced"
            print(flavour.name, "reproduced,", len(parts["messages"]), "messages,", len(parts["chains"]), "chains")
        else:
            with open(path, "w", encoding="utf-8") as handle:
                handle.write(text)
            print("wrote", os.path.relpath(path, HERE), len(text), "bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
