"""The rules language: what claims may state, and until when a late title may be claimed.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("activity") as batch_op:
        batch_op.add_column(sa.Column("unit", sa.String(32), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("role", sa.String(32), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("tags", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(
            sa.Column("duty", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("activity_decision") as batch_op:
        batch_op.add_column(
            sa.Column("provider_approved", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("standing_span") as batch_op:
        batch_op.add_column(sa.Column("title_ends_on", sa.Date(), nullable=True))
    op.execute("update standing_span set title_ends_on = grace_ends_on where valid_in_grace")
    with op.batch_alter_table("standing_span") as batch_op:
        batch_op.drop_column("valid_in_grace")


def downgrade() -> None:
    with op.batch_alter_table("standing_span") as batch_op:
        batch_op.add_column(
            sa.Column("valid_in_grace", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.execute("update standing_span set valid_in_grace = true where title_ends_on is not null")
    with op.batch_alter_table("standing_span") as batch_op:
        batch_op.drop_column("title_ends_on")
    with op.batch_alter_table("activity_decision") as batch_op:
        batch_op.drop_column("provider_approved")
    with op.batch_alter_table("activity") as batch_op:
        for name in ("duty", "tags", "role", "unit"):
            batch_op.drop_column(name)
