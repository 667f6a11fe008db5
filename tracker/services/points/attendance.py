"""What follows from who attended: activities of holders, and what does not fit.

A row of a list, a code that a holder entered, and a row that staff have matched to somebody all
come here. An approved course brings an approved activity, in the name of whoever approved the
course; any other brings a draft, which the holder completes and submits. What the holder already
claims is compared and never doubled. The number of statements is the same for any number of rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import func, select, update

from tracker.db import new_id
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.errors import Refusal
from tracker.domain.points.activities import ActivityState, ActivityVerdict
from tracker.domain.points.attendance import (
    ClaimKey,
    DiscrepancyKind,
    DiscrepancyState,
    Outcome,
    claim_key,
    contradicts,
)
from tracker.models import Activity, Attendance, Certification, Decision, Discrepancy, Holder
from tracker.services.core import bulk, history, writers
from tracker.services.core.context import ReadContext, UnitOfWork, sees_everything
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.points import activities, courses, listed_claims
from tracker.services.points.courses import CourseRow
from tracker.services.points.listed_claims import CLAIM, ClaimOfCourse
from tracker.services.standings import snapshots
from tracker.services.standings.snapshots import (
    CertificationRecord,
    HolderScheme,
    ZonedCertification,
)

_ROOM = "There are {most} activities on record, the most allowed."
_NOT_CERTIFIED = "The holder has no certification under {scheme}."


class Attended(NamedTuple):
    """A row of who attended, of which it is known whom it means."""

    id: str
    holder_id: str
    held_on: date
    quantity: Decimal | None
    course: CourseRow


@dataclass(slots=True)
class _AttendanceFacts:
    """What is on record about the holders of some rows."""

    certified: dict[HolderScheme, ZonedCertification]
    records: dict[str, CertificationRecord]
    claims: dict[tuple[str, str, ClaimKey | date], ClaimOfCourse]
    counts: Counter[HolderScheme]
    approvers: Mapping[str, Collection[str]]

    def claim(self, row: Attended) -> ClaimOfCourse | None:
        """What the holder claims of the course and day, or what the course has brought them.

        That one counts even if the title or the provider's name was changed since.
        """
        course = row.course
        what = claim_key(course.title, course.name, row.held_on)
        brought = self.claims.get((row.holder_id, course.id, row.held_on))
        return brought or self.claims.get((row.holder_id, course.scheme, what))


@dataclass(slots=True)
class _Consequences:
    """What is to be written for some rows."""

    tied: list[dict[str, object]] = field(default_factory=list)
    activities: list[dict[str, object]] = field(default_factory=list)
    decisions: list[dict[str, object]] = field(default_factory=list)
    discrepancies: list[dict[str, object]] = field(default_factory=list)
    news: list[NoticeToTell] = field(default_factory=list)


@sees_everything
def apply(work: UnitOfWork, rows: Sequence[Attended]) -> Counter[str]:
    """Give the holders of these rows their activities; the caller has locked the holders.

    Whatever does not fit becomes a discrepancy. An open one of an earlier try, or about a claim
    that had no row, is settled. Returns counts of ``approved``, ``drafts``, ``known`` and
    ``discrepancies``.
    """
    facts, made, counts = _facts(work, rows), _Consequences(), Counter[str]()
    for row in rows:
        counts[_follow(work, row, facts, made)] += 1
    _settle_earlier(work, [row.id for row in rows], made.tied)
    _write(work, made)
    return counts


def _follow(work: UnitOfWork, row: Attended, facts: _AttendanceFacts, made: _Consequences) -> str:
    """Decide what becomes of one row."""
    known = facts.claim(row)
    if known is None:
        return _bring(work, row, facts, made)
    made.tied.append({"_id": row.id, "holder_id": row.holder_id, "activity_id": known.id})
    if not contradicts(row.quantity, known.quantity, known.state):
        return "known"
    made.discrepancies.append(
        _discrepancy(work, row, DiscrepancyKind.CONTRADICTION)
        | {"activity_id": known.id, "claimed": known.quantity}
    )
    return "discrepancies"


def _bring(work: UnitOfWork, row: Attended, facts: _AttendanceFacts, made: _Consequences) -> str:
    """A new activity, or a discrepancy if the rules do not take it."""
    holder_id, scheme = row.holder_id, row.course.scheme
    values = activities.claimed(row.course.claimed(row.held_on, row.quantity))
    refusal = _refusal(work, row, values, facts)
    if refusal is not None:
        made.tied.append({"_id": row.id, "holder_id": holder_id, "activity_id": None})
        made.discrepancies.append(
            _discrepancy(work, row, DiscrepancyKind.REFUSED) | {"detail": refusal}
        )
        return "discrepancies"
    own = facts.approvers.get(row.course.id, ())
    approves = row.course.is_approved_on(row.held_on) and holder_id not in own
    zone = facts.certified[holder_id, scheme].time_zone
    on = work.day_of(work.schemes[scheme], zone)
    activity = values | {
        "id": new_id(),
        "holder_id": holder_id,
        "scheme": scheme,
        "course_id": row.course.id,
        "state": ActivityState.APPROVED if approves else ActivityState.DRAFT,
        "submitted_on": on if approves else None,
        "submitted_at": work.now if approves else None,
        "recorded_at": work.now,
        "version": 1,
    }
    made.activities.append(activity)
    made.tied.append({"_id": row.id, "holder_id": holder_id, "activity_id": activity["id"]})
    claim = ClaimOfCourse(**{name: activity[name] for name in ClaimOfCourse._fields})
    facts.claims |= dict.fromkeys(_keys(claim), claim)
    facts.counts[holder_id, scheme] += 1
    if approves:
        made.decisions.append(_approval(work, row.course, activity, on))
        kind, event = NoticeKind.ACTIVITY_DECIDED, str(made.decisions[-1]["id"])
    else:
        kind, event = NoticeKind.ATTENDANCE, "draft"
    made.news.append(
        NoticeToTell(kind=kind, holder_id=holder_id, subject_id=claim.id, event=event, on=on)
    )
    return "approved" if approves else "drafts"


def _approval(
    work: UnitOfWork, course: CourseRow, activity: Mapping[str, object], on: date
) -> dict[str, object]:
    """The decision that whoever approved the course has made for all who attend."""
    return {
        "id": new_id(),
        "activity_id": activity["id"],
        "verdict": ActivityVerdict.APPROVED,
        "decided_on": max(on, work.today(work.schemes[course.scheme])),
        "points_limit": None,
        "provider_approved": True,
        "reason_code": None,
        "reason": f"Approved course {course.code}.",
        "decided_by": course.decided_by,
        "decided_by_id": course.decided_by_id,
        "recorded_at": work.now,
    }


def _refusal(
    work: UnitOfWork, row: Attended, values: Mapping[str, object], facts: _AttendanceFacts
) -> str | None:
    """Why the holder could not log the activity; None if they could."""
    place, most = (row.holder_id, row.course.scheme), work.settings.limits.claims
    certification = facts.certified.get(place)
    if certification is None or certification.id not in facts.records:
        return _NOT_CERTIFIED.format(scheme=row.course.scheme)
    if facts.counts[place] >= most:
        return _ROOM.format(most=most)
    try:
        activities.check(work, certification, facts.records[certification.id], values)
    except Refusal as refusal:
        told = getattr(refusal, "fields", {}) or {}
        return " ".join([str(refusal), *(f"{name}: {rule}." for name, rule in told.items())])
    return None


def _discrepancy(work: UnitOfWork, row: Attended, kind: DiscrepancyKind) -> dict[str, object]:
    return listed_claims.blank(work) | {
        "kind": kind,
        "course_id": row.course.id,
        "held_on": row.held_on,
        "attendance_id": row.id,
        "holder_id": row.holder_id,
        "said": row.quantity,
    }


# Reading.
def _facts(work: UnitOfWork, rows: Sequence[Attended]) -> _AttendanceFacts:
    holder_ids = {row.holder_id for row in rows}
    schemes = {row.course.scheme for row in rows}
    certified = _certified(work, holder_ids, schemes)
    ids = [certification.id for certification in certified.values()]
    by_id = {row.course.id: row.course for row in rows}
    return _AttendanceFacts(
        certified,
        snapshots.records(work, ids),
        _claims(work, holder_ids, schemes, {row.held_on for row in rows}),
        _counts(work, holder_ids, schemes),
        courses.approvers(work, [*by_id.values()]),
    )


def _certified(
    reading: ReadContext, holder_ids: Collection[str], schemes: Collection[str]
) -> dict[HolderScheme, ZonedCertification]:
    """The current certifications of these holders."""
    statement = (
        select(*snapshots.CERTIFICATION, Holder.time_zone)
        .join(Holder, Holder.id == Certification.holder_id)
        .where(
            bulk.among(reading, Certification.holder_id, holder_ids),
            bulk.among(reading, Certification.scheme, schemes),
            Holder.erased_at.is_(None),
            snapshots.CURRENT,
        )
    )
    rows = reading.rows_as(ZonedCertification, statement)
    return {(row.holder_id, row.scheme): row for row in rows}


def _claims(
    reading: ReadContext,
    holder_ids: Collection[str],
    schemes: Collection[str],
    days: Collection[date],
) -> dict[tuple[str, str, ClaimKey | date], ClaimOfCourse]:
    """What these holders claim of these days, by what makes it a claim of a course."""
    statement = CLAIM.where(
        bulk.among(reading, Activity.holder_id, holder_ids),
        bulk.among(reading, Activity.scheme, schemes),
        bulk.among(reading, Activity.completed_on, days),
        Activity.state != ActivityState.WITHDRAWN,
    ).order_by(Activity.id.desc())
    rows = reading.rows_as(ClaimOfCourse, statement)
    return {key: row for row in rows for key in _keys(row)}


def _keys(claim: ClaimOfCourse) -> Iterator[tuple[str, str, ClaimKey | date]]:
    """Whose claim it is, and of what: by its words, and by the course that brought it."""
    what = claim_key(claim.title, claim.provider, claim.completed_on)
    yield claim.holder_id, claim.scheme, what
    if claim.course_id is not None:
        yield claim.holder_id, claim.course_id, claim.completed_on


def _counts(
    reading: ReadContext, holder_ids: Collection[str], schemes: Collection[str]
) -> Counter[HolderScheme]:
    statement = (
        select(Activity.holder_id, Activity.scheme, func.count().label("n"))
        .where(
            bulk.among(reading, Activity.holder_id, holder_ids),
            bulk.among(reading, Activity.scheme, schemes),
        )
        .group_by(Activity.holder_id, Activity.scheme)
    )
    return Counter({(row.holder_id, row.scheme): row.n for row in reading.rows(statement)})


# Writing.
def _write(work: UnitOfWork, made: _Consequences) -> None:
    bulk.insert(work, Activity, made.activities)
    bulk.insert(work, Decision, made.decisions)
    bulk.update(work, Attendance, made.tied)
    file(work, made.discrepancies)
    drafts = [str(row["id"]) for row in made.activities if row["state"] == ActivityState.DRAFT]
    writers.note(work, drafts)
    history.record_many(
        work,
        "attend",
        "activity",
        [
            (str(row["id"]), {"course_id": row["course_id"], "state": row["state"]})
            for row in made.activities
        ],
    )
    notices.tell(work, made.news)


def file(work: UnitOfWork, discrepancies: Sequence[Mapping[str, object]]) -> None:
    """File discrepancies; the database keeps a row of a list from having two open ones."""
    bulk.insert(work, Discrepancy, discrepancies)


def _settle_earlier(
    work: UnitOfWork, attendance_ids: Collection[str], tied: Sequence[Mapping[str, object]]
) -> None:
    """Settle what was open about these rows, and silences about claims that they now confirm."""
    confirmed = {str(row["activity_id"]) for row in tied if row["activity_id"] is not None}
    for about in (
        bulk.among(work, Discrepancy.attendance_id, attendance_ids),
        bulk.among(work, Discrepancy.silent_about, confirmed),
    ):
        settled = (
            update(Discrepancy)
            .where(about, Discrepancy.state == DiscrepancyState.OPEN)
            .values(
                state=DiscrepancyState.SETTLED,
                outcome=Outcome.LISTED,
                settled_by=work.actor.name,
                settled_by_id=work.actor.who,
                settled_at=work.now,
                version=Discrepancy.version + 1,
            )
            .returning(Discrepancy.id)
        )
        ids = [row.id for row in work.rows(settled)]
        details = [(id_, {"outcome": Outcome.LISTED}) for id_ in ids]
        history.record_many(work, "settle", "discrepancy", details)
