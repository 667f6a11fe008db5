"""Merged records of one person, and pairs of records that may be of one person.

Revision ID: 0026
Revises: 0025
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# The release before goes on: it shows a merged record as one that has nothing.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)
_NEW = ("likely_duplicate", "record_merge", "merged_row")
_MERGED = sa.text("merged_into_id is not null")
_IN_FORCE = sa.text("undone_at is null")
_UNSETTLED = sa.text("settled_at is null")
_OLD_ACTS, _NEW_ACTS = "'revoke'", "'revoke', 'merge'"
_OLD_NOTICES = (
    "'award', 'award_corrected', 'award_withdrawn', 'activity_decided', 'activity_reopened',"
    " 'renewal_decided', 'renewal_reopened', 'appeal_decided', 'suspended', 'reinstated',"
    " 'revoked', 'adjusted', 'consent_asked', 'listed', 'employer_renamed', 'employment_ended',"
    " 'request_decided', 'activity_submitted', 'renewal_received', 'appeal_received'"
)
_NEW_NOTICES = f"{_OLD_NOTICES}, 'records_merged'"
_CERTIFICATION = "merged_into_id is null or (merged_into_id <> id and withdrawn_at is not null)"


def upgrade() -> None:
    """Create the tables, and let a record or an award lead to another one."""
    _likely_duplicates()
    _merges()
    for table, condition in (
        ("holder", "merged_into_id is null or merged_into_id <> id"),
        ("certification", _CERTIFICATION),
    ):
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(sa.Column("merged_into_id", _ID))
            name = op.f(f"fk_{table}_merged_into_id_{table}")
            batch_op.create_foreign_key(name, table, ["merged_into_id"], ["id"])
            batch_op.create_check_constraint(op.f(f"ck_{table}_merged"), condition)
    op.create_index(
        "ix_holder_merged_into",
        "holder",
        ["merged_into_id"],
        sqlite_where=_MERGED,
        postgresql_where=_MERGED,
    )
    op.create_index("ix_holder_second_email", "holder", ["second_email"])
    op.create_index("ix_roster_entry_employee_id", "roster_entry", ["employee_id"])
    _lists(_NEW_ACTS, _NEW_NOTICES)
    if op.get_bind().dialect.name == "postgresql":
        for table in _NEW:
            op.execute(f"alter table {table} enable row level security")
            op.execute(f"create policy rows on {table} using ((select tracker_sees_all()))")


def _likely_duplicates() -> None:
    op.create_table(
        "likely_duplicate",
        sa.Column("id", _ID, nullable=False),
        sa.Column("first_id", _ID, nullable=False),
        sa.Column("second_id", _ID, nullable=False),
        sa.Column("signs", sa.JSON(), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("settled_at", _INSTANT),
        sa.Column("settled_by", sa.String(100)),
        sa.Column("settled_reason", sa.Text()),
        sa.CheckConstraint("first_id < second_id", name="order"),
        sa.CheckConstraint("(settled_at is null) = (settled_by is null)", name="settled"),
        sa.ForeignKeyConstraint(["first_id"], ["holder.id"]),
        sa.ForeignKeyConstraint(["second_id"], ["holder.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("first_id", "second_id"),
    )
    op.create_index("ix_likely_duplicate_second", "likely_duplicate", ["second_id"])
    op.create_index(
        "ix_likely_duplicate_unsettled",
        "likely_duplicate",
        ["id"],
        sqlite_where=_UNSETTLED,
        postgresql_where=_UNSETTLED,
    )


def _merges() -> None:
    op.create_table(
        "record_merge",
        sa.Column("id", _ID, nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("merged_id", _ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("seals", sa.JSON(), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(100), nullable=False),
        sa.Column("undone_at", _INSTANT),
        sa.Column("undone_by", sa.String(100)),
        sa.Column("undone_reason", sa.Text()),
        sa.CheckConstraint("holder_id <> merged_id", name="two_records"),
        sa.CheckConstraint("(undone_at is null) = (undone_by is null)", name="undone"),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.ForeignKeyConstraint(["merged_id"], ["holder.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_record_merge_holder", "record_merge", ["holder_id", "id"])
    op.create_index(
        "uq_record_merge_merged",
        "record_merge",
        ["merged_id"],
        unique=True,
        sqlite_where=_IN_FORCE,
        postgresql_where=_IN_FORCE,
    )
    op.create_table(
        "merged_row",
        sa.Column("id", _ID, nullable=False),
        sa.Column("merge_id", _ID, nullable=False),
        sa.Column("table_name", sa.String(32), nullable=False),
        sa.Column("key", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        sa.CheckConstraint("before is not null or after is not null", name="something"),
        sa.ForeignKeyConstraint(["merge_id"], ["record_merge.id"], ondelete="cascade"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_merged_row_merge", "merged_row", ["merge_id", "id"])


def _lists(acts: str, notices: str) -> None:
    """The acts that need two people, and the kinds of notices."""
    for table, column, some in (("approval", "act", acts), ("notice", "kind", notices)):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_constraint(op.f(f"ck_{table}_{column}"), type_="check")
            batch_op.create_check_constraint(op.f(f"ck_{table}_{column}"), f"{column} in ({some})")


_WITHOUT_MERGES = (
    "delete from approval where act = 'merge'",
    "delete from notice where kind = 'records_merged'",
)
"""The release before knows neither; what was merged stays together."""


def downgrade() -> None:
    """Forget which records were merged; what they had stays with the record that it went to."""
    for change in _WITHOUT_MERGES:
        op.execute(sa.text(change))
    _lists(_OLD_ACTS, _OLD_NOTICES)
    op.drop_index("ix_roster_entry_employee_id", "roster_entry")
    for name in ("merged_into", "second_email"):
        op.drop_index(f"ix_holder_{name}", "holder")
    for table in ("certification", "holder"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_constraint(op.f(f"ck_{table}_merged"), type_="check")
            name = op.f(f"fk_{table}_merged_into_id_{table}")
            batch_op.drop_constraint(name, type_="foreignkey")
            batch_op.drop_column("merged_into_id")
    for table in reversed(_NEW):
        op.drop_table(table)
