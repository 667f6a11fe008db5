"""Runs of the scheduler's jobs: the last one of each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Instant


class JobRun(Base, kw_only=True):
    """The last run of a job that a scheduler noted; ``error`` is the kind of its failure, if any.

    ``every_seconds`` is the interval by the settings of that scheduler.
    """

    __tablename__ = "job_run"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    ended_at: Mapped[datetime] = mapped_column(Instant)
    took_ms: Mapped[int] = mapped_column(BigInteger)
    every_seconds: Mapped[int]
    error: Mapped[str | None] = mapped_column(String(100))
