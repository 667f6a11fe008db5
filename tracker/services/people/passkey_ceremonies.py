"""What browsers are asked about passkeys, and whether their answers are right (WebAuthn, level 2).

Authenticators know this site by the host of ``app.base_url`` and browsers by its origin: a passkey
made for another site, or used on one, is refused. Whoever uses a passkey is always verified by the
device (a PIN, a finger), so it is two factors at once. Which device somebody has is not asked for.

A challenge is derived from the id of its attempt with the installation's key, as codes are, so
whoever reads the database cannot have a passkey sign the right one.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.parse_authentication_credential_json import (
    parse_authentication_credential_json,
)
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from tracker.domain.people.passkeys import LONGEST_ANSWER
from tracker.settings import Settings

_VERIFIED = UserVerificationRequirement.REQUIRED
# What browsers send where no attestation is wanted; "packed" is signed by the new key itself.
_ATTESTATIONS = (AttestationFormat.NONE, AttestationFormat.PACKED)


class KeyOwner(NamedTuple):
    """Whom a device makes a passkey for, and what it shows its owner; ``id`` is the account's."""

    id: str
    name: str
    email: str


class NewKey(NamedTuple):
    """A passkey that a device has just made."""

    credential_id: str
    public_key: bytes
    sign_count: int


def are_possible(settings: Settings) -> bool:
    """Whether browsers offer passkeys at the site's address: at a name with TLS, or localhost."""
    parts = urlsplit(settings.app.base_url)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return parts.scheme == "https" or host == "localhost"
    return False


def challenge(key: bytes, sign_in_id: str) -> bytes:
    """What the passkey has to sign in an attempt."""
    return hmac.digest(key, f"passkey:{sign_in_id}".encode(), "sha256")


def handle(account_id: str) -> bytes:
    """By what a passkey knows its account; it says nothing about the person."""
    return UUID(account_id).bytes


def creation(
    settings: Settings, challenge: bytes, owner: KeyOwner, known: Collection[str] = ()
) -> str:
    """What a browser is asked to make a passkey, as JSON; on none of the ``known`` devices."""
    options = webauthn.generate_registration_options(
        rp_id=_host(settings),
        rp_name=settings.app.name,
        user_id=handle(owner.id),
        user_name=owner.email or owner.name,
        user_display_name=owner.name,
        challenge=challenge,
        exclude_credentials=_described(known),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
        ),
    )
    return webauthn.options_to_json(options)


def request(settings: Settings, challenge: bytes, known: Collection[str] = ()) -> str:
    """What a browser is asked to use a passkey, as JSON: one of the ``known``, or whichever."""
    options = webauthn.generate_authentication_options(
        rp_id=_host(settings),
        challenge=challenge,
        allow_credentials=_described(known),
        user_verification=_VERIFIED,
    )
    return webauthn.options_to_json(options)


def _described(known: Collection[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known]


def made(settings: Settings, challenge: bytes, answer: str) -> NewKey | None:
    """The passkey that a browser's answer proves to have been made; None if it proves nothing."""
    if len(answer) > LONGEST_ANSWER:
        return None
    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_host(settings),
            expected_origin=_origin(settings),
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001 - a stranger's bytes: the library promises no kind of error
        return None
    if found.fmt not in _ATTESTATIONS:
        return None
    name = bytes_to_base64url(found.credential_id)
    return NewKey(name, found.credential_public_key, found.sign_count)


def parsed(answer: str) -> AuthenticationCredential | None:
    """A browser's answer that uses a passkey, not verified yet; None if it is none."""
    if len(answer) > LONGEST_ANSWER:
        return None
    try:
        return parse_authentication_credential_json(answer)
    except Exception:  # noqa: BLE001 - a stranger's bytes: the library promises no kind of error
        return None


def counter(
    settings: Settings, challenge: bytes, answer: AuthenticationCredential, public_key: bytes
) -> int | None:
    """The counter of a passkey that signed the challenge; None if this key did not sign it.

    Whether it counted up is for the caller to see: only a right signature says anything about it.
    """
    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_host(settings),
            expected_origin=_origin(settings),
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001 - a stranger's bytes: the library promises no kind of error
        return None
    return found.new_sign_count


def _host(settings: Settings) -> str:
    return urlsplit(settings.app.base_url).hostname or ""


def _origin(settings: Settings) -> str:
    """The origin as browsers write it: without the port that is usual for the scheme."""
    parts = urlsplit(settings.app.base_url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    port = "" if parts.port in {None, usual} else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"
