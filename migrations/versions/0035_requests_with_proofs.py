"""Requests of other kinds than a name, the files that prove them, and reason codes of denials.

Revision ID: 0035
Revises: 0033
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0033"
branch_labels = None
depends_on = None

# The release before goes on: it asks for names alone.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_DENIALS = ("renewal", "former_renewal_decision")
_NEW = "'correction', 'exemption', 'extension'"


def upgrade() -> None:
    """Allow the kinds, create the table with its policy, and add the columns."""
    _kinds(f"'name_change', {_NEW}")
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
    for table in _DENIALS:
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(sa.Column("reason_code", sa.String(32)))
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("alter table request_proof enable row level security")
        connection.exec_driver_sql(
            "create policy rows on request_proof using ((select tracker_sees_all())"
            " or exists (select from request where request.id = request_proof.request_id"
            " and request.holder_id = (select tracker_holder())))"
        )


def _kinds(kinds: str) -> None:
    with op.batch_alter_table("request") as batch_op:
        batch_op.drop_constraint(op.f("ck_request_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_request_kind"), f"kind in ({kinds})")


def downgrade() -> None:
    """Drop the columns, the table, and the requests of the other kinds."""
    for table in _DENIALS:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("reason_code")
    op.drop_table("request_proof")
    op.execute(sa.text("delete from request where kind <> 'name_change'"))
    _kinds("'name_change'")
