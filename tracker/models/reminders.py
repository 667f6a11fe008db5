"""The reminder ledger: where each certification stands, and the fate of every stage."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of
from tracker.domain.delivery.reminders import StageOutcome


class ReminderCursor(Base, kw_only=True):
    """Where a certification stands in its stages, and when it must be looked at next.

    A tick costs what is due, not what exists: the partial index holds only rows with a date.
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
    """The fate of one stage of one cycle: exactly one row once its instant has passed.

    A stage counts the days to one expiry, so an expiry that was corrected has stages of its own.
    ``useful_until`` is the instant of the next stage, which takes this one's place. ``message_id``
    names a letter of the outbox, or of the log once it is long finished.
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
