"""Messages in the outbox, and their outcomes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id

MESSAGE_STATES = (
    "ready",
    "claimed",
    "transmitting",
    "sent",
    "dead",
    "ambiguous",
    "parked",
    "cancelled",
)
_STATES = ", ".join(f"'{state}'" for state in MESSAGE_STATES)


class Message(Base, kw_only=True):
    """A message: ready -> claimed -> transmitting -> sent, dead, ambiguous or cancelled.

    ``parked``: in doubt twice, so it is not sent until somebody has looked into it. ``about`` holds
    what no other row says about the message. ``facts`` are what it says, stored with the marker:
    from then on a copy may be out, so a second copy must say the same. ``attempts`` counts the
    message's own attempts; an unreachable relay uses none.
    """

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint(f"state in ({_STATES})", name="state"),
        Index(
            "ix_message_ready",
            "priority",
            "next_at",
            sqlite_where=text("state = 'ready'"),
            postgresql_where=text("state = 'ready'"),
        ),
        Index(
            "ix_message_lease",
            "lease_until",
            sqlite_where=text("state in ('claimed', 'transmitting')"),
            postgresql_where=text("state in ('claimed', 'transmitting')"),
        ),
        Index(
            "ix_message_ambiguous",
            "lease_until",
            sqlite_where=text("state = 'ambiguous'"),
            postgresql_where=text("state = 'ambiguous'"),
        ),
        Index(
            "ix_message_stuck",
            "state",
            "id",
            sqlite_where=text("state in ('ambiguous', 'dead', 'parked')"),
            postgresql_where=text("state in ('ambiguous', 'dead', 'parked')"),
        ),
        Index("ix_message_holder", "holder_id", "next_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    dedupe_key: Mapped[str] = mapped_column(String(200), unique=True)
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    holder_id: Mapped[str | None] = mapped_column(ForeignKey("holder.id"), default=None)
    employer_id: Mapped[str | None] = mapped_column(ForeignKey("employer.id"), default=None)
    address: Mapped[str] = mapped_column(String(254))
    stage: Mapped[int | None] = mapped_column(default=None)
    about: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
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
