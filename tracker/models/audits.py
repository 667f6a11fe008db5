"""Audits of claims: each draw as it was made, and what became of every activity that it drew."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import AmountColumn, Base, Id, Instant, new_id, one_of, written
from tracker.domain.desk.audits import (
    OPEN,
    AuditBasis,
    AuditState,
    AuditUnit,
    NoAnswer,
)

_OPEN = written("state", *sorted(OPEN))


class ClaimAudit(Base, kw_only=True):
    """One audit: by which seed and on which day it was drawn, from what, and how much of it.

    ``population`` is how many could be drawn, ``population_digest`` says which; so a draw can be
    repeated and compared. ``candidates`` are the ids of those that had the ``flag`` or were of the
    ``cycle`` at the time: evidence changes the one, a corrected award the other. A seed draws once
    a day in a scheme.
    """

    __tablename__ = "claim_audit"
    __table_args__ = (
        UniqueConstraint("scheme", "seed", "drawn_on"),
        one_of("basis", AuditBasis),
        one_of("unit", AuditUnit),
        one_of("no_answer", NoAnswer),
        CheckConstraint("percent > 0", name="percent"),
        CheckConstraint("(basis = 'hand') = (percent is null)", name="share"),
        CheckConstraint("(basis = 'flag') = (flag is not null)", name="flag"),
        CheckConstraint("from_on <= until_on", name="days"),
        CheckConstraint("reply_days > 0", name="reply_days"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    scheme: Mapped[str] = mapped_column(String(32))
    basis: Mapped[str] = mapped_column(String(16))
    unit: Mapped[str] = mapped_column(String(16))
    seed: Mapped[str] = mapped_column(String(64))
    drawn_on: Mapped[date]
    from_on: Mapped[date]
    until_on: Mapped[date]
    cycle: Mapped[int | None] = mapped_column(default=None)
    percent: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    flag: Mapped[str | None] = mapped_column(String(32), default=None)
    population: Mapped[int]
    population_digest: Mapped[str] = mapped_column(String(64))
    candidates: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True), default=None)
    reply_days: Mapped[int]
    no_answer: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    drawn_by: Mapped[str] = mapped_column(String(100))
    drawn_by_id: Mapped[str | None] = mapped_column(Id, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class AuditItem(Base, kw_only=True):
    """An activity that an audit asks about; ``decision_id`` is the approval that is looked at.

    ``points_before`` and ``points_after`` are the points of the activity's cycle around the
    outcome. An appeal against the outcome is decided by another outcome of somebody else.
    """

    __tablename__ = "audit_item"
    __table_args__ = (
        UniqueConstraint("audit_id", "activity_id"),
        one_of("state", AuditState),
        CheckConstraint(f"(decided_at is not null) = (not ({_OPEN}))", name="decided"),
        CheckConstraint("(answer is null) = (answered_at is null)", name="answered"),
        CheckConstraint("(state = 'reduced') = (points is not null)", name="points"),
        CheckConstraint("points >= 0", name="points_floor"),
        CheckConstraint(
            "state not in ('reduced', 'rejected') or reason_code is not null", name="reason_code"
        ),
        CheckConstraint("(points_before is null) = (points_after is null)", name="effect"),
        CheckConstraint("(appealed_on is null) = (appeal_due_on is null)", name="appeal"),
        CheckConstraint(
            "appealed_on is not null or appeal_decided_at is null", name="appeal_decided"
        ),
        Index(
            "uq_audit_item_open",
            "activity_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_audit_item_audit", "audit_id", "id"),
        Index("ix_audit_item_activity", "activity_id", "id"),
        Index("ix_audit_item_holder", "holder_id", "id"),
        Index("ix_audit_item_state", "state", "due_on", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    audit_id: Mapped[str] = mapped_column(ForeignKey("claim_audit.id"))
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    activity_id: Mapped[str] = mapped_column(ForeignKey("activity.id"))
    decision_id: Mapped[str] = mapped_column(Id)
    place: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default=AuditState.ASKED)
    due_on: Mapped[date]
    reminders: Mapped[int] = mapped_column(default=0)
    answer: Mapped[str | None] = mapped_column(Text, default=None)
    answered_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    points: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    points_before: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    points_after: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    reason_code: Mapped[str | None] = mapped_column(String(32), default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    decided_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    decided_by: Mapped[str | None] = mapped_column(String(100), default=None)
    decided_by_id: Mapped[str | None] = mapped_column(Id, default=None)
    appeal: Mapped[str | None] = mapped_column(Text, default=None)
    appealed_on: Mapped[date | None] = mapped_column(default=None)
    appeal_due_on: Mapped[date | None] = mapped_column(default=None)
    appeal_decided_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class
