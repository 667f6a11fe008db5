"""Employers nudge, providers answer, holders show their modules; the last run of each job.

Revision ID: 0039
Revises: 0038
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

# The release before goes on: it nudges nobody, notes no runs, and its providers answer nothing.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_OLD_NOTICES = (
    "'award', 'award_corrected', 'award_withdrawn', 'activity_decided', 'activity_reopened',"
    " 'renewal_decided', 'renewal_reopened', 'appeal_decided', 'suspended', 'reinstated',"
    " 'revoked', 'adjusted', 'consent_asked', 'listed', 'employer_renamed', 'employment_ended',"
    " 'request_decided', 'activity_submitted', 'renewal_received', 'appeal_received',"
    " 'records_merged', 'module_certificate', 'credential_expires', 'attendance', 'audit_asked',"
    " 'audit_decided', 'audit_appealed', 'fee_changed', 'permission_given'"
)
_EMPLOYER = "(select tracker_sees_all()) or employer_id = (select tracker_employer())"
_READS = (
    "(select tracker_sees_all()) or holder_id = (select tracker_holder())"
    " or employer_id = (select tracker_employer())"
)
_OF_HOLDER = "holder_id = (select tracker_holder())"
_OF_PROVIDER = "exists (select from course where course.id = discrepancy.course_id)"
_POLICIES = (
    "alter table employer_nudge enable row level security",
    f"create policy reads on employer_nudge for select using ({_READS})",
    f"create policy adds on employer_nudge for insert with check ({_EMPLOYER})",
    f"create policy changes on employer_nudge for update using ({_EMPLOYER})",
    f"create policy deletes on employer_nudge for delete using ({_EMPLOYER})",
)


def upgrade() -> None:
    """Allow the notice, create both tables, and add the columns."""
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
    _add_answers()
    op.add_column(
        "holder",
        sa.Column("shows_modules", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in (*_POLICIES, *_answers(f"{_OF_HOLDER} or {_OF_PROVIDER}")):
            connection.exec_driver_sql(statement)


def _add_answers() -> None:
    with op.batch_alter_table("discrepancy") as batch_op:
        batch_op.add_column(sa.Column("answer", sa.String(16)))
        batch_op.add_column(sa.Column("answer_note", sa.Text()))
        batch_op.add_column(sa.Column("answered_by", sa.String(100)))
        batch_op.add_column(sa.Column("answered_at", sa.DateTime(timezone=True)))
        batch_op.create_check_constraint(
            op.f("ck_discrepancy_answer"), "answer in ('list_right', 'list_wrong')"
        )
        batch_op.create_check_constraint(
            op.f("ck_discrepancy_answered"),
            "(answer is null) = (answered_at is null) and (answer is null) = (answered_by is null)",
        )


def _answers(seen: str) -> tuple[str, str]:
    """Let those see a discrepancy whom the condition names."""
    return (
        "drop policy rows on discrepancy",
        f"create policy rows on discrepancy using ((select tracker_sees_all()) or {seen})",
    )


def _allow(kinds: str) -> None:
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_constraint(op.f("ck_notice_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_notice_kind"), f"kind in ({kinds})")


def downgrade() -> None:
    """Drop the tables, the notices, the answers and what holders show."""
    op.drop_column("holder", "shows_modules")
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in _answers(_OF_HOLDER):
            connection.exec_driver_sql(statement)
    with op.batch_alter_table("discrepancy") as batch_op:
        batch_op.drop_constraint(op.f("ck_discrepancy_answered"), type_="check")
        batch_op.drop_constraint(op.f("ck_discrepancy_answer"), type_="check")
        for column in ("answer", "answer_note", "answered_by", "answered_at"):
            batch_op.drop_column(column)
    op.drop_table("job_run")
    op.drop_table("employer_nudge")
    op.execute(sa.text("delete from notice where kind = 'employer_nudge'"))
    _allow(_OLD_NOTICES)
