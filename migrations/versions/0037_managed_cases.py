"""People whose attempts a case manager follows, if they agree.

Revision ID: 0037
Revises: 0036
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

# The release before goes on: it has no such table.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)
_OWN = "(select tracker_sees_all()) or holder_id = (select tracker_holder())"
_SHARED = (
    "sponsor_id = (select tracker_sponsor()) and consented_at is not null"
    " and consent_ended_at is null"
)
_POLICIES = (
    "alter table managed_case enable row level security",
    f"create policy reads on managed_case for select using ({_OWN} or {_SHARED})",
    f"create policy adds on managed_case for insert with check ({_OWN})",
    f"create policy changes on managed_case for update using ({_OWN})",
    f"create policy deletes on managed_case for delete using ({_OWN})",
)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "managed_case",
        sa.Column("id", _ID, nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("sponsor_id", _ID, nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(100), nullable=False),
        sa.Column("consented_at", _INSTANT),
        sa.Column("consent_ended_at", _INSTANT),
        sa.CheckConstraint("consent_ended_at is null or consented_at is not null", name="consent"),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.ForeignKeyConstraint(["sponsor_id"], ["sponsor.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("holder_id", "sponsor_id"),
    )
    op.create_index("ix_managed_case_sponsor", "managed_case", ["sponsor_id", "holder_id"])
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in _POLICIES:
            connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("managed_case")
