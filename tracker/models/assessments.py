"""Assessments and the centers where they are taken."""

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
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import AmountColumn, Base, Id, Instant, Ref, new_id, one_of
from tracker.domain.credentials.assessments import CENTER_CATEGORIES
from tracker.domain.credentials.funding import FundingSource
from tracker.models.organizations import Organization


class Center(Organization, kw_only=True):
    """An assessment center in the directory.

    ``enters_directly``: its results are recorded at once; those of others wait for staff.
    """

    __tablename__ = "center"
    __table_args__ = (one_of("category", CENTER_CATEGORIES), UniqueConstraint("code"))

    category: Mapped[str | None] = mapped_column(String(32), default=None)
    code: Mapped[str | None] = mapped_column(String(32), default=None)
    enters_directly: Mapped[bool] = mapped_column(default=False)


class CenterApproval(Base, kw_only=True):
    """A period in which a center was approved; without ``lapses_on``, until further notice."""

    __tablename__ = "center_approval"
    __table_args__ = (
        UniqueConstraint("center_id", "approved_on"),
        CheckConstraint("lapses_on is null or lapses_on >= approved_on", name="order"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    center_id: Mapped[str] = mapped_column(ForeignKey("center.id"))
    approved_on: Mapped[date]
    lapses_on: Mapped[date | None] = mapped_column(default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class Assessment(Base, kw_only=True):
    """One attempt at a module's exam. Voided, never deleted.

    ``funding``, ``amount`` and ``funding_reference`` are the first source that pays for it;
    ``more_funding`` are the others.
    """

    __tablename__ = "assessment"
    __table_args__ = (
        Index("ix_assessment_holder", "holder_id", "scheme", "taken_on"),
        Index("ix_assessment_center", "center_id", "id"),
        Index("ix_assessment_taken", "taken_on"),
        CheckConstraint("proctor <> instructor", name="proctor"),
        CheckConstraint("amount >= 0", name="amount"),
        # A double click gives one row; imported history is keyed by its ref instead.
        Index(
            "uq_assessment_live",
            "holder_id",
            "scheme",
            "module",
            "taken_on",
            unique=True,
            sqlite_where=text("ref is null and voided_at is null"),
            postgresql_where=text("ref is null and voided_at is null"),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    ref: Mapped[str | None] = mapped_column(Ref, unique=True, default=None)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    scheme: Mapped[str] = mapped_column(String(32))
    module: Mapped[str] = mapped_column(String(32))
    taken_on: Mapped[date]
    passed: Mapped[bool]
    score: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    delivery: Mapped[str | None] = mapped_column(String(16), default=None)
    center_id: Mapped[str | None] = mapped_column(ForeignKey("center.id"), default=None)
    edition: Mapped[str | None] = mapped_column(String(32), default=None)
    proctor: Mapped[str | None] = mapped_column(String(200), default=None)
    instructor: Mapped[str | None] = mapped_column(String(200), default=None)
    funding: Mapped[str | None] = mapped_column(String(16), default=None)
    amount: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    funding_reference: Mapped[str | None] = mapped_column(String(100), default=None)
    more_funding: Mapped[list[FundingSource]] = mapped_column(
        JSON, default_factory=list, server_default=text("'[]'")
    )
    fee_id: Mapped[str | None] = mapped_column(ForeignKey("fee.id"), default=None, index=True)
    override_reason: Mapped[str | None] = mapped_column(Text, default=None)
    warnings: Mapped[list[str]] = mapped_column(JSON, default_factory=list)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    recorded_by: Mapped[str] = mapped_column(String(100))
    voided_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    void_reason: Mapped[str | None] = mapped_column(Text, default=None)
