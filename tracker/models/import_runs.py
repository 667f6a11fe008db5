"""Runs of imports."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id
from tracker.models.organizations import OfOrganization


class ImportRun(OfOrganization, Base, kw_only=True):
    """One run of an import: its counts, or the errors because of which nothing was stored.

    It names the organization whose person sent the file; none if that was staff.
    """

    __tablename__ = "import_run"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    kind: Mapped[str] = mapped_column(String(32))
    filename: Mapped[str] = mapped_column(String(200))
    dry_run: Mapped[bool]
    outcome: Mapped[str] = mapped_column(String(16))
    report: Mapped[dict[str, object]] = mapped_column(JSON)
    actor: Mapped[str] = mapped_column(String(100))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
