"""The trail of changes, and the imports that were run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id


class HistoryEntry(Base, kw_only=True):
    """One line of history: who did what to which record, when. Written, never changed."""

    __tablename__ = "history"
    __table_args__ = (Index("ix_history_subject", "subject", "subject_id", "id"),)

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, init=False
    )
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(String(64))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class ImportRun(Base, kw_only=True):
    """One run of an import: its counts, or the errors for which nothing was stored."""

    __tablename__ = "import_run"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    kind: Mapped[str] = mapped_column(String(32))
    filename: Mapped[str] = mapped_column(String(200))
    dry_run: Mapped[bool]
    outcome: Mapped[str] = mapped_column(String(16))
    report: Mapped[dict[str, Any]] = mapped_column(JSON)
    actor: Mapped[str] = mapped_column(String(100))
    employer_id: Mapped[str | None] = mapped_column(Id, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
