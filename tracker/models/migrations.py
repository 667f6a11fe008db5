"""Migrations that were run, recorded for older releases that do not know them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base


class AppliedMigration(Base, kw_only=True):
    """A migration that was run, recorded as it runs (``migrations/env.py``).

    ``kind`` is ``expand`` if the release before it also works with the new schema, ``contract`` if
    it does not.
    """

    __tablename__ = "applied_migration"
    __table_args__ = (CheckConstraint("kind in ('expand', 'contract')", name="kind"),)

    revision: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
