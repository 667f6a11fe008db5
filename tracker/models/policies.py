"""Published policy versions; their contents are in the scheme files."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id


class PolicyPublication(Base, kw_only=True):
    """The publication of a version of a scheme's policy. Append-only.

    ``sha256`` is the hash of its contents (``domain/schemes/policy_versions.py``), which reveals a
    later edit of the file.
    """

    __tablename__ = "policy_publication"
    __table_args__ = (UniqueConstraint("scheme", "version"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    scheme: Mapped[str] = mapped_column(String(32))
    version: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text)
    published_by: Mapped[str] = mapped_column(String(100))
    published_at: Mapped[datetime] = mapped_column(Instant)
