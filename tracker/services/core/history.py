"""The change history: one entry for each change, in the same transaction as the change.

An entry names the changed ``fields`` and keeps their values before and after. Values about people
(``PERSONAL``) are stored in separate rows, so that they can be erased without touching the history;
all others are in the entry's detail. So is the name of a person who acts. ``history_pages`` reads
it, ``history_chain`` chains it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import Literal, NamedTuple, get_args

from sqlalchemy import func, select, text, update

from tracker import row_security
from tracker.domain.permissions import Actor
from tracker.models import HistoryEntry, HistoryValue
from tracker.services.core import bulk, history_chain, security_log
from tracker.services.core.context import UnitOfWork

_AT_ONCE = 1000  # entries that are held in memory and written together

Values = tuple[object, object]
"""A field's value before and after."""
Changes = Mapping[str, Values]
"""The value of each changed field before and after."""

Subject = Literal[
    "account",
    "activity",
    "adjustment_batch",
    "appeal",
    "apprenticeship",
    "approval",
    "assessment",
    "attendance",
    "attendance_code",
    "audit",
    "audit_item",
    "center",
    "center_result",
    "certification",
    "course",
    "cycle_adjustment",
    "digest",
    "discrepancy",
    "employer",
    "employment_confirmation",
    "evidence",
    "fee",
    "history",
    "holder",
    "import_run",
    "invitation",
    "job_requirement",
    "managed_case",
    "message",
    "module_certificate",
    "other_credential",
    "pathway_choice",
    "problem_report",
    "provider",
    "recovery",
    "renewal",
    "request",
    "roster_entry",
    "scheme",
    "sending",
    "sharing",
    "sponsor",
    "staffing_minimum",
    "standing_change",
    "suppression",
    "token",
    "work_permission",
]
SUBJECTS: tuple[Subject, ...] = get_args(Subject)
"""The kinds of records that entries are about."""
PERSONAL: Mapping[str, frozenset[str]] = {
    "assessment": frozenset({"proctor", "instructor"}),
    "audit_item": frozenset({"appeal"}),
    "discrepancy": frozenset({"answer_note"}),
    "employment_confirmation": frozenset({"contest"}),
    "holder": frozenset(
        {
            "given_name",
            "family_name",
            "email",
            "second_email",
            "language",
            "time_zone",
            "deceased_on",
        }
    ),
    "request": frozenset({"given_name", "family_name"}),
    "roster_entry": frozenset({"given_holder_ref", "given_email", "given_number"}),
    "attendance": frozenset(
        {"given_name", "given_holder_ref", "given_email", "given_number", "who"}
    ),
    "employer": frozenset({"email"}),
    "provider": frozenset({"email"}),
    "sponsor": frozenset({"email"}),
    "digest": frozenset({"address"}),
    "other_credential": frozenset({"number", "evidence"}),
    "suppression": frozenset({"address"}),
    "token": frozenset({"name"}),
}
"""The fields whose values are about people, by the subject of the entry."""
ACTOR = "actor"
"""The field of the personal value that is the name of the person who acted."""
ERASE = "erase"
"""The action of an entry that says that personal values were erased, ``ERASED`` of them."""
ERASED = "values"


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, Values]:
    """The fields in which two states of a record differ, in their order."""
    return {name: (before[name], value) for name, value in after.items() if before[name] != value}


def record(
    work: UnitOfWork, action: str, subject: Subject, subject_id: str, **detail: object
) -> None:
    """Record that the actor did ``action`` to a record; ``changes`` are the fields it changed."""
    record_many(work, action, subject, [(subject_id, detail)])


def record_many(
    work: UnitOfWork,
    action: str,
    subject: Subject,
    details: Iterable[tuple[str, Mapping[str, object]]],
) -> None:
    """The same for many records: pairs of id and detail, with the changed fields as ``changes``."""
    waiting = iter(details)
    while some := list(islice(waiting, _AT_ONCE)):
        _record(work, [_entry(work, action, subject, id_, detail) for id_, detail in some])


def _record(work: UnitOfWork, entries: Sequence[_NewEntry]) -> None:
    if len(entries) == 1 and not row_security.is_restricted(work.connection):
        row = entries[0].row
        row["id"] = bulk.insert_one(work, HistoryEntry, row, returning="id")
    else:
        ids = _next_ids(work, len(entries))  # who may not read the history gets none back
        for id_, entry in zip(ids, entries, strict=True):
            entry.row["id"] = id_
        bulk.insert(work, HistoryEntry, [entry.row for entry in entries])
    _finish(work, entries)


