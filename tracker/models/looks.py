"""Looks: when an employer saw something about workers who share with it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of
from tracker.domain.employers.looks import LookKind


class EmployerLook(Base, kw_only=True):
    """Somebody of an employer looked: at what, and at the standing of which day (``as_of``).

    ``name`` is that of the person or token at that time. ``workers`` is how many were seen.
    """

    __tablename__ = "employer_look"
    __table_args__ = (
        Index("ix_employer_look_employer", "employer_id", "id"),
        one_of("kind", LookKind),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    employer_id: Mapped[str] = mapped_column(ForeignKey("employer.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    kind: Mapped[str] = mapped_column(String(16))
    scheme: Mapped[str] = mapped_column(String(32))
    as_of: Mapped[date]
    name: Mapped[str] = mapped_column(String(100))
    credential_id: Mapped[str | None] = mapped_column(Id, default=None)
    workers: Mapped[int]


class WorkerSeen(Base, kw_only=True):
    """A holder whom a look saw."""

    __tablename__ = "worker_seen"
    __table_args__ = (Index("ix_worker_seen_look_id", "look_id"),)  # to delete with the look

    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"), primary_key=True)
    look_id: Mapped[str] = mapped_column(
        ForeignKey("employer_look.id", ondelete="cascade"), primary_key=True
    )
