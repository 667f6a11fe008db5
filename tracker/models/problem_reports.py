"""What visitors of public pages report to be wrong."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id

_OPEN = text("closed_at is null")


class ProblemReport(Base, kw_only=True):
    """A problem that somebody reported about a page (``about`` is its path), until it is closed.

    Nobody has to say who they are; ``statement`` may say it.
    """

    __tablename__ = "problem_report"
    __table_args__ = (
        CheckConstraint("(closed_at is null) = (closed_by is null)", name="closed"),
        Index("ix_problem_report_open", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    about: Mapped[str] = mapped_column(String(200))
    statement: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(2))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    closed_by: Mapped[str | None] = mapped_column(String(100), default=None)
