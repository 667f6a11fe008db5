"""Looks: when an employer saw workers who share with it.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# The release before goes on, and records no looks.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)


def upgrade() -> None:
    """Create the tables of looks and of the holders whom they saw."""
    op.create_table(
        "employer_look",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("employer_id", _ID, sa.ForeignKey("employer.id"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("scheme", sa.String(32), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("credential_id", _ID),
        sa.Column("workers", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind in ('list', 'worker', 'file')", name="kind"),
    )
    op.create_index("ix_employer_look_employer", "employer_look", ["employer_id", "id"])
    op.create_table(
        "worker_seen",
        sa.Column("holder_id", _ID, sa.ForeignKey("holder.id"), primary_key=True),
        sa.Column(
            "look_id", _ID, sa.ForeignKey("employer_look.id", ondelete="cascade"), primary_key=True
        ),
    )
    op.create_index("ix_worker_seen_look_id", "worker_seen", ["look_id"])


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("worker_seen")
    op.drop_table("employer_look")
