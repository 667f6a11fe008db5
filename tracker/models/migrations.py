"""Migrations that were run here: what a release that does not know them asks about them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base


class AppliedMigration(Base, kw_only=True):
    """A migration that was run.

    ``kind`` is ``expand`` where the release before it works on the new schema too, and
    ``contract`` where it does not. Written as the migration runs (``migrations/env.py``).
    """

    __tablename__ = "applied_migration"
    __table_args__ = (CheckConstraint("kind in ('expand', 'contract')", name="kind"),)

    revision: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
