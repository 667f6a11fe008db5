"""Results that assessment centers send, before and after staff decide on them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import AmountColumn, Base, Id, Instant, Ref, new_id, one_of, written
from tracker.domain.credentials.center_results import ResultState
from tracker.domain.credentials.funding import FundingSource

_LIVE = text(f"state <> '{ResultState.SENT_BACK}'")


class CenterResult(Base, kw_only=True):
    """One result as a center sent it; accepted, it is an assessment. Sent back, never changed.

    ``upload_id`` is the import run that brought it, if a file did.
    """

    __tablename__ = "center_result"
    __table_args__ = (
        one_of("state", ResultState),
        CheckConstraint("proctor <> instructor", name="proctor"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint(
            f"({written('state', ResultState.WAITING)}) = (decided_at is null)"
            f" and ({written('state', ResultState.SENT_BACK)}) = (reason is not null)"
            f" and (assessment_id is null or {written('state', ResultState.ACCEPTED)})",
            name="decision",
        ),
        # A second click, or the same file sent twice, gives one row.
        Index(
            "uq_center_result_ref",
            "center_id",
            "ref",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index(
            "uq_center_result_attempt",
            "holder_id",
            "center_id",
            "scheme",
            "module",
            "taken_on",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index("ix_center_result_state", "state", "id"),
        Index("ix_center_result_upload", "upload_id"),
        Index("uq_center_result_assessment", "assessment_id", unique=True),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    center_id: Mapped[str] = mapped_column(ForeignKey("center.id"))
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    upload_id: Mapped[str | None] = mapped_column(Id, default=None)
    ref: Mapped[str] = mapped_column(Ref)
    scheme: Mapped[str] = mapped_column(String(32))
    module: Mapped[str] = mapped_column(String(32))
    taken_on: Mapped[date]
    passed: Mapped[bool]
    score: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    delivery: Mapped[str | None] = mapped_column(String(16), default=None)
    edition: Mapped[str | None] = mapped_column(String(32), default=None)
    proctor: Mapped[str | None] = mapped_column(String(200), default=None)
    instructor: Mapped[str | None] = mapped_column(String(200), default=None)
    funding: Mapped[str | None] = mapped_column(String(16), default=None)
    amount: Mapped[Decimal | None] = mapped_column(AmountColumn, default=None)
    funding_reference: Mapped[str | None] = mapped_column(String(100), default=None)
    more_funding: Mapped[list[FundingSource]] = mapped_column(
        JSON, default_factory=list, server_default=text("'[]'")
    )
    override_reason: Mapped[str | None] = mapped_column(Text, default=None)
    state: Mapped[str] = mapped_column(String(16))
    sent_at: Mapped[datetime] = mapped_column(Instant)
    sent_by: Mapped[str] = mapped_column(String(100))
    decided_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    decided_by: Mapped[str | None] = mapped_column(String(100), default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    assessment_id: Mapped[str | None] = mapped_column(ForeignKey("assessment.id"), default=None)
