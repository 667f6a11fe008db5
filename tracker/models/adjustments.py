"""Later expiries and lower requirements of single cycles."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import AmountColumn, Base, Id, Instant, Ref, new_id


class AdjustmentBatch(Base, kw_only=True):
    """One act that extended many certifications, with its own reference.

    ``request`` is the full request, so that the same reference never means two different acts.
    """

    __tablename__ = "adjustment_batch"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    ref: Mapped[str] = mapped_column(Ref, unique=True)
    scheme: Mapped[str] = mapped_column(String(32))
    request: Mapped[dict[str, object]] = mapped_column(JSON)
    extended: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    decided_by: Mapped[str] = mapped_column(String(100))
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class Adjustment(Base, kw_only=True):
    """A later expiry or a lower requirement for one cycle: append-only.

    ``ordinal`` is the cycle's, ``number`` counts its adjustments: the last one is in force, and two
    made at the same time cannot both get the next number. ``override_reason`` says why it was
    granted although the policy's rule refuses it.
    """

    __tablename__ = "cycle_adjustment"
    __table_args__ = (
        UniqueConstraint("certification_id", "ordinal", "number"),
        UniqueConstraint("batch_id", "certification_id"),
        CheckConstraint("extended_to is not null or points_required is not null", name="something"),
        CheckConstraint("points_required >= 0", name="points"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    certification_id: Mapped[str] = mapped_column(ForeignKey("certification.id"))
    ordinal: Mapped[int]
    number: Mapped[int]
    extended_to: Mapped[date | None] = mapped_column(default=None)
    points_required: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    effective_on: Mapped[date]
    reason_code: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(Text)
    override_reason: Mapped[str | None] = mapped_column(Text, default=None)
    decided_by: Mapped[str] = mapped_column(String(100))
    batch_id: Mapped[str | None] = mapped_column(ForeignKey("adjustment_batch.id"), default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
