"""Imported awards, planned against what is on record of their holders.

This module finds the row on record for an imported award, its planned cycles, and any objections.
It does not write (see ``imported_award_rows``), read files, or know the acts of staff. Everything
is read with a constant number of statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal, NamedTuple

from sqlalchemy import select

from tracker.domain import numbers
from tracker.domain.credentials import awards, certifications
from tracker.domain.credentials import imported_awards as rules
from tracker.domain.credentials.certifications import CycleTerm
from tracker.domain.credentials.imported_awards import Field, Said, Stretch
from tracker.domain.periods import DAY
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Certification, Holder
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork, columns_of
from tracker.services.credentials import award_facts, award_plans, certificate_numbers
from tracker.services.credentials.award_facts import AwardFacts, AwardRow
from tracker.services.standings import snapshots

RowFate = Literal["created", "changed", "unchanged"]
DescriptiveField = Literal["edition", "source"]
WORDS: tuple[DescriptiveField, ...] = ("edition", "source")
"""What an import says of an award besides its number and days."""


@dataclass(frozen=True, slots=True)
class StatedAward:
    """An award as a file or staff state it, its cycles in the order of their days.

    ``silent`` are the fields that are not stated: what is on record stays. With
    ``certification_id``, the award is that row's, whatever its number is now. ``replaced_on`` is
    the day of the next award, if this one ended before its expiry.
    """

    holder_id: str
    number: str
    awarded_on: date
    stretches: tuple[Stretch, ...]
    edition: str | None = None
    source: str | None = None
    silent: tuple[DescriptiveField, ...] = ()
    certification_id: str | None = None
    replaced_on: date | None = None


@dataclass(slots=True)
class Planned:
    """An award as planned: its row on record, if there is one, and its cycles.

    ``as_given`` is the statement itself; ``stated`` is the same, completed from the record where it
    was silent. ``stated_cycles`` are the cycles of the file, ``cycles`` those on record if
    nothing differs.
    ``fates`` has an entry for each cycle stated. ``faults`` refuse the award, ``notes`` are
    reported with it.
    """

    as_given: StatedAward
    stated: StatedAward
    row: AwardRow | None = None
    before: tuple[CycleTerm, ...] = ()
    stated_cycles: tuple[CycleTerm, ...] = ()
    cycles: tuple[CycleTerm, ...] = ()
    fates: tuple[RowFate, ...] = ()
    faults: list[Said] = field(default_factory=list)
    notes: list[Said] = field(default_factory=list)

    def refuse(self, name: Field, words: str, place: int = 0) -> None:
        """Add an objection to it."""
        self.faults.append(Said(place, name, words))

    @property
    def is_change(self) -> bool:
        """Whether there is anything to write."""
        return set(self.fates) != {"unchanged"}


@dataclass(slots=True)
class ImportedAwardPlan:
    """The imported awards of holders in a scheme, with all facts about these holders."""

    scheme: Scheme
    by_holder: Mapping[str, AwardFacts]
    awards: list[Planned]


def plan(
    work: UnitOfWork, scheme: Scheme, stated: Collection[StatedAward], *, restore: bool = False
) -> ImportedAwardPlan:
    """Plan the imported awards; a void award stays void unless ``restore`` is set."""
    stated_of: dict[str, list[StatedAward]] = defaultdict(list)
    for award in sorted(stated, key=lambda t: (t.awarded_on, t.number)):
        stated_of[award.holder_id].append(award)
    by_holder = award_facts.of_holders(work, scheme, sorted(stated_of))
    award_facts.complete(work, scheme, [*by_holder.values()])
    taken = _taken(work, {numbers.key(award.number) for award in stated})
    found = ImportedAwardPlan(scheme, by_holder, [])
    for holder_id, mine in stated_of.items():
        found.awards += _of_holder(work, scheme, by_holder[holder_id], mine, restore=restore)
    for planned in found.awards:
        _check_number(planned, scheme, taken.get(numbers.key(planned.stated.number), ()))
    return found


class _Numbered(NamedTuple):
    """A certification that has or had a number, with its holder's ref."""

    id: str
    number: str
    number_key: str
    former_key: str | None
    scheme: str
    holder_id: str
    voided_at: datetime | None
    ref: str


