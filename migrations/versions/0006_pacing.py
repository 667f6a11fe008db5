"""How fast letters may go to a mail domain.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

import tracker.db

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_domain",
        sa.Column("domain", sa.String(254), nullable=False),
        sa.Column("full_at", tracker.db.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("domain", name="pk_mail_domain"),
    )


def downgrade() -> None:
    op.drop_table("mail_domain")
