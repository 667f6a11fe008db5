"""Employers confirm months of employment, and permit work while a renewal is decided.

Revision ID: 0038
Revises: 0037
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

# The release before goes on: it has no such tables, and trusts no employer.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)
_SEEN = (
    "(select tracker_sees_all()) or holder_id = (select tracker_holder())"
    " or employer_id = (select tracker_employer())"
)
_TABLES = ("employment_confirmation", "work_permission")
_LIVE = sa.text("withdrawn_at is null")
_KINDS = (
    "'award', 'award_corrected', 'award_withdrawn', 'activity_decided', 'activity_reopened',"
    " 'renewal_decided', 'renewal_reopened', 'appeal_decided', 'suspended', 'reinstated',"
    " 'revoked', 'adjusted', 'consent_asked', 'listed', 'employer_renamed', 'employment_ended',"
    " 'request_decided', 'activity_submitted', 'renewal_received', 'appeal_received',"
    " 'records_merged', 'module_certificate', 'credential_expires', 'attendance', 'audit_asked',"
    " 'audit_decided', 'audit_appealed', 'fee_changed'"
)


def upgrade() -> None:
    """Create the tables, and say which employers are trusted: none yet."""
    trusted: sa.Column[bool] = sa.Column(
        "confirms_directly", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("employer", trusted)
    _create_confirmations()
    _create_permissions()
    _allow(f"{_KINDS}, 'permission_given'")
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for table in _TABLES:
            connection.exec_driver_sql(f"alter table {table} enable row level security")
            connection.exec_driver_sql(f"create policy rows on {table} using ({_SEEN})")


def _create_confirmations() -> None:
    op.create_table(
        "employment_confirmation",
        sa.Column("id", _ID, nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("employer_id", _ID, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("signed_by", sa.String(100), nullable=False),
        sa.Column("decisions", sa.JSON(), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("contested_at", _INSTANT),
        sa.Column("contest", sa.Text()),
        sa.Column("withdrawn_at", _INSTANT),
        sa.Column("withdrawn_by", sa.String(100)),
        sa.Column("withdrawn_reason", sa.Text()),
        sa.CheckConstraint("starts_on <= ends_on", name="order"),
        sa.CheckConstraint("(contested_at is null) = (contest is null)", name="contest"),
        sa.CheckConstraint(
            "(withdrawn_at is null) = (withdrawn_reason is null)"
            " and (withdrawn_at is null) = (withdrawn_by is null)",
            name="withdrawn",
        ),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.ForeignKeyConstraint(["employer_id"], ["employer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_employment_confirmation_year",
        "employment_confirmation",
        ["holder_id", "employer_id", "year"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_index(
        "ix_employment_confirmation_employer", "employment_confirmation", ["employer_id", "id"]
    )


def _create_permissions() -> None:
    op.create_table(
        "work_permission",
        sa.Column("id", _ID, nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("employer_id", _ID, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("given_by", sa.String(100), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("ended_by", sa.String(100)),
        sa.Column("end_reason", sa.Text()),
        sa.CheckConstraint("starts_on <= ends_on", name="order"),
        sa.CheckConstraint(
            "(ended_at is null) = (end_reason is null) and (ended_at is null) = (ended_by is null)",
            name="ended",
        ),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.ForeignKeyConstraint(["employer_id"], ["employer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_work_permission_holder", "work_permission", ["holder_id", "id"])
    op.create_index("ix_work_permission_employer", "work_permission", ["employer_id", "id"])


def _allow(kinds: str) -> None:
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_constraint(op.f("ck_notice_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_notice_kind"), f"kind in ({kinds})")


def downgrade() -> None:
    """Drop what was added; notices about it go first."""
    op.execute(sa.text("delete from notice where kind = 'permission_given'"))
    _allow(_KINDS)
    for table in _TABLES:
        op.drop_table(table)
    with op.batch_alter_table("employer") as batch_op:
        batch_op.drop_column("confirms_directly")
