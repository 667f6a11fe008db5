"""Awards recorded from a file: the cycles that the file gives them, and what contradicts it.

Invariant: a day given by the file is kept, even if the scheme's validity gives another one; a note
says so. A file that contradicts itself, or the passes on record, is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from tracker.domain.credentials import assessments
from tracker.domain.credentials.assessments import Attempt
from tracker.domain.credentials.certifications import CycleTerm
from tracker.domain.periods import DAY, Period
from tracker.domain.points import cycle_rules
from tracker.domain.schemes.schemes import Scheme

Field = Literal["certificate_number", "awarded_on", "cycle_starts_on", "expires_on", "replaced_on"]
_MOST_CYCLES = 60  # how many expiries of one award are compared with a given day


@dataclass(frozen=True, slots=True)
class Stretch:
    """A cycle as the file gives it; None: computed from the cycle before it and from the scheme."""

    starts_on: date | None = None
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A remark about one of the given cycles: its place among them, the field, and the words."""

    place: int
    field: Field
    words: str


@dataclass(frozen=True, slots=True)
class Given:
    """The cycles of an award as the file gives them, with errors and remarks on unusual days."""

    cycles: tuple[CycleTerm, ...]
    faults: tuple[Said, ...]
    notes: tuple[Said, ...]


def read(scheme: Scheme, awarded_on: date, stretches: Iterable[Stretch], *, today: date) -> Given:
    """The cycles of an award, in the order of their days.

    A cycle that starts later than ``today`` counts as opened today, since the file already has it.
    """
    cycles: list[CycleTerm] = []
    faults: list[Said] = []
    notes: list[Said] = []
    for place, one in enumerate(stretches):
        before = cycles[-1] if cycles else None
        cycle = _cycle(scheme, awarded_on, before, one, today)
        wrong = [*_faults(scheme, awarded_on, before, one, cycle)]
        faults += [Said(place, field, rule) for field, rule in wrong]
        if not wrong:
            unusual = _notes(scheme, before, cycle)
            notes += [Said(place, field, words) for field, words in unusual]
        cycles.append(cycle)
    return Given(tuple(cycles), tuple(faults), tuple(notes))


def stretches_of(scheme: Scheme, cycles: Sequence[CycleTerm]) -> list[Stretch]:
    """Cycles in the form a file would give them: the first starts with the award, whatever its day.

    An expiry that equals the one by the scheme's validity is left out, so that it follows the
    award.
    """
    return [
        Stretch(
            cycle.starts_on if before is not None else None,
            None if cycle.expires_on == _by_validity(scheme, before, cycle) else cycle.expires_on,
        )
        for before, cycle in zip([None, *cycles], cycles, strict=False)
    ]


def days_of(cycles: Sequence[CycleTerm], replaced_on: date | None = None) -> Period:
    """The days from an award to the end of its last cycle, or to the day before the next award."""
    starts_on, ends_on = cycles[0].starts_on, max(c.expires_on or date.max for c in cycles)
    if replaced_on is not None:
        ends_on = max(starts_on, min(ends_on, replaced_on - DAY))
    return Period(starts_on, ends_on)


@dataclass(frozen=True, slots=True)
class LateCompletion:
    """The requirements that were completed only after the award: a contradiction."""

    codes: tuple[str, ...]
    on: date

    @property
    def of_award(self) -> str:
        """The rule that the award breaks."""
        return (
            f"must not be before the last required pass on record ({', '.join(self.codes)}, "
            f"{self.on}): correct the day of the award, or the pass"
        )

    def of_pass(self, number: str, awarded_on: date) -> str:
        """The rule that the pass breaks."""
        return (
            f"would make {self.on} the day of the last required pass ({', '.join(self.codes)}), "
            f"but {number} was awarded on {awarded_on}: correct the day of the pass, or first "
            "amend or void that award"
        )


def late(
    scheme: Scheme,
    cycles: Sequence[CycleTerm],
    passes: Iterable[Attempt],
    prerequisites: Mapping[str, date],
    replaced_on: date | None = None,
) -> LateCompletion | None:
    """The contradiction between an award and the passes on record, if there is one.

    Passes after the award's last cycle, or from the day on which the next award replaced it,
    support another award. If the scheme has re-examinations, passes after the award may be
    re-examinations.
    """
    if cycle_rules.needs(scheme).attempts:
        return None
    first = assessments.passes(passes, on=date.max)
    day, days = assessments.award_date(scheme, first, prerequisites), days_of(cycles, replaced_on)
    if day is None or not days.starts_on < day <= days.ends_on:
        return None
    last = tuple(code for code in scheme.required if first[code] == day)
    return LateCompletion(last or scheme.award.prerequisites, day)


def pass_note(
    scheme: Scheme,
    awarded_on: date,
    passes: Iterable[Attempt],
    prerequisites: Mapping[str, date],
) -> str | None:
    """The note for an award whose passes on record point to an earlier day."""
    first = assessments.passes(passes, on=date.max)
    day = assessments.award_date(scheme, first, prerequisites)
    if day is None or day >= awarded_on:
        return None
    return (
        f"By the passes on record the award date is {day}; the date in the file, {awarded_on}, is "
        "kept."
    )


def _expected(before: CycleTerm | None, starts_on: date) -> tuple[date, int]:
    """The day from which a cycle's expiry is counted, and the number of the expiry."""
    if (
        before is not None
        and before.expires_on is not None
        and starts_on == before.expires_on + DAY
    ):
        return before.anchor_on, before.nth + 1
    return starts_on, 1


