"""Applications for renewal, and the decisions on them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import AmountColumn, Base, Id, Instant, Ref, new_id, one_of
from tracker.domain.credentials.renewals import RenewalVerdict

_UNDECIDED = text("decision is null and withdrawn_on is null")


class Renewal(Base, kw_only=True):
    """An application to recertify, and its outcome.

    ``points_counted`` are the points on the day of the application; ``points_if_approved`` also
    include the activities that waited for a decision then.
    """

    __tablename__ = "renewal"
    __table_args__ = (
        Index("ix_renewal_certification", "certification_id", "submitted_on"),
        Index("ix_renewal_fee", "fee_id"),
        Index(
            "uq_renewal_pending",
            "certification_id",
            unique=True,
            sqlite_where=_UNDECIDED,
            postgresql_where=_UNDECIDED,
        ),
        one_of("decision", RenewalVerdict),
        CheckConstraint("(decision is null) = (decided_on is null)", name="decided"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    ref: Mapped[str | None] = mapped_column(Ref, unique=True, default=None)
    certification_id: Mapped[str] = mapped_column(ForeignKey("certification.id"))
    fee_id: Mapped[str | None] = mapped_column(ForeignKey("fee.id"), default=None)
    cycle: Mapped[int]
    submitted_on: Mapped[date]
    points_counted: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    points_if_approved: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    decision: Mapped[str | None] = mapped_column(String(16), default=None)
    decided_on: Mapped[date | None] = mapped_column(default=None)
    decided_by: Mapped[str | None] = mapped_column(String(100), default=None)
    decided_by_id: Mapped[str | None] = mapped_column(Id, default=None)
    reason_code: Mapped[str | None] = mapped_column(String(32), default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    withdrawn_on: Mapped[date | None] = mapped_column(default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    version: Mapped[int] = mapped_column(default=1, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class


class FormerRenewalDecision(Base, kw_only=True):
    """A decision on a renewal that was superseded or taken back.

    ``ended_at`` is when it ceased to be in force, ``ended_reason`` why. ``undone``: it was taken
    back, and the decision that it had superseded was in force again. The decision in force is in
    the renewal's own row.
    """

    __tablename__ = "former_renewal_decision"
    __table_args__ = (
        Index("ix_former_renewal_decision_renewal", "renewal_id", "id"),
        one_of("decision", RenewalVerdict),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    renewal_id: Mapped[str] = mapped_column(ForeignKey("renewal.id"))
    decision: Mapped[str] = mapped_column(String(16))
    decided_on: Mapped[date]
    decided_by: Mapped[str | None] = mapped_column(String(100), default=None)
    decided_by_id: Mapped[str | None] = mapped_column(Id, default=None)
    reason_code: Mapped[str | None] = mapped_column(String(32), default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    closed_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    ended_at: Mapped[datetime] = mapped_column(Instant)
    ended_by: Mapped[str] = mapped_column(String(100))
    ended_reason: Mapped[str] = mapped_column(Text)
    undone: Mapped[bool] = mapped_column(default=False)
