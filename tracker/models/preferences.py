"""Which types of messages a holder wants."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Instant, one_of
from tracker.domain.delivery.notices import MessageType


class Preference(Base, kw_only=True):
    """Whether a holder wants a type of message; without a row they do.

    ``reason`` says why staff set it for the holder; ``changed_by`` names who changed it last.

    Messages that are always sent (revoked, suspended, consent asked) have no type here.
    """

    __tablename__ = "preference"
    __table_args__ = (one_of("type", MessageType),)

    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"), primary_key=True)
    type: Mapped[str] = mapped_column(String(16), primary_key=True)
    wanted: Mapped[bool] = mapped_column(default=True)
    snoozed_until: Mapped[date | None] = mapped_column(default=None)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    changed_by: Mapped[str | None] = mapped_column(String(100), default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
