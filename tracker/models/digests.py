"""Employers' digests: who ordered one, and those that were sent."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of
from tracker.domain.delivery.digests import DigestFrequency


class DigestOrder(Base, kw_only=True):
    """How often an employer wants a digest, where and in which language; without a row, never.

    ``through_on`` is the last day that a digest has told of; null: none was written yet.
    """

    __tablename__ = "digest_order"
    __table_args__ = (
        one_of("every", DigestFrequency),
        CheckConstraint("language in ('en', 'es')", name="language"),
    )

    employer_id: Mapped[str] = mapped_column(ForeignKey("employer.id"), primary_key=True)
    every: Mapped[str] = mapped_column(String(8))
    language: Mapped[str] = mapped_column(String(2), default="en")
    address: Mapped[str] = mapped_column(String(254))
    through_on: Mapped[date | None] = mapped_column(default=None)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class Digest(Base, kw_only=True):
    """What an employer's digest of a period says, as it stood at the cut-off."""

    __tablename__ = "digest"
    __table_args__ = (
        UniqueConstraint("employer_id", "through_on"),
        Index("ix_digest_message_id", "message_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    employer_id: Mapped[str] = mapped_column(ForeignKey("employer.id"))
    from_on: Mapped[date]
    through_on: Mapped[date]
    contents: Mapped[dict[str, Any]] = mapped_column(JSON)
    message_id: Mapped[str | None] = mapped_column(Id, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
