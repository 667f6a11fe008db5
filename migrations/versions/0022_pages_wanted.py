"""The page that somebody asked for before signing in, which the mailed link opens.

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# The release before goes on: its links open the account.
kind = "expand"


def upgrade() -> None:
    """Add the column."""
    op.add_column("sign_in", sa.Column("wanted", sa.String(500)))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("sign_in", "wanted")
