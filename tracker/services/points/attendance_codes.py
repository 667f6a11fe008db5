"""Codes for the end of a class: whoever enters one has attended, once.

A code is for an approved course and a day, for a number of attendees and until an instant. Only a
keyed digest of it is stored. Attempts are counted in the transaction of the attempt itself, so the
door answers a wrong code without undoing it; whether a code is wrong, used up, withdrawn or over is
not told.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select, update

from tracker.db import new_id
from tracker.domain import emails
from tracker.domain.errors import IllegalTransition, Invalid, NotFound
from tracker.domain.points import courses as rules
from tracker.models import Account, Attendance, AttendanceCode, Holder
from tracker.services.core import allowances, bulk, history, identities, locks
from tracker.services.core.allowances import Allowance
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of, sees_everything
from tracker.services.core.row_scope import scope
from tracker.services.points import attendance, courses
from tracker.services.points.attendance import Attended
from tracker.services.points.courses import CourseRow

_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is taken for another one
_LENGTH = 10


class CodeRow(NamedTuple):
    """A code on record, without the code."""

    id: str
    course_id: str
    held_on: date
    most: int
    used: int
    ends_at: datetime
    made_by: str
    withdrawn_at: datetime | None
    recorded_at: datetime


class AttendedCourse(NamedTuple):
    """What a holder is told who entered a code; no activity if staff have to look first."""

    title: str
    provider: str
    held_on: date
    activity_id: str | None


_ONE = select(*columns_of(CodeRow, AttendanceCode))


def make(
    work: UnitOfWork, course_id: str, *, held_on: date, most: int, ends_at: datetime
) -> tuple[str, str]:
    """Make a code; returns its id, and the code, which is shown only once.

    Raises NotFound for another provider's course, IllegalTransition, Invalid.
    """
    course = courses.get(work, course_id)
    if not course.is_approved_on(held_on):
        raise IllegalTransition(
            f"The course is {course.state} and not approved for {held_on}; only an approved "
            "course has codes.",
            state=course.state,
        )
    zone = work.schemes[course.scheme].time_zone
    if rule := rules.code_end_rule(held_on, ends_at, work.now, zone):
        raise Invalid("The code's end is not acceptable.", fields={"ends_at": rule})
    code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    made = AttendanceCode(
        id=new_id(),
        course_id=course.id,
        provider_id=course.provider_id,
        held_on=held_on,
        digest=_digest(work, code),
        most=most,
        ends_at=ends_at,
        made_by=work.actor.name,
        recorded_at=work.now,
    )
    work.session.add(made)
    work.session.flush()
    history.record(
        work, "make", "attendance_code", made.id, course_id=course.id, held_on=held_on, most=most
    )
    return made.id, code


def _digest(work: UnitOfWork, code: str) -> str:
    """The keyed digest of a code, however it is typed."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    key = work.message_key[:64]
    return hashlib.blake2b(b"attendance:" + plain.encode(), key=key, digest_size=32).hexdigest()


def withdraw(work: UnitOfWork, code_id: str) -> None:
    """Withdraw a code; who has entered it keeps what it brought. Raises NotFound."""
    seen = AttendanceCode.id == code_id, scope(work.actor, AttendanceCode)
    code = work.session.scalar(select(AttendanceCode).where(*seen).with_for_update())
    if code is None:
        raise NotFound
    if code.withdrawn_at is None:
        code.withdrawn_at = work.now
        work.session.flush()
        history.record(work, "withdraw", "attendance_code", code.id)


@sees_everything
def enter(work: UnitOfWork, text: str) -> AttendedCourse | None:
    """Attend by a code, once; None, and one attempt fewer, if it is of no use.

    Entering it again answers the same. Raises TooOften, and NotAllowed for whoever acts for the
    provider of the class.
    """
    holder_id = work.actor.holder_id
    if holder_id is None:
        raise NotFound
    most = work.settings.limits.guesses_per_hour
    allowance = Allowance("attendance codes", most, timedelta(hours=1))
    use = allowances.use_of(allowance, work.message_key, holder_id)
    allowances.take(work, use)
    locks.lock_one(work, holder_id)
    code = _usable(work, text)
    if code is None:
        return None
    course = courses.by_ids(work, [code.course_id])[code.course_id]
    acts_for_it = _acts_for(work, holder_id, course.provider_id)
    rules.check_not_own_class(course.name, acts_for_it=acts_for_it)
    is_early = code.held_on > work.today(work.schemes[course.scheme])
    if is_early or not course.is_approved_on(code.held_on):
        return None
    if not _attend(work, holder_id, code, course):
        return None
    allowances.give_back(work, [use])
    return _attended(work, holder_id, code, course)


