"""Appeals against a decision, and their outcomes."""

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

from tracker.db import AmountColumn, Base, Id, Instant, new_id, one_of
from tracker.domain.credentials.appeals import AppealVerdict


class Appeal(Base, kw_only=True):
    """An appeal against either a change of standing or a denied renewal."""

    __tablename__ = "appeal"
    __table_args__ = (
        Index(
            "uq_appeal_open",
            "certification_id",
            unique=True,
            sqlite_where=text("outcome is null"),
            postgresql_where=text("outcome is null"),
        ),
        one_of("outcome", AppealVerdict),
        CheckConstraint("(change_id is null) <> (renewal_id is null)", name="against"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    certification_id: Mapped[str] = mapped_column(ForeignKey("certification.id"))
    change_id: Mapped[str | None] = mapped_column(ForeignKey("standing_change.id"), default=None)
    renewal_id: Mapped[str | None] = mapped_column(ForeignKey("renewal.id"), default=None)
    statement: Mapped[str] = mapped_column(Text)
    filed_on: Mapped[date]
    due_on: Mapped[date]
    fee: Mapped[Decimal] = mapped_column(AmountColumn)
    fee_refunded: Mapped[bool] = mapped_column(default=False)
    fee_id: Mapped[str | None] = mapped_column(ForeignKey("fee.id"), default=None, index=True)
    outcome: Mapped[str | None] = mapped_column(String(16), default=None)
    decided_on: Mapped[date | None] = mapped_column(default=None)
    decided_by: Mapped[str | None] = mapped_column(String(100), default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class
