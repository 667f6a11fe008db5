"""The fees of applications to recertify, and what became of them.

Revision ID: 0031
Revises: 0030
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import tracker.db

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

# The release before goes on: its applications have no fee on record.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table of fees, and let applications refer to it."""
    op.create_table(
        "fee",
        sa.Column("id", _ID, nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("amount", tracker.db.AmountColumn(precision=8, scale=2), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("bundled", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(100)),
        sa.Column("reason", sa.Text()),
        sa.Column("employer_id", _ID),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.Column("changed_by", sa.String(100), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state in ('quoted', 'due', 'invoiced', 'paid', 'waived', 'refunded')", name="state"
        ),
        sa.CheckConstraint("amount >= 0", name="amount"),
        sa.CheckConstraint("(state = 'invoiced') = (employer_id is not null)", name="invoice"),
        sa.CheckConstraint(
            "state not in ('paid', 'refunded', 'invoiced') or reference is not null",
            name="reference",
        ),
        sa.CheckConstraint("state <> 'waived' or reason is not null", name="reason"),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.ForeignKeyConstraint(["employer_id"], ["employer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_fee_holder", "fee", ["holder_id", "id"])
    op.create_index("ix_fee_state", "fee", ["state", "id"])
    with op.batch_alter_table("renewal") as batch_op:
        batch_op.add_column(sa.Column("fee_id", _ID))
        batch_op.create_foreign_key(op.f("fk_renewal_fee_id_fee"), "fee", ["fee_id"], ["id"])
    op.create_index("ix_renewal_fee", "renewal", ["fee_id"])
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("alter table fee enable row level security")
        connection.exec_driver_sql(
            "create policy rows on fee using ((select tracker_sees_all())"
            " or holder_id = (select tracker_holder()))"
        )


def downgrade() -> None:
    """Drop the table, and what refers to it."""
    op.drop_index("ix_renewal_fee", "renewal")
    with op.batch_alter_table("renewal") as batch_op:
        batch_op.drop_constraint(op.f("fk_renewal_fee_id_fee"), type_="foreignkey")
        batch_op.drop_column("fee_id")
    op.drop_table("fee")
