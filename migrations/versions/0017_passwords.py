"""Employers, staff and administrators sign in: passwords, second factors, invitations.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# The release before goes on: it knows sessions and mailed codes only. What it writes has the
# defaults, which therefore stay.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)
_LIVING = sa.text("deactivated_at is null")
_OPEN_OF_EMPLOYER = sa.text("accepted_at is null and withdrawn_at is null")
_OPEN = sa.text("accepted_at is null and withdrawn_at is null and employer_id is null")


def upgrade() -> None:
    _extend_accounts()
    op.create_table(
        "password_hash",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("hash", sa.String(200), nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("account_id"),
    )
    op.create_table(
        "authenticator",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("seed", sa.String(80), nullable=False),
        sa.Column("last_counter", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("account_id"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", _ID, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("used_at", _INSTANT),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index("ix_recovery_code_account", "recovery_code", ["account_id"])
    _invitations()
    _recoveries()
    op.add_column("token", sa.Column("maker_person_id", _ID, nullable=True))
    with op.batch_alter_table("sign_in") as batch_op:
        batch_op.add_column(
            sa.Column("purpose", sa.String(16), nullable=False, server_default="code")
        )
        batch_op.create_check_constraint(
            op.f("ck_sign_in_purpose"), "purpose in ('code', 'reset', 'factor')"
        )
    op.add_column("login_session", sa.Column("proved_at", _INSTANT, nullable=True))


def _extend_accounts() -> None:
    """Those of employers that there are may do everything, as they could before."""
    with op.batch_alter_table("account") as batch_op:
        batch_op.add_column(sa.Column("email_key", sa.String(254), nullable=True))
        batch_op.add_column(sa.Column("access", sa.String(16), nullable=True))
        batch_op.add_column(sa.Column("language", sa.String(8), nullable=True))
        batch_op.add_column(sa.Column("deactivated_at", _INSTANT, nullable=True))
    op.execute("update account set email_key = lower(email) where role <> 'holder'")
    op.execute("update account set access = 'manage' where role = 'employer'")
    with op.batch_alter_table("account") as batch_op:
        batch_op.create_check_constraint(op.f("ck_account_access"), "access in ('view', 'manage')")
        batch_op.create_check_constraint(
            op.f("ck_account_sign_in"),
            "(role = 'employer') = (access is not null)"
            " and (role = 'holder') = (email_key is null)",
        )
    op.create_index(
        "uq_account_email_key",
        "account",
        ["email_key"],
        unique=True,
        sqlite_where=_LIVING,
        postgresql_where=_LIVING,
    )


def _invitations() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", _ID, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("access", sa.String(16)),
        sa.Column("employer_id", _ID),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("email_key", sa.String(254), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("invited_by", sa.String(100), nullable=False),
        sa.Column("inviter_id", _ID),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("sent_at", _INSTANT, nullable=False),
        sa.Column("sendings", sa.Integer(), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("accepted_at", _INSTANT),
        sa.Column("withdrawn_at", _INSTANT),
        sa.Column("account_id", _ID),
        sa.CheckConstraint("role in ('employer', 'staff', 'admin')", name="role"),
        sa.CheckConstraint("access in ('view', 'manage')", name="access"),
        sa.CheckConstraint(
            "(role = 'employer') = (employer_id is not null)"
            " and (role = 'employer') = (access is not null)"
            " and (accepted_at is null) = (account_id is null)",
            name="subject",
        ),
        sa.ForeignKeyConstraint(["employer_id"], ["employer.id"]),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for name, columns, where in (
        ("uq_invitation_open_of_employer", ["employer_id", "email_key"], _OPEN_OF_EMPLOYER),
        ("uq_invitation_open", ["email_key"], _OPEN),
    ):
        op.create_index(
            name, "invitation", columns, unique=True, sqlite_where=where, postgresql_where=where
        )


def _recoveries() -> None:
    op.create_table(
        "recovery",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("account_id", _ID),
        sa.Column("holder_id", _ID),
        sa.Column("email", sa.String(254)),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(100), nullable=False),
        sa.Column("proposer_id", _ID, nullable=False),
        sa.Column("proposer_role", sa.String(16), nullable=False),
        sa.Column("proposer_above", sa.JSON(), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.String(100)),
        sa.Column("decider_id", _ID),
        sa.Column("decision_reason", sa.Text()),
        sa.Column("decided_at", _INSTANT),
        sa.CheckConstraint("kind in ('second_factor', 'address')", name="kind"),
        sa.CheckConstraint("state in ('proposed', 'approved', 'refused')", name="state"),
        sa.CheckConstraint(
            "proposer_role in ('holder', 'employer', 'staff', 'admin')", name="proposer_role"
        ),
        sa.CheckConstraint(
            "(kind = 'address') = (holder_id is not null)"
            " and (kind = 'address') = (email is not null)"
            " and (kind = 'second_factor') = (account_id is not null)",
            name="subject",
        ),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_at is null)"
            " and (state <> 'approved' or decider_id <> proposer_id)",
            name="two_people",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for subject in ("account", "holder"):
        where = sa.text(f"state = 'proposed' and {subject}_id is not null")
        op.create_index(
            f"uq_recovery_of_{subject}",
            "recovery",
            [f"{subject}_id"],
            unique=True,
            sqlite_where=where,
            postgresql_where=where,
        )


def downgrade() -> None:
    # The release before cannot write messages of this kind: neither to send nor to show them.
    op.execute(
        sa.text(
            "update message set state = 'cancelled', finished_at = created_at,"
            " lease_until = null, owner = null"
            " where kind = 'account' and state not in ('sent', 'dead', 'cancelled')"
        )
    )
    op.execute(sa.text("update message set facts = null where kind = 'account'"))
    # It would take what waits for a second factor or a new password for a mailed code.
    op.execute(sa.text("delete from sign_in where purpose <> 'code'"))
    # And it knows nobody who may only look, or who was deactivated.
    op.execute(
        sa.text(
            "update login_session set ended_at = last_used_at where ended_at is null and account_id"
            " in (select id from account where access = 'view' or deactivated_at is not null)"
        )
    )
    op.drop_column("login_session", "proved_at")
    with op.batch_alter_table("sign_in") as batch_op:
        batch_op.drop_constraint(op.f("ck_sign_in_purpose"), type_="check")
        batch_op.drop_column("purpose")
    op.drop_column("token", "maker_person_id")
    op.drop_table("recovery")
    op.drop_table("invitation")
    op.drop_table("recovery_code")
    op.drop_table("authenticator")
    op.drop_table("password_hash")
    op.drop_index("uq_account_email_key", "account")
    with op.batch_alter_table("account") as batch_op:
        batch_op.drop_constraint(op.f("ck_account_sign_in"), type_="check")
        batch_op.drop_constraint(op.f("ck_account_access"), type_="check")
        for name in ("deactivated_at", "language", "access", "email_key"):
            batch_op.drop_column(name)
