"""Reading history: who changed what, from what to what, by person, record, actor or day.

Entries are newest first. A person's history covers their own record and all records that are theirs
now: a discarded draft is found only under its own id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, literal, or_, select, union_all

from tracker.domain.errors import NotFound
from tracker.models import (
    Account,
    Activity,
    Adjustment,
    Appeal,
    Assessment,
    Certification,
    Employer,
    Evidence,
    HistoryEntry,
    HistoryValue,
    Holder,
    HolderRequest,
    Message,
    Renewal,
    RosterEntry,
    Sharing,
    StandingChange,
    Token,
)
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext

Subjects = Mapping[str, Collection[str]]
"""Ids of records by the subject that history uses for them."""


@dataclass(frozen=True, slots=True)
class ChangedValue:
    """The value of a field before and after."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One entry of history, with the values that it changed."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    subject_id: str
    detail: Mapping[str, Any]
    changes: Sequence[ChangedValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """The entries to show: those that match every value given. Days are in UTC, both included."""

    after: int | None = None
    limit: int
    subject: str | None = None
    subject_id: str | None = None
    actor: str | None = None
    action: str | None = None
    from_on: date | None = None
    until_on: date | None = None


def page(
    reading: ReadContext, asked: HistoryFilter, *, holder_id: str | None = None
) -> list[HistoryLine]:
    """A page of entries; with ``holder_id`` those about that person. Raises NotFound."""
    if holder_id is None:
        return _lines(reading, _asked(asked))
    return _about(reading, asked, _records_of_person(reading, holder_id))


def of_record(
    reading: ReadContext, subject: str, subject_id: str, asked: HistoryFilter
) -> list[HistoryLine]:
    """A page of entries about one record and what belongs to it. Raises NotFound."""
    table, below = _RECORDS[subject]
    parts = [select(literal(subject).label("subject"), table.id).where(table.id == subject_id)]
    parts += [
        select(literal(name), part.id).where(getattr(part, f"{subject}_id") == subject_id)
        for name, part in below
    ]
    found = _by_subject(reading, parts)
    if subject not in found:
        raise NotFound
    if subject == "employer":
        found["digest"] = [subject_id]  # digest orders are recorded under their employer
    return _about(reading, asked, found)


_RECORDS: Mapping[str, tuple[Any, tuple[tuple[str, Any], ...]]] = {
    "certification": (
        Certification,
        (
            ("renewal", Renewal),
            ("appeal", Appeal),
            ("standing_change", StandingChange),
            ("cycle_adjustment", Adjustment),
        ),
    ),
    "activity": (Activity, (("evidence", Evidence),)),
    "renewal": (Renewal, (("appeal", Appeal),)),
    "assessment": (Assessment, ()),
    "employer": (Employer, ()),
}
"""The records with a history of their own, by subject: their table, and what belongs to them."""


def _records_of_person(reading: ReadContext, holder_id: str) -> dict[str, list[str]]:
    """Everything on record about a person, by subject, in one statement. Raises NotFound."""
    own = [
        select(literal(subject).label("subject"), table.id).where(column == holder_id)
        for subject, table, column in _OF_PERSON
    ]
    certifications = select(Certification.id).where(Certification.holder_id == holder_id)
    activities = select(Activity.id).where(Activity.holder_id == holder_id)
    below = [
        select(literal(name), table.id).where(table.certification_id.in_(certifications))
        for name, table in _RECORDS["certification"][1]
    ]
    evidence = select(literal("evidence"), Evidence.id).where(Evidence.activity_id.in_(activities))
    found = _by_subject(reading, [*own, *below, evidence])
    if "holder" not in found:
        raise NotFound
    return found


_OF_PERSON: tuple[tuple[str, Any, Any], ...] = (
    ("holder", Holder, Holder.id),
    ("assessment", Assessment, Assessment.holder_id),
    ("certification", Certification, Certification.holder_id),
    ("activity", Activity, Activity.holder_id),
    ("sharing", Sharing, Sharing.holder_id),
    ("roster_entry", RosterEntry, RosterEntry.holder_id),
    ("request", HolderRequest, HolderRequest.holder_id),
    ("token", Token, Token.holder_id),
    ("account", Account, Account.holder_id),
    ("message", Message, Message.holder_id),
)


def _by_subject(reading: ReadContext, parts: Sequence[Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in reading.rows(union_all(*parts) if len(parts) > 1 else parts[0]):
        found[row.subject].append(row.id)
    return found


def _about(reading: ReadContext, asked: HistoryFilter, found: Subjects) -> list[HistoryLine]:
    return _lines(reading, _asked(asked).where(_is_about(reading, found)))


def _is_about(reading: ReadContext, found: Subjects) -> ColumnElement[bool]:
    """The condition that an entry is about one of these records, by the index on both columns."""
    return or_(
        *(
            and_(
                HistoryEntry.subject == subject,
                bulk.among(reading, HistoryEntry.subject_id, set(ids)),
            )
            for subject, ids in found.items()
        )
    )


def _asked(asked: HistoryFilter) -> Select[*tuple[Any, ...]]:
    statement = _LINE.order_by(HistoryEntry.id.desc()).limit(asked.limit)
    if asked.after is not None:
        statement = statement.where(HistoryEntry.id < asked.after)
    for name in ("subject", "subject_id", "actor", "action"):
        if (value := getattr(asked, name)) is not None:
            statement = statement.where(getattr(HistoryEntry, name) == value)
    if asked.from_on is not None:
        statement = statement.where(HistoryEntry.at >= _begin(asked.from_on))
    if asked.until_on is not None:
        statement = statement.where(HistoryEntry.at < _begin(asked.until_on + timedelta(days=1)))
    return statement


_LINE = select(
    HistoryEntry.id,
    HistoryEntry.at,
    HistoryEntry.actor,
    HistoryEntry.action,
    HistoryEntry.subject,
    HistoryEntry.subject_id,
    HistoryEntry.detail,
)


def _begin(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def _lines(reading: ReadContext, statement: Select[*tuple[Any, ...]]) -> list[HistoryLine]:
    rows = reading.rows(statement)
    personal = _personal(reading, [row.id for row in rows])
    return [_line(row, personal.get(row.id, {})) for row in rows]


def _personal(reading: ReadContext, ids: Collection[int]) -> dict[int, dict[str, tuple[Any, Any]]]:
    """The personal values stored beside entries, in one statement."""
    found: dict[int, dict[str, tuple[Any, Any]]] = defaultdict(dict)
    table = HistoryValue
    statement = select(table.history_id, table.field, table.before, table.after)
    if ids:
        for row in reading.rows(statement.where(bulk.among(reading, table.history_id, ids))):
            found[row.history_id][row.field] = (row.before, row.after)
    return found


def _line(row: Any, personal: Mapping[str, tuple[Any, Any]]) -> HistoryLine:
    detail = dict(row.detail)
    changes = []
    for name in detail.pop("fields", ()):
        plain = (detail.pop(f"{name}_before", None), detail.pop(f"{name}_after", None))
        changes.append(ChangedValue(name, *personal.get(name, plain)))
    return HistoryLine(
        row.id, row.at, row.actor, row.action, row.subject, row.subject_id, detail, changes
    )
