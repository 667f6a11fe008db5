"""How many who meet a requirement a place must have.

Revision ID: 0041
Revises: 0040
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

# The release before goes on: it has no such table.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)
_LIVE = sa.text("ended_at is null")
_OWN = "(select tracker_sees_all()) or employer_id = (select tracker_employer())"


def upgrade() -> None:
    """Create the table, of which an employer sees its own rows."""
    op.create_table(
        "staffing_minimum",
        sa.Column("id", _ID, nullable=False),
        sa.Column("employer_id", _ID, nullable=False),
        sa.Column("requirement_id", _ID, nullable=False),
        sa.Column("site", sa.String(100), nullable=False),
        sa.Column("department", sa.String(100), nullable=False),
        sa.Column("shift", sa.String(32), nullable=False),
        sa.Column("least", sa.Integer(), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.CheckConstraint("least > 0", name="least"),
        sa.ForeignKeyConstraint(["employer_id"], ["employer.id"]),
        sa.ForeignKeyConstraint(["requirement_id"], ["job_requirement.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_staffing_minimum_live",
        "staffing_minimum",
        ["requirement_id", "site", "department", "shift"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_index("ix_staffing_minimum_employer", "staffing_minimum", ["employer_id", "id"])
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("alter table staffing_minimum enable row level security")
        connection.exec_driver_sql(f"create policy rows on staffing_minimum using ({_OWN})")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("staffing_minimum")
