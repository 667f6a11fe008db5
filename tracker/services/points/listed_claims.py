"""Claims compared with the lists of their course: when a list comes, and when one is submitted.

A provider is silent about a claim of a course whose list came without its holder; what a list has
brought, or confirmed, may say something else once its holder submits it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import ColumnElement, exists, or_, select, tuple_

from tracker.db import new_id
from tracker.domain.points.activities import ActivityState
from tracker.domain.points.attendance import (
    DiscrepancyKind,
    DiscrepancyState,
    claim_key,
    contradicts,
    text_key,
)
from tracker.models import Activity, Attendance, Course, Discrepancy
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of, sees_everything
from tracker.services.points import courses
from tracker.services.points.courses import CourseRow

ListedDay = tuple[str, date]
"""A course and a day of which a list came."""
_CLAIMED = (ActivityState.SUBMITTED, ActivityState.APPROVED, ActivityState.MORE_INFORMATION)


class ClaimOfCourse(NamedTuple):
    """A holder's claim, perhaps of a course; ``course_id`` if a course has brought it."""

    id: str
    holder_id: str
    course_id: str | None
    scheme: str
    title: str
    provider: str
    quantity: Decimal | None
    completed_on: date
    state: str


CLAIM = select(*columns_of(ClaimOfCourse, Activity))


@sees_everything
def file_silences(work: UnitOfWork, days: Collection[ListedDay]) -> int:
    """File the claims of these courses and days that no list has; returns how many are new."""
    known = courses.by_ids(work, {course_id for course_id, _ in days})
    wanted = {
        (known[id_].scheme, *claim_key(known[id_].title, known[id_].name, day)): known[id_]
        for id_, day in days
    }
    claimed = CLAIM.where(
        bulk.among(work, Activity.scheme, {course.scheme for course in known.values()}),
        bulk.among(work, Activity.completed_on, {day for _, day in days}),
        Activity.state.in_(_CLAIMED),
    )
    found = [
        (course, claim)
        for claim in work.rows_as(ClaimOfCourse, claimed)
        if (course := wanted.get(_key(claim))) is not None
    ]
    return _file(work, found)


@sees_everything
def compare(work: UnitOfWork, activity: Activity) -> None:
    """Compare a claim that was just submitted with the lists that came; its holder is locked."""
    day = activity.completed_on
    if day is None:
        return
    listed = exists().where(Attendance.course_id == Course.id, Attendance.held_on == day)
    named = select(Course.id).where(
        Course.scheme == activity.scheme, Course.title_key == text_key(activity.title), listed
    )
    if ids := {row.id for row in work.rows(named)}:
        file_silences(work, {(id_, day) for id_ in ids})
    _file_contradictions(work, activity)


def _file_contradictions(work: UnitOfWork, activity: Activity) -> None:
    """File where a row says another quantity than the claim that it brought or confirmed.

    What is open about the row, or was filed of the same quantity, is enough.
    """
    is_open = Discrepancy.state == DiscrepancyState.OPEN
    filed = exists().where(
        Discrepancy.attendance_id == Attendance.id,
        or_(is_open, Discrepancy.claimed == activity.quantity),
    )
    table = Attendance
    tied = select(table.id, table.course_id, table.held_on, table.quantity).where(
        table.activity_id == activity.id, ~filed
    )
    rows = [
        blank(work)
        | {
            "kind": DiscrepancyKind.CONTRADICTION,
            "course_id": row.course_id,
            "held_on": row.held_on,
            "attendance_id": row.id,
            "activity_id": activity.id,
            "holder_id": activity.holder_id,
            "said": row.quantity,
            "claimed": activity.quantity,
        }
        for row in work.rows(tied)
        if contradicts(row.quantity, activity.quantity, activity.state)
    ]
    bulk.insert(work, Discrepancy, rows)


def _key(claim: ClaimOfCourse) -> tuple[str, str, str, date]:
    return claim.scheme, *claim_key(claim.title, claim.provider, claim.completed_on)


def _file(work: UnitOfWork, found: Iterable[tuple[CourseRow, ClaimOfCourse]]) -> int:
    """File those who are on no list of the course and day; a silence once filed stays as it is."""
    listed = _listed(work, {(course.id, claim.completed_on) for course, claim in found})
    rows = [
        blank(work)
        | {
            "kind": DiscrepancyKind.SILENT,
            "course_id": course.id,
            "held_on": claim.completed_on,
            "silent_about": claim.id,
            "activity_id": claim.id,
            "holder_id": claim.holder_id,
            "claimed": claim.quantity,
        }
        for course, claim in found
        if (course.id, claim.completed_on, claim.holder_id) not in listed
    ]
    made = bulk.insert_new(
        work, Discrepancy, rows, key=("course_id", "silent_about"), returning=("id",)
    )
    return len(made)


def _listed(reading: ReadContext, days: Collection[ListedDay]) -> set[tuple[str, date, str]]:
    """Who is on the lists of these courses and days."""
    statement = select(Attendance.course_id, Attendance.held_on, Attendance.holder_id).where(
        _of_days(days), Attendance.holder_id.is_not(None)
    )
    return {tuple(row) for row in reading.rows(statement)} if days else set()


def _of_days(days: Collection[ListedDay]) -> ColumnElement[bool]:
    return tuple_(Attendance.course_id, Attendance.held_on).in_(sorted(days))


def blank(work: UnitOfWork) -> dict[str, object]:
    """The values of a new discrepancy, of which each kind gives some."""
    names = bulk.table_of(Discrepancy).c.keys()
    made = {"id": new_id(), "state": DiscrepancyState.OPEN, "recorded_at": work.now, "version": 1}
    return dict.fromkeys(names, None) | made
