"""Reviews that somebody has open."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant


class OpenReview(Base, kw_only=True):
    """A person who has opened the review of an activity or an application, and until when.

    One row for each subject, also after its end, until it is decided or opened again.
    """

    __tablename__ = "open_review"
    __table_args__ = (CheckConstraint("ends_at > taken_at", name="ends_at"),)

    subject_id: Mapped[str] = mapped_column(Id, primary_key=True)
    reviewer_id: Mapped[str] = mapped_column(Id)
    reviewer: Mapped[str] = mapped_column(String(100))
    taken_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
