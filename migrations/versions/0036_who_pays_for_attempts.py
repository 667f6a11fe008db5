"""An attempt may be paid for by several sources, and has a fee.

Revision ID: 0036
Revises: 0035
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

# The release before goes on: its attempts have one source and no fee, and it sees no others.
kind = "expand"

_SOURCES = ("assessment", "center_result")
_FK = "fk_assessment_fee_id_fee"


def upgrade() -> None:
    """Add the sources beside the first, and the fee; attempts on record have none."""
    for table in _SOURCES:
        column = sa.Column(
            "more_funding", sa.JSON(), nullable=False, server_default=sa.text("'[]'")
        )
        op.add_column(table, column)
    with op.batch_alter_table("assessment") as batch_op:
        batch_op.add_column(sa.Column("fee_id", sa.Uuid(as_uuid=False)))
        batch_op.create_foreign_key(op.f(_FK), "fee", ["fee_id"], ["id"])
    op.create_index(op.f("ix_assessment_fee_id"), "assessment", ["fee_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index(op.f("ix_assessment_fee_id"), "assessment")
    with op.batch_alter_table("assessment") as batch_op:
        batch_op.drop_constraint(op.f(_FK), type_="foreignkey")
        batch_op.drop_column("fee_id")
    for table in _SOURCES:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("more_funding")
