"""A device with passkeys, in software: keys on P-256, CBOR by hand, no attestation (WebAuthn)."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import struct
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.browsers import Browser

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40
_OPTIONS = re.compile(r'data-options="([^"]*)"')
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


def text_of(data: bytes) -> str:
    """Bytes in base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def bytes_of(text: str) -> bytes:
    """The bytes of base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cbor(value: Any) -> bytes:
    """The canonical CBOR of integers, texts, bytes and maps (RFC 8949)."""
    match value:
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case dict():
            pairs = b"".join(cbor(key) + cbor(one) for key, one in value.items())
            return _head(5, len(value)) + pairs
    raise TypeError(value)


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    if number < 256:
        return bytes([kind << 5 | 24, number])
    return bytes([kind << 5 | 25]) + struct.pack(">H", number)


@dataclass
class Key:
    """A passkey on a device."""

    id: bytes
    private: ec.EllipticCurvePrivateKey
    handle: bytes
    count: int = 0


@dataclass
class Device:
    """A phone or a security key: it makes keys and signs with them, after a PIN if ``verifies``.

    What it says of the page (``origin``, ``host``) is what its browser says, so a test can lie.
    """

    origin: str = "https://tracker.example"
    host: str = "tracker.example"
    verifies: bool = True
    counts: bool = True
    keys: list[Key] = field(default_factory=list)

    def make(self, options: dict[str, Any]) -> str:
        """Make a key as ``navigator.credentials.create()`` does; the answer as JSON."""
        assert {"type": "public-key", "alg": -7} in options["pubKeyCredParams"]
        assert options["authenticatorSelection"]["userVerification"] == "required"
        private = ec.generate_private_key(ec.SECP256R1())
        key = Key(
            hashlib.sha256(repr(private).encode()).digest(),
            private,
            bytes_of(options["user"]["id"]),
        )
        self.keys.append(key)
        point = private.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        attested = bytes(16) + struct.pack(">H", len(key.id)) + key.id + cbor(public)
        data = self._data(key, _ATTESTED) + attested
        statement = cbor({"fmt": "none", "attStmt": {}, "authData": data})
        about = self._client_data("webauthn.create", options["challenge"])
        return self._answer(key, clientDataJSON=about, attestationObject=statement)

    def use(self, options: dict[str, Any], key: Key | None = None, **changed: bytes) -> str:
        """Sign with a key as ``navigator.credentials.get()`` does; the newest unless one is given.

        ``changed`` are parts of the answer that somebody replaced on the way.
        """
        assert options["userVerification"] == "required"
        key = key or self.keys[-1]
        key.count += self.counts
        about, data = self._client_data("webauthn.get", options["challenge"]), self._data(key, 0)
        signed = data + hashlib.sha256(about).digest()
        parts = {
            "clientDataJSON": about,
            "authenticatorData": data,
            "signature": key.private.sign(signed, ec.ECDSA(hashes.SHA256())),
            "userHandle": key.handle,
        }
        return self._answer(key, **parts | changed)

    def _data(self, key: Key, flags: int) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.verifies else 0)
        return hashlib.sha256(self.host.encode()).digest() + struct.pack(">BI", flags, key.count)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _answer(self, key: Key, **parts: bytes) -> str:
        return json.dumps(
            {
                "id": text_of(key.id),
                "rawId": text_of(key.id),
                "type": "public-key",
                "response": {name: text_of(part) for name, part in parts.items()},
            }
        )


def options_in(page: Any) -> dict[str, Any]:
    """What a page has the browser ask the device for."""
    (found,) = _OPTIONS.findall(page.text)
    options: dict[str, Any] = json.loads(html.unescape(found))
    return options


def send(browser: Browser, page: Any, answer: str) -> Any:
    """Send the form of a page with the device's answer, as its script does."""
    (action,) = re.findall(r'<form id="passkey" action="([^"]+)"', page.text)
    hidden = {name: html.unescape(value) for name, value in _HIDDEN.findall(page.text)}
    return browser.post(action, hidden | {"credential": answer})


def add(browser: Browser, device: Device, name: str = "My phone") -> Any:
    """Add a passkey of the device to the account that is signed in; the answer."""
    page = browser.send_form("/account/passkeys", name=name)
    return send(browser, page, device.make(options_in(page)))


def sign_in(browser: Browser, device: Device, **more: Any) -> Any:
    """Sign in with the newest passkey of a device; the answer."""
    page = browser.post("/sign-in/passkey", {"next": "/account"})
    return send(browser, page, device.use(options_in(page), **more))