def _taken(work: UnitOfWork, keys: Collection[str]) -> dict[str, list[_Numbered]]:
    """The certifications that have or had these numbers, with their holders' refs."""
    table = Certification
    statement = (
        select(*columns_of(_Numbered, table, Holder))
        .join(Holder, Holder.id == table.holder_id)
        .where(certificate_numbers.is_among(work, keys))
    )
    taken: dict[str, list[_Numbered]] = defaultdict(list)
    for row in work.rows_as(_Numbered, statement):
        for key in {row.number_key, row.former_key}:
            if key is not None:
                taken[key].append(row)
    return taken


def _check_number(planned: Planned, scheme: Scheme, holders: Iterable[_Numbered]) -> None:
    """Refuse a number that belongs to another certification."""
    own = planned.row.id if planned.row is not None else None
    for row in holders:
        if row.id != own:
            of = f"{row.ref}'s certification under {row.scheme} ({row.number})"
            way = f"correct the number, the holder or the scheme ({scheme.code})"
            if row.voided_at is not None:
                way = (
                    "that one is void; to free its number, amend it to another number over HTTP "
                    f"and void it again (POST /certifications/{row.id}/amendment, /void)"
                )
            rule = f"is the number of {of} on record, and a number belongs to one certification"
            planned.refuse("certificate_number", f"{rule} of one holder; {way}")


def _of_holder(
    work: UnitOfWork,
    scheme: Scheme,
    facts: AwardFacts,
    stated: Sequence[StatedAward],
    *,
    restore: bool,
) -> list[Planned]:
    standing = award_plans.awards_of(scheme, facts)
    ended = {
        facts.rows[award.sequence].id: awards.ended_on(scheme, award, by=date.max)
        for award in standing
        if award.sequence in facts.rows
    }
    planned = [Planned(one, one) for one in stated]
    _find_rows(scheme, facts, standing, planned)
    for one in planned:
        if one.row is not None and one.row.voided_at is not None and not restore:
            _leave_void(facts, one, one.row)
        else:
            _lay_out(work.today(scheme), scheme, facts, one)
    _check_passes(scheme, facts, planned)
    _check_apart(facts, planned, ended)
    _name_changes(facts, planned)
    return planned


def _find_rows(
    scheme: Scheme, facts: AwardFacts, standing: Sequence[awards.Award], planned: Sequence[Planned]
) -> None:
    """Find the row of each award: the one with its number, else the one that passes gave it.

    If an award from passes is in force on the stated day, it is the same award, under our number.
    After its last day it is not, even during a suspension or revocation: then the import means a
    later award.
    """
    by_key = {row.number_key: row for row in facts.rows.values()}
    by_id = {row.id: row for row in facts.rows.values()}
    for one in planned:
        id_ = one.stated.certification_id
        one.row = by_id[id_] if id_ else by_key.get(numbers.key(one.stated.number))
    claimed = {one.row.id for one in planned if one.row is not None}
    for one in planned:
        day = one.stated.awarded_on
        for award in reversed(standing):
            row = facts.rows.get(award.sequence)
            free = row is not None and row.imported_at is None and row.id not in claimed
            if one.row is None and row is not None and free and _lasts(scheme, facts, award, day):
                one.row = row
                claimed.add(row.id)
        one.stated = _completed(one.stated, one.row)


def _lasts(scheme: Scheme, facts: AwardFacts, award: awards.Award, day: date) -> bool:
    """Whether a day lies within an award's days, and the award had not ended for good before it."""
    record = facts.records[facts.rows[award.sequence].id]
    last = certifications.extended(record.cycles[-1], record.adjustments, date.max)
    through = last.expires_on or date.max
    return award.awarded_on <= day <= through and awards.ended_on(scheme, award, by=day) is None


def _completed(stated: StatedAward, row: AwardRow | None) -> StatedAward:
    """The stated award, with what is on record for the fields it leaves out."""
    edition = row.edition if row is not None and "edition" in stated.silent else stated.edition
    source = row.source if row is not None and "source" in stated.silent else stated.source
    return replace(stated, edition=edition, source=source)


