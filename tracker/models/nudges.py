"""Nudges: when an employer last reminded a worker who shares with it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id


class EmployerNudge(Base, kw_only=True):
    """The last nudge of a holder by an employer; those before are in the history.

    There is one row for both, so that two requests at once cannot both nudge. ``nudged_by`` is the
    name of the person or token at that time.
    """

    __tablename__ = "employer_nudge"
    __table_args__ = (
        UniqueConstraint("holder_id", "employer_id"),
        Index("ix_employer_nudge_employer_id", "employer_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    employer_id: Mapped[str] = mapped_column(ForeignKey("employer.id"))
    scheme: Mapped[str] = mapped_column(String(32))
    nudged_on: Mapped[date]
    nudged_by: Mapped[str] = mapped_column(String(100))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
