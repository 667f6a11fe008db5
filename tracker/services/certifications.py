"""Certifications: awards that follow from passes, and the timeline that follows from facts.

Everything here works on many holders at once; recording one pass is the case of one.
"""

from __future__ import annotations

import functools
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update

from tracker.db import new_id
from tracker.domain import assessments, certifications
from tracker.domain.errors import NotFound, SupportsRenewal
from tracker.domain.permissions import check_own_holder
from tracker.domain.schemes import Scheme
from tracker.models import Assessment, Certification, Cycle, Holder, Renewal, Span, StandingChange
from tracker.services import bulk, facts, history, notices, reminders
from tracker.services.notices import News
from tracker.services.together import Together
from tracker.services.work import Work

FOREVER = date.max
# What holders are told of by letter; a surrender is their own act.
NEWS_OF = {"suspend": "suspended", "reinstate": "reinstated", "revoke": "revoked"}
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that a reader mistakes for another


@dataclass(frozen=True, slots=True)
class _Award:
    """An award on record."""

    id: str
    awarded_on: date


def lock(work: Work, holder_ids: Collection[str]) -> int:
    """Make others wait who write to these holders' records; the number of those on record.

    Always in the same order. Without it two processes that record the last two passes at once
    would each miss the other's.
    """
    locked = 0
    for ids in facts.chunks(sorted(holder_ids)):
        statement = select(Holder.id).where(Holder.id.in_(ids)).order_by(Holder.id)
        locked += len(work.rows(statement.with_for_update()))
    return locked


def settle(work: Work, scheme: Scheme, holder_ids: Collection[str]) -> set[str]:
    """Award, correct or void certifications so that they agree with the passes on record.

    Runs in the transaction that changed the passes. Returns the holders who were awarded the
    certification now. Schemes that have this one as a prerequisite are settled too.
    """
    awarded: set[str] = set()
    changed: list[str] = []
    for ids in facts.chunks(sorted(holder_ids)):
        passed, held = _passes_and_awards(work, scheme.code, ids)
        due = _award_dates(work, scheme, ids, passed)
        new = {h: day for h, day in due.items() if day is not None and h not in held}
        _award(work, scheme, new)
        awarded |= new.keys()
        for holder_id, award in held.items():
            if due[holder_id] != award.awarded_on and _correct(work, scheme, award, due[holder_id]):
                changed.append(award.id)
    refresh(work, scheme, changed)
    for dependent in work.schemes.dependents(scheme.code):
        settle(work, dependent, holder_ids)
    return awarded


def _award_dates(
    work: Work, scheme: Scheme, ids: list[str], passed: dict[str, dict[str, date]]
) -> dict[str, date | None]:
    earlier = {code: _passes_and_awards(work, code, ids)[1] for code in scheme.award.prerequisites}
    return {
        holder_id: assessments.award_date(
            scheme,
            passed[holder_id],
            {c: held[holder_id].awarded_on for c, held in earlier.items() if holder_id in held},
        )
        for holder_id in ids
    }


def _passes_and_awards(
    work: Work, scheme: str, ids: list[str]
) -> tuple[dict[str, dict[str, date]], dict[str, _Award]]:
    """By holder: each module passed with the day of its first pass, and the award on record."""
    asked = {"ids": ids, "scheme": scheme}
    passes, awards = _statements(work.dialect).read(work, asked)
    found: dict[str, dict[str, date]] = defaultdict(dict)
    for holder_id, module, first_on in passes:
        found[holder_id][module] = first_on
    return found, {row.holder_id: _Award(row.id, row.awarded_on) for row in awards}


@functools.cache
def _statements(dialect: str) -> Together:
    """What is read of many holders to settle their awards; see ``assessments.passes``."""
    passes = (
        select(Assessment.holder_id, Assessment.module, func.min(Assessment.taken_on))
        .where(
            bulk.among_given(dialect, Assessment.holder_id),
            Assessment.scheme == bindparam("scheme"), Assessment.passed,
            Assessment.voided_at.is_(None),
        )
        .group_by(Assessment.holder_id, Assessment.module)
    )  # fmt: skip
    awards = select(
        Certification.holder_id, Certification.id, Certification.awarded_on
    ).where(
        bulk.among_given(dialect, Certification.holder_id),
        Certification.scheme == bindparam("scheme"), Certification.withdrawn_at.is_(None),
    )  # fmt: skip
    return Together(passes, awards)


def _award(work: Work, scheme: Scheme, new: dict[str, date]) -> None:
    """Write the awards with their first cycles, and the timelines that follow from these."""
    if not new:
        return
    rows: list[dict[str, Any]] = [
        {"id": new_id(), "public_id": secrets.token_urlsafe(16), "number": _number(scheme),
         "holder_id": holder_id, "scheme": scheme.code, "awarded_on": day,
         "recorded_at": work.now}
        for holder_id, day in new.items()
    ]  # fmt: skip
    firsts = [(r["id"], certifications.first_cycle(scheme, r["awarded_on"])) for r in rows]
    bulk.insert(work, Certification, rows)
    bulk.insert(work, Cycle, [cycle_row(work, id_, first) for id_, first in firsts])
    history.record_many(
        work, "award", "certification",
        ((r["id"], {"scheme": scheme.code, "awarded_on": r["awarded_on"]}) for r in rows),
    )  # fmt: skip
    _lay_out(work, scheme, [facts.Record(id_, (first,)) for id_, first in firsts])
    notices.tell(
        work,
        (
            News(kind="award", holder_id=row["holder_id"], subject_id=row["id"], event="award",
                 on=row["awarded_on"])
            for row in rows
        ),
    )  # fmt: skip


