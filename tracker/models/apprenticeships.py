"""Registered apprenticeships and managed cases, and whether their sponsor may see them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of, written
from tracker.domain.credentials.apprenticeships import OVER, ApprenticeshipStatus

_OVER = written("status", *sorted(OVER))


class Apprenticeship(Base, kw_only=True):
    """A holder's apprenticeship with a sponsor, in a program that is registered under a code.

    ``program_code`` is that of RAPIDS. The modules of ``scheme`` that the holder passed are
    credited. The sponsor sees it while the holder's consent stands: from ``consented_at`` on, until
    ``consent_ended_at``.
    """

    __tablename__ = "apprenticeship"
    __table_args__ = (
        UniqueConstraint("holder_id", "sponsor_id", "program_code", "started_on"),
        Index("ix_apprenticeship_sponsor", "sponsor_id", "id"),
        one_of("status", ApprenticeshipStatus),
        CheckConstraint(
            "expected_end_on is null or expected_end_on >= started_on", name="expected_end"
        ),
        CheckConstraint("ended_on is null or ended_on >= started_on", name="order"),
        CheckConstraint(f"({_OVER}) = (ended_on is not null)", name="over"),
        CheckConstraint(
            "instruction_hours >= 0 and"
            " (instruction_hours_required is null or instruction_hours_required > 0)",
            name="hours",
        ),
        CheckConstraint("consent_ended_at is null or consented_at is not null", name="consent"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    sponsor_id: Mapped[str] = mapped_column(ForeignKey("sponsor.id"))
    scheme: Mapped[str] = mapped_column(String(32))
    program_code: Mapped[str] = mapped_column(String(32))
    occupation: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(16), default=ApprenticeshipStatus.REGISTERED)
    started_on: Mapped[date]
    expected_end_on: Mapped[date | None] = mapped_column(default=None)
    ended_on: Mapped[date | None] = mapped_column(default=None)
    instruction_hours: Mapped[int] = mapped_column(default=0)
    instruction_hours_required: Mapped[int | None] = mapped_column(default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    recorded_by: Mapped[str] = mapped_column(String(100))
    consented_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    consent_ended_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


class ManagedCase(Base, kw_only=True):
    """A person whose attempts a sponsor's case manager follows, such as a workforce board's.

    The sponsor sees the attempts, with who paid for them, while the holder's consent stands: from
    ``consented_at`` on, until ``consent_ended_at``.
    """

    __tablename__ = "managed_case"
    __table_args__ = (
        UniqueConstraint("holder_id", "sponsor_id"),
        Index("ix_managed_case_sponsor", "sponsor_id", "holder_id"),
        CheckConstraint("consent_ended_at is null or consented_at is not null", name="consent"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    sponsor_id: Mapped[str] = mapped_column(ForeignKey("sponsor.id"))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    recorded_by: Mapped[str] = mapped_column(String(100))
    consented_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    consent_ended_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
