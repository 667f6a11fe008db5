"""Credentials of other issuers, and the pathways that people chose."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id

_LIVE = text("withdrawn_at is null")
_CHOSEN = text("left_at is null")


class OtherCredential(Base, kw_only=True):
    """A credential that somebody brings, of a kind of the catalog. Withdrawn, never deleted.

    ``level`` is empty for a kind without levels. ``evidence`` says where it can be checked.
    ``verified_by`` is who of the body did so; a correction by anybody ends that. ``activity_id`` is
    the activity that it was claimed as.
    """

    __tablename__ = "other_credential"
    __table_args__ = (
        # A double click gives one row.
        Index(
            "uq_other_credential_live",
            "holder_id",
            "credential",
            "level",
            "issued_on",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index("ix_other_credential_holder", "holder_id", "id"),
        Index("ix_other_credential_expires_on", "expires_on", "id"),
        CheckConstraint("expires_on is null or expires_on >= issued_on", name="order"),
        CheckConstraint("(verified_at is null) = (verified_by is null)", name="verified"),
        CheckConstraint("(withdrawn_at is null) = (withdrawn_reason is null)", name="withdrawn"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    credential: Mapped[str] = mapped_column(String(32))
    level: Mapped[str] = mapped_column(String(32), default="")
    number: Mapped[str] = mapped_column(String(64), default="")
    issued_on: Mapped[date]
    expires_on: Mapped[date | None] = mapped_column(default=None)
    evidence: Mapped[str] = mapped_column(String(500), default="")
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    recorded_by: Mapped[str] = mapped_column(String(100))
    verified_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    verified_by: Mapped[str | None] = mapped_column(String(100), default=None)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    withdrawn_reason: Mapped[str | None] = mapped_column(Text, default=None)
    activity_id: Mapped[str | None] = mapped_column(
        ForeignKey("activity.id"), unique=True, default=None
    )


class PathwayChoice(Base, kw_only=True):
    """A pathway that somebody is on, until they leave it."""

    __tablename__ = "pathway_choice"
    __table_args__ = (
        Index(
            "uq_pathway_choice_live",
            "holder_id",
            "pathway",
            unique=True,
            sqlite_where=_CHOSEN,
            postgresql_where=_CHOSEN,
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    pathway: Mapped[str] = mapped_column(String(32))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    recorded_by: Mapped[str] = mapped_column(String(100))
    left_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
