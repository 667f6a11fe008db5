"""What the keys and codes of scheme files are called in sentences, in English and Spanish."""

from __future__ import annotations

from collections.abc import Iterable

from tracker.domain.periods import Duration
from tracker.domain.schemes.activity_types import ENGLISH, ActivityType
from tracker.domain.schemes.schemes import Scheme
from tracker.language import catalogues
from tracker.language.voice import Voice, measured

REASONS = catalogues.texts("policy_names", "reasons")
_KEYS = catalogues.texts("policy_names", "keys")
_PARTS = catalogues.texts("policy_names", "parts")
_LAST = catalogues.sentences("policy_names", "last")
_GROUPS = {"categories": "category", "types": "type", "tags": "tag"}


def reason(code: str, voice: Voice) -> str:
    """A reason for an extension or a reduction; the policy may name others than the usual ones."""
    named = voice.policy.reasons.get(code) or REASONS.get(code)
    return voice.text(named) if named else f"“{code}”"


def open_value(told: str, voice: Voice) -> str:
    """What was not checked, for a text that begins with keys: "window: not published".

    The rest of the text is the file's own, in English.
    """
    keys, _, why = told.partition(": ")
    names = voice.listed(list(dict.fromkeys(_name(key, voice) for key in keys.split(", "))))
    why = why.removeprefix("U, ").removeprefix("U; ").removeprefix("U: ").strip()
    return f"{names} ({why})" if why and voice.language == ENGLISH else names


def _name(key: str, voice: Voice) -> str:
    """What a key is called: of a group its name, of a part of a rule both."""
    policy, (first, *rest) = voice.policy, key.split(".")
    groups = {"categories": policy.categories, "types": policy.types, "tags": policy.tags}
    if rest and rest[0] in groups.get(first, ()):
        return voice.name(_GROUPS[first], rest[0])
    name = voice.text(_KEYS[first]) if first in _KEYS else f"“{key}”"
    part = _PARTS.get(rest[0]) if rest else None
    return f"{name}: {voice.text(part)}" if part else name


def schemes(codes: Iterable[str]) -> list[str]:
    """Other schemes, known by their codes only: "CPT", "NICET TECHNICIAN"."""
    return [code.upper().replace("_", " ") for code in codes]


def last(voice: Voice, duration: Duration) -> str:
    """The last stretch of so long: "the last 6 months", "el último año"."""
    length = measured(duration, voice.language)
    return _LAST[voice.language]["one" if duration.length == 1 else "many"].format(length=length)


def former(kind: ActivityType, scheme: Scheme, voice: Voice) -> list[str]:
    """The names of the types of earlier versions that a type replaces."""
    known = {code: t for p in scheme.policies for code, t in p.types.items()}
    return [
        voice.quoted(known[code].name) if code in known else f"“{code}”"
        for code in sorted(kind.replaces)
    ]
