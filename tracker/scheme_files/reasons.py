"""Reads config/reasons.toml, the list of reason codes; mistakes name line, key and rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from marshmallow import fields, post_load

from tracker.domain.schemes.reasons import ACTS, FAMILIES, ReasonCode, Reasons
from tracker.scheme_files import raw, tomls
from tracker.scheme_files.mistakes import Mistake, SchemesRefusedError
from tracker.scheme_files.raw import LocatedMistake, Raw
from tracker.scheme_files.values import (
    Different,
    FlagKey,
    NamedTable,
    Table,
    WordsKey,
    choice,
    table,
)


class _ReasonTable(Table):
    """One code of the list."""

    acts = Different(
        choice("An act.", ACTS), "What it is for.", least=1, into=frozenset, required=True
    )
    text = table(WordsKey, "What it means.", required=True)
    own_words = FlagKey("Whether it also needs a reason in one's own words.")


class _ReasonsFile(Table):
    """The list of reason codes."""

    reasons = NamedTable(fields.Nested(_ReasonTable), "The codes.", required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Reasons:
        """The list described by a file without mistakes."""
        return Reasons({code: ReasonCode(code, **told) for code, told in data["reasons"].items()})


def load(path: Path) -> Reasons:
    """Read the list. Raises SchemesRefusedError with every mistake in it."""
    found: list[Mistake] = []
    file = tomls.parse(path, found)
    loaded = tomls.build(_ReasonsFile(), file, found) if file else None
    if file:
        found += [file.mistake(*each) for each in _unexplained(file.raw)]
    if loaded is None or found:
        raise SchemesRefusedError(found)
    return loaded  # type: ignore[no-any-return]


def _unexplained(file: Raw) -> Iterator[LocatedMistake]:
    """The acts that would be impossible, since no code is for them."""
    if not isinstance(file.get("reasons"), dict):
        return  # the format reports it
    listed = raw.entries(file["reasons"]).values()
    named = {act for entry in listed for _, act in raw.texts(entry.get("acts"))}
    for family in FAMILIES:
        if named.isdisjoint(family):
            yield ("reasons",), f"has no code for {' or '.join(family)}"
