"""How often something was done within a period, for the request limits."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Instant


class Usage(Base, kw_only=True):
    """How often something was done since an instant; ``key`` does not reveal who did it."""

    __tablename__ = "usage"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    began_at: Mapped[datetime] = mapped_column(Instant, index=True)
    count: Mapped[int]
