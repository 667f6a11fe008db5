"""Messages in the outbox, and their outcomes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of, written
from tracker.domain.delivery.queue_acts import HELD, STUCK, MessageState

_LEASED = written("state", *HELD)
_AMBIGUOUS = written("state", MessageState.AMBIGUOUS)
_ADDRESSED = text("address <> '' and finished_at is not null")
_READY = written("state", MessageState.READY)
_STUCK = written("state", *STUCK)


class Message(Base, kw_only=True):
    """A message: ready -> claimed -> transmitting -> sent, dead, ambiguous or cancelled.

    ``parked``: in doubt twice, so it is not sent until somebody has looked into it. ``about`` holds
    what no other row says about the message. ``facts`` are what it says, stored with the marker:
    from then on a copy may be out, so a second copy must say the same. ``attempts`` counts the
    message's own attempts; an unreachable relay uses none.
    """

    __tablename__ = "message"
    __table_args__ = (
        one_of("state", MessageState),
        Index(
            "ix_message_ready",
            "priority",
            "next_at",
            sqlite_where=_READY,
            postgresql_where=_READY,
        ),
        Index(
            "ix_message_lease",
            "lease_until",
            sqlite_where=_LEASED,
            postgresql_where=_LEASED,
        ),
        Index(
            "ix_message_ambiguous",
            "lease_until",
            sqlite_where=_AMBIGUOUS,
            postgresql_where=_AMBIGUOUS,
        ),
        Index(
            "ix_message_stuck",
            "state",
            "id",
            sqlite_where=_STUCK,
            postgresql_where=_STUCK,
        ),
        Index("ix_message_holder", "holder_id", "next_at"),
        Index(
            "ix_message_addressed",
            "finished_at",
            sqlite_where=_ADDRESSED,
            postgresql_where=_ADDRESSED,
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    dedupe_key: Mapped[str] = mapped_column(String(200), unique=True)
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    holder_id: Mapped[str | None] = mapped_column(ForeignKey("holder.id"), default=None)
    employer_id: Mapped[str | None] = mapped_column(ForeignKey("employer.id"), default=None)
    address: Mapped[str] = mapped_column(String(254))
    stage: Mapped[int | None] = mapped_column(default=None)
    about: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True), default=None)
    facts: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True), default=None)
    priority: Mapped[int] = mapped_column(default=5)
    state: Mapped[str] = mapped_column(String(16), default=MessageState.READY)
    created_at: Mapped[datetime] = mapped_column(Instant)
    next_at: Mapped[datetime] = mapped_column(Instant)
    useful_until: Mapped[datetime] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant, default=None)
    owner: Mapped[str | None] = mapped_column(String(64), default=None)
    token: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text, default=None)
    finished_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
