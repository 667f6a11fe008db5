"""Requests and proposals to erase a person's data."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of, written
from tracker.domain.people.erasures import ErasureState
from tracker.domain.permissions import ROLES

_OPEN = written("state", ErasureState.REQUESTED)


class Erasure(Base, kw_only=True):
    """The holder or somebody of the staff asks to erase a holder's data; another person approves.

    ``due_on`` is the last day on which it should be answered. ``proposer_ids`` are the people who
    made the proposer's token. Once it is carried out, nothing here names the holder.
    """

    __tablename__ = "erasure"
    __table_args__ = (
        one_of("state", ErasureState),
        one_of("proposer_role", ROLES),
        CheckConstraint(
            f"({_OPEN}) = (decided_at is null)"
            " and (state <> 'approved' or decider_id <> proposer_id)",
            name="two_people",
        ),
        Index(
            "uq_erasure_open", "holder_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
        ),
        Index("ix_erasure_due", "state", "due_on", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(String(100))
    proposer_id: Mapped[str] = mapped_column(Id)
    proposer_role: Mapped[str] = mapped_column(String(16))
    proposer_ids: Mapped[list[str]] = mapped_column(JSON, default_factory=list)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    due_on: Mapped[date]
    state: Mapped[str] = mapped_column(String(16), default=ErasureState.REQUESTED)
    decided_by: Mapped[str | None] = mapped_column(String(100), default=None)
    decider_id: Mapped[str | None] = mapped_column(Id, default=None)
    decision_reason: Mapped[str | None] = mapped_column(Text, default=None)
    decided_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
