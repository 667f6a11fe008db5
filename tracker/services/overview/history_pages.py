"""Reading history: who changed what, from what to what, by person, record, actor or day.

Entries are newest first. A person's history covers their own record and all records that are theirs
now: a discarded draft is found only under its own id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Executable,
    Select,
    and_,
    bindparam,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from tracker.domain.errors import NotFound
from tracker.models import (
    Account,
    ActApproval,
    Activity,
    Adjustment,
    Appeal,
    Apprenticeship,
    Assessment,
    Attendance,
    AuditItem,
    Center,
    CenterResult,
    Certification,
    Discrepancy,
    Employer,
    EmploymentConfirmation,
    Evidence,
    Fee,
    HistoryEntry,
    HistoryValue,
    Holder,
    HolderRequest,
    JobRequirement,
    ManagedCase,
    Message,
    ModuleCertificate,
    OtherCredential,
    PathwayChoice,
    Provider,
    Recovery,
    Renewal,
    RosterEntry,
    Sharing,
    Sponsor,
    StaffingMinimum,
    StandingChange,
    Token,
    WorkPermission,
)
from tracker.services.core import bulk
from tracker.services.core.combined import Statement
from tracker.services.core.context import Parameters, ReadContext, columns_of
from tracker.services.core.history import ACTOR, SUBJECTS, Values

Subjects = Mapping[str, Collection[str]]
"""Ids of records by the subject that history uses for them."""


@dataclass(frozen=True, slots=True)
class ChangedValue:
    """The value of a field before and after."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One entry of history, with the values that it changed.

    ``actor`` is a person's name, or that of a token or a part of the program; once the name was
    erased, or where the entry has none, it is the role.
    """

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    subject_id: str
    detail: Mapping[str, object]
    changes: Sequence[ChangedValue]
    actor_role: str | None
    token_id: str | None
    account_id: str | None
    session_id: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """The entries to show: those that match every value given. Days are in UTC, both included."""

    after: int | None = None
    limit: int
    subject: str | None = None
    subject_id: str | None = None
    actor: str | None = None
    token_id: str | None = None
    account_id: str | None = None
    action: str | None = None
    from_on: date | None = None
    until_on: date | None = None


def page(
    reading: ReadContext, filters: HistoryFilter, *, holder_id: str | None = None
) -> list[HistoryLine]:
    """A page of entries; with ``holder_id`` those about that person. Raises NotFound."""
    if holder_id is None:
        return _lines(reading, _asked(filters))
    return _about(reading, filters, records_of_person(reading, holder_id))


def of_record(
    reading: ReadContext, subject: str, subject_id: str, filters: HistoryFilter
) -> list[HistoryLine]:
    """A page of entries about one record and what belongs to it. Raises NotFound."""
    ids = _by_subject(reading, _all_of_record(subject), {"id": subject_id})
    if subject not in ids:
        raise NotFound
    if subject == "employer":
        ids["digest"] = [subject_id]  # digest orders are recorded under their employer
    return _about(reading, filters, ids)


_Id = InstrumentedAttribute[str]
_Owned = tuple[str, _Id, InstrumentedAttribute[str | None]]
"""A subject of history, the id of its records, and the column that names their owner."""
_RECORDS: Mapping[str, tuple[_Id, tuple[_Owned, ...]]] = {
    "certification": (
        Certification.id,
        (
            ("renewal", Renewal.id, Renewal.certification_id),
            ("appeal", Appeal.id, Appeal.certification_id),
            ("standing_change", StandingChange.id, StandingChange.certification_id),
            ("cycle_adjustment", Adjustment.id, Adjustment.certification_id),
        ),
    ),
    "activity": (Activity.id, (("evidence", Evidence.id, Evidence.activity_id),)),
    "renewal": (Renewal.id, (("appeal", Appeal.id, Appeal.renewal_id),)),
    "assessment": (Assessment.id, ()),
    "fee": (Fee.id, ()),
    "employer": (
        Employer.id,
        (
            ("job_requirement", JobRequirement.id, JobRequirement.employer_id),
            ("staffing_minimum", StaffingMinimum.id, StaffingMinimum.employer_id),
        ),
    ),
    "center": (Center.id, ()),
    "provider": (Provider.id, ()),
    "sponsor": (Sponsor.id, ()),
}
"""The records with a history of their own, by subject: their id, and what belongs to them."""


@cache
def _all_of_record(subject: str) -> Select[str, str] | CompoundSelect[str, str]:
    own, below = _RECORDS[subject]
    first, *others = [
        select(literal(name).label("subject"), id_).where(owner == bindparam("id"))
        for name, id_, owner in ((subject, own, own), *below)
    ]
    return first.union_all(*others) if others else first


def records_of_person(reading: ReadContext, holder_id: str) -> dict[str, list[str]]:
    """Everything on record about a person, by subject, in one statement. Raises NotFound.

    Of a record that was merged into this one, its own history is part of it, too.
    """
    ids = _by_subject(reading, _ALL_OF_PERSON, {"id": holder_id})
    if "holder" not in ids:
        raise NotFound
    return ids


OF_PERSON: tuple[_Owned, ...] = (
    ("holder", Holder.id, Holder.id),
    ("holder", Holder.id, Holder.merged_into_id),
    ("assessment", Assessment.id, Assessment.holder_id),
    ("module_certificate", ModuleCertificate.id, ModuleCertificate.holder_id),
    ("other_credential", OtherCredential.id, OtherCredential.holder_id),
    ("pathway_choice", PathwayChoice.id, PathwayChoice.holder_id),
    ("apprenticeship", Apprenticeship.id, Apprenticeship.holder_id),
    ("managed_case", ManagedCase.id, ManagedCase.holder_id),
    ("employment_confirmation", EmploymentConfirmation.id, EmploymentConfirmation.holder_id),
    ("work_permission", WorkPermission.id, WorkPermission.holder_id),
    ("center_result", CenterResult.id, CenterResult.holder_id),
    ("fee", Fee.id, Fee.holder_id),
    ("certification", Certification.id, Certification.holder_id),
    ("activity", Activity.id, Activity.holder_id),
    ("attendance", Attendance.id, Attendance.holder_id),
    ("audit_item", AuditItem.id, AuditItem.holder_id),
    ("discrepancy", Discrepancy.id, Discrepancy.holder_id),
    ("sharing", Sharing.id, Sharing.holder_id),
    ("roster_entry", RosterEntry.id, RosterEntry.holder_id),
    ("request", HolderRequest.id, HolderRequest.holder_id),
    ("approval", ActApproval.id, ActApproval.holder_id),
    ("token", Token.id, Token.holder_id),
    ("recovery", Recovery.id, Recovery.holder_id),
    ("account", Account.id, Account.holder_id),
    ("message", Message.id, Message.holder_id),
)
"""What is about a person: this is shown with their history, and its values go in an erasure."""


def _all_of_person() -> CompoundSelect[str, str]:
    """What ``OF_PERSON`` names, and what belongs to their certifications and activities."""
    person: BindParameter[str] = bindparam("id")
    own = [
        select(literal(subject).label("subject"), id_).where(owner == person)
        for subject, id_, owner in OF_PERSON
    ]
    certifications = select(Certification.id).where(Certification.holder_id == person)
    activities = select(Activity.id).where(Activity.holder_id == person)
    below = [
        select(literal(name), id_).where(owner.in_(certifications))
        for name, id_, owner in _RECORDS["certification"][1]
    ]
    evidence = select(literal("evidence"), Evidence.id).where(Evidence.activity_id.in_(activities))
    return union_all(*own, *below, evidence)


_ALL_OF_PERSON = _all_of_person()


def _by_subject(
    reading: ReadContext, statement: Executable, parameters: Parameters
) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = defaultdict(list)
    for row in reading.rows(statement, parameters):
        ids[row.subject].append(row.id)
    return ids


def _about(reading: ReadContext, filters: HistoryFilter, subjects: Subjects) -> list[HistoryLine]:
    return _lines(reading, _asked(filters).where(_is_about(reading, subjects)))


def _is_about(reading: ReadContext, subjects: Subjects) -> ColumnElement[bool]:
    """The condition that an entry is about one of these records, by the index on both columns."""
    return or_(
        *(
            and_(
                HistoryEntry.subject == subject,
                bulk.among(reading, HistoryEntry.subject_id, set(ids)),
            )
            for subject, ids in subjects.items()
        )
    )


def _asked(filters: HistoryFilter) -> Statement:
    statement = _in_order(filters).limit(filters.limit)
    for name in ("subject", "subject_id", "actor", "token_id", "account_id", "action"):
        if (value := getattr(filters, name)) is not None:
            statement = statement.where(getattr(HistoryEntry, name) == value)
    if filters.subject_id is not None and filters.subject is None:
        statement = statement.where(HistoryEntry.subject.in_(SUBJECTS))  # for the index
    return statement


def _in_order(filters: HistoryFilter) -> Statement:
    """The entries of the days, newest first, after the last one of the page before.

    Their ids are nearly in the order of time. Those of given days are in the order of the index on
    time, or else a page of long ago would be looked for from today on.
    """
    table, statement = HistoryEntry, _LINE
    if filters.from_on is None and filters.until_on is None:
        statement = statement.order_by(table.id.desc())
        return statement if filters.after is None else statement.where(table.id < filters.after)
    if filters.from_on is not None:
        statement = statement.where(table.at >= _begin(filters.from_on))
    if filters.until_on is not None:
        statement = statement.where(table.at < _begin(filters.until_on + timedelta(days=1)))
    if filters.after is not None:
        last = aliased(table)
        at = select(last.at).where(last.id == filters.after).scalar_subquery()
        statement = statement.where(tuple_(table.at, table.id) < tuple_(at, filters.after))
    return statement.order_by(table.at.desc(), table.id.desc())


class _EntryRow(NamedTuple):
    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    subject_id: str
    detail: Mapping[str, Any]
    actor_role: str | None
    token_id: str | None
    account_id: str | None
    session_id: str | None
    request_id: str | None


_LINE = select(*columns_of(_EntryRow, HistoryEntry))


def _begin(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def _lines(reading: ReadContext, statement: Statement) -> list[HistoryLine]:
    rows = reading.rows_as(_EntryRow, statement)
    personal = _personal(reading, [row.id for row in rows])
    return [_line(row, personal.get(row.id, {})) for row in rows]


def _personal(reading: ReadContext, ids: Collection[int]) -> dict[int, dict[str, Values]]:
    """The personal values stored beside entries, in one statement."""
    values: dict[int, dict[str, Values]] = defaultdict(dict)
    table = HistoryValue
    statement = select(table.history_id, table.field, table.before, table.after)
    if ids:
        for row in reading.rows(statement.where(bulk.among(reading, table.history_id, ids))):
            values[row.history_id][row.field] = (row.before, row.after)
    return values


def _line(row: _EntryRow, personal: Mapping[str, Values]) -> HistoryLine:
    detail = dict(row.detail)
    changes = []
    for name in detail.pop("fields", ()):
        plain = (detail.pop(f"{name}_before", None), detail.pop(f"{name}_after", None))
        changes.append(ChangedValue(name, *personal.get(name, plain)))
    _, name = personal.get(ACTOR, (None, None))
    told = {**row._asdict(), "actor": name or row.actor, "detail": detail}
    return HistoryLine(**told, changes=changes)
