"""Policy versions that were published, each with a digest of what it said then.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

import tracker.db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "policy_publication",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("scheme", sa.String(length=32), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("published_by", sa.String(length=100), nullable=False),
        sa.Column("published_at", tracker.db.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_publication")),
        sa.UniqueConstraint("scheme", "version", name=op.f("uq_policy_publication_scheme_version")),
    )


def downgrade() -> None:
    op.drop_table("policy_publication")
