"""The history of changes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Instant


class HistoryEntry(Base, kw_only=True):
    """One line of history: who did what to which record, and when. Append-only."""

    __tablename__ = "history"
    __table_args__ = (
        Index("ix_history_subject", "subject", "subject_id", "id"),
        Index("ix_history_actor", "actor", "id"),
        Index("ix_history_action", "action", "id"),
        Index("ix_history_at", "at", "id"),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, init=False
    )
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(String(64))
    detail: Mapped[dict[str, object]] = mapped_column(JSON)


class HistoryValue(Base, kw_only=True):
    """A personal value that an entry of history changed: before and after.

    It is kept apart from the entry, so that it can be erased without changing the history.
    """

    __tablename__ = "history_value"
    __table_args__ = (Index("ix_history_value_subject", "subject_id", "field", "history_id"),)

    history_id: Mapped[int] = mapped_column(ForeignKey("history.id"), primary_key=True)
    field: Mapped[str] = mapped_column(String(32), primary_key=True)
    subject_id: Mapped[str] = mapped_column(String(64))
    before: Mapped[str | None] = mapped_column(Text, default=None)
    after: Mapped[str | None] = mapped_column(Text, default=None)
