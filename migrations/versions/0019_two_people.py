"""Two people for what hurts, reviewers, and the own records of those who work for the body.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# The release before goes on: it does not ask whose record it is, and one person revokes.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)
_OPEN = sa.text("state = 'open'")
_OLD_ROLES = "'holder', 'employer', 'staff', 'admin'"
_NEW_ROLES = "'holder', 'employer', 'reviewer', 'staff', 'admin'"
_OWN_RECORD = "fk_account_own_record_id_holder"


def upgrade() -> None:
    _own_records()
    _approvals()
    _roles(_NEW_ROLES)


def _own_records() -> None:
    """An account of the body names the record of the holder whose address it has, if one has it."""
    with op.batch_alter_table("account") as batch_op:
        batch_op.add_column(sa.Column("own_record_id", _ID, nullable=True))
        batch_op.create_foreign_key(op.f(_OWN_RECORD), "holder", ["own_record_id"], ["id"])
        batch_op.create_check_constraint(
            op.f("ck_account_own_record"),
            "own_record_id is null or role not in ('holder', 'employer')",
        )
    for email in ("email", "second_email"):
        theirs = (
            f"from holder where lower(holder.{email}) = account.email_key"
            f" and holder.{email}_confirmed"
        )
        op.execute(
            f"update account set own_record_id = (select holder.id {theirs})"  # noqa: S608 - no value is given
            " where role in ('staff', 'admin') and own_record_id is null"
            f" and deactivated_at is null and (select count(*) {theirs}) = 1"
        )


def _approvals() -> None:
    op.create_table(
        "approval",
        sa.Column("id", _ID, nullable=False),
        sa.Column("act", sa.String(16), nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("subject_id", _ID, nullable=False),
        sa.Column("what", sa.JSON(), nullable=False),
        sa.Column("preview", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(100), nullable=False),
        sa.Column("proposer_id", _ID, nullable=False),
        sa.Column("proposer_ids", sa.JSON(), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.String(100)),
        sa.Column("decider_id", _ID),
        sa.Column("decision_reason", sa.Text()),
        sa.Column("closed_at", _INSTANT),
        sa.Column("outcome_id", _ID),
        sa.CheckConstraint("act in ('revoke')", name="act"),
        sa.CheckConstraint(
            "state in ('open', 'approved', 'declined', 'withdrawn', 'expired')", name="state"
        ),
        sa.CheckConstraint(
            "(state = 'open') = (closed_at is null)"
            " and (state <> 'approved' or decider_id <> proposer_id)",
            name="two_people",
        ),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_approval_open",
        "approval",
        ["act", "subject_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("ix_approval_outcome", "approval", ["outcome_id"])
    op.create_table(
        "record_writer",
        sa.Column("subject_id", _ID, primary_key=True),
        sa.Column("person_id", _ID, primary_key=True),
    )


def _roles(roles: str) -> None:
    """The roles that a token, an account, an invitation and a proposal may have."""
    of_invitations = roles.removeprefix("'holder', ")
    for table, column, some in (
        ("token", "role", roles),
        ("account", "role", roles),
        ("invitation", "role", of_invitations),
        ("recovery", "proposer_role", roles),
    ):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_constraint(op.f(f"ck_{table}_{column}"), type_="check")
            batch_op.create_check_constraint(op.f(f"ck_{table}_{column}"), f"{column} in ({some})")


_WITHOUT_REVIEWERS = (
    """update login_session set ended_at = last_used_at where ended_at is null
    and account_id in (select id from account where role = 'reviewer')""",
    """update token set revoked_at = coalesce(revoked_at, recorded_at), role = 'staff'
    where role = 'reviewer'""",
    """update invitation set role = 'staff', withdrawn_at =
    case when accepted_at is null then coalesce(withdrawn_at, recorded_at) else withdrawn_at end
    where role = 'reviewer'""",
    """update account set deactivated_at = coalesce(deactivated_at, recorded_at), role = 'staff'
    where role = 'reviewer'""",
    "update recovery set proposer_role = 'staff' where proposer_role = 'reviewer'",
)
"""The release before does not know reviewers: what they can use ends, under the nearest role."""


def downgrade() -> None:
    for change in _WITHOUT_REVIEWERS:
        op.execute(sa.text(change))
    _roles(_OLD_ROLES)
    op.drop_table("record_writer")
    op.drop_table("approval")
    with op.batch_alter_table("account") as batch_op:
        batch_op.drop_constraint(op.f("ck_account_own_record"), type_="check")
        batch_op.drop_constraint(op.f(_OWN_RECORD), type_="foreignkey")
        batch_op.drop_column("own_record_id")
