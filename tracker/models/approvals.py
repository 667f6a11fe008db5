"""Proposals of acts that need two people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of
from tracker.domain.desk.approvals import ApprovalState, TwoPersonAct

_OPEN = text("state = 'open'")


class ActApproval(Base, kw_only=True):
    """One person of the body proposes an act about a holder, another one approves it.

    ``subject_id`` is the record that it is about. ``what`` says what exactly is done, ``preview``
    what that brings. ``proposer_ids`` are all ids of the person who proposed it. ``outcome_id`` is
    the record that the act made. A proposal that expired is closed when it is proposed again.
    """

    __tablename__ = "approval"
    __table_args__ = (
        one_of("act", TwoPersonAct),
        one_of("state", ApprovalState),
        CheckConstraint(
            "(state = 'open') = (closed_at is null)"
            " and (state <> 'approved' or decider_id <> proposer_id)",
            name="two_people",
        ),
        Index(
            "uq_approval_open",
            "act",
            "subject_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_approval_outcome", "outcome_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    act: Mapped[str] = mapped_column(String(16))
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    subject_id: Mapped[str] = mapped_column(Id)
    what: Mapped[dict[str, Any]] = mapped_column(JSON)
    preview: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(String(100))
    proposer_id: Mapped[str] = mapped_column(Id)
    proposer_ids: Mapped[list[str]] = mapped_column(JSON)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(16), default=ApprovalState.OPEN)
    decided_by: Mapped[str | None] = mapped_column(String(100), default=None)
    decider_id: Mapped[str | None] = mapped_column(Id, default=None)
    decision_reason: Mapped[str | None] = mapped_column(Text, default=None)
    closed_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    outcome_id: Mapped[str | None] = mapped_column(Id, default=None)
