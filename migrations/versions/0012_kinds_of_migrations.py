"""Which migrations were run, and whether the release before them can go on with the schema.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

kind = "expand"


def upgrade() -> None:
    op.create_table(
        "applied_migration",
        sa.Column("revision", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.CheckConstraint("kind in ('expand', 'contract')", name="kind"),
        sa.PrimaryKeyConstraint("revision", name="pk_applied_migration"),
    )


def downgrade() -> None:
    op.drop_table("applied_migration")
