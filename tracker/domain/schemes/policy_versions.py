"""The fingerprint of a published policy version: equal rules have equal fingerprints.

The fingerprint covers what the version says, not how its file is written: comments, the order of
keys and ``60.0`` for ``60.00`` change nothing. Nor does what is *known about* the values: sources,
whether they were verified, the list of open questions. So a value that is checked against the
published text and found right needs no new version; a value that changes does. Nor does how claims
are reviewed: which files are requested, and above which quantity a reviewer looks twice. That
changes no points, and a body may change it at any time. Nor do words beyond those that every file
has: names in languages other than English and Spanish, and the singular and gender of units
("contact hours" stands for them). Keys with their default value are left out, so that a later
release of ours with more keys gives today's versions the same fingerprint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date
from decimal import Decimal

from tracker.domain.schemes.activity_types import WRITTEN_IN, Noun
from tracker.domain.schemes.policies import Policy

_ABOUT_THE_VALUES = {"provenance", "unverified"}
_ABOUT_REVIEWING = {"evidence", "evidence_kinds", "warn_above"}


def content(policy: Policy) -> str:
    """Everything that a version says, in one stable form: JSON with sorted keys."""
    plain = _plain(policy)
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(policy: Policy) -> str:
    """The SHA-256 of the version's content, in hexadecimal."""
    return hashlib.sha256(content(policy).encode()).hexdigest()


def _plain(value: object) -> object:
    """A value in JSON types; equal values give equal results."""
    if isinstance(value, Noun):
        return value.many
    if is_dataclass(value):
        found = ((each, getattr(value, each.name)) for each in fields(value))
        return {each.name: _plain(given) for each, given in found if _is_said(each, given)}
    if isinstance(value, Mapping):
        return {
            str(key): _plain(given) for key, given in value.items() if not _is_further(key, given)
        }
    if isinstance(value, frozenset | tuple):
        return [_plain(each) for each in (value if isinstance(value, tuple) else sorted(value))]
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, date) else value


def _is_further(key: object, words: object) -> bool:
    """Whether words are in a language that a scheme file need not have."""
    return isinstance(words, str | Noun) and key not in WRITTEN_IN


def _is_said(key: Field[object], value: object) -> bool:
    if key.name in _ABOUT_THE_VALUES | _ABOUT_REVIEWING:
        return False
    if key.default_factory is not MISSING:
        return bool(value != key.default_factory())
    return key.default is MISSING or bool(value != key.default)
