"""Retention: what is deleted after a period, and why; the periods are in the settings (privacy).

Each rule deletes in bounded steps, so that no transaction is long, and what it deletes is found by
an index or in a table that stays small. Certificates, decisions and the history have no period:
they are the register. Attempts to sign in, sessions and stored answers go after days (``tidy``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute

from tracker.domain.desk.audits import OPEN
from tracker.domain.employers.nudges import NUDGED_EVERY
from tracker.domain.points.activities import ActivityState
from tracker.models import (
    Activity,
    AuditItem,
    Bounce,
    Digest,
    EmployerLook,
    EmployerNudge,
    Evidence,
    HolderRequest,
    ImportRun,
    Message,
    ProblemReport,
    RequestProof,
)
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.points import evidence
from tracker.settings import Privacy

AT_ONCE = 500
"""Rows that one rule deletes in one transaction."""
_Id = InstrumentedAttribute[str]


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Rows that are past their period, by their key, and what is done with them."""

    id: _Id
    days: Callable[[Privacy], int]
    is_past: Callable[[datetime], ColumnElement[bool]]
    forget: Callable[[UnitOfWork, Sequence[str]], object]

    def past(self, reading: ReadContext) -> ColumnElement[bool]:
        """The condition that a row's period is over now."""
        kept = timedelta(days=self.days(reading.settings.privacy))
        return self.is_past(reading.now - kept)


def _deletes(column: _Id) -> Callable[[UnitOfWork, Sequence[str]], object]:
    def forget(work: UnitOfWork, ids: Sequence[str]) -> None:
        work.execute(delete(column.class_).where(bulk.among(work, column, ids)))

    return forget


def _empty_messages(work: UnitOfWork, ids: Sequence[str]) -> None:
    """Forget what messages said and to which address; that they were sent stays."""
    blank = {"address": "", "facts": None, "about": None, "last_error": None}
    work.execute(update(Message).where(bulk.among(work, Message.id, ids)).values(blank))


def _removes_files(
    table: type[Evidence | RequestProof],
) -> Callable[[UnitOfWork, Sequence[str]], object]:
    def forget(work: UnitOfWork, ids: Sequence[str]) -> None:
        """Delete files with their rows; the decisions that rest on them stay."""
        mine = bulk.among(work, table.id, ids)
        keys = [row.key for row in work.rows(select(table.key).where(mine))]
        work.execute(delete(table).where(mine))
        evidence.remove_files(work, keys)

    return forget


_DECIDED = select(Activity.id).where(
    Activity.state.in_((ActivityState.APPROVED, ActivityState.REJECTED, ActivityState.WITHDRAWN))
)
_WAIT = AuditItem.state.in_(sorted(OPEN)) | (
    AuditItem.appealed_on.is_not(None) & AuditItem.appeal_decided_at.is_(None)
)
_AUDITED = select(AuditItem.activity_id).where(_WAIT)
_ANSWERED = select(HolderRequest.id).where(HolderRequest.closed_at.is_not(None))
RULES: Mapping[str, RetentionRule] = {
    "looks": RetentionRule(
        EmployerLook.id,
        lambda kept: kept.look_days,
        lambda limit: EmployerLook.at < limit,
        _deletes(EmployerLook.id),
    ),
    "nudges": RetentionRule(
        EmployerNudge.id,
        lambda kept: max(kept.look_days, NUDGED_EVERY.days),  # the row says when the next may be
        lambda limit: EmployerNudge.recorded_at < limit,
        _deletes(EmployerNudge.id),
    ),
    "message_texts": RetentionRule(
        Message.id,
        lambda kept: kept.message_text_days,
        lambda limit: (Message.finished_at < limit) & (Message.address != ""),
        _empty_messages,
    ),
    "bounces": RetentionRule(
        Bounce.digest,
        lambda kept: kept.bounce_days,
        lambda limit: Bounce.at < limit,
        _deletes(Bounce.digest),
    ),
    "digests": RetentionRule(
        Digest.id,
        lambda kept: kept.digest_days,
        lambda limit: Digest.recorded_at < limit,
        _deletes(Digest.id),
    ),
    "refused_imports": RetentionRule(
        ImportRun.id,
        lambda kept: kept.refused_import_days,
        lambda limit: (ImportRun.recorded_at < limit) & (ImportRun.outcome == "refused"),
        _deletes(ImportRun.id),
    ),
    "imports": RetentionRule(
        ImportRun.id,
        lambda kept: kept.import_days,
        lambda limit: ImportRun.recorded_at < limit,
        _deletes(ImportRun.id),
    ),
    "evidence": RetentionRule(
        Evidence.id,
        lambda kept: kept.evidence_days,
        lambda limit: (
            (Evidence.recorded_at < limit)
            & Evidence.activity_id.in_(_DECIDED)
            & Evidence.activity_id.not_in(_AUDITED)
        ),
        _removes_files(Evidence),
    ),
    "request_proofs": RetentionRule(
        RequestProof.id,
        lambda kept: kept.evidence_days,
        lambda limit: (RequestProof.recorded_at < limit) & RequestProof.request_id.in_(_ANSWERED),
        _removes_files(RequestProof),
    ),
    "problem_reports": RetentionRule(
        ProblemReport.id,
        lambda kept: kept.problem_report_days,
        lambda limit: ProblemReport.closed_at < limit,
        _deletes(ProblemReport.id),
    ),
}
"""By name, in the order in which they are applied."""


def due(reading: ReadContext) -> dict[str, int]:
    """How many rows are past their period now, by rule."""
    return {name: _count(reading, rule) for name, rule in RULES.items()}


def _count(reading: ReadContext, rule: RetentionRule) -> int:
    statement = select(func.count()).select_from(rule.id.class_).where(rule.past(reading))
    return int(reading.rows(statement)[0][0])


def apply(work: UnitOfWork, name: str) -> int:
    """Delete some of what is past its period by a rule; returns how many, 0 if that was all."""
    rule = RULES[name]
    statement = select(rule.id).where(rule.past(work)).order_by(rule.id).limit(AT_ONCE)
    ids = [row[0] for row in work.rows(statement)]
    if ids:
        rule.forget(work, ids)
    return len(ids)
