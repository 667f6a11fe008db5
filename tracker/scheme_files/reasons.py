"""Reads config/reasons.toml, the list of reason codes; mistakes name line, key and rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tracker.domain.schemes.reasons import FAMILIES, ReasonCode, Reasons
from tracker.scheme_files import raw, tomls
from tracker.scheme_files.mistakes import Mistake, SchemesRefusedError
from tracker.scheme_files.raw import LocatedMistake, Raw
from tracker.scheme_files.tables import Special, Tables
from tracker.scheme_files.values import Data


def _entry(data: Data) -> Data:
    """The attributes as they are: the list adds the code."""
    return data


def _list(data: Data) -> Reasons:
    """The codes, each with its own."""
    return Reasons({code: ReasonCode(code, **entry) for code, entry in data["by_code"].items()})


_LIST = Tables({ReasonCode: Special(_entry), Reasons: Special(_list)}).of(Reasons)


def load(path: Path) -> Reasons:
    """Read the list. Raises SchemesRefusedError with every mistake in it."""
    found: list[Mistake] = []
    file = tomls.parse(path, found)
    loaded = tomls.build(_LIST(), file, found) if file else None
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
