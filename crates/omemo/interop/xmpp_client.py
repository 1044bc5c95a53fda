#!/usr/bin/env python3
"""An XMPP client with OMEMO (slixmpp and slixmpp-omemo), for `cargo xtask xmpp-test`.

    xmpp_client.py ADDRESS JID PASSWORD PEER omemo2|legacy

The same lines as the bridge beside it (`../examples/xmpp-bridge`): prints `start FINGERPRINT`, sends each line of
standard input to PEER, prints what PEER sends as `read FINGERPRINT TEXT`, and ends with its input.

The plug-in encrypts bodies in the legacy flavour only, and refuses to show omemo:2 because slixmpp has no XEP-0420. For
omemo:2 this client hands the plug-in's own session manager an envelope made here; bundles, device lists, sessions and
elements stay the plug-in's and the reference's."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from typing import Any, Dict, FrozenSet, Optional, Tuple
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import twomemo
import twomemo.etree
from omemo.storage import Just, Maybe, Nothing, Storage
from slixmpp import JID
from slixmpp.clientxmpp import ClientXMPP
from slixmpp.plugins import register_plugin
from slixmpp.xmlstream.handler import CoroutineCallback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp_omemo import TrustLevel, XEP_0384

SCE = "{urn:xmpp:sce:1}"
OMEMO2 = twomemo.twomemo.NAMESPACE


class Memory(Storage):
    """Nothing is kept: each run is a new device."""

    def __init__(self) -> None:
        super().__init__()
        self.values: Dict[str, Any] = {}

    async def _load(self, key: str) -> Maybe[Any]:
        return Just(self.values[key]) if key in self.values else Nothing()

    async def _store(self, key: str, value: Any) -> None:
        self.values[key] = value

    async def _delete(self, key: str) -> None:
        self.values.pop(key, None)


class Plugin(XEP_0384):
    default_config = {**XEP_0384.default_config, "memory": None}

    @property
    def storage(self) -> Storage:
        return self.memory

    @property
    def _btbv_enabled(self) -> bool:
        return True

    async def _prompt_manual_trust(self, manually_trusted: FrozenSet[Any], identifier: Optional[str]) -> None:
        raise AssertionError("nobody verifies here")


register_plugin(Plugin)


class Client(ClientXMPP):
    def __init__(self, jid: str, password: str, peer: str, flavour: str) -> None:
        super().__init__(jid, password)
        self.peer, self.legacy = JID(peer), flavour == "legacy"
        self.failure: Optional[str] = None
        self.ready: "asyncio.Future[None]" = asyncio.get_event_loop().create_future()
        self.register_plugin("xep_0380")
        self.register_plugin("xep_0384", {"memory": Memory()}, module=sys.modules[__name__])
        self.add_event_handler("session_start", self.on_start)
        self.add_event_handler("failed_auth", lambda _: self.fail("the password was refused"))
        self.add_event_handler("omemo_initialized", lambda _: self.ready.done() or self.ready.set_result(None))
        # The event `message` leaves out those without a body.
        every = MatchXPath(f"{{{self.default_ns}}}message")
        self.register_handler(CoroutineCallback("every message", every, self.on_message))

    async def on_start(self, _: Any) -> None:
        self.send_presence()
        await self.get_roster()

    def fail(self, why: str) -> None:
        self.failure = why
        self.disconnect()

    async def on_message(self, stanza: Any) -> None:
        try:
            await self.read(stanza)
        except Exception as exc:  # pylint: disable=broad-exception-caught
            self.fail(f"{type(exc).__name__}: {exc}")

    async def read(self, stanza: Any) -> None:
        plugin = self.plugin["xep_0384"]
        if not plugin.is_encrypted(stanza):
            return
        if self.legacy:
            plain, device = await plugin.decrypt_message(stanza)
            text = plain["body"] or None
        else:
            element = stanza.xml.find(f"{{{OMEMO2}}}encrypted")
            sender = stanza["from"].bare
            manager = await plugin.get_session_manager()
            message = twomemo.etree.parse_message(element, sender)  # validates against the XEP's schema
            plaintext, device, _ = await manager.decrypt(message)
            text = None if plaintext is None else unpack(plaintext, sender)
        if text is not None:
            manager = await plugin.get_session_manager()
            print("read", fingerprint(manager, device.identity_key), text, flush=True)

    async def write(self, text: str) -> None:
        plugin = self.plugin["xep_0384"]
        stanza = self.make_message(mto=self.peer, mtype="chat", mbody=text)
        stanza.set_from(self.boundjid)
        if self.legacy:
            encrypted, errors = await plugin.encrypt_message(stanza, self.peer)
            assert encrypted is not None and not errors, errors
            encrypted.send()
            return
        await plugin.refresh_device_lists({self.peer})
        manager = await plugin.get_session_manager()
        envelope = {OMEMO2: pack(text, self.boundjid.bare)}
        messages, errors = await manager.encrypt(frozenset({self.peer.bare}), envelope, [OMEMO2])
        assert len(messages) == 1 and not errors, errors
        del stanza["body"]
        for message in messages:
            stanza.append(twomemo.etree.serialize_message(message))
        stanza.send()


def pack(text: str, sender: str) -> bytes:
    padding = secrets.token_urlsafe(secrets.randbelow(150) + 1)
    return (
        f"<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>{escape(text)}</body></content>"
        f"<rpad>{padding}</rpad><from jid={quoteattr(sender)}/></envelope>"
    ).encode()


def unpack(envelope: bytes, sender: str) -> str:
    root = ElementTree.fromstring(envelope)
    assert root.tag == SCE + "envelope" and root.find(SCE + "rpad") is not None, "no XEP-0420 envelope"
    named = root.find(SCE + "from")
    assert named is not None and JID(named.get("jid")).bare == sender, "the content names another sender"
    body = root.find(f"{SCE}content/{{jabber:client}}body")
    assert body is not None and body.text, "no text"
    return body.text


def fingerprint(manager: Any, identity_key: bytes) -> str:
    return "".join(manager.format_identity_key(identity_key))


async def run(address: Tuple[str, int], client: Client) -> None:
    client.enable_starttls = client.enable_direct_tls = False
    client.enable_plaintext = True
    client.plugin["feature_mechanisms"].unencrypted_plain = True
    client.connect(*address)
    await asyncio.wait_for(client.ready, 60)
    manager = await client.plugin["xep_0384"].get_session_manager()
    own, _ = await manager.get_own_device_information()
    print("start", fingerprint(manager, own.identity_key), flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        await client.write(line.decode().rstrip("\n"))
    await client.disconnect()


def main() -> None:
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    address, jid, password, peer, flavour = sys.argv[1:]
    host, port = address.rsplit(":", 1)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    client = Client(jid, password, peer, flavour)
    task = loop.create_task(run((host, int(port)), client))
    loop.run_until_complete(asyncio.wait({task, client.disconnected}, return_when=asyncio.FIRST_COMPLETED))
    if task.done():
        task.result()
    if client.failure:
        print(client.failure, file=sys.stderr, flush=True)
        os._exit(1)


if __name__ == "__main__":
    main()
