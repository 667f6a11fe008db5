"""Reminder cursors, and the outcome of every stage."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of
from tracker.domain.delivery.reminders import StageOutcome


class ReminderCursor(Base, kw_only=True):
    """A certification's last decided stage, and when the planner must examine it next.

    A run of the planner costs what is due, not what exists: the partial index holds only rows with
    a date.
    """

    __tablename__ = "reminder_cursor"
    __table_args__ = (
        Index(
            "ix_reminder_cursor_due",
            "next_due_at",
            sqlite_where=text("next_due_at is not null"),
            postgresql_where=text("next_due_at is not null"),
        ),
    )

    certification_id: Mapped[str] = mapped_column(ForeignKey("certification.id"), primary_key=True)
    cycle: Mapped[int]
    expires_on: Mapped[date | None] = mapped_column(default=None)
    last_offset: Mapped[int | None] = mapped_column(default=None)
    next_due_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


class Reminder(Base, kw_only=True):
    """The outcome of one stage of one cycle: exactly one row once the stage is past due.

    A stage counts the days to one expiry, so a corrected expiry has its own stages.
    ``useful_until`` is the instant of the next stage, which replaces this one. ``message_id`` is
    the message in the outbox.
    """

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint(
            "certification_id",
            "cycle",
            "expires_on",
            "offset",
            "audience",
            name="uq_reminder_stage",
        ),
        Index("ix_reminder_message_id", "message_id"),
        one_of("fate", StageOutcome),
        CheckConstraint(f"(fate = '{StageOutcome.SKIPPED}') = (reason is not null)", name="reason"),
        CheckConstraint(
            f"(fate = '{StageOutcome.PLANNED}') = (message_id is not null)", name="letter"
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    certification_id: Mapped[str] = mapped_column(ForeignKey("certification.id"))
    cycle: Mapped[int]
    expires_on: Mapped[date]
    offset: Mapped[int]
    audience: Mapped[str] = mapped_column(String(16), default="holder")
    due_at: Mapped[datetime] = mapped_column(Instant)
    useful_until: Mapped[datetime] = mapped_column(Instant)
    fate: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32), default=None)
    message_id: Mapped[str | None] = mapped_column(Id, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
