"""Activities claimed for points, the decisions on them, and the evidence files."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import AmountColumn, Base, Id, Instant, Ref, new_id, one_of
from tracker.domain.points.activities import ActivityState, ActivityVerdict

_WAITED = text("waited_days is not null and undone_at is null")
_OF_COURSE = text("course_id is not null and state <> 'withdrawn'")


class Activity(Base, kw_only=True):
    """An activity claimed for points. The claim changes only while the holder can edit it.

    ``wait_from`` is the day from which the wait for a decision is counted, if an answered question
    made it a later one than ``submitted_on``. ``course_id`` is the course whose attendance list or
    code brought it; a holder has one of a course and day.
    """

    __tablename__ = "activity"
    __table_args__ = (
        Index("ix_activity_holder", "holder_id", "scheme", "id"),
        Index("ix_activity_state", "state", "submitted_on", "id"),
        Index(
            "uq_activity_course",
            "holder_id",
            "course_id",
            "completed_on",
            unique=True,
            sqlite_where=_OF_COURSE,
            postgresql_where=_OF_COURSE,
        ),
        one_of("state", ActivityState),
        CheckConstraint("quantity is null or quantity > 0", name="quantity"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    ref: Mapped[str | None] = mapped_column(Ref, unique=True, default=None)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    scheme: Mapped[str] = mapped_column(String(32))
    category: Mapped[str] = mapped_column(String(32))
    type: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(String(200))
    provider: Mapped[str] = mapped_column(String(200), default="")
    quantity: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    starts_on: Mapped[date | None] = mapped_column(default=None)
    completed_on: Mapped[date | None] = mapped_column(default=None)
    unit: Mapped[str] = mapped_column(String(32), default="")
    role: Mapped[str] = mapped_column(String(32), default="")
    tags: Mapped[list[str]] = mapped_column(JSON, default_factory=list)
    duty: Mapped[bool] = mapped_column(default=False)
    course_id: Mapped[str | None] = mapped_column(ForeignKey("course.id"), default=None)
    state: Mapped[str] = mapped_column(String(16), default=ActivityState.DRAFT)
    submitted_on: Mapped[date | None] = mapped_column(default=None)
    wait_from: Mapped[date | None] = mapped_column(default=None)
    withdrawn_on: Mapped[date | None] = mapped_column(default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    submitted_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    version: Mapped[int] = mapped_column(default=1, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class


class Decision(Base, kw_only=True):
    """A reviewer's answer to an activity; append-only, so that any day's points can be shown.

    A later decision supersedes it. When a decision is taken back (``undone_at``), the one before it
    is in force again. ``waited_days`` are the business days that the holder had waited, if it ended
    a wait: a later decision does not, and of imported ones it is not known.
    """

    __tablename__ = "activity_decision"
    __table_args__ = (
        Index("ix_activity_decision_activity", "activity_id", "decided_on"),
        one_of("verdict", ActivityVerdict),
        CheckConstraint("points_limit is null or points_limit >= 0", name="points_limit"),
        CheckConstraint("waited_days >= 0", name="waited_days"),
        Index(
            "ix_activity_decision_waited",
            "decided_on",
            sqlite_where=_WAITED,
            postgresql_where=_WAITED,
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    activity_id: Mapped[str] = mapped_column(ForeignKey("activity.id"))
    verdict: Mapped[str] = mapped_column(String(16))
    decided_on: Mapped[date]
    points_limit: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    provider_approved: Mapped[bool] = mapped_column(default=False)
    reason_code: Mapped[str | None] = mapped_column(String(32), default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    decided_by: Mapped[str] = mapped_column(String(100))
    decided_by_id: Mapped[str | None] = mapped_column(Id, default=None)
    waited_days: Mapped[int | None] = mapped_column(default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    undone_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    undone_by: Mapped[str | None] = mapped_column(String(100), default=None)
    undone_reason: Mapped[str | None] = mapped_column(Text, default=None)


class Evidence(Base, kw_only=True):
    """A file that supports an activity; its bytes are in the storage directory under ``key``."""

    __tablename__ = "evidence"
    __table_args__ = (
        UniqueConstraint("activity_id", "slot"),
        CheckConstraint("slot >= 1", name="slot"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    activity_id: Mapped[str] = mapped_column(ForeignKey("activity.id"))
    slot: Mapped[int]
    filename: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(String(32))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    uploaded_by: Mapped[str] = mapped_column(String(100))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
