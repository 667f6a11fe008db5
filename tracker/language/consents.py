"""What an employer asks for and why, in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tracker.language import catalogues

FIELDS: Mapping[str, Mapping[str, str]] = catalogues.sentences("consents", "fields")
"""The sets of facts that a consent may cover, by language and code."""
SHORT: Mapping[str, Mapping[str, str]] = catalogues.sentences("consents", "short")
"""The same in a few words, as an employer is told what it sees."""
PURPOSES: Mapping[str, Mapping[str, str]] = catalogues.sentences("consents", "purposes")
"""The purposes for which an employer may ask, by language and code."""


def words(fields: Collection[str], purpose: str, language: str) -> dict[str, str]:
    """The fields and the purpose, for sentences that have a place for them."""
    return {
        "asked_fields": "; ".join(FIELDS[language][field] for field in fields),
        "purpose": PURPOSES[language][purpose],
    }
