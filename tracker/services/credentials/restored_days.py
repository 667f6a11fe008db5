"""Restored days: time to renew that an undone suspension or revocation had taken away.

Invariant: the days are restored in the transaction that undoes the hold, as an adjustment of the
cycle, and no day is restored twice. ``domain.credentials.adjustments.given_back`` decides how many
days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple, TypedDict

from sqlalchemy import func, select

from tracker.db import new_id
from tracker.domain.credentials import adjustments as rules
from tracker.domain.credentials import certifications
from tracker.domain.credentials.adjustments import Noted
from tracker.domain.credentials.certifications import GAP_RESTORED, ChangeKind
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.periods import Period
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Adjustment, Certification, StandingChange
from tracker.services.core import bulk, history
from tracker.services.core.context import UnitOfWork
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.standings import snapshots

_AS_RECORDED = attrgetter("recorded_at", "effective_on", "ref", "id")


class AdjustmentToInsert(TypedDict):
    """An adjustment as a row to insert."""

    id: str
    certification_id: str
    ordinal: int
    number: int
    extended_to: date | None
    points_required: Decimal | None
    effective_on: date
    reason_code: str
    reason: str
    override_reason: str | None
    decided_by: str
    batch_id: str | None
    recorded_at: datetime


def give_back(work: UnitOfWork, scheme: Scheme, change_ids: Collection[str]) -> None:
    """Restore the days that these reinstatements give back, with a constant number of statements.

    A reinstatement restores none if it undoes nothing, or a hold outside the renewal window.
    """
    ids = _reinstated(work, change_ids)
    if not ids:
        return
    records = snapshots.records(work, ids)
    made: list[AdjustmentToInsert] = []
    holders: dict[str, str] = {}
    for id_, rows in _changes(work, ids).items():
        holders[id_] = rows[0].holder_id
        for place, row in enumerate(rows):
            if row.id in change_ids and row.kind == ChangeKind.REINSTATE:
                adjustment = _given(work, scheme, records[id_], rows[: place + 1])
                if adjustment is not None:
                    made.append(adjustment)
                    records[id_] = _with(records[id_], adjustment)
    bulk.insert(work, Adjustment, made)
    _tell(work, scheme, made, holders)


def _reinstated(work: UnitOfWork, change_ids: Collection[str]) -> set[str]:
    """The certifications that these changes reinstate."""
    table = StandingChange
    statement = select(table.certification_id).where(
        bulk.among(work, table.id, change_ids), table.kind == ChangeKind.REINSTATE
    )
    return {row.certification_id for row in work.rows(statement)}


class _Change(NamedTuple):
    """A change of standing; ``ref`` is empty unless it came from a file."""

    id: str
    certification_id: str
    kind: ChangeKind
    effective_on: date
    recorded_at: datetime
    ref: str
    holder_id: str


def _changes(work: UnitOfWork, ids: Collection[str]) -> dict[str, list[_Change]]:
    """The changes of certifications in the order of recording."""
    table = StandingChange
    statement = (
        select(
            table.id,
            table.certification_id,
            table.kind,
            table.effective_on,
            table.recorded_at,
            func.coalesce(table.ref, "").label("ref"),
            Certification.holder_id,
        )
        .join(Certification, Certification.id == table.certification_id)
        .where(bulk.among(work, table.certification_id, ids))
    )
    changes: dict[str, list[_Change]] = defaultdict(list)
    for row in sorted(work.rows_as(_Change, statement), key=_AS_RECORDED):
        changes[row.certification_id].append(row)
    return changes


def _given(
    work: UnitOfWork, scheme: Scheme, record: snapshots.CertificationRecord, rows: Sequence[_Change]
) -> AdjustmentToInsert | None:
    """The adjustment of the last cycle opened that the last change in ``rows`` leads to, if any."""
    last = certifications.extended(record.cycles[-1], record.adjustments, date.max)
    policy = scheme.policy(last.policy) if last.policy else None
    opens_on = certifications.window_opens_on(policy, last)
    if policy is None or opens_on is None or last.expires_on is None:
        return None
    noted = [Noted(row.kind, row.effective_on, _day(scheme, row.recorded_at)) for row in rows]
    closes_on = policy.window_closes_on(last.expires_on)
    last_day = policy.grace_ends_on(last.expires_on) or closes_on
    window = Period(opens_on, last_day)
    restored = rules.given_back(noted, window=window, expires_on=last.expires_on)
    if restored is None:
        return None
    extended_to, days = restored
    return {
        "id": new_id(),
        "certification_id": record.certification_id,
        "ordinal": last.ordinal,
        "number": sum(a.ordinal == last.ordinal for a in record.adjustments) + 1,
        "extended_to": extended_to,
        "points_required": None,
        "effective_on": min(last.expires_on, work.today(scheme)),
        "reason_code": GAP_RESTORED,
        "reason": f"{days} days of the application window were lost to a decision that was "
        f"reversed on {noted[-1].recorded_on}; they are restored.",
        "override_reason": None,
        "decided_by": work.actor.name,
        "batch_id": None,
        "recorded_at": work.now,
    }


def _day(scheme: Scheme, instant: datetime) -> date:
    return instant.astimezone(scheme.time_zone).date()


def _with(
    record: snapshots.CertificationRecord, made: AdjustmentToInsert
) -> snapshots.CertificationRecord:
    restored = certifications.CycleAdjustment(
        made["ordinal"], made["effective_on"], made["extended_to"], None, GAP_RESTORED
    )
    return replace(record, adjustments=(*record.adjustments, restored))


def _tell(
    work: UnitOfWork, scheme: Scheme, made: Sequence[AdjustmentToInsert], holders: dict[str, str]
) -> None:
    history.record_many(
        work,
        "extend",
        "certification",
        (
            (
                row["certification_id"],
                {
                    "cycle": row["ordinal"],
                    "extended_to": row["extended_to"],
                    "effective_on": row["effective_on"],
                    "reason_code": GAP_RESTORED,
                    "reason": row["reason"],
                },
            )
            for row in made
        ),
    )
    notices.tell(
        work,
        (
            NoticeToTell(
                kind=NoticeKind.ADJUSTED,
                holder_id=holders[row["certification_id"]],
                subject_id=row["certification_id"],
                event=row["id"],
                on=work.today(scheme),
            )
            for row in made
        ),
    )
