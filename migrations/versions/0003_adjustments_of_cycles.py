"""Adjustments of cycles: extensions and reduced requirements, one at a time or many at once.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

import tracker.db

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "adjustment_batch",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column(
            "ref",
            sa.String(length=64).with_variant(sa.VARCHAR(length=64, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("scheme", sa.String(length=32), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("extended", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.String(length=100), nullable=False),
        sa.Column("recorded_at", tracker.db.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustment_batch")),
        sa.UniqueConstraint("ref", name=op.f("uq_adjustment_batch_ref")),
    )
    op.create_table(
        "cycle_adjustment",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("certification_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("extended_to", sa.Date(), nullable=True),
        sa.Column("points_required", tracker.db.AmountColumn(precision=8, scale=2), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("reason_code", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("override_reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(length=100), nullable=False),
        sa.Column("batch_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("recorded_at", tracker.db.Instant(timezone=True), nullable=False),
        sa.CheckConstraint(
            "extended_to is not null or points_required is not null",
            name=op.f("ck_cycle_adjustment_something"),
        ),
        sa.CheckConstraint("points_required >= 0", name=op.f("ck_cycle_adjustment_points")),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["adjustment_batch.id"],
            name=op.f("fk_cycle_adjustment_batch_id_adjustment_batch"),
        ),
        sa.ForeignKeyConstraint(
            ["certification_id"],
            ["certification.id"],
            name=op.f("fk_cycle_adjustment_certification_id_certification"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycle_adjustment")),
        sa.UniqueConstraint(
            "batch_id",
            "certification_id",
            name=op.f("uq_cycle_adjustment_batch_id_certification_id"),
        ),
        sa.UniqueConstraint(
            "certification_id",
            "ordinal",
            "number",
            name=op.f("uq_cycle_adjustment_certification_id_ordinal_number"),
        ),
    )


def downgrade() -> None:
    op.drop_table("cycle_adjustment")
    op.drop_table("adjustment_batch")
