"""Fees of denials and appeals, requests of other kinds than a name, and reason codes of denials.

Notices tell what becomes of a fee. Requests have files that prove them.

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

# The release before goes on: it refunds nothing, and its requests are for names.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_OLD_NOTICES = (
    "'award', 'award_corrected', 'award_withdrawn', 'activity_decided', 'activity_reopened',"
    " 'renewal_decided', 'renewal_reopened', 'appeal_decided', 'suspended', 'reinstated',"
    " 'revoked', 'adjusted', 'consent_asked', 'listed', 'employer_renamed', 'employment_ended',"
    " 'request_decided', 'activity_submitted', 'renewal_received', 'appeal_received',"
    " 'records_merged', 'module_certificate', 'credential_expires', 'attendance', 'audit_asked',"
    " 'audit_decided', 'audit_appealed'"
)
_DENIALS = ("renewal", "former_renewal_decision")


def upgrade() -> None:
    """Add the columns, allow the notice and the kinds, and create the table of proofs."""
    with op.batch_alter_table("fee") as batch_op:
        batch_op.add_column(
            sa.Column("refund_due", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.create_check_constraint(
            op.f("ck_fee_refund_due"), "state = 'paid' or not refund_due"
        )
    with op.batch_alter_table("appeal") as batch_op:
        batch_op.add_column(sa.Column("fee_id", _ID))
        batch_op.create_foreign_key(op.f("fk_appeal_fee_id_fee"), "fee", ["fee_id"], ["id"])
    op.create_index(op.f("ix_appeal_fee_id"), "appeal", ["fee_id"])
    for table in _DENIALS:
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(sa.Column("reason_code", sa.String(32)))
    _allow("notice", f"{_OLD_NOTICES}, 'fee_changed'")
    _allow("request", "'name_change', 'correction', 'exemption', 'extension'")
    _create_proofs()


def _allow(table: str, kinds: str) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_kind"), type_="check")
        batch_op.create_check_constraint(op.f(f"ck_{table}_kind"), f"kind in ({kinds})")


def _create_proofs() -> None:
    op.create_table(
        "request_proof",
        sa.Column("id", _ID, nullable=False),
        sa.Column("request_id", _ID, nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(200), nullable=False),
        sa.Column("content_type", sa.String(32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("uploaded_by", sa.String(100), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("slot >= 1", name="slot"),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_id", "slot"),
        sa.UniqueConstraint("key"),
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("alter table request_proof enable row level security")
        connection.exec_driver_sql(
            "create policy rows on request_proof using ((select tracker_sees_all())"
            " or exists (select from request where request.id = request_proof.request_id"
            " and request.holder_id = (select tracker_holder())))"
        )


def downgrade() -> None:
    """Drop the columns and the table, the notices, and the requests of the other kinds."""
    op.drop_table("request_proof")
    op.execute(sa.text("delete from request where kind <> 'name_change'"))
    _allow("request", "'name_change'")
    op.execute(sa.text("delete from notice where kind = 'fee_changed'"))
    _allow("notice", _OLD_NOTICES)
    for table in _DENIALS:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("reason_code")
    op.drop_index(op.f("ix_appeal_fee_id"), "appeal")
    with op.batch_alter_table("appeal") as batch_op:
        batch_op.drop_constraint(op.f("fk_appeal_fee_id_fee"), type_="foreignkey")
        batch_op.drop_column("fee_id")
    with op.batch_alter_table("fee") as batch_op:
        batch_op.drop_constraint(op.f("ck_fee_refund_due"), type_="check")
        batch_op.drop_column("refund_due")
