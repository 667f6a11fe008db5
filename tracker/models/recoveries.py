"""Proposals to recover accounts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of
from tracker.domain.people.recoveries import RecoveryKind, RecoveryState
from tracker.domain.permissions import ROLES

_OPEN_OF_ACCOUNT = text("state = 'proposed' and account_id is not null")
_OPEN_OF_HOLDER = text("state = 'proposed' and holder_id is not null")


class Recovery(Base, kw_only=True):
    """One person of the staff proposes to recover an account, another one approves.

    ``email`` is the new address of a holder who lost the mailbox. ``proposer_above`` are the people
    who made the proposer's token.
    """

    __tablename__ = "recovery"
    __table_args__ = (
        one_of("kind", RecoveryKind),
        one_of("state", RecoveryState),
        one_of("proposer_role", ROLES),
        CheckConstraint(
            "(kind = 'address') = (holder_id is not null)"
            " and (kind = 'address') = (email is not null)"
            " and (kind = 'second_factor') = (account_id is not null)",
            name="subject",
        ),
        CheckConstraint(
            "(state = 'proposed') = (decided_at is null)"
            " and (state <> 'approved' or decider_id <> proposer_id)",
            name="two_people",
        ),
        Index(
            "uq_recovery_of_account",
            "account_id",
            unique=True,
            sqlite_where=_OPEN_OF_ACCOUNT,
            postgresql_where=_OPEN_OF_ACCOUNT,
        ),
        Index(
            "uq_recovery_of_holder",
            "holder_id",
            unique=True,
            sqlite_where=_OPEN_OF_HOLDER,
            postgresql_where=_OPEN_OF_HOLDER,
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    kind: Mapped[str] = mapped_column(String(16))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"), default=None)
    holder_id: Mapped[str | None] = mapped_column(ForeignKey("holder.id"), default=None)
    email: Mapped[str | None] = mapped_column(String(254), default=None)
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(String(100))
    proposer_id: Mapped[str] = mapped_column(Id)
    proposer_role: Mapped[str] = mapped_column(String(16))
    proposer_above: Mapped[list[str]] = mapped_column(JSON, default_factory=list)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(16), default=RecoveryState.PROPOSED)
    decided_by: Mapped[str | None] = mapped_column(String(100), default=None)
    decider_id: Mapped[str | None] = mapped_column(Id, default=None)
    decision_reason: Mapped[str | None] = mapped_column(Text, default=None)
    decided_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
