"""Fees of denied applications and of appeals, and notices of what becomes of a fee.

Revision ID: 0033
Revises: 0032
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

# The release before goes on: it owes nobody a refund, and has no such notices.
kind = "expand"

_OLD_NOTICES = (
    "'award', 'award_corrected', 'award_withdrawn', 'activity_decided', 'activity_reopened',"
    " 'renewal_decided', 'renewal_reopened', 'appeal_decided', 'suspended', 'reinstated',"
    " 'revoked', 'adjusted', 'consent_asked', 'listed', 'employer_renamed', 'employment_ended',"
    " 'request_decided', 'activity_submitted', 'renewal_received', 'appeal_received',"
    " 'records_merged', 'module_certificate', 'credential_expires', 'attendance', 'audit_asked',"
    " 'audit_decided', 'audit_appealed'"
)


def upgrade() -> None:
    """Add the columns, and allow the notice."""
    with op.batch_alter_table("fee") as batch_op:
        batch_op.add_column(
            sa.Column("refund_due", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.create_check_constraint(
            op.f("ck_fee_refund_due"), "state = 'paid' or not refund_due"
        )
    with op.batch_alter_table("appeal") as batch_op:
        batch_op.add_column(sa.Column("fee_id", sa.Uuid(as_uuid=False)))
        batch_op.create_foreign_key(op.f("fk_appeal_fee_id_fee"), "fee", ["fee_id"], ["id"])
    op.create_index(op.f("ix_appeal_fee_id"), "appeal", ["fee_id"])
    _notices(f"{_OLD_NOTICES}, 'fee_changed'")


def _notices(kinds: str) -> None:
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_constraint(op.f("ck_notice_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_notice_kind"), f"kind in ({kinds})")


def downgrade() -> None:
    """Drop the columns, and the notices."""
    op.execute(sa.text("delete from notice where kind = 'fee_changed'"))
    _notices(_OLD_NOTICES)
    op.drop_index(op.f("ix_appeal_fee_id"), "appeal")
    with op.batch_alter_table("appeal") as batch_op:
        batch_op.drop_constraint(op.f("fk_appeal_fee_id_fee"), type_="foreignkey")
        batch_op.drop_column("fee_id")
    with op.batch_alter_table("fee") as batch_op:
        batch_op.drop_constraint(op.f("ck_fee_refund_due"), type_="check")
        batch_op.drop_column("refund_due")
