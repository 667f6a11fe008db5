"""Asking identity providers who somebody is (OpenID Connect, code flow with PKCE).

A provider's addresses and keys are read from its discovery document and kept for
``sso.cache_minutes``; a token signed with an unknown key has the keys read again, once a minute at
most. Answers are read up to a size and a deadline, and no redirection is followed. No transaction
is open meanwhile: a provider may be slow.

Invariant: an ``Identity`` comes from a token that the provider itself handed to us for this attempt
(nonce), made for us (audience), signed with one of its own keys by an asymmetric algorithm, not
expired, and with an address that the provider has verified.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import urllib3
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from urllib3.util import Timeout, make_headers

from tracker.domain import emails
from tracker.domain.people.single_sign_on import Identity, IdentityProvider, is_safe
from tracker.settings import SsoSettings

_SIGNED_BY = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
_MOST_BYTES = 256 * 1024
_PIECE = 8192
_LONGEST_SUBJECT = 255  # OpenID Connect Core, section 2
_REREAD = timedelta(minutes=1)
_POOL = urllib3.PoolManager(retries=False)
_LOCK = Lock()


class ProviderFailedError(Exception):
    """The provider was not reached, or its answer proves nothing; the text is for the log."""


@dataclass(frozen=True, slots=True)
class ProviderSite:
    """Where a provider is asked, with which keys it signs, and when that was read."""

    authorization: str
    token: str
    keys_at: str
    keys: KeySet
    read_at: datetime


@dataclass(frozen=True, slots=True)
class ProviderAttempt:
    """What ties a provider's answer to one attempt in one browser.

    ``asks_again``: the provider is to have the person prove who they are, even if it knows them.
    """

    state: str
    nonce: str
    verifier: str
    redirect: str
    asks_again: bool = False


_sites: dict[str, ProviderSite] = {}


def authorization(
    provider: IdentityProvider,
    attempt: ProviderAttempt,
    settings: SsoSettings,
    now: datetime,
) -> str:
    """The provider's page to which the browser goes. Raises ProviderFailedError."""
    # Asked for an age, a provider must say when it was proved; prompt alone does not oblige it to.
    more = {"prompt": "login", "max_age": "0"} if attempt.asks_again else {}
    address: str = prepare_grant_uri(
        _site(provider, settings, now).authorization,
        provider.client_id,
        "code",
        redirect_uri=attempt.redirect,
        scope="openid email",
        state=attempt.state,
        nonce=attempt.nonce,
        code_challenge=create_s256_code_challenge(attempt.verifier),
        code_challenge_method="S256",
        **more,
    )
    return address


def identity(
    provider: IdentityProvider,
    attempt: ProviderAttempt,
    code: str,
    settings: SsoSettings,
    now: datetime,
) -> Identity:
    """Who the browser's code stands for. Raises ProviderFailedError."""
    site = _site(provider, settings, now)
    secret = settings.secret_of(provider.name)
    # RFC 6749, 2.3.1: both are encoded as in a form, then joined.
    pair = f"{quote(provider.client_id, safe='')}:{quote(secret, safe='')}"
    told = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": attempt.redirect,
        "code_verifier": attempt.verifier,
    }
    answer = _asked(
        site.token,
        settings,
        body=urlencode(told),
        headers={
            **make_headers(basic_auth=pair),
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise ProviderFailedError("it sent no id_token")
    return _identity(_claims(provider, attempt, answer, settings, now))


def _claims(
    provider: IdentityProvider,
    attempt: ProviderAttempt,
    answer: Mapping[str, Any],
    settings: SsoSettings,
    now: datetime,
) -> Mapping[str, Any]:
    """The claims of the token in an answer, all of them checked."""
    try:
        decoded = _decoded(provider, answer["id_token"], settings, now)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": provider.client_id},
            },
            {
                "nonce": attempt.nonce,
                "client_id": provider.client_id,
                "access_token": answer.get("access_token"),
            },
        )
        claims.validate(now=int(now.timestamp()), leeway=settings.skew_seconds)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ProviderFailedError(
            f"its token is refused: {type(error).__name__}: {error}"
        ) from error
    return decoded.claims


