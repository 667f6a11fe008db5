"""What employers sign for their workers: months of employment, permissions to work meanwhile."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id

_LIVE = text("withdrawn_at is null")


class EmploymentConfirmation(Base, kw_only=True):
    """The days of a year in which an employer says that somebody worked for it.

    It is evidence while it is neither withdrawn nor contested by the holder. ``decisions`` are
    those on activities that no reviewer made, since the employer is trusted: by this confirmation,
    or by several of which it is one.
    """

    __tablename__ = "employment_confirmation"
    __table_args__ = (
        # A second press gives one row.
        Index(
            "uq_employment_confirmation_year",
            "holder_id",
            "employer_id",
            "year",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index("ix_employment_confirmation_employer", "employer_id", "id"),
        CheckConstraint("starts_on <= ends_on", name="order"),
        CheckConstraint("(contested_at is null) = (contest is null)", name="contest"),
        CheckConstraint(
            "(withdrawn_at is null) = (withdrawn_reason is null)"
            " and (withdrawn_at is null) = (withdrawn_by is null)",
            name="withdrawn",
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    employer_id: Mapped[str] = mapped_column(ForeignKey("employer.id"))
    year: Mapped[int]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    signed_by: Mapped[str] = mapped_column(String(100))
    decisions: Mapped[list[str]] = mapped_column(JSON, default_factory=list)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    contested_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    contest: Mapped[str | None] = mapped_column(Text, default=None)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    withdrawn_by: Mapped[str | None] = mapped_column(String(100), default=None)
    withdrawn_reason: Mapped[str | None] = mapped_column(Text, default=None)


class WorkPermission(Base, kw_only=True):
    """An employer's own permission to work while a renewal is decided, in its own words.

    It is no certification, and whoever verifies a certificate never sees it.
    """

    __tablename__ = "work_permission"
    __table_args__ = (
        Index("ix_work_permission_holder", "holder_id", "id"),
        Index("ix_work_permission_employer", "employer_id", "id"),
        CheckConstraint("starts_on <= ends_on", name="order"),
        CheckConstraint(
            "(ended_at is null) = (end_reason is null) and (ended_at is null) = (ended_by is null)",
            name="ended",
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    employer_id: Mapped[str] = mapped_column(ForeignKey("employer.id"))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    words: Mapped[str] = mapped_column(Text)
    given_by: Mapped[str] = mapped_column(String(100))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    ended_by: Mapped[str | None] = mapped_column(String(100), default=None)
    end_reason: Mapped[str | None] = mapped_column(Text, default=None)