def _cycle(
    scheme: Scheme, awarded_on: date, before: CycleTerm | None, told: Stretch, today: date
) -> CycleTerm:
    ended = before.expires_on if before is not None else None
    following = ended + DAY if ended is not None else awarded_on
    starts_on = told.starts_on or following
    expires = scheme.award.validity_of(awarded_on) is not None
    anchor = _expected(before, starts_on)
    expires_on = told.expires_on or (scheme.award.expiry(*anchor) if expires else None)
    policy = scheme.policy_for(starts_on, awarded_on=awarded_on) if expires else None
    if expires and expires_on is not None:
        anchor = _anchor(scheme, [anchor, (starts_on, 1)], awarded_on, expires_on)
    return CycleTerm(
        ordinal=before.ordinal + 1 if before else 1,
        anchor_on=anchor[0],
        nth=anchor[1],
        starts_on=starts_on,
        expires_on=expires_on,
        opened_on=min(starts_on, today),
        policy=policy.version if policy else "",
        imported=True,
    )


def _anchor(
    scheme: Scheme, likely: list[tuple[date, int]], awarded_on: date, expires_on: date
) -> tuple[date, int]:
    """The anchor of an expiry; an expiry that no known anchor explains gets its own anchor."""
    for anchor in (*likely, *((awarded_on, n) for n in range(1, _MOST_CYCLES))):
        if scheme.award.expiry(*anchor) == expires_on:
            return anchor
    return scheme.award.anchor_of(expires_on), 0


def _faults(
    scheme: Scheme, awarded_on: date, before: CycleTerm | None, told: Stretch, cycle: CycleTerm
) -> Iterator[tuple[Field, str]]:
    if told.expires_on is not None and scheme.award.validity_of(awarded_on) is None:
        named = f"a certification under {scheme.code} awarded on {awarded_on}"
        yield "expires_on", f"must be empty: {named} never expires"
    elif cycle.expires_on is not None and cycle.expires_on < cycle.starts_on:
        named = "cycle_starts_on" if told.starts_on else "awarded_on"
        yield "expires_on", f"must not be before {named} ({cycle.starts_on})"
    if before is None:
        yield from _faults_of_first(scheme, awarded_on, cycle)
    elif before.expires_on is None:
        yield "cycle_starts_on", "must be empty: a certification that never expires has one cycle"
    elif cycle.starts_on <= before.starts_on:
        rule = f"must be after the start of the cycle before it ({before.starts_on})"
        yield "cycle_starts_on", rule
    elif cycle.starts_on <= before.expires_on and not _may_overlap(scheme, before):
        rule = f"must be after the expiration of the cycle before it ({before.expires_on}): a day"
        yield "cycle_starts_on", f"{rule} belongs to only one cycle"


def _faults_of_first(
    scheme: Scheme, awarded_on: date, cycle: CycleTerm
) -> Iterator[tuple[Field, str]]:
    if cycle.starts_on < awarded_on:
        yield "cycle_starts_on", f"must not be before awarded_on ({awarded_on})"
    elif cycle.starts_on > awarded_on:
        rule = (
            f"must be awarded_on ({awarded_on}) in the first row of a certificate: add a row for "
            f"each earlier cycle{_by_scheme(scheme, awarded_on, cycle)}; or, for one long cycle "
            "from the award on, leave cycle_starts_on empty"
        )
        yield "cycle_starts_on", rule


def _by_scheme(scheme: Scheme, awarded_on: date, until: CycleTerm) -> str:
    """The first cycle by the scheme's validity, as an example."""
    first = scheme.award.expiry(awarded_on, 1) if scheme.award.validity_of(awarded_on) else None
    if first is None or first >= until.starts_on:
        return ""
    return f" (under the scheme, the first is {awarded_on} through {first})"


def _may_overlap(scheme: Scheme, before: CycleTerm) -> bool:
    """Whether under the policy the next cycle starts with the decision, before the old one ends."""
    return bool(before.policy) and scheme.policy(before.policy).next_cycle != "old_expiry"


def _by_validity(scheme: Scheme, before: CycleTerm | None, cycle: CycleTerm) -> date | None:
    """The expiry that the scheme's validity gives a cycle after another."""
    if cycle.expires_on is None:
        return None
    return scheme.award.expiry(*_expected(before, cycle.starts_on))


def _notes(
    scheme: Scheme, before: CycleTerm | None, cycle: CycleTerm
) -> Iterator[tuple[Field, str]]:
    if cycle.expires_on is None:
        return
    expected = _by_validity(scheme, before, cycle)
    if cycle.expires_on != expected:
        yield "expires_on", _unlike(cycle, expected, longer=cycle.nth > 1 and before is None)
    ended = before.expires_on if before is not None else None
    if ended is not None and cycle.starts_on > ended + DAY:
        through = cycle.starts_on - DAY
        yield "cycle_starts_on", f"It had lapsed: no cycle covers {ended + DAY} through {through}."


def _unlike(cycle: CycleTerm, expected: date | None, *, longer: bool) -> str:
    said = f"By the scheme's validity it is {expected}; the date in the file is kept."
    if not longer:
        return said
    return (
        f"{said} It is the end of cycle number {cycle.nth} counted from the award: if the "
        "certification was renewed, use one row for each cycle, with cycle_starts_on."
    )
