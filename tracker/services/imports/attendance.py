"""attendance: who attended a provider's courses, by course, day and person.

A provider sends its own lists, staff those of any provider. A row whose person is certain brings an
activity (``services/points/attendance.py``); whatever does not fit goes to the discrepancies, and
so do claims of these courses and days that the list does not have.

The report says only what is in the file: whom a row means, and whether anybody on record is meant,
is never refused, warned of or counted where a provider sees it. A name alone is not enough to be
certain; a name that differs from the one on record makes a number or an address doubtful.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select, tuple_

from tracker.db import new_id
from tracker.domain.points.activities import MAXIMUM_QUANTITY
from tracker.domain.points.attendance import (
    DiscrepancyKind,
    DiscrepancyState,
    names_agree,
    text_key,
)
from tracker.domain.points.courses import CourseState
from tracker.models import Attendance, Discrepancy, Holder
from tracker.services.core import bulk, locks
from tracker.services.core.context import UnitOfWork, columns_of, sees_everything
from tracker.services.employers import naming
from tracker.services.employers.naming import NamedWorker
from tracker.services.imports import lookups
from tracker.services.imports.batches import Batch
from tracker.services.imports.run import ImportKind, ImportRow, RowValues, Run
from tracker.services.points import attendance, courses, listed_claims
from tracker.services.points.attendance import Attended
from tracker.services.points.courses import CourseRow
from tracker.tabular import Column, certificate_number, decimal, email, text
from tracker.tabular import date as a_date

_NOBODY = "It is not certain who on record is meant."
_OTHER_NAME = "The name on record is different."
_DECEASED = "The holder has died."
_DAYS = "days"
_WORDS = ("holder_ref", "certificate_number", "email", "name")


class _OnRecord(NamedTuple):
    """A row of a list on record."""

    id: str
    course_id: str
    held_on: date
    who: str
    quantity: Decimal | None
    given_name: str | None
    given_holder_ref: str | None
    given_number: str | None
    given_email: str | None
    holder_id: str | None


class _Person(NamedTuple):
    """Whom a row may mean; ``doubt`` is why that is not certain."""

    holder_id: str | None
    doubt: str | None


@dataclass(frozen=True, slots=True)
class _Listed:
    """A row of the file with its course, and by which word its person is told from others."""

    row: ImportRow
    course: CourseRow

    @property
    def named(self) -> NamedWorker:
        row = self.row
        return NamedWorker(row["holder_ref"], row["certificate_number"], row["email"])

    @property
    def who(self) -> str:
        word = self.named.deciding or ("name", text_key(self.row["name"]))
        return ":".join(word)

    @property
    def quantity(self) -> Decimal | None:
        given: Decimal | None = self.row["quantity"]
        return self.course.quantity if given is None else given

    @property
    def place(self) -> tuple[str, date, str]:
        return self.course.id, self.row["held_on"], self.who

    @property
    def values(self) -> RowValues:
        row = self.row
        return {
            "quantity": self.quantity,
            "given_name": row["name"],
            "given_holder_ref": row["holder_ref"],
            "given_number": row["certificate_number"],
            "given_email": row["email"],
        }


# Checks.
def _take(run: Run, rows: Collection[ImportRow]) -> None:
    actor = run.work.actor
    own = actor.organization_id if actor.role == "provider" else None
    found = courses.by_codes(run.work, {row["course"] for row in rows}, provider_id=own)
    listed = []
    for row in rows:
        course = _course(run, row, found.get(row["course"], ()))
        if course is not None:
            _check(run, row, course)
            listed.append(_Listed(row, course))
    good = {row.number for row in run.good([one.row for one in listed])}
    listed = _once(run, [one for one in listed if one.row.number in good])
    if not run.broken:
        _write(run.work, run, listed)


def _course(run: Run, row: ImportRow, found: Sequence[CourseRow]) -> CourseRow | None:
    """The course that a row names, by its code and its provider's name; refuses other rows."""
    named = [one for one in found if row["provider"] in {None, one.name}]
    if len(named) == 1:
        return named[0]
    if named:
        run.refuse(row, "provider", "is required: several providers have a course of this code")
    else:
        run.refuse(row, "course", "is not the code of a course on record; propose it first")
    return None