def _usable(work: UnitOfWork, text: str) -> CodeRow | None:
    table = AttendanceCode
    return work.row_as(
        CodeRow,
        _ONE.where(
            table.digest == _digest(work, text),
            table.withdrawn_at.is_(None),
            table.ends_at > work.now,
        ),
    )


def _acts_for(work: UnitOfWork, holder_id: str, provider_id: str) -> bool:
    """Whether the holder acts for the provider: by a linked account, or one with their address."""
    own = Holder.id == holder_id, scope(work.actor, Holder)
    addresses = work.rows(select(Holder.email, Holder.second_email).where(*own))
    keys = [emails.compared(one) for row in addresses for one in row if one]
    theirs = or_(bulk.among(work, Account.id, identities.behind(work)), Account.email_key.in_(keys))
    acting = Account.provider_id == provider_id, Account.deactivated_at.is_(None), theirs
    return work.row(select(Account.id).where(*acting).limit(1)) is not None


def _attend(work: UnitOfWork, holder_id: str, code: CodeRow, course: CourseRow) -> bool:
    """Use the code, unless this holder has; false if it is used up."""
    row = {
        "id": new_id(),
        "course_id": course.id,
        "provider_id": course.provider_id,
        "held_on": code.held_on,
        "who": _who(holder_id),
        "quantity": course.quantity,
        "code_id": code.id,
        "holder_id": holder_id,
        "recorded_at": work.now,
        "version": 1,
    }
    if _has_attended(work, holder_id, code):
        return True
    table = AttendanceCode
    used = update(table).where(table.id == code.id, table.used < table.most)
    if work.row(used.values(used=table.used + 1).returning(table.id)) is None:
        return False
    bulk.insert(work, Attendance, [row])
    history.record(work, "enter", "attendance_code", code.id, attendance_id=row["id"])
    attended = Attended(str(row["id"]), holder_id, code.held_on, course.quantity, course)
    attendance.apply(work, [attended])
    return True


def _has_attended(reading: ReadContext, holder_id: str, code: CodeRow) -> bool:
    """Whether the holder has entered a code of this course and day; the holder is locked."""
    return reading.row(_ROWS.where(*_of(holder_id, code))) is not None


def _of(holder_id: str, code: CodeRow) -> tuple[ColumnElement[bool], ...]:
    """What the holder has entered of that course and day, or a record merged into theirs."""
    table = Attendance
    of_course = table.course_id == code.course_id, table.held_on == code.held_on
    merged = and_(table.holder_id == holder_id, table.code_id.is_not(None))
    return (*of_course, or_(table.who == _who(holder_id), merged))


_ROWS = select(Attendance.activity_id)


def _attended(
    reading: ReadContext, holder_id: str, code: CodeRow, course: CourseRow
) -> AttendedCourse:
    row = reading.row(_ROWS.where(*_of(holder_id, code)))
    activity_id = row.activity_id if row else None
    return AttendedCourse(course.title, course.name, code.held_on, activity_id)


def _who(holder_id: str) -> str:
    return f"holder:{holder_id}"


def get(reading: ReadContext, code_id: str) -> CodeRow:
    """One code. Raises NotFound, also for another provider's."""
    seen = AttendanceCode.id == code_id, scope(reading.actor, AttendanceCode)
    row = reading.row_as(CodeRow, _ONE.where(*seen))
    if row is None:
        raise NotFound
    return row


def page(
    reading: ReadContext, course_id: str, *, after: str | None, limit: int | None
) -> list[CodeRow]:
    """A page of a course's codes, or all, in the order of their ids. Raises NotFound."""
    course = courses.get(reading, course_id)
    statement = _ONE.where(AttendanceCode.course_id == course.id).order_by(AttendanceCode.id)
    if after:
        statement = statement.where(AttendanceCode.id > after)
    return reading.rows_as(CodeRow, statement.limit(limit))
