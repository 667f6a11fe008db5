"""Sending: enabled by somebody, held for what no calendar foresaw.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("volume")
    with op.batch_alter_table("runtime") as batch_op:
        batch_op.add_column(sa.Column("beats", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("unforeseen_on", sa.Date(), nullable=True))
        batch_op.add_column(
            sa.Column("unforeseen", sa.Integer(), nullable=False, server_default="0")
        )
    with op.batch_alter_table("runtime") as batch_op:
        batch_op.alter_column("beats", server_default=None)
        batch_op.alter_column("unforeseen", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("runtime") as batch_op:
        batch_op.drop_column("unforeseen")
        batch_op.drop_column("unforeseen_on")
        batch_op.drop_column("beats")
    op.create_table(
        "volume",
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("on_day", name=op.f("pk_volume")),
    )