def _check(run: Run, row: ImportRow, course: CourseRow) -> None:
    today = run.work.today(run.work.schemes[course.scheme])
    run.refuse_future(row, "held_on", today=today)
    if all(row[column] is None for column in _WORDS):
        run.refuse(row, "name", f"or another of {', '.join(_WORDS)} is required")
    if row["quantity"] is not None and course.quantity is None:
        run.refuse(row, "quantity", "must be empty: the course counts as a whole")
    elif row["quantity"] is not None and row["quantity"] <= 0:
        run.refuse(row, "quantity", "must be more than 0")
    if course.state in {CourseState.REFUSED, CourseState.WITHDRAWN}:
        run.refuse(row, "course", f"is {course.state}; it must be proposed or approved")


def _once(run: Run, listed: Sequence[_Listed]) -> list[_Listed]:
    """The rows whose person is new for the course and day in this file; refuses the others."""
    keys = [("\x1f".join(map(str, one.place)), one.row.number) for one in listed]
    first = run.scratch.first_rows("who", keys)
    for one, (key, number) in zip(listed, keys, strict=True):
        if first[key] != number:
            rule = f"is the same person as in row {first[key]}, on the same day"
            run.refuse(one.row, "course", rule)
    good = {row.number for row in run.good([one.row for one in listed])}
    return [one for one in listed if one.row.number in good]


# Writing.
@dataclass(slots=True)
class _ListChunk:
    """What is known of the rows of a chunk: whom they mean, and what is on record of them."""

    people: dict[int, _Person]
    on_record: dict[tuple[str, date, str], _OnRecord]
    open: dict[str, str]
    ids: dict[int, str] = field(default_factory=dict)

    def may_follow(self, one: _Listed, fate: str) -> bool:
        """Whether something may follow: it is new, or changed, or nobody was found for it."""
        is_unmatched = self.open.get(self.ids[one.row.number]) == DiscrepancyKind.UNMATCHED
        return fate != "unchanged" or is_unmatched

    def certain(self, one: _Listed) -> str | None:
        """The holder whom a row means for certain; staff may have matched it."""
        old, person = self.on_record.get(one.place), self.people[one.row.number]
        if old is not None and old.holder_id is not None:
            return old.holder_id
        return person.holder_id if person.doubt is None else None


@sees_everything
def _write(work: UnitOfWork, run: Run, listed: Sequence[_Listed]) -> None:
    """Write the rows, and give those whose person is certain what follows from them."""
    on_record = _on_record(work, listed)
    people = _people(run, listed, on_record)
    chunk = _ListChunk(people, on_record, _open(work, on_record.values()))
    if run.broken or not listed:
        return
    batch = Batch(run, Attendance, subject="attendance")
    following = []
    for one in listed:
        old = on_record.get(one.place)
        chunk.ids[one.row.number] = id_ = old.id if old else new_id()
        if chunk.may_follow(one, _add(batch, one, old, id_, work)):
            following.append(one)
    batch.write()
    _follow(run, following, chunk)
    days = {(one.course.id, one.row["held_on"]): one.row.number for one in listed}
    notes = ((number, [id_, day.isoformat()]) for (id_, day), number in days.items())
    run.scratch.note(_DAYS, notes)


def _add(batch: Batch, one: _Listed, old: _OnRecord | None, id_: str, work: UnitOfWork) -> str:
    return batch.add(
        old,
        one.values,
        id=id_,
        course_id=one.course.id,
        provider_id=one.course.provider_id,
        held_on=one.row["held_on"],
        who=one.who,
        code_id=None,
        holder_id=None,
        activity_id=None,
        recorded_at=work.now,
        version=1,
    )


def _on_record(
    work: UnitOfWork, listed: Sequence[_Listed]
) -> dict[tuple[str, date, str], _OnRecord]:
    days = {(one.course.id, one.row["held_on"]) for one in listed}
    statement = select(*columns_of(_OnRecord, Attendance)).where(
        tuple_(Attendance.course_id, Attendance.held_on).in_(sorted(days)),
        bulk.among(work, Attendance.who, {one.who for one in listed}),
    )
    rows = work.rows_as(_OnRecord, statement) if days else []
    return {(row.course_id, row.held_on, row.who): row for row in rows}


