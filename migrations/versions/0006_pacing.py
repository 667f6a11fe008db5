"""How fast messages may go to a mail domain, and how many to a holder.

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
    op.drop_index("ix_message_holder", "message")
    op.create_index("ix_message_holder", "message", ["holder_id", "next_at"])


def downgrade() -> None:
    op.drop_index("ix_message_holder", "message")
    op.create_index("ix_message_holder", "message", ["holder_id"])
    op.drop_table("mail_domain")
