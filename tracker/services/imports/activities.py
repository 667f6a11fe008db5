"""activities: claims for points with the decisions on them, by activity_ref.

A row only adds to what is known: if a file says ``submitted`` of an activity that was decided
since, the decision stays; a different decision is appended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import func, select

from tracker.db import new_id
from tracker.domain.credentials.certifications import (
    ChangeOfStanding,
    CycleTerm,
    Hold,
    days_of,
    hold_on,
)
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.errors import Invalid, UnknownActivityType
from tracker.domain.periods import Period
from tracker.domain.points import activities as rules
from tracker.domain.points.activities import ActivityState
from tracker.domain.points.claims import Claim
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.domain.values import future_rule
from tracker.models import Activity, Certification, Decision, StandingChange
from tracker.services.core import bulk, writers
from tracker.services.core.context import ReadContext, columns_of
from tracker.services.imports import lookups
from tracker.services.imports.batches import Batch
from tracker.services.imports.run import ImportKind, ImportRow, RowValues, Run, nothing_follows
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.points.activities import CLAIMED, claim_of, claimed
from tracker.services.points.activity_rows import ActivityOnRecord
from tracker.services.standings import snapshots
from tracker.services.standings.snapshots import HolderScheme
from tracker.tabular import Column, choice, decimal, text, truth
from tracker.tabular import date as a_date

_STATUSES = (
    ActivityState.DRAFT,
    ActivityState.SUBMITTED,
    ActivityState.APPROVED,
    ActivityState.REJECTED,
)
_MOST_TAGS = 20
_code = text(32)
_MUST_BE_DONE = frozenset({ActivityState.SUBMITTED, ActivityState.APPROVED})
_CLOSED = frozenset(ActivityState) - {ActivityState.DRAFT, ActivityState.SUBMITTED}
# By status: the dates that it needs, and those that contradict it.
_NEEDS = {
    ActivityState.DRAFT: (),
    ActivityState.SUBMITTED: ("submitted_on",),
    ActivityState.APPROVED: ("decided_on",),
    ActivityState.REJECTED: ("decided_on",),
}
_CONTRADICTS = {
    ActivityState.DRAFT: ("submitted_on", "decided_on"),
    ActivityState.SUBMITTED: ("decided_on",),
}


@dataclass(frozen=True, slots=True)
class _KnownActivity(ActivityOnRecord):
    submitted_at: datetime | None
    withdrawn_on: date | None


class _LastDecision(NamedTuple):
    activity_id: str
    verdict: str
    decided_on: date
    provider_approved: bool


@dataclass(slots=True)
class _ActivityChunk:
    """The facts on record for the rows of a chunk."""

    ids: dict[str, str]
    cycles: dict[HolderScheme, list[CycleTerm]]
    activities: dict[str, _KnownActivity]
    decisions: dict[str, _LastDecision]
    claimed: dict[str, RowValues]
    changes: dict[HolderScheme, list[ChangeOfStanding]]


def _take(run: Run, rows: Collection[ImportRow]) -> None:
    ids = lookups.holders(run, rows)
    schemes = {row.number: scheme for row in rows if (scheme := run.scheme(row))}
    for row in rows:
        _check_dates(run, row)
    known = [row for row in rows if row.number in schemes and row["holder_ref"] in ids]
    on_record = lookups.by_ref(run.work, Activity, [row.key for row in rows], _KnownActivity)
    chunk = _ActivityChunk(
        ids=ids,
        cycles=lookups.cycles(run.work, set(ids.values())),
        activities=on_record,
        decisions=_last_decisions(run.work, [old.id for old in on_record.values()]),
        claimed=_claimed(run, rows, on_record),
        changes=_changes(run.work, set(ids.values())),
    )
    written = writers.written(run.work, [old.id for old in on_record.values()])
    for row in known:
        _check_claim(run, row, schemes[row.number], chunk)
        old, holder_id = on_record.get(row.key), ids[row["holder_ref"]]
        if old and (old.holder_id, old.scheme) != (holder_id, row["scheme"]):
            run.refuse(row, "activity_ref", "is on record for another holder or scheme")
        if old and old.id in written and _is_new_decision(row, old, chunk.decisions):
            run.refuse(row, "status", writers.OWN_ENTRY)
    rows = run.good(rows)
    if not run.broken:
        _write(run, rows, chunk)


def _changes(
    reading: ReadContext, holder_ids: Collection[str]
) -> dict[HolderScheme, list[ChangeOfStanding]]:
    """The changes of standing by holder and scheme, in the order in which they took effect."""
    table = StandingChange
    statement = (
        select(Certification.holder_id, Certification.scheme, table.kind, table.effective_on)
        .join(Certification, Certification.id == table.certification_id)
        .where(
            bulk.among(reading, Certification.holder_id, holder_ids),
            snapshots.CURRENT,
        )
        .order_by(table.effective_on, table.recorded_at, func.coalesce(table.ref, ""), table.id)
    )
    changes: dict[HolderScheme, list[ChangeOfStanding]] = defaultdict(list)
    for holder_id, scheme, kind, effective_on in reading.rows(statement):
        changes[holder_id, scheme].append(ChangeOfStanding(kind, effective_on))
    return changes


def _check_dates(run: Run, row: ImportRow) -> None:
    """Refuse rows without the dates that their status needs, or with dates that contradict it."""
    status = row["status"]
    for column in _NEEDS[status]:
        if row[column] is None:
            run.refuse(row, column, f"is required when the status is {status}")
    for column in _CONTRADICTS.get(status, ()):
        if row[column] is not None:
            run.refuse(row, column, f"must be empty when the status is {status}")
    if row["provider_approved"] and status != ActivityState.APPROVED:
        run.refuse(row, "provider_approved", "must be empty unless the status is approved")
    if row["submitted_on"] and row["decided_on"] and row["decided_on"] < row["submitted_on"]:
        run.refuse(row, "decided_on", f"must not be before submitted_on ({row['submitted_on']})")


def _check_claim(run: Run, row: ImportRow, scheme: Scheme, chunk: _ActivityChunk) -> None:
    """Refuse a type that the governing policy does not have, or a claim that does not fit it."""
    if not scheme.policies:
        run.refuse(row, "scheme", f"{scheme.code} never expires, so no points are counted for it")
        return
    cycles = chunk.cycles.get((chunk.ids[row["holder_ref"]], scheme.code), [])
    claim = claim_of(row.key, chunk.claimed[row.key])
    today = run.work.today(scheme)
    run.refuse_future(row, "submitted_on", "decided_on", today=today)
    _check_done(run, row, today)
    refusal = _refusal(_governing(scheme, cycles, claim, today), claim)
    if refusal is not None:
        for column, rule in refusal.fields.items():
            run.refuse(row, column, rule)
    if not isinstance(refusal, UnknownActivityType):
        _warn(run, row, cycles)
    changes = chunk.changes.get((chunk.ids[row["holder_ref"]], scheme.code), ())
    hold = hold_on(changes, row["submitted_on"] or today)
    if hold in {Hold.REVOKED, Hold.SURRENDERED}:
        run.warn(row.number, "status", f"the certification was {hold}; its points are frozen.")


def _check_done(run: Run, row: ImportRow, today: date) -> None:
    """Refuse to count what is not done: a course not completed, a job not begun by today.

    The API does the same; a draft or rejected activity may be in the future, with a warning.
    """
    column = "starts_on" if row["completed_on"] is None else "completed_on"
    if row["status"] in _MUST_BE_DONE:
        run.refuse_future(row, column, today=today)
    elif future_rule(row[column], today):
        run.warn(row.number, column, f"{row[column]} is in the future ({today} today).")


def _claimed(
    run: Run, rows: Collection[ImportRow], on_record: dict[str, _KnownActivity]
) -> dict[str, RowValues]:
    """What each row claims; values without a column in the file stay as they are on record."""
    absent = [name for name in CLAIMED if name not in run.header]
    claims: dict[str, RowValues] = {}
    for row in rows:
        old = on_record.get(row.key)
        if old is None or not absent:
            claims[row.key] = claimed(row.values)
        else:
            claims[row.key] = claimed(row.values | {name: getattr(old, name) for name in absent})
    return claims


def _governing(
    scheme: Scheme, cycles: Sequence[CycleTerm], claim: Claim, today: date
) -> Sequence[Policy]:
    """The policies of the cycles that the claim falls in, or else every version of the scheme.

    Cycles that renewals open later are not known yet when activities are imported. Versions that
    may later govern a cycle under way are included too.
    """
    last = claim.completed_on or max(today, claim.starts_on or today)
    first = last if claim.quantity is not None else (claim.starts_on or last)
    run = Period(min(first, last), last)
    versions = {c.policy: None for c in cycles if c.policy and days_of(cycles, c).clip(run)}
    if not versions:
        return scheme.policies
    later = (p.version for p in scheme.policies if p.applies != "cycle_start")
    return [scheme.policy(version) for version in (*versions, *later)]


def _refusal(policies: Sequence[Policy], claim: Claim) -> Invalid | None:
    """Why none of the policies accepts the claim, by the last of those that have its type."""
    refusal: Invalid | None = None
    for policy in policies:
        try:
            kind = policy.activity_type(claim.type, claim.category)
            rules.check_claim(kind, claim, tags=policy.tags)
        except UnknownActivityType as unknown:
            refusal = refusal or unknown
        except Invalid as unfit:
            refusal = unfit
        else:
            return None
    return refusal


def _warn(run: Run, row: ImportRow, cycles: Sequence[CycleTerm]) -> None:
    done, submitted_on = row["completed_on"], row["submitted_on"]
    if done and cycles and done < cycles[0].starts_on:
        begin = cycles[0].starts_on
        run.warn(row.number, "completed_on", f"{done} is before the certification ({begin}).")
    if done and submitted_on and done > submitted_on:
        run.warn(row.number, "completed_on", f"{done} is after it was submitted ({submitted_on}).")


def _write(run: Run, rows: Collection[ImportRow], chunk: _ActivityChunk) -> None:
    batch = Batch(run, Activity, subject="activity")
    decided: dict[str, ImportRow] = {}
    entered: list[str] = []
    for row in rows:
        old = chunk.activities.get(row.key)
        values = chunk.claimed[row.key] | _progressed(run, row, old, chunk.decisions)
        new = {"holder_id": chunk.ids[row["holder_ref"]], "scheme": row["scheme"]}
        fate = batch.add(old, values, ref=row.key, recorded_at=run.work.now, version=1, **new)
        if fate != "unchanged" and values["state"] not in _CLOSED:
            entered.append(row.key)
        if values["state"] == row["status"] and _is_new_decision(row, old, chunk.decisions):
            decided[row.key] = row
    batch.write()
    writers.note(run.work, [batch.ids[key] for key in entered])
    _decide(run, decided, batch.ids, chunk.ids)


def _progressed(
    run: Run,
    row: ImportRow,
    old: _KnownActivity | None,
    decisions: Mapping[str, _LastDecision],
) -> RowValues:
    """The values of an activity's row that show its progress."""
    progress = _progress(row["status"])
    if old is not None and _progress(old.state) > progress:
        run.warn(row.number, "status", f"is {old.state} on record and was left as it is.")
        kept = ("state", "submitted_on", "withdrawn_on", "submitted_at")
        return {name: getattr(old, name) for name in kept}
    submitted_at = run.work.now if progress else None
    if old is not None and old.submitted_at and not _new_round(row, old, decisions):
        submitted_at = old.submitted_at
    return {
        "state": row["status"],
        "submitted_on": row["submitted_on"],
        "withdrawn_on": None,
        "submitted_at": submitted_at,
    }


