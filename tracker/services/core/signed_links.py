"""Addresses and links with a signature, so that nobody else can make one up."""

from __future__ import annotations

import base64
import hmac

from tracker.services.core.context import ReadContext

_MAC_LENGTH = 15  # characters of base32: 75 bits; the longest purpose fills 64 octets of local part


def proof(key: bytes, purpose: str, id_: str) -> str:
    """``<id>.<mac>``: an id that only we can have written, for one purpose (one message).

    In lower case, because mail systems may change the case of an address.
    """
    digest = hmac.digest(key, f"{purpose}:{id_}".encode(), "sha256")
    return f"{id_}.{base64.b32encode(digest).decode().lower()[:_MAC_LENGTH]}"


def proven(key: bytes, purpose: str, text: str) -> str | None:
    """The id in a text that ``proof`` made for the same purpose; None for any other text."""
    id_ = text.lower().partition(".")[0]
    genuine = proof(key, purpose, id_).encode()
    return id_ if hmac.compare_digest(genuine, text.lower().encode()) else None


def proof_address(reading: ReadContext, key: bytes, purpose: str, id_: str) -> str:
    """A VERP address (``b+<message>.<mac>@...``): mail to it shows which record it is about."""
    return f"{purpose}+{proof(key, purpose, id_)}@{reading.settings.mail.bounce_domain}"