def _leave_void(facts: AwardFacts, award: Planned, row: AwardRow) -> None:
    award.before = award.cycles = facts.records[row.id].cycles
    award.fates = tuple("unchanged" for _ in award.stated.stretches)
    said = (
        f"{row.number} was voided on {row.voided_at:%Y-%m-%d} and stays void. To restore it, "
        f"amend it over HTTP (POST /certifications/{row.id}/amendment)."
    )
    award.notes.append(Said(0, "certificate_number", said))


def _lay_out(today: date, scheme: Scheme, facts: AwardFacts, award: Planned) -> None:
    stated, row = award.stated, award.row
    record = facts.records.get(row.id) if row is not None else None
    award.before = record.cycles if record else ()
    stretches, first = _merged(stated, row, record)
    reading = rules.read(scheme, stated.awarded_on, stretches, today=today)
    award.stated_cycles = award.cycles = reading.cycles
    own = range(len(stated.stretches))
    award.faults += [_moved(said, first) for said in reading.faults]
    award.notes += [_moved(s, first) for s in reading.notes if s.place - first in own]
    award.fates = _fates(award, record, first)
    if not award.is_change:
        award.cycles = award.before


def _moved(said: Said, first: int) -> Said:
    return Said(max(said.place - first, 0), said.field, said.words)


def _merged(
    stated: StatedAward, row: AwardRow | None, record: snapshots.CertificationRecord | None
) -> tuple[list[Stretch], int]:
    """The stated cycles among those on record that they do not restate; where they begin."""
    mine = list(stated.stretches)
    if row is None or record is None or row.awarded_on != stated.awarded_on:
        return mine, 0
    if stated.certification_id is not None:  # staff state all of it
        return mine, 0
    begins = mine[0].starts_on or stated.awarded_on
    ends = mine[-1].expires_on or date.max
    cycles = [certifications.extended(c, record.adjustments, date.max) for c in record.cycles]
    before = [Stretch(c.starts_on, c.expires_on) for c in cycles if c.starts_on < begins]
    after = [
        Stretch(c.starts_on, c.expires_on)
        for c in awards.given(record.cycles)
        if c.starts_on > ends
    ]
    return [*before, *mine, *after], len(before)


def _fates(
    award: Planned, record: snapshots.CertificationRecord | None, first: int
) -> tuple[RowFate, ...]:
    stated, row = award.stated, award.row
    if row is None or record is None:
        return tuple("created" for _ in stated.stretches)
    same = (row.number, row.awarded_on, row.edition, row.source) == (
        stated.number,
        stated.awarded_on,
        stated.edition,
        stated.source,
    )
    stands = same and row.voided_at is None and row.withdrawn_at is None
    on_record = {c.starts_on: _ends(c, record, row) for c in record.cycles}
    if row.awarded_on != stated.awarded_on:  # its cycles moved with it
        on_record = {c.starts_on: set() for c in award.cycles[: len(record.cycles)]}
    fates: list[RowFate] = []
    for cycle in award.cycles[first : first + len(stated.stretches)]:
        ends = on_record.get(cycle.starts_on)
        if ends is None and row.imported_at is not None:
            fates.append("created")
        else:
            fates.append("unchanged" if stands and cycle.expires_on in (ends or ()) else "changed")
    return tuple(fates)


def _ends(
    cycle: CycleTerm, record: snapshots.CertificationRecord, row: AwardRow
) -> set[date | None]:
    """The expiry of a cycle on record: as opened, as extended, or cut short by the next award."""
    extended = certifications.extended(cycle, record.adjustments, date.max)
    ends = {cycle.expires_on, extended.expires_on}
    return ends | {row.replaced_on - DAY} if row.replaced_on is not None else ends