def _progress(state: str) -> int:
    return 2 if state in _CLOSED else int(state == ActivityState.SUBMITTED)


def _new_round(row: ImportRow, old: _KnownActivity, decisions: Mapping[str, _LastDecision]) -> bool:
    """Whether earlier decisions no longer count, because the submission or decision differs."""
    if row["submitted_on"] != old.submitted_on:
        return True
    return old.id in decisions and _is_new_decision(row, old, decisions)


def _is_new_decision(
    row: ImportRow, old: _KnownActivity | None, decisions: Mapping[str, _LastDecision]
) -> bool:
    """Whether the row holds a decision that differs from the last one on record."""
    if row["decided_on"] is None:
        return False
    last = decisions.get(old.id) if old is not None else None
    if old is None or last is None or row["submitted_on"] != old.submitted_on:
        return True
    if row["provider_approved"] not in {None, last.provider_approved}:
        return True
    return (last.verdict, last.decided_on) != (row["status"], row["decided_on"])


def _decide(
    run: Run, decided: dict[str, ImportRow], ids: dict[str, str], holder_ids: dict[str, str]
) -> None:
    """Append the decisions, and notify holders of recent ones."""
    work = run.work
    rows = [
        {
            "id": new_id(),
            "activity_id": ids[key],
            "verdict": row["status"],
            "decided_on": row["decided_on"],
            "points_limit": None,
            "provider_approved": row["provider_approved"] or False,
            "reason_code": None,
            "reason": None,
            "decided_by": work.actor.name,
            "decided_by_id": work.actor.who,
            "recorded_at": work.now,
        }
        for key, row in decided.items()
    ]
    bulk.insert(work, Decision, rows)
    news = (
        NoticeToTell(
            kind=NoticeKind.ACTIVITY_DECIDED,
            holder_id=holder_ids[row["holder_ref"]],
            subject_id=decision["activity_id"],
            event=decision["id"],
            on=row["decided_on"],
        )
        for decision, row in zip(rows, decided.values(), strict=True)
    )
    notices.tell(work, news)