def erase(
    work: UnitOfWork, subject: Subject, subject_id: str, about: Collection[str], *, reason: str
) -> int:
    """Erase the personal values about some records from the history; returns how many.

    The erasure is itself an entry, about one record, with the number of values. The entries that
    they belong to stay as they are, and the chain holds.
    """
    (id_,) = _next_ids(work, 1)
    values = (HistoryValue.before, HistoryValue.after)
    statement = (
        update(HistoryValue)
        .where(bulk.among(work, HistoryValue.subject_id, about), HistoryValue.erased_by.is_(None))
        .values({**dict.fromkeys(values), HistoryValue.erased_by: id_})
    )
    count = work.execute(statement).rowcount
    entry = _entry(work, ERASE, subject, subject_id, {"reason": reason, ERASED: count})
    entry.row["id"] = id_
    bulk.insert(work, HistoryEntry, [entry.row])
    _finish(work, [entry])
    return count


class _PersonalValue(NamedTuple):
    """A personal value: of which field, about whom, before and after."""

    field: str
    subject_id: str
    before: str | None
    after: str | None


class _NewEntry(NamedTuple):
    """A row for the history and the personal values that it has beside it."""

    row: dict[str, object]
    values: list[_PersonalValue]


def _entry(
    work: UnitOfWork, action: str, subject: Subject, subject_id: str, detail: Mapping[str, object]
) -> _NewEntry:
    personal, changed = PERSONAL.get(subject, frozenset()), _changed(detail)
    row = {
        "at": work.now,
        **_who(work),
        "action": action,
        "subject": subject,
        "subject_id": subject_id,
        "detail": _plain({**detail, **_kept(changed, personal), "changes": None}),
    }
    values = [
        _PersonalValue(name, subject_id, _text(before), _text(after))
        for name, (before, after) in changed.items()
        if name in personal
    ]
    return _NewEntry(row, [*values, *_actors_name(work.actor)])


def _who(work: UnitOfWork) -> dict[str, object]:
    """What an entry says of its actor: no name of a person, but exactly which token or account."""
    actor = work.actor
    return {
        "actor": actor.role if actor.has_personal_name else actor.name,
        "actor_role": actor.role,
        "token_id": actor.token_id,
        "account_id": actor.account_id,
        "session_id": actor.session_id,
        "request_id": work.request_id,
    }


def _actors_name(actor: Actor) -> list[_PersonalValue]:
    """The name of a person who acts, as a value of that person that can be erased."""
    if not actor.has_personal_name:
        return []
    about = actor.holder_id or actor.credential_id or actor.account_id
    return [_PersonalValue(ACTOR, str(about), None, actor.name)]


def _changed(detail: Mapping[str, object]) -> Changes:
    changed = detail.get("changes")
    return changed if isinstance(changed, Mapping) else {}


def _kept(changed: Changes, personal: Collection[str]) -> dict[str, object]:
    """What the entry itself keeps of a change: field names, and values that are not personal."""
    if not changed:
        return {}
    kept: dict[str, object] = {"fields": sorted(changed)}
    for name, (before, after) in changed.items():
        if name not in personal:
            kept |= {f"{name}_before": before, f"{name}_after": after}
    return kept


def _finish(work: UnitOfWork, entries: Collection[_NewEntry]) -> None:
    """Insert the values of entries, which have their ids by now, and note all for the chain."""
    rows = [{"history_id": e.row["id"], **v._asdict()} for e in entries for v in e.values]
    bulk.insert(work, HistoryValue, rows)
    key = work.history_keys.key
    work.logged.extend(line for e in entries for line in security_log.lines_of(e.row))
    work.unchained.add(history_chain.chained(key, e.row, e.values) for e in entries)


def _next_ids(work: UnitOfWork, count: int) -> Collection[int]:
    """Ids for so many entries, from the sequence; SQLite has one writer, so there the next ones."""
    if work.dialect == "postgresql":
        taken = text("select nextval('history_id_seq') from generate_series(1, :count)")
        return [row[0] for row in work.rows(taken, {"count": count})]
    last = work.connection.execute(select(func.max(HistoryEntry.id))).scalar_one() or 0
    return range(last + 1, last + 1 + count)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _plain(detail: Mapping[str, object]) -> dict[str, object]:
    """Values that JSON can hold; dates and amounts as text."""
    return {
        key: str(value) if isinstance(value, (date, datetime, time, Decimal)) else value
        for key, value in detail.items()
        if value is not None
    }
