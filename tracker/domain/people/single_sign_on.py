"""Single sign-on by OpenID Connect: which provider may sign whom in, and what its word is worth."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import get_args
from urllib.parse import urlsplit
from uuid import UUID

from tracker.domain import emails
from tracker.domain.permissions import ORGANIZATIONS, Role

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_ROLES: tuple[Role, ...] = tuple(role for role in get_args(Role) if role != "holder")
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_REQUIRED = ("label", "issuer", "client_id", "roles", "domains")
_LISTS = ("roles", "domains", "strong_acr", "strong_amr")
_IDS = {f"{role}_id": role for role in ORGANIZATIONS}
_KEYS = frozenset({*_REQUIRED, *_LISTS, *_IDS})


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """A provider, as the operator has described it.

    It signs in people with one of its ``roles`` whose address is at one of its ``domains``; where
    ``organizations`` names one for a role, of those who act for such an organization the people of
    that one alone. Its word counts as both factors if the token has one of ``strong_acr``, or one
    of ``strong_amr``, as a claim of that name; otherwise our own second factor follows.
    """

    name: str
    label: str
    issuer: str
    client_id: str
    roles: frozenset[str]
    domains: frozenset[str]
    organizations: Mapping[str, str] = field(default_factory=dict)
    strong_acr: frozenset[str] = frozenset()
    strong_amr: frozenset[str] = frozenset()

    def admits(self, role: str, organization_id: str | None, email: str | None) -> bool:
        """Whether it may sign in somebody with this role, of this organization and address."""
        if role not in self.roles or not email or not self.admits_address(email):
            return False
        return role not in self.organizations or self.organizations[role] == organization_id

    def admits_address(self, email: str) -> bool:
        """Whether an address is at one of its domains; a part of such a domain is none of them."""
        return emails.compared(email).rpartition("@")[2] in self.domains


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody, as a provider knows them: the subject never changes, the address may.

    ``proved_at`` is when they proved to the provider who they are, if it says so.
    """

    subject: str
    email: str
    acr: str = ""
    amr: frozenset[str] = frozenset()
    proved_at: datetime | None = None

    def is_strong(self, provider: IdentityProvider) -> bool:
        """Whether they proved it to the provider by two factors, by the operator's own word."""
        return self.acr in provider.strong_acr or not self.amr.isdisjoint(provider.strong_amr)


NOT_PROVED = datetime(1970, 1, 1, tzinfo=UTC)
"""When somebody proved who they are, if it cannot be said that they did: too long ago."""


def proved_at(found: Identity, now: datetime, *, asked_again: bool) -> datetime:
    """When somebody proved to a provider who they are.

    The provider may have asked them hours ago. One that was to ask them again (``max_age``) must
    say when it did (OpenID Connect Core, section 2); without that nothing was proved.
    """
    if found.proved_at is not None:
        return min(found.proved_at, now)
    return NOT_PROVED if asked_again else now


def provider(name: str, table: Mapping[str, object]) -> IdentityProvider:
    """A provider from its table in the operator's file. Raises ValueError with key and rule."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r}: must be of lower-case letters, digits and hyphens")
    if unknown := sorted(table.keys() - _KEYS):
        raise ValueError(
            f"{name}.{unknown[0]}: is not a key; these are: {', '.join(sorted(_KEYS))}"
        )
    if missing := [key for key in _REQUIRED if not table.get(key)]:
        raise ValueError(f"{name}.{missing[0]}: is missing")
    texts = {key: _text(name, key, one) for key, one in table.items() if key not in _LISTS}
    lists = {key: _texts(name, key, one) for key, one in table.items() if key in _LISTS}
    _check(name, texts, lists)
    return IdentityProvider(
        name=name,
        label=texts["label"],
        issuer=texts["issuer"],
        client_id=texts["client_id"],
        roles=lists["roles"],
        domains=frozenset(one.lower() for one in lists["domains"]),
        organizations={role: texts[key] for key, role in _IDS.items() if texts.get(key)},
        strong_acr=lists.get("strong_acr", frozenset()) - {""},
        strong_amr=lists.get("strong_amr", frozenset()),
    )


def _text(name: str, key: str, given: object) -> str:
    if not isinstance(given, str) or not given.isprintable():
        raise ValueError(f"{name}.{key}: must be one line of text")
    return given


def _texts(name: str, key: str, given: object) -> frozenset[str]:
    if not isinstance(given, list):
        raise ValueError(f"{name}.{key}: must be a list of texts")  # noqa: TRY004 - as for any value
    return frozenset(_text(name, key, one) for one in given)


def _check(name: str, texts: Mapping[str, str], lists: Mapping[str, frozenset[str]]) -> None:
    if strange := sorted(lists["roles"] - set(_ROLES)):
        raise ValueError(f"{name}.roles: {strange[0]!r} must be one of {', '.join(_ROLES)}")
    if not is_safe(texts["issuer"]):
        raise ValueError(f"{name}.issuer: must begin with https://")
    if strange := sorted(one for one in lists["domains"] if "@" in one or "." not in one):
        raise ValueError(f"{name}.domains: {strange[0]!r} must be a domain such as example.org")
    for key in sorted(_IDS.keys() & texts.keys()):
        if texts[key] and not _is_id(texts[key]):
            raise ValueError(f"{name}.{key}: must be the id of the {_IDS[key]}")


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def is_safe(address: str) -> bool:
    """Whether what is sent to an address is encrypted on its way, or stays on this machine."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    host = parts.hostname or ""
    return host != "" and (
        parts.scheme == "https" or (parts.scheme == "http" and host in _THIS_MACHINE)
    )
