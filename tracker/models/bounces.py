"""Messages that bounced, and suppressed addresses."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, one_of
from tracker.domain.delivery.bounces import ReturnKind


class Bounce(Base, kw_only=True):
    """A report of a permanent (``hard``) or temporary (``soft``) bounce or a ``complaint`` (spam).

    A report counts once, however often it is read.
    """

    __tablename__ = "bounce"
    __table_args__ = (
        Index("ix_bounce_address", "address", "at"),
        Index("ix_bounce_at", "at"),
        one_of("kind", ReturnKind),
    )

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    message_id: Mapped[str] = mapped_column(Id)
    address: Mapped[str] = mapped_column(String(254))
    kind: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    diagnostic: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)


class Suppression(Base, kw_only=True):
    """An address that is not written to, and why; null ``until_at`` means for good."""

    __tablename__ = "suppression"

    address: Mapped[str] = mapped_column(String(254), primary_key=True)
    reason: Mapped[str] = mapped_column(String(32))
    until_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
