"""Employers nudge workers who share with them; schedulers note the last run of each job.

Revision ID: 0040
Revises: 0035
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0035"
branch_labels = None
depends_on = None

# The release before goes on: it nudges nobody, sends no such notice, and notes no runs.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_OLD_NOTICES = (
    "'award', 'award_corrected', 'award_withdrawn', 'activity_decided', 'activity_reopened',"
    " 'renewal_decided', 'renewal_reopened', 'appeal_decided', 'suspended', 'reinstated',"
    " 'revoked', 'adjusted', 'consent_asked', 'listed', 'employer_renamed', 'employment_ended',"
    " 'request_decided', 'activity_submitted', 'renewal_received', 'appeal_received',"
    " 'records_merged', 'module_certificate', 'credential_expires', 'attendance', 'audit_asked',"
    " 'audit_decided', 'audit_appealed', 'fee_changed'"
)
_EMPLOYER = "(select tracker_sees_all()) or employer_id = (select tracker_employer())"
_READS = (
    "(select tracker_sees_all()) or holder_id = (select tracker_holder())"
    " or employer_id = (select tracker_employer())"
)
_POLICIES = (
    "alter table employer_nudge enable row level security",
    f"create policy reads on employer_nudge for select using ({_READS})",
    f"create policy adds on employer_nudge for insert with check ({_EMPLOYER})",
    f"create policy changes on employer_nudge for update using ({_EMPLOYER})",
    f"create policy deletes on employer_nudge for delete using ({_EMPLOYER})",
)


def upgrade() -> None:
    """Allow the notice, and create both tables."""
    _allow(f"{_OLD_NOTICES}, 'employer_nudge'")
    op.create_table(
        "employer_nudge",
        sa.Column("id", _ID, nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("employer_id", _ID, nullable=False),
        sa.Column("scheme", sa.String(32), nullable=False),
        sa.Column("nudged_on", sa.Date(), nullable=False),
        sa.Column("nudged_by", sa.String(100), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.ForeignKeyConstraint(["employer_id"], ["employer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("holder_id", "employer_id"),
    )
    op.create_index("ix_employer_nudge_employer_id", "employer_nudge", ["employer_id"])
    op.create_table(
        "job_run",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("took_ms", sa.BigInteger(), nullable=False),
        sa.Column("every_seconds", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(100)),
        sa.PrimaryKeyConstraint("name"),
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in _POLICIES:
            connection.exec_driver_sql(statement)


def _allow(kinds: str) -> None:
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_constraint(op.f("ck_notice_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_notice_kind"), f"kind in ({kinds})")


def downgrade() -> None:
    """Drop the tables and the notices."""
    op.drop_table("job_run")
    op.drop_table("employer_nudge")
    op.execute(sa.text("delete from notice where kind = 'employer_nudge'"))
    _allow(_OLD_NOTICES)