def _decoded(
    provider: IdentityProvider, token: str, settings: SsoSettings, now: datetime
) -> jwt.Token:
    """The token, whose signature is right; the keys are read again if it may be a new one."""
    site = _site(provider, settings, now)
    try:
        return jwt.decode(token, site.keys, algorithms=_SIGNED_BY)
    except (JoseError, ValueError):
        if now < site.read_at + _REREAD:
            raise
    return jwt.decode(token, _read(provider, settings, now).keys, algorithms=_SIGNED_BY)


def _identity(claims: Mapping[str, Any]) -> Identity:
    subject, email, amr = claims.get("sub"), claims.get("email"), claims.get("amr") or []
    acr, proved = claims.get("acr", ""), claims.get("auth_time")
    if not isinstance(subject, str) or not _is_subject(subject):
        raise ProviderFailedError("its token has no subject")
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        raise ProviderFailedError("its token has no verified address")
    try:
        address = emails.email(email)
        at = datetime.fromtimestamp(proved, UTC) if isinstance(proved, int | float) else None
    except (ValueError, OverflowError, OSError) as error:
        raise ProviderFailedError("its token has a value that cannot be read") from error
    return Identity(
        subject=subject,
        email=address,
        acr=acr if isinstance(acr, str) else "",
        amr=frozenset(one for one in amr if isinstance(one, str)),
        proved_at=at,
    )


def _is_subject(text: str) -> bool:
    """Whether a text can be a subject: no database keeps some of the characters that JSON may."""
    return 0 < len(text) <= _LONGEST_SUBJECT and text.isprintable()


def _site(provider: IdentityProvider, settings: SsoSettings, now: datetime) -> ProviderSite:
    """What is known of the provider, read again once it is too old."""
    with _LOCK:
        known = _sites.get(provider.issuer)
    if known is None or not now < known.read_at + timedelta(minutes=settings.cache_minutes):
        return _read(provider, settings, now)
    return known


def _read(provider: IdentityProvider, settings: SsoSettings, now: datetime) -> ProviderSite:
    document = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    found = _asked(document, settings)
    if found.get("issuer") != provider.issuer:
        raise ProviderFailedError(
            f"its document is that of another issuer: {found.get('issuer')!r}"
        )
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    addresses = [found.get(name) for name in names]
    for name, address in zip(names, addresses, strict=True):
        if not isinstance(address, str) or not is_safe(address):
            raise ProviderFailedError(f"its {name} is not an https address")
    ask, token, keys_at = map(str, addresses)
    try:
        keys = KeySet.import_key_set(_asked(keys_at, settings))  # type: ignore[arg-type]
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ProviderFailedError("its keys cannot be read") from error
    site = ProviderSite(ask, token, keys_at, keys, now)
    with _LOCK:
        _sites[provider.issuer] = site
    return site


def forget() -> None:
    """Forget what was read of providers."""
    with _LOCK:
        _sites.clear()


def _asked(
    address: str,
    settings: SsoSettings,
    *,
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Mapping[str, Any]:
    """The JSON object that an address answers. Raises ProviderFailedError."""
    until = time.monotonic() + settings.timeout_seconds
    try:
        response = _POOL.request(
            "GET" if body is None else "POST",
            address,
            body=body,
            headers={"Accept": "application/json", **(headers or {})},
            redirect=False,
            preload_content=False,
            timeout=Timeout(total=settings.timeout_seconds),
        )
        try:
            text = _bounded(response, until)
        finally:
            response.close()
    except urllib3.exceptions.HTTPError as error:
        raise ProviderFailedError(f"{address} was not reached: {error}") from error
    if response.status != 200:  # noqa: PLR2004 - HTTP's own number
        raise ProviderFailedError(f"{address} answered {response.status}")
    try:
        found = orjson.loads(text)
    except ValueError as error:
        raise ProviderFailedError(f"{address} answered no JSON") from error
    if not isinstance(found, dict):
        raise ProviderFailedError(f"{address} answered no JSON object")
    return found


def _bounded(response: urllib3.BaseHTTPResponse, until: float) -> bytes:
    """The body of an answer, up to a size and a moment."""
    text = bytearray()
    # What has come by now, and not a whole piece: or one byte at a time would last for hours.
    while piece := response.read1(_PIECE, decode_content=False):
        text += piece
        if len(text) > _MOST_BYTES:
            raise ProviderFailedError("its answer is too long")
        if time.monotonic() > until:
            raise ProviderFailedError("its answer took too long")
    return bytes(text)