def _number(scheme: Scheme) -> str:
    """A certificate number with 49 random bits: unique in practice, by constraint in any case."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    return f"{scheme.number_prefix}-{letters[:5]}-{letters[5:]}"


def cycle_row(work: Work, certification_id: str, cycle: certifications.Cycle) -> dict[str, Any]:
    """A cycle as a row to insert."""
    return {
        "id": new_id(), "certification_id": certification_id, "ordinal": cycle.ordinal,
        "anchor_on": cycle.anchor_on, "nth": cycle.nth, "starts_on": cycle.starts_on,
        "expires_on": cycle.expires_on, "opened_on": cycle.opened_on, "policy": cycle.policy,
        "recorded_at": work.now,
    }  # fmt: skip


def _correct(work: Work, scheme: Scheme, award: _Award, day: date | None) -> bool:
    """Re-date or void an award whose passes were corrected; True if it is still held.

    A certification that was renewed since keeps its date; its passes cannot be taken away.
    """
    renewed = work.row(select(Renewal.id).where(Renewal.certification_id == award.id))
    if renewed is not None:
        if day is None or day > award.awarded_on:
            raise SupportsRenewal("The award rests on this pass and was renewed since.")
        return False
    if day is None:
        work.connection.execute(
            update(Certification).where(Certification.id == award.id).values(withdrawn_at=work.now)
        )
        work.connection.execute(delete(Span).where(Span.certification_id == award.id))
        reminders.forget(work, award.id)
        history.record(work, "void", "certification", award.id, awarded_on=award.awarded_on)
        return False
    _redate(work, scheme, award, day)
    return True


def _redate(work: Work, scheme: Scheme, award: _Award, day: date) -> None:
    work.connection.execute(
        update(Certification).where(Certification.id == award.id).values(awarded_on=day)
    )
    row = cycle_row(work, award.id, certifications.first_cycle(scheme, day))
    del row["id"]
    work.connection.execute(
        update(Cycle).where(Cycle.certification_id == award.id, Cycle.ordinal == 1).values(row)
    )
    history.record(
        work, "correct", "certification", award.id, awarded_on=day, before=award.awarded_on
    )


def refresh(work: Work, scheme: Scheme, certification_ids: Collection[str]) -> None:
    """Lay the timelines of these certifications out anew and touch their reminder cursors.

    Called in every transaction that writes a cycle, an adjustment, a renewal or a change.
    """
    for ids in facts.chunks(certification_ids):
        records = facts.records(work, ids)
        work.connection.execute(delete(Span).where(bulk.among(work, Span.certification_id, ids)))
        _lay_out(work, scheme, records.values())


def _lay_out(work: Work, scheme: Scheme, records: Collection[facts.Record]) -> None:
    """Write the spans of certifications that have none, and touch their reminder cursors."""
    bulk.insert(work, Span, [row for record in records for row in _span_rows(scheme, record)])
    reminders.touch(work, records)


def _span_rows(scheme: Scheme, record: facts.Record) -> Iterable[dict[str, Any]]:
    spans = certifications.timeline(
        scheme, record.cycles, applications=record.applications, changes=record.changes,
        adjustments=record.adjustments,
    )  # fmt: skip
    for span in spans:
        yield {
            "certification_id": record.certification_id, "from_on": span.from_on,
            "until_on": span.until_on or FOREVER, "cycle": span.cycle,
            "cycle_starts_on": span.cycle_starts_on, "expires_on": span.expires_on,
            "window_opens_on": span.window_opens_on, "grace_ends_on": span.grace_ends_on,
            "pending_since": span.pending_since, "hold": span.hold,
            "title_ends_on": span.title_ends_on,
            "valid_while_pending": span.valid_while_pending,
        }  # fmt: skip


def change(
    work: Work,
    certification_id: str,
    *,
    kind: certifications.ChangeKind,
    effective_on: date,
    reason_code: str,
    reason: str,
) -> str:
    """Suspend, revoke, reinstate or surrender as of a day; the transition table decides.

    Raises IllegalTransition. Returns the id of the change.
    """
    row = locked(work, certification_id)
    record = facts.records(work, [row.id])[row.id]
    certifications.check_change(kind, record.changes, effective_on=effective_on)
    made = StandingChange(
        certification_id=row.id, kind=kind, effective_on=effective_on, reason_code=reason_code,
        reason=reason, decided_by=work.actor.name, recorded_at=work.now,
    )  # fmt: skip
    work.session.add(made)
    work.session.flush()
    history.record(
        work, kind, "certification", row.id, effective_on=effective_on, reason_code=reason_code,
        reason=reason,
    )  # fmt: skip
    refresh(work, work.schemes[row.scheme], [row.id])
    if kind in NEWS_OF:
        news = News(
            kind=NEWS_OF[kind], holder_id=row.holder_id, subject_id=row.id, event=made.id,
            on=effective_on,
        )  # fmt: skip
        notices.tell(work, [news])
    return made.id


def locked(work: Work, certification_id: str) -> Any:
    """The certification's row and its holder's time zone, the holder locked until the end.

    Raises NotFound.
    """
    row = work.row(_LOCKED, {"id": certification_id})
    if row is None:
        raise NotFound
    check_own_holder(work.actor, row.holder_id)
    return row


_LOCKED = (
    facts.CERTIFICATION_BY_ID.add_columns(Holder.time_zone)
    .join(Holder, Holder.id == Certification.holder_id)
    .with_for_update(of=Holder)
)


def of_holder(work: Work, holder_id: str, scheme: str) -> Any:
    """A holder's certification under a scheme with their time zone, or None."""
    table = Certification
    return work.row(
        select(*facts.CERTIFICATION, Holder.time_zone)
        .join(Holder, Holder.id == table.holder_id)
        .where(table.holder_id == holder_id, table.scheme == scheme, table.withdrawn_at.is_(None))
    )  # fmt: skip
