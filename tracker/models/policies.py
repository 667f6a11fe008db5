"""Policy versions that were published; what they say stands in the scheme files."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id


class PolicyPublication(Base, kw_only=True):
    """The act of publishing a version of a scheme's policy. Written, never changed.

    ``sha256`` is the digest of what it said (``domain/schemes/policy_versions.py``), by which a
    later edit of the file is noticed.
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
