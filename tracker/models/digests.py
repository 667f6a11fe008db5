"""Employers' digests: who ordered one, and those that were sent."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of
from tracker.domain.delivery.digests import DigestFrequency
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.models.holders import LANGUAGE_CHECK


class DigestOrder(Base, kw_only=True):
    """How often an employer wants a digest, at which address and in which language.

    Without a row, never. ``through_on`` is the last day that a digest covered; null means that none
    was written yet.
    """

    __tablename__ = "digest_order"
    __table_args__ = (
        one_of("every", DigestFrequency),
        CheckConstraint(LANGUAGE_CHECK, name="language"),
    )

    employer_id: Mapped[str] = mapped_column(ForeignKey("employer.id"), primary_key=True)
    every: Mapped[str] = mapped_column(String(8))
    language: Mapped[str] = mapped_column(String(2), default=ENGLISH)
    address: Mapped[str] = mapped_column(String(254))
    through_on: Mapped[date | None] = mapped_column(default=None)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class Digest(Base, kw_only=True):
    """The contents of an employer's digest of a period, as of the cut-off."""

    __tablename__ = "digest"
    __table_args__ = (
        UniqueConstraint("employer_id", "through_on"),
        Index("ix_digest_message_id", "message_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    employer_id: Mapped[str] = mapped_column(ForeignKey("employer.id"))
    from_on: Mapped[date]
    through_on: Mapped[date]
    contents: Mapped[dict[str, object]] = mapped_column(JSON)
    message_id: Mapped[str | None] = mapped_column(Id, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
