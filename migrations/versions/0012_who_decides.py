"""Tokens know who made them and who uses them; decisions know the person, not the name alone.

Revision ID: 0012
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.Uuid(as_uuid=False)
_DECISIONS = ("activity_decision", "former_renewal_decision", "renewal", "standing_change")


def upgrade() -> None:
    _tokens()
    for table in _DECISIONS:
        op.add_column(table, sa.Column("decided_by_id", _ID, nullable=True))


def _tokens() -> None:
    """Every token on record is a person of its own; who made it was not written down."""
    with op.batch_alter_table("token") as batch_op:
        batch_op.add_column(sa.Column("maker_id", _ID, nullable=True))
        batch_op.add_column(sa.Column("person_id", _ID, nullable=True))
        batch_op.add_column(
            sa.Column("made_by_holders", sa.JSON(), nullable=False, server_default="[]")
        )
        batch_op.create_foreign_key(op.f("fk_token_maker_id_token"), "token", ["maker_id"], ["id"])
    op.execute("update token set person_id = id")
    with op.batch_alter_table("token") as batch_op:
        batch_op.alter_column("person_id", existing_type=_ID, nullable=False)
        batch_op.alter_column("made_by_holders", existing_type=sa.JSON(), server_default=None)
    op.create_index("ix_token_maker", "token", ["maker_id"])


def downgrade() -> None:
    op.drop_index("ix_token_maker", "token")
    with op.batch_alter_table("token") as batch_op:
        batch_op.drop_constraint(op.f("fk_token_maker_id_token"), type_="foreignkey")
        batch_op.drop_column("made_by_holders")
        batch_op.drop_column("person_id")
        batch_op.drop_column("maker_id")
    for table in reversed(_DECISIONS):
        op.drop_column(table, "decided_by_id")