def _check_passes(scheme: Scheme, facts: AwardFacts, planned: Sequence[Planned]) -> None:
    for award in planned:
        if award.faults or not award.is_change:
            continue
        late = rules.late(
            scheme, award.cycles, facts.passes, facts.prerequisites, award.stated.replaced_on
        )
        if late is not None:
            award.refuse("awarded_on", late.of_award)
    if len(planned) == 1 and len(facts.rows) <= 1 and planned[0].is_change:
        day = planned[0].stated.awarded_on
        note = rules.pass_note(scheme, day, facts.passes, facts.prerequisites)
        if note:
            planned[0].notes.append(Said(0, "awarded_on", note))


def _name_changes(facts: AwardFacts, planned: Sequence[Planned]) -> None:
    """Note the changes of standing that would come before their award."""
    for award in planned:
        if award.row is None or not award.is_change:
            continue
        for change in facts.changes:
            before = change.effective_on < award.stated.awarded_on
            named = f"{change.kind} on {change.effective_on}"
            if change.certification_id == award.row.id and before:
                said = f"A change of standing would then be earlier than the award: {named}."
                award.notes.append(Said(0, "awarded_on", said))


def contradicted(work: UnitOfWork, scheme: Scheme, holder_ids: Collection[str]) -> dict[str, str]:
    """The holders whose passes on record contradict an imported award, with the reason."""
    table = Certification
    imported = select(table.holder_id).where(
        bulk.among(work, table.holder_id, holder_ids),
        table.scheme == scheme.code,
        table.imported_at.is_not(None),
        table.voided_at.is_(None),
    )
    ids = sorted({row.holder_id for row in work.rows(imported)}) if holder_ids else []
    reasons: dict[str, str] = {}
    if not ids:
        return reasons
    by_holder = award_facts.of_holders(work, scheme, ids)
    award_facts.complete(work, scheme, [*by_holder.values()])
    for holder_id, facts in by_holder.items():
        for row in award_plans.standing_rows(facts):
            if row.imported:
                cycles = facts.records[row.id].cycles
                late = rules.late(
                    scheme, cycles, facts.passes, facts.prerequisites, row.replaced_on
                )
                if late is not None:
                    reasons[holder_id] = late.of_pass(row.number, row.awarded_on)
    return reasons


def _check_apart(
    facts: AwardFacts, planned: Sequence[Planned], ended: Mapping[str, date | None]
) -> None:
    """Refuse awards whose days overlap: a holder has one number at a time."""
    mine = {award.row.id for award in planned if award.row is not None}
    others: list[tuple[str, date, date]] = []
    for row in award_plans.standing_rows(facts):
        if row.id not in mine:
            days = rules.days_of(facts.records[row.id].cycles)
            others.append((row.number, *_through(days.starts_on, days.ends_on, ended.get(row.id))))
    for award in planned:
        if award.faults or not award.cycles:
            continue
        days = rules.days_of(award.cycles, award.stated.replaced_on)
        over = ended.get(award.row.id) if award.row is not None and not award.is_change else None
        starts, ends = _through(days.starts_on, days.ends_on, over)
        for number, since, through in others:
            if award.is_change and starts <= through and since <= ends:
                award.refuse("certificate_number", _two(award, number, since, through))
        others.append((award.stated.number, starts, ends))
    _check_replaced(planned, {since for _, since, _ in others})


def _check_replaced(planned: Sequence[Planned], awarded: Collection[date]) -> None:
    """Refuse a ``replaced_on`` on which no other award begins."""
    for award in planned:
        day = award.stated.replaced_on
        if day is None or (day > award.stated.awarded_on and day in awarded):
            continue
        words = "must be the awarded_on of the holder's next certification under the scheme"
        award.refuse("replaced_on", words, len(award.stated.stretches) - 1)


def _through(starts: date, ends: date, ended: date | None) -> tuple[date, date]:
    return starts, max(starts, min(ends, ended or date.max))


def _two(award: Planned, number: str, since: date, through: date) -> str:
    until = "without an expiration date" if through == date.max else f"through {through}"
    return (
        f"is a second number for one certification: its holder has {number} from {since} {until}. "
        f"Use the number printed on the certificate for every cycle; if {number} ended before "
        f"{award.stated.awarded_on}, first correct its last expires_on"
    )
