"""More ways to sign in: passkeys, identity providers, passwords of holders.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# The release before goes on: it asks for attempts by their purpose, and knows nothing of the rest.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "passkey",
        sa.Column("id", _ID, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("credential_id", sa.String(1364), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("last_used_at", _INSTANT),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("credential_id"),
    )
    op.create_index("ix_passkey_account", "passkey", ["account_id", "id"])
    op.create_table(
        "provider_identity",
        sa.Column("id", _ID, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("last_used_at", _INSTANT),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("issuer", "subject"),
        sa.UniqueConstraint("account_id", "issuer"),
    )
    with op.batch_alter_table("password_hash") as batch_op:
        batch_op.add_column(sa.Column("email_key", sa.String(254)))
        batch_op.create_unique_constraint(op.f("uq_password_hash_email_key"), ["email_key"])
    _allow_purposes("'code', 'reset', 'factor', 'passkey', 'provider'")


def _allow_purposes(purposes: str) -> None:
    with op.batch_alter_table("sign_in") as batch_op:
        batch_op.drop_constraint(op.f("ck_sign_in_purpose"), type_="check")
        batch_op.create_check_constraint(op.f("ck_sign_in_purpose"), f"purpose in ({purposes})")


def downgrade() -> None:
    # The release before lets nobody in by these, and a passkey alone was somebody's second factor:
    # their next sign-in with a password sets up an app.
    op.execute(sa.text("delete from sign_in where purpose in ('passkey', 'provider')"))
    _allow_purposes("'code', 'reset', 'factor'")
    with op.batch_alter_table("password_hash") as batch_op:
        batch_op.drop_constraint(op.f("uq_password_hash_email_key"), type_="unique")
        batch_op.drop_column("email_key")
    op.drop_table("provider_identity")
    op.drop_table("passkey")
