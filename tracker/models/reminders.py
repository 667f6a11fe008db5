"""The reminder ledger: cursors, stages, the outbox, and what the relay said."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

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

from tracker.db import Base, Id, Instant, new_id

MESSAGE_STATES = ("ready", "claimed", "transmitting", "sent", "dead", "ambiguous", "cancelled")
_STATES = ", ".join(f"'{state}'" for state in MESSAGE_STATES)


class ReminderCursor(Base, kw_only=True):
    """Where a certification stands in its stages, and when it must be looked at next.

    A tick costs what is due, not what exists: the partial index holds only rows with a date.
    """

    __tablename__ = "reminder_cursor"
    __table_args__ = (
        Index(
            "ix_reminder_cursor_due", "next_due_at",
            sqlite_where=text("next_due_at is not null"),
            postgresql_where=text("next_due_at is not null"),
        ),
    )  # fmt: skip

    certification_id: Mapped[str] = mapped_column(ForeignKey("certification.id"), primary_key=True)
    cycle: Mapped[int]
    expires_on: Mapped[date | None] = mapped_column(default=None)
    last_offset: Mapped[int | None] = mapped_column(default=None)
    next_due_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


class Reminder(Base, kw_only=True):
    """The fate of one stage of one cycle: exactly one row once its instant has passed.

    A stage counts the days to one expiry, so an expiry that was corrected has stages of its own.
    ``useful_until`` is the instant of the next stage, which takes this one's place.
    """

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint(
            "certification_id", "cycle", "expires_on", "offset", "audience",
            name="uq_reminder_stage",
        ),
        Index("ix_reminder_message_id", "message_id"),
        CheckConstraint("fate in ('planned', 'superseded', 'skipped')", name="fate"),
        CheckConstraint("(fate = 'skipped') = (reason is not null)", name="reason"),
        CheckConstraint("(fate = 'planned') = (message_id is not null)", name="letter"),
    )  # fmt: skip

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
    message_id: Mapped[str | None] = mapped_column(ForeignKey("message.id"), default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class Message(Base, kw_only=True):
    """A letter in the outbox: ready -> claimed -> transmitting -> sent, dead, ambiguous, cancelled.

    ``facts`` are what the letter says, written down with the marker: from then on a copy may be
    out, so whatever is sent again must say the same. ``attempts`` are those that the letter
    itself has used up; a relay that cannot be reached uses none.
    """

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint(f"state in ({_STATES})", name="state"),
        Index(
            "ix_message_ready", "priority", "next_at",
            sqlite_where=text("state = 'ready'"), postgresql_where=text("state = 'ready'"),
        ),
        Index(
            "ix_message_lease", "lease_until",
            sqlite_where=text("state in ('claimed', 'transmitting')"),
            postgresql_where=text("state in ('claimed', 'transmitting')"),
        ),
        Index(
            "ix_message_ambiguous", "lease_until",
            sqlite_where=text("state = 'ambiguous'"), postgresql_where=text("state = 'ambiguous'"),
        ),
        Index("ix_message_holder", "holder_id"),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    dedupe_key: Mapped[str] = mapped_column(String(200), unique=True)
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    holder_id: Mapped[str | None] = mapped_column(ForeignKey("holder.id"), default=None)
    address: Mapped[str] = mapped_column(String(254))
    stage: Mapped[int | None] = mapped_column(default=None)
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    priority: Mapped[int] = mapped_column(default=5)
    state: Mapped[str] = mapped_column(String(16), default="ready")
    created_at: Mapped[datetime] = mapped_column(Instant)
    next_at: Mapped[datetime] = mapped_column(Instant)
    useful_until: Mapped[datetime] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant, default=None)
    owner: Mapped[str | None] = mapped_column(String(64), default=None)
    token: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text, default=None)
    finished_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


class RelayAccept(Base, kw_only=True):
    """Evidence that the relay took a letter, by its Message-ID."""

    __tablename__ = "relay_accept"

    message_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    queue_id: Mapped[str | None] = mapped_column(String(64), default=None)
    at: Mapped[datetime] = mapped_column(Instant)


class Suppression(Base, kw_only=True):
    """An address that is not written to, and why; null ``until_at``: for good."""

    __tablename__ = "suppression"

    address: Mapped[str] = mapped_column(String(254), primary_key=True)
    reason: Mapped[str] = mapped_column(String(32))
    until_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class Runtime(Base, kw_only=True):
    """One row for this database: whether sending is armed, and the scheduler's last heartbeat.

    ``place`` is where the database lay when it was armed, so that a clone sends nothing.
    ``timetable`` is a digest of the reminder policies and zone rules that the cursors follow.
    ``evidence_until``: ``relay_accept`` is complete up to this instant; null: not kept.
    """

    __tablename__ = "runtime"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    database_id: Mapped[str] = mapped_column(Id, default_factory=new_id)
    armed: Mapped[bool] = mapped_column(default=True)
    place: Mapped[str | None] = mapped_column(String(64), default=None)
    timetable: Mapped[str | None] = mapped_column(String(64), default=None)
    evidence_until: Mapped[datetime | None] = mapped_column(Instant, default=None)
    last_tick_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    fuse: Mapped[str | None] = mapped_column(Text, default=None)
