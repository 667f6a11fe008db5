"""Reviews that somebody has open, and how long holders wait for decisions.

Revision ID: 0025
Revises: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# The release before goes on: it decides without asking who has a review open.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_OLD_NOTICES = (
    "'award', 'award_corrected', 'award_withdrawn', 'activity_decided', 'activity_reopened', "
    "'renewal_decided', 'renewal_reopened', 'appeal_decided', 'suspended', 'reinstated', "
    "'revoked', 'adjusted', 'consent_asked', 'listed', 'employer_renamed', 'employment_ended', "
    "'request_decided'"
)
_RECEIVED = "'activity_submitted', 'renewal_received', 'appeal_received'"
_WAITED = sa.text("waited_days is not null and undone_at is null")


def upgrade() -> None:
    """Create the table and its policy, add columns and notices. Earlier decisions have no wait."""
    op.create_table(
        "open_review",
        sa.Column("subject_id", _ID, nullable=False),
        sa.Column("reviewer_id", _ID, nullable=False),
        sa.Column("reviewer", sa.String(100), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > taken_at", name=op.f("ck_open_review_ends_at")),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_open_review")),
    )
    op.add_column("activity", sa.Column("wait_from", sa.Date()))
    with op.batch_alter_table("activity_decision") as batch_op:
        batch_op.add_column(sa.Column("waited_days", sa.Integer()))
        batch_op.create_check_constraint(
            op.f("ck_activity_decision_waited_days"), "waited_days >= 0"
        )
    op.create_index(
        "ix_activity_decision_waited",
        "activity_decision",
        ["decided_on"],
        sqlite_where=_WAITED,
        postgresql_where=_WAITED,
    )
    _kinds_of_notices(f"{_OLD_NOTICES}, {_RECEIVED}")
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in _POLICY:
            connection.exec_driver_sql(statement)


def _kinds_of_notices(kinds: str) -> None:
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_constraint(op.f("ck_notice_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_notice_kind"), f"kind in ({kinds})")


_POLICY = (
    "alter table open_review enable row level security",
    "create policy rows on open_review using ((select tracker_sees_all()))",
)


def downgrade() -> None:
    """Drop them, and the notices of kinds that the release before does not know."""
    op.execute(f"delete from notice where kind in ({_RECEIVED})")  # noqa: S608 - no value is given
    _kinds_of_notices(_OLD_NOTICES)
    op.drop_index("ix_activity_decision_waited", "activity_decision")
    with op.batch_alter_table("activity_decision") as batch_op:
        batch_op.drop_constraint(op.f("ck_activity_decision_waited_days"), type_="check")
        batch_op.drop_column("waited_days")
    op.drop_column("activity", "wait_from")
    op.drop_table("open_review")
