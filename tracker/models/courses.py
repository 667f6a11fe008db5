"""Training providers' courses, who attended them, and what does not fit the records."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import AmountColumn, Base, Id, Instant, Ref, new_id, one_of, written
from tracker.domain.points.attendance import (
    DiscrepancyKind,
    DiscrepancyState,
    Outcome,
    ProviderAnswer,
)
from tracker.domain.points.courses import CourseState

_OPEN = written("state", DiscrepancyState.OPEN)


class Course(Base, kw_only=True):
    """A provider's course; ``code`` names it in the provider's lists.

    ``quantity`` is that of one attendance, in the unit of its type; none for an event. Whoever
    proposed or amended it last does not approve it (``proposed_by_id``).
    """

    __tablename__ = "course"
    __table_args__ = (
        UniqueConstraint("provider_id", "code"),
        Index("ix_course_title", "scheme", "title_key"),
        one_of("state", CourseState),
        CheckConstraint("quantity is null or quantity > 0", name="quantity"),
        CheckConstraint("approved_until >= approved_from", name="period"),
        CheckConstraint(
            "state <> 'approved' or (approved_from is not null and approved_until is not null"
            " and decided_at is not null)",
            name="approved",
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    provider_id: Mapped[str] = mapped_column(ForeignKey("provider.id"))
    code: Mapped[str] = mapped_column(Ref)
    scheme: Mapped[str] = mapped_column(String(32))
    category: Mapped[str] = mapped_column(String(32))
    type: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(String(200))
    title_key: Mapped[str] = mapped_column(String(400))
    quantity: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    state: Mapped[str] = mapped_column(String(16), default=CourseState.PROPOSED)
    approved_from: Mapped[date | None] = mapped_column(default=None)
    approved_until: Mapped[date | None] = mapped_column(default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    proposed_by: Mapped[str] = mapped_column(String(100))
    proposed_by_id: Mapped[str | None] = mapped_column(Id, default=None)
    decided_by: Mapped[str | None] = mapped_column(String(100), default=None)
    decided_by_id: Mapped[str | None] = mapped_column(Id, default=None)
    decided_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class


class AttendanceCode(Base, kw_only=True):
    """A code for the end of a class, by its digest; so many attendees may use it until its end."""

    __tablename__ = "attendance_code"
    __table_args__ = (
        Index("ix_attendance_code_course", "course_id", "id"),
        CheckConstraint("most > 0", name="most"),
        CheckConstraint("used >= 0 and used <= most", name="used"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    course_id: Mapped[str] = mapped_column(ForeignKey("course.id"))
    provider_id: Mapped[str] = mapped_column(ForeignKey("provider.id"))
    held_on: Mapped[date]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    most: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    made_by: Mapped[str] = mapped_column(String(100))
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class Attendance(Base, kw_only=True):
    """What a provider says: somebody attended a course on a day.

    ``who`` is what tells its people apart: the word that decides who is meant, or the holder who
    entered the code. ``holder_id`` is whom it means, and ``activity_id`` what became of it.
    """

    __tablename__ = "attendance"
    __table_args__ = (
        UniqueConstraint("course_id", "held_on", "who"),
        Index("ix_attendance_holder", "holder_id", "course_id", "held_on"),
        Index("ix_attendance_activity", "activity_id"),
        CheckConstraint("quantity is null or quantity > 0", name="quantity"),
        CheckConstraint("activity_id is null or holder_id is not null", name="activity"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    course_id: Mapped[str] = mapped_column(ForeignKey("course.id"))
    provider_id: Mapped[str] = mapped_column(ForeignKey("provider.id"))
    held_on: Mapped[date]
    who: Mapped[str] = mapped_column(String(400))
    quantity: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    given_name: Mapped[str | None] = mapped_column(String(200), default=None)
    given_holder_ref: Mapped[str | None] = mapped_column(String(64), default=None)
    given_number: Mapped[str | None] = mapped_column(String(64), default=None)
    given_email: Mapped[str | None] = mapped_column(String(254), default=None)
    code_id: Mapped[str | None] = mapped_column(ForeignKey("attendance_code.id"), default=None)
    holder_id: Mapped[str | None] = mapped_column(ForeignKey("holder.id"), default=None)
    activity_id: Mapped[str | None] = mapped_column(
        ForeignKey("activity.id", ondelete="set null"), default=None
    )
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1, nullable=False)


class Discrepancy(Base, kw_only=True):
    """Something in a list that does not fit the records, or a claim that a list does not have.

    ``said`` is the provider's quantity and ``claimed`` the holder's. ``answer`` is what the
    provider says of its list when it is asked. A row of a list has at most one open discrepancy; a
    silence about a claim is filed once.
    """

    __tablename__ = "discrepancy"
    __table_args__ = (
        Index("ix_discrepancy_state", "state", "id"),
        Index(
            "uq_discrepancy_attendance",
            "attendance_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        UniqueConstraint("course_id", "silent_about"),
        one_of("kind", DiscrepancyKind),
        one_of("state", DiscrepancyState),
        one_of("outcome", Outcome),
        one_of("answer", ProviderAnswer),
        CheckConstraint("(kind = 'silent') = (attendance_id is null)", name="attendance"),
        CheckConstraint(
            "(answer is null) = (answered_at is null) and (answer is null) = (answered_by is null)",
            name="answered",
        ),
        CheckConstraint("silent_about is null or kind = 'silent'", name="silent"),
        CheckConstraint(
            "(state = 'settled') = (outcome is not null and settled_at is not null"
            " and settled_by is not null)",
            name="settled",
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default=DiscrepancyState.OPEN)
    course_id: Mapped[str] = mapped_column(ForeignKey("course.id"))
    held_on: Mapped[date]
    attendance_id: Mapped[str | None] = mapped_column(ForeignKey("attendance.id"), default=None)
    silent_about: Mapped[str | None] = mapped_column(Id, default=None)
    activity_id: Mapped[str | None] = mapped_column(
        ForeignKey("activity.id", ondelete="set null"), default=None
    )
    holder_id: Mapped[str | None] = mapped_column(ForeignKey("holder.id"), default=None)
    said: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    claimed: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    detail: Mapped[str | None] = mapped_column(Text, default=None)
    answer: Mapped[str | None] = mapped_column(String(16), default=None)
    answer_note: Mapped[str | None] = mapped_column(Text, default=None)
    answered_by: Mapped[str | None] = mapped_column(String(100), default=None)
    answered_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    outcome: Mapped[str | None] = mapped_column(String(16), default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    settled_by: Mapped[str | None] = mapped_column(String(100), default=None)
    settled_by_id: Mapped[str | None] = mapped_column(Id, default=None)
    settled_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class
