"""People on record, before certification too."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, Ref, new_id


class Holder(Base, kw_only=True):
    """A person. ``ref`` is the key that files know them by; without one it is the id."""

    __tablename__ = "holder"
    __table_args__ = (
        CheckConstraint("language in ('en', 'es')", name="language"),
        Index("ix_holder_name", "family_name", "given_name", "id"),
        Index("ix_holder_email", "email"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    ref: Mapped[str] = mapped_column(Ref, unique=True)
    given_name: Mapped[str] = mapped_column(String(100))
    family_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    second_email: Mapped[str | None] = mapped_column(String(254), default=None)
    language: Mapped[str] = mapped_column(String(2), default="en")
    time_zone: Mapped[str] = mapped_column(String(64), default="America/New_York")
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form
