"""An attempt may be paid for by several sources.

Revision ID: 0037
Revises: 0035
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0035"
branch_labels = None
depends_on = None

# The release before goes on: what it writes has one source, and it does not see the others.
kind = "expand"

_TABLES = ("assessment", "center_result")


def upgrade() -> None:
    """Add the sources beside the first; attempts on record have none."""
    for table in _TABLES:
        column = sa.Column(
            "more_funding", sa.JSON(), nullable=False, server_default=sa.text("'[]'")
        )
        op.add_column(table, column)


def downgrade() -> None:
    """Drop them."""
    for table in _TABLES:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("more_funding")
