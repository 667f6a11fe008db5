"""Holders' consents to share with employers, and the employers they barred."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of
from tracker.domain.employers.consents import ConsentEnd, ConsentPurpose


class Sharing(Base, kw_only=True):
    """A holder's consent that an employer sees their standing; ending it takes effect at once.

    It covers the standing, and what else the holder chose, for one purpose. ``end_reason`` says
    how it ended: withdrawn by the holder, replaced by another consent, last day passed, employment
    ended, holder deceased.
    """

    __tablename__ = "sharing"
    __table_args__ = (
        Index(
            "uq_sharing_live",
            "holder_id",
            "employer_id",
            unique=True,
            sqlite_where=text("ended_at is null"),
            postgresql_where=text("ended_at is null"),
        ),
        CheckConstraint("until_on is null or until_on >= consented_on", name="order"),
        one_of("end_reason", ConsentEnd),
        one_of("purpose", ConsentPurpose),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    employer_id: Mapped[str] = mapped_column(ForeignKey("employer.id"))
    consented_on: Mapped[date]
    until_on: Mapped[date | None] = mapped_column(default=None)
    purpose: Mapped[str] = mapped_column(
        String(16), default=ConsentPurpose.EMPLOYMENT, server_default=ConsentPurpose.EMPLOYMENT
    )
    with_dates: Mapped[bool] = mapped_column(default=True, server_default=true())
    with_points: Mapped[bool] = mapped_column(default=False)
    with_modules: Mapped[bool] = mapped_column(default=False, server_default=false())
    with_credentials: Mapped[bool] = mapped_column(default=False, server_default=false())
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    recorded_by: Mapped[str] = mapped_column(String(100))
    ended_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    end_reason: Mapped[str | None] = mapped_column(String(32), default=None)


class EmployerBar(Base, kw_only=True):
    """An employer that a holder does not allow to ask for consent."""

    __tablename__ = "employer_bar"

    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"), primary_key=True)
    employer_id: Mapped[str] = mapped_column(ForeignKey("employer.id"), primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
