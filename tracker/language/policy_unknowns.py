"""What a policy does not know, in plain words.

Nobody reads from a rule that is missing, or from a value that stands in for one, that something
is allowed, forbidden or free: where the file lists it as open, the sentence says so.
"""

from __future__ import annotations

from tracker.domain.schemes.policies import Policy
from tracker.language import catalogues

_MARK = catalogues.phrase("policy_unknowns", "mark")
# Keys of types that say what is asked for with a claim, not what it counts.
_OF_PROOF = {"evidence", "evidence_kinds", "warn_above"}

# By the key that is open and stands for nothing.
UNKNOWN = catalogues.sentences("policy_unknowns", "unknown")


def open_keys(policy: Policy) -> frozenset[str]:
    """The keys that a version lists as not verified: "late.title", "types.course", "window".

    What is open in every type ("types.points") is open in "types".
    """
    listed = (entry.partition(":")[0].split(",") for entry in policy.unverified)
    keys = (key.strip() for entry in listed for key in entry)
    return frozenset(told for key in keys if (told := _whole(key, policy)))


def _whole(key: str, policy: Policy) -> str:
    first, *rest = key.split(".")
    groups = {"categories": policy.categories, "types": policy.types, "tags": policy.tags}
    if not rest or first not in groups or rest[0] in groups[first]:
        return key
    return "" if rest[0] in _OF_PROOF else first


def named(keys: frozenset[str], key: str) -> bool:
    """Whether a key, a part of it or what it is a part of is among the open ones."""
    return any(
        key == each or each.startswith(f"{key}.") or key.startswith(f"{each}.") for each in keys
    )


def marked(sentence: str, language: str) -> str:
    """A sentence, or a part of one, that says of itself that it is not verified."""
    body = sentence.removesuffix(".")
    return f"{body} ({_MARK[language]}){'.' if body != sentence else ''}"
