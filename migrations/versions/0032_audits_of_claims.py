"""Audits of claims: each draw, and what became of every activity that it drew.

Revision ID: 0032
Revises: 0031
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import tracker.db

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

# The release before goes on: it draws nothing, and has no such notices.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)
_AMOUNT = tracker.db.AmountColumn(precision=8, scale=2)
_OPEN = "state in ('answered', 'asked')"
_OLD_NOTICES = (
    "'award', 'award_corrected', 'award_withdrawn', 'activity_decided', 'activity_reopened',"
    " 'renewal_decided', 'renewal_reopened', 'appeal_decided', 'suspended', 'reinstated',"
    " 'revoked', 'adjusted', 'consent_asked', 'listed', 'employer_renamed', 'employment_ended',"
    " 'request_decided', 'activity_submitted', 'renewal_received', 'appeal_received',"
    " 'records_merged', 'module_certificate', 'credential_expires', 'attendance'"
)
_NEW_NOTICES = "'audit_asked', 'audit_decided', 'audit_appealed'"
_POLICIES = (
    "alter table claim_audit enable row level security",
    "create policy rows on claim_audit using ((select tracker_sees_all()))",
    "alter table audit_item enable row level security",
    (
        "create policy rows on audit_item using ((select tracker_sees_all())"
        " or holder_id = (select tracker_holder()))"
    ),
)


def upgrade() -> None:
    """Create the tables with their policies, and allow the notices."""
    _create_audit()
    _create_item()
    _notices(f"{_OLD_NOTICES}, {_NEW_NOTICES}")
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in _POLICIES:
            connection.exec_driver_sql(statement)


def _notices(kinds: str) -> None:
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_constraint(op.f("ck_notice_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_notice_kind"), f"kind in ({kinds})")


def _create_audit() -> None:
    op.create_table(
        "claim_audit",
        sa.Column("id", _ID, nullable=False),
        sa.Column("scheme", sa.String(32), nullable=False),
        sa.Column("basis", sa.String(16), nullable=False),
        sa.Column("unit", sa.String(16), nullable=False),
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("drawn_on", sa.Date(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("cycle", sa.Integer()),
        sa.Column("percent", _AMOUNT),
        sa.Column("flag", sa.String(32)),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("population_digest", sa.String(64), nullable=False),
        sa.Column("candidates", sa.JSON(none_as_null=True)),
        sa.Column("reply_days", sa.Integer(), nullable=False),
        sa.Column("no_answer", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("drawn_by", sa.String(100), nullable=False),
        sa.Column("drawn_by_id", _ID),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.CheckConstraint("basis in ('share', 'flag', 'hand')", name="basis"),
        sa.CheckConstraint("unit in ('activity', 'holder')", name="unit"),
        sa.CheckConstraint("no_answer in ('remind', 'reject')", name="no_answer"),
        sa.CheckConstraint("percent > 0", name="percent"),
        sa.CheckConstraint("(basis = 'hand') = (percent is null)", name="share"),
        sa.CheckConstraint("(basis = 'flag') = (flag is not null)", name="flag"),
        sa.CheckConstraint("from_on <= until_on", name="days"),
        sa.CheckConstraint("reply_days > 0", name="reply_days"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("scheme", "seed", "drawn_on"),
    )


def _create_item() -> None:
    op.create_table(
        "audit_item",
        sa.Column("id", _ID, nullable=False),
        sa.Column("audit_id", _ID, nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("activity_id", _ID, nullable=False),
        sa.Column("decision_id", _ID, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("answered_at", _INSTANT),
        sa.Column("points", _AMOUNT),
        sa.Column("points_before", _AMOUNT),
        sa.Column("points_after", _AMOUNT),
        sa.Column("reason_code", sa.String(32)),
        sa.Column("reason", sa.Text()),
        sa.Column("decided_at", _INSTANT),
        sa.Column("decided_by", sa.String(100)),
        sa.Column("decided_by_id", _ID),
        sa.Column("appeal", sa.Text()),
        sa.Column("appealed_on", sa.Date()),
        sa.Column("appeal_due_on", sa.Date()),
        sa.Column("appeal_decided_at", _INSTANT),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state in ('asked', 'answered', 'confirmed', 'reduced', 'rejected', 'called_off')",
            name="state",
        ),
        sa.CheckConstraint(f"(decided_at is not null) = (not ({_OPEN}))", name="decided"),
        sa.CheckConstraint("(answer is null) = (answered_at is null)", name="answered"),
        sa.CheckConstraint("(state = 'reduced') = (points is not null)", name="points"),
        sa.CheckConstraint("points >= 0", name="points_floor"),
        sa.CheckConstraint(
            "state not in ('reduced', 'rejected') or reason_code is not null", name="reason_code"
        ),
        sa.CheckConstraint("(points_before is null) = (points_after is null)", name="effect"),
        sa.CheckConstraint("(appealed_on is null) = (appeal_due_on is null)", name="appeal"),
        sa.CheckConstraint(
            "appealed_on is not null or appeal_decided_at is null", name="appeal_decided"
        ),
        sa.ForeignKeyConstraint(["audit_id"], ["claim_audit.id"]),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("audit_id", "activity_id"),
    )
    op.create_index(
        "uq_audit_item_open",
        "audit_item",
        ["activity_id"],
        unique=True,
        sqlite_where=sa.text(_OPEN),
        postgresql_where=sa.text(_OPEN),
    )
    op.create_index("ix_audit_item_audit", "audit_item", ["audit_id", "id"])
    op.create_index("ix_audit_item_activity", "audit_item", ["activity_id", "id"])
    op.create_index("ix_audit_item_holder", "audit_item", ["holder_id", "id"])
    op.create_index("ix_audit_item_state", "audit_item", ["state", "due_on", "id"])


def downgrade() -> None:
    """Drop the tables, and the notices about their rows."""
    op.execute(
        sa.text(
            "delete from notice where kind in ('audit_asked', 'audit_decided', 'audit_appealed')"
        )
    )
    _notices(_OLD_NOTICES)
    op.drop_table("audit_item")
    op.drop_table("claim_audit")