def _last_decisions(
    reading: ReadContext, activity_ids: Collection[str]
) -> dict[str, _LastDecision]:
    """The decision recorded last on each activity."""
    table = Decision
    if not activity_ids:
        return {}
    statement = (
        select(*columns_of(_LastDecision, table))
        .where(bulk.among(reading, table.activity_id, activity_ids))
        .order_by(table.recorded_at, table.id)
    )
    return {row.activity_id: row for row in reading.rows_as(_LastDecision, statement)}


def _tags(value: str) -> list[str]:
    """Read tag codes separated by semicolons."""
    codes = sorted({_code(part) for part in value.split(";") if part.strip()})
    if len(codes) > _MOST_TAGS:
        raise ValueError(f"must be at most {_MOST_TAGS} tags, separated by semicolons")
    return codes


KIND = ImportKind(
    name="activities",
    columns=(
        Column("activity_ref", text(64), required=True),
        Column("holder_ref", text(64), required=True),
        Column("scheme", text(32), required=True),
        Column("category", text(32), required=True),
        Column("type", text(32), required=True),
        Column("title", text(200), required=True),
        Column("provider", text(200)),
        Column("quantity", decimal(2, 0, rules.MAXIMUM_QUANTITY)),
        Column("starts_on", a_date()),
        Column("completed_on", a_date()),
        Column("status", choice(_STATUSES), required=True),
        Column("submitted_on", a_date()),
        Column("decided_on", a_date()),
        Column("unit", text(32)),
        Column("role", text(32)),
        Column("tags", _tags),
        Column("duty", truth),
        Column("provider_approved", truth),
    ),
    key=("activity_ref",),
    take=_take,
    finish=nothing_follows,
)
