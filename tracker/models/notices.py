"""Letters beside the reminders: news of what happened, employers' digests, and who wants what."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id

NOTICE_KINDS = (
    "award", "award_corrected", "award_withdrawn", "activity_decided", "activity_reopened",
    "renewal_decided", "renewal_reopened", "appeal_decided", "suspended", "reinstated", "revoked",
    "adjusted", "consent_asked", "listed", "employer_renamed", "employment_ended",
    "request_decided",
)  # fmt: skip
LONGEST_EVENT = 64
LETTER_TYPES = ("reminders", "decisions")
_KINDS = ", ".join(f"'{kind}'" for kind in NOTICE_KINDS)
_TYPES = ", ".join(f"'{kind}'" for kind in LETTER_TYPES)


class Notice(Base, kw_only=True):
    """Something that a holder is to be told of by letter, once.

    ``subject_id`` is the certification, activity, renewal or employer it is about; ``event`` tells
    apart what happens to the same one again (the decision's id, the day).
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("holder_id", "kind", "subject_id", "event"),
        Index("ix_notice_message_id", "message_id"),
        CheckConstraint(f"kind in ({_KINDS})", name="kind"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    kind: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(Id)
    event: Mapped[str] = mapped_column(String(LONGEST_EVENT))
    message_id: Mapped[str] = mapped_column(Id)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class Preference(Base, kw_only=True):
    """Whether a holder wants a type of letter; without a row they do.

    ``reason`` says why staff set it in the holder's place; ``changed_by`` names whoever did.

    Letters about the account's own safety (revoked, suspended, consent asked) have no type here.
    """

    __tablename__ = "preference"
    __table_args__ = (CheckConstraint(f"type in ({_TYPES})", name="type"),)

    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"), primary_key=True)
    type: Mapped[str] = mapped_column(String(16), primary_key=True)
    wanted: Mapped[bool] = mapped_column(default=True)
    snoozed_until: Mapped[date | None] = mapped_column(default=None)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    changed_by: Mapped[str | None] = mapped_column(String(100), default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)


class DigestOrder(Base, kw_only=True):
    """How often an employer wants a digest, where and in which language; without a row, never.

    ``through_on`` is the last day that a digest has told of; null: none was written yet.
    """

    __tablename__ = "digest_order"
    __table_args__ = (
        CheckConstraint("every in ('week', 'month')", name="every"),
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
