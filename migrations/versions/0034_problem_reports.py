"""What visitors of public pages report to be wrong.

Revision ID: 0034
Revises: 0033
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

# The release before goes on: it has no such table.
kind = "expand"

_INSTANT = sa.DateTime(timezone=True)
_OPEN = sa.text("closed_at is null")
_POLICIES = (
    "alter table problem_report enable row level security",
    "create policy reads on problem_report for select using ((select tracker_sees_all()))",
    "create policy adds on problem_report for insert with check (true)",
    "create policy changes on problem_report for update using ((select tracker_sees_all()))",
    "create policy deletes on problem_report for delete using ((select tracker_sees_all()))",
)


def upgrade() -> None:
    """Create the table; staff read it, and anybody adds to it."""
    op.create_table(
        "problem_report",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("about", sa.String(200), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("closed_at", _INSTANT),
        sa.Column("closed_by", sa.String(100)),
        sa.CheckConstraint("(closed_at is null) = (closed_by is null)", name="closed"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_problem_report_open",
        "problem_report",
        ["id"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in _POLICIES:
            connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("problem_report")
