"""The fees of applications to recertify, of appeals and of attempts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import AmountColumn, Base, Id, Instant, new_id, one_of
from tracker.domain.credentials.fees import FeeState


class Fee(Base, kw_only=True):
    """The fee of applications, of an appeal or of an attempt; ``basis`` says what the amount is.

    ``refund_due``: it was paid for what was denied or voided, and is to be given back.
    ``reference``, ``reason``, ``changed_at`` and ``changed_by`` are those of the last change; the
    history has all of them. Numbers of cards are never kept.
    """

    __tablename__ = "fee"
    __table_args__ = (
        one_of("state", FeeState),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("(state = 'invoiced') = (employer_id is not null)", name="invoice"),
        CheckConstraint(
            "state not in ('paid', 'refunded', 'invoiced') or reference is not null",
            name="reference",
        ),
        CheckConstraint("state = 'paid' or not refund_due", name="refund_due"),
        CheckConstraint("state <> 'waived' or reason is not null", name="reason"),
        Index("ix_fee_holder", "holder_id", "id"),
        Index("ix_fee_state", "state", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    amount: Mapped[Decimal] = mapped_column(AmountColumn)
    currency: Mapped[str] = mapped_column(String(3))
    bundled: Mapped[bool]
    basis: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str | None] = mapped_column(String(100), default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    employer_id: Mapped[str | None] = mapped_column(ForeignKey("employer.id"), default=None)
    refund_due: Mapped[bool] = mapped_column(default=False, server_default=false())
    changed_at: Mapped[datetime] = mapped_column(Instant)
    changed_by: Mapped[str] = mapped_column(String(100))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class
