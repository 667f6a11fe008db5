"""Texts that anybody can check without asking us: JSON in a JWS, signed with Ed25519.

The key is made from a secret of the installation; whoever has its public part, which the program
publishes as a JWK, sees that a text is ours and unchanged (RFC 7515, RFC 8037, RFC 9864). ``typ``
says what a text is, so that none is taken for another kind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

ALGORITHM = "Ed25519"


def signed(seed: bytes, kind: str, values: Mapping[str, object]) -> str:
    """The values as a compact JWS of a kind. ``seed`` are the 32 bytes of the private key."""
    key = _key(seed)
    header = {"alg": ALGORITHM, "kid": key.thumbprint(), "typ": kind}
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return jws.serialize_compact(header, text.encode(), key, algorithms=[ALGORITHM])


def read(public: Mapping[str, str], kind: str, text: str) -> dict[str, Any] | None:
    """The values in a text of a kind that this public key proves; None for any other text."""
    try:
        found = jws.deserialize_compact(text, OKPKey.import_key({**public}), algorithms=[ALGORITHM])
    except (JoseError, ValueError):
        return None
    if found.protected.get("typ") != kind:
        return None
    values: dict[str, Any] = json.loads(found.payload or b"")
    return values


def public_key(seed: bytes) -> dict[str, str]:
    """The public part of the key as a JWK (RFC 7517)."""
    key = _key(seed)
    shown = {"kid": key.thumbprint(), "alg": ALGORITHM, "use": "sig"}
    return {**{name: str(value) for name, value in key.as_dict(private=False).items()}, **shown}


def _key(seed: bytes) -> OKPKey:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    written = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return OKPKey.import_key(written)
