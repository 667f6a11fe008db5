"""Notices to holders about decisions and other events."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of
from tracker.domain.delivery.notices import NoticeKind

LONGEST_EVENT = 64


class Notice(Base, kw_only=True):
    """An event that a holder is told by message, once.

    ``subject_id`` is the record it is about, such as a certification, activity, renewal or
    employer; ``event`` distinguishes events of one kind about the same record (the decision's id,
    the day).
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("holder_id", "kind", "subject_id", "event"),
        Index("ix_notice_message_id", "message_id"),
        one_of("kind", NoticeKind),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    kind: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(Id)
    event: Mapped[str] = mapped_column(String(LONGEST_EVENT))
    message_id: Mapped[str] = mapped_column(Id)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
