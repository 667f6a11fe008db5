"""Suspensions, revocations, reinstatements and surrenders."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, Ref, new_id, one_of
from tracker.domain.credentials.certifications import ChangeKind


class StandingChange(Base, kw_only=True):
    """A suspension, revocation, surrender or reinstatement: append-only.

    A revocation bars the holder from earning the certification again through ``barred_until``, or
    for good if that is null.
    """

    __tablename__ = "standing_change"
    __table_args__ = (
        Index("ix_standing_change_certification", "certification_id", "effective_on"),
        one_of("kind", ChangeKind),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    ref: Mapped[str | None] = mapped_column(Ref, unique=True, default=None)
    certification_id: Mapped[str] = mapped_column(ForeignKey("certification.id"))
    kind: Mapped[str] = mapped_column(String(16))
    effective_on: Mapped[date]
    reason_code: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(Text)
    barred_until: Mapped[date | None] = mapped_column(default=None)
    decided_by: Mapped[str] = mapped_column(String(100))
    decided_by_id: Mapped[str | None] = mapped_column(Id, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
