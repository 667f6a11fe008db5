"""Differences between two versions of a policy as text, JSON and CSV.

Changes are kept in a temporary file while the work goes on, and written at the end: a report is
complete or absent, however many lines it has, and a progress line never interrupts it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self, TypedDict

import orjson

from tracker import tabular
from tracker.domain.schemes.policy_impact import FACTS, Difference, ImpactTally
from tracker.services.credentials.policy_impact import Compared

COLUMNS = (
    "certificate_number",
    "holder_ref",
    "version",
    "changes",
    *(f"{fact}_{when}" for fact in FACTS for when in ("before", "after")),
)
_IN_MEMORY = 1 << 20  # bytes; larger reports go to a file
_WORDS = {
    "total": "total",
    "required": "required",
    "expires_on": "valid through",
    "window_opens_on": "window opens",
    "window_closes_on": "window closes",
    "grace_ends_on": "grace ends",
    "title_ends_on": "title ends",
}
_VERDICTS = {
    "complete_gained": "now complete",
    "complete_lost": "no longer complete",
    "complete_added": "counts points now",
    "complete_removed": "counts no points anymore",
}


_Fact = str | bool | None


class _ImpactChange(TypedDict):
    fact: str
    kind: str
    before: _Fact
    after: _Fact


class _ImpactLine(TypedDict):
    """A certification for which something changes, with all facts before and after."""

    certificate_number: str
    holder_ref: str
    version: str
    changes: list[_ImpactChange]
    before: list[_Fact]
    after: list[_Fact]


class ImpactReport:
    """The certifications for which something changes, and the totals of all."""

    def __init__(self) -> None:
        self.tally = ImpactTally()
        self._lines = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _no: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        self._lines.close()

    def add(self, one: Compared) -> None:
        """Add a certification; one without changes is only counted."""
        self.tally.add(one.differences)
        if one.differences:
            self._lines.write(orjson.dumps(_plain(one), option=orjson.OPT_APPEND_NEWLINE))

    def _changed(self) -> Iterator[_ImpactLine]:
        self._lines.seek(0)
        yield from map(orjson.loads, self._lines)

    def text(self) -> Iterator[bytes]:
        """A line for each certification, then the totals."""
        for line in self._changed():
            changes = ", ".join(map(_phrase, line["changes"]))
            yield f"{line['certificate_number']}  {line['holder_ref']}  {changes}\n".encode()
        yield from (f"{total}\n".encode() for total in self.totals())

    def totals(self) -> Iterator[str]:
        """How many change, and how."""
        examined, changed = self.tally.examined, self.tally.changed
        result = (
            f"{changed:,} change{'s' if changed == 1 else ''}" if changed else "nothing changes"
        )
        yield f"{_certifications(examined)} examined: {result}"
        for kind, count in self.tally.kinds.items():
            yield f"{count:>9,}  {kind.replace('_', ' ')}"

    def csv(self) -> Iterator[bytes]:
        """A line for each certification, with all facts before and after."""
        return tabular.csv_chunks(COLUMNS, map(_row, self._changed()))

    def json(self, **about: object) -> Iterator[bytes]:
        """One object: what was compared, the changes of each certification, the totals."""
        head = orjson.dumps({**about, **self._sums()}, default=str)
        yield head[:-1] + b',"certifications":['
        between = b"\n"
        for line in self._changed():
            shown = {key: value for key, value in line.items() if key in COLUMNS}
            yield between + orjson.dumps(shown)
            between = b",\n"
        yield b"\n]}\n"

    def _sums(self) -> dict[str, object]:
        tally = self.tally
        return {"examined": tally.examined, "changed": tally.changed, "kinds": tally.kinds}


def _certifications(count: int) -> str:
    return f"{count:,} certification{'' if count == 1 else 's'}"


def _plain(one: Compared) -> _ImpactLine:
    """The data of all three forms: amounts as text, dates in ISO form."""
    return {
        "certificate_number": one.number,
        "holder_ref": one.holder_ref,
        "version": one.version,
        "changes": [_change(each) for each in one.differences],
        "before": [_value(getattr(one.before, fact)) for fact in FACTS],
        "after": [_value(getattr(one.after, fact)) for fact in FACTS],
    }


def _change(one: Difference) -> _ImpactChange:
    before, after = _value(one.before), _value(one.after)
    return {"fact": one.fact, "kind": one.kind, "before": before, "after": after}


def _value(value: object) -> _Fact:
    return value if value is None or isinstance(value, bool) else str(value)


def _phrase(change: _ImpactChange) -> str:
    """A change as a phrase: ``total 40.00 -> 35.00``, or the verdict in words."""
    if change["kind"] in _VERDICTS:
        return _VERDICTS[change["kind"]]
    nothing = "no expiration" if change["fact"] == "expires_on" else "none"
    before, after = change["before"] or nothing, change["after"] or nothing
    return f"{_WORDS[change['fact']]} {before} -> {after}"


def _row(line: _ImpactLine) -> list[_Fact]:
    kinds = ";".join(change["kind"] for change in line["changes"])
    pairs = zip(line["before"], line["after"], strict=True)
    return [
        line["certificate_number"],
        line["holder_ref"],
        line["version"],
        kinds,
        *(value for pair in pairs for value in pair),
    ]
