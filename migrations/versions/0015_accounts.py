"""People sign in: accounts, attempts to sign in, sessions; answers kept for sessions too.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

kind = "expand"  # the release before knows none of it, and keeps answers for tokens as it did

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)
_WAITS = sa.text("identifier is not null")


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", _ID, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("email", sa.String(254)),
        sa.Column("name", sa.String(100)),
        sa.Column("holder_id", _ID),
        sa.Column("employer_id", _ID),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.CheckConstraint("role in ('holder', 'employer', 'staff', 'admin')", name="role"),
        sa.CheckConstraint(
            "(role = 'holder') = (holder_id is not null)"
            " and (role = 'employer') = (employer_id is not null)"
            " and (role = 'holder' or (name is not null and email is not null))",
            name="subject",
        ),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.ForeignKeyConstraint(["employer_id"], ["employer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("holder_id"),
    )
    op.create_table(
        "sign_in",
        sa.Column("id", _ID, nullable=False),
        sa.Column("digest", sa.String(64)),
        sa.Column("identifier", sa.String(254)),
        sa.Column("holder_id", _ID),
        sa.Column("account_id", _ID),
        sa.Column("email", sa.String(254)),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("used_at", _INSTANT),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index(
        "ix_sign_in_waits",
        "sign_in",
        ["recorded_at"],
        sqlite_where=_WAITS,
        postgresql_where=_WAITS,
    )
    op.create_index("ix_sign_in_expires_at", "sign_in", ["expires_at"])
    op.create_table(
        "login_session",
        sa.Column("id", _ID, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("agent", sa.String(200), nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("last_used_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index("ix_login_session_account", "login_session", ["account_id", "id"])
    with op.batch_alter_table("idempotency_key") as batch_op:
        batch_op.add_column(sa.Column("session_id", _ID, nullable=True))
        batch_op.alter_column("token_id", existing_type=_ID, nullable=True)
        batch_op.create_foreign_key(
            "fk_idempotency_key_session_id_login_session", "login_session", ["session_id"], ["id"]
        )
        batch_op.create_unique_constraint(
            "uq_idempotency_key_session_id_key", ["session_id", "key"]
        )


def downgrade() -> None:
    # The release before cannot write messages of this kind: neither to send nor to show them.
    op.execute(
        sa.text(
            "update message set state = 'cancelled', finished_at = created_at,"
            " lease_until = null, owner = null"
            " where kind = 'sign_in' and state not in ('sent', 'dead', 'cancelled')"
        )
    )
    op.execute(sa.text("update message set facts = null where kind = 'sign_in'"))
    op.execute(sa.text("delete from idempotency_key where token_id is null"))
    with op.batch_alter_table("idempotency_key") as batch_op:
        batch_op.drop_constraint("uq_idempotency_key_session_id_key", type_="unique")
        batch_op.drop_constraint("fk_idempotency_key_session_id_login_session", type_="foreignkey")
        batch_op.alter_column("token_id", existing_type=_ID, nullable=False)
        batch_op.drop_column("session_id")
    op.drop_table("login_session")
    op.drop_table("sign_in")
    op.drop_table("account")