def _open(work: UnitOfWork, rows: Collection[_OnRecord]) -> dict[str, str]:
    """The kinds of the open discrepancies about these rows on record."""
    if not rows:
        return {}
    statement = select(Discrepancy.attendance_id, Discrepancy.kind).where(
        bulk.among(work, Discrepancy.attendance_id, [row.id for row in rows]),
        Discrepancy.state == DiscrepancyState.OPEN,
    )
    return {row.attendance_id: row.kind for row in work.rows(statement)}


def _people(
    run: Run, listed: Sequence[_Listed], on_record: Mapping[tuple[str, date, str], _OnRecord]
) -> dict[int, _Person]:
    """Whom each row means, with their records locked; staff are refused their own.

    Those whom staff have matched a row to are locked and refused like those whom it names.
    """
    work = run.work
    meanings = naming.meant(work, (one.named for one in listed))
    meant = {one.row.number: meanings.of(one.named) for one in listed}
    holder_ids = {id_ for id_ in meant.values() if id_ is not None}
    matched = {place: row.holder_id for place, row in on_record.items() if row.holder_id}
    own = locks.lock_to_decide(work, holder_ids | {*matched.values()})
    names = select(Holder.id, Holder.folded_name).where(bulk.among(work, Holder.id, holder_ids))
    folded = {row.id: row.folded_name for row in work.rows(names)}
    people: dict[int, _Person] = {}
    for one in listed:
        id_ = meant[one.row.number]
        if not own.isdisjoint({id_, matched.get(one.place)}):
            run.refuse(one.row, "course", lookups.OWN)
        doubt = None
        if id_ is None:
            doubt = _NOBODY
        elif id_ in meanings.deceased:
            doubt = _DECEASED
        elif not names_agree(one.row["name"] or "", folded[id_]):
            doubt = _OTHER_NAME
        people[one.row.number] = _Person(id_, doubt)
    return people


def _follow(run: Run, listed: Sequence[_Listed], chunk: _ListChunk) -> None:
    """Give the certain rows what follows; file the others, unless they are filed."""
    certain: list[Attended] = []
    doubtful: list[dict[str, object]] = []
    for one in listed:
        id_, holder_id = chunk.ids[one.row.number], chunk.certain(one)
        if holder_id is not None:
            day = one.row["held_on"]
            certain.append(Attended(id_, holder_id, day, one.quantity, one.course))
        elif id_ not in chunk.open:
            doubtful.append(_doubtful(run.work, one, id_, chunk.people[one.row.number]))
    counts = attendance.apply(run.work, certain) if certain else {}
    attendance.file(run.work, doubtful)
    if run.work.actor.is_staff:  # a provider must not learn who is on record
        run.effects.update({f"attendance {what}": n for what, n in counts.items()})
        run.effects["attendance unmatched"] += len(doubtful)


def _doubtful(work: UnitOfWork, one: _Listed, id_: str, person: _Person) -> dict[str, object]:
    return listed_claims.blank(work) | {
        "kind": DiscrepancyKind.UNMATCHED,
        "course_id": one.course.id,
        "held_on": one.row["held_on"],
        "attendance_id": id_,
        "holder_id": person.holder_id,
        "said": one.quantity,
        "detail": person.doubt,
    }


def _finish(run: Run) -> None:
    """File the claims of the file's courses and days that no list has."""
    days = {
        (id_, date.fromisoformat(day))
        for notes in run.scratch.noted(_DAYS)
        for _, (id_, day) in notes
    }
    filed = listed_claims.file_silences(run.work, days) if days else 0
    if run.work.actor.is_staff:
        run.effects["claims without attendance"] += filed


KIND = ImportKind(
    name="attendance",
    columns=(
        Column("course", text(64), required=True),
        Column("provider", text(200)),
        Column("held_on", a_date(), required=True),
        Column("quantity", decimal(2, 0, MAXIMUM_QUANTITY)),
        Column("name", text(200)),
        Column("holder_ref", text(64)),
        Column("certificate_number", certificate_number),
        Column("email", email),
    ),
    key=("course", "provider", "held_on", *_WORDS),
    take=_take,
    finish=_finish,
)
