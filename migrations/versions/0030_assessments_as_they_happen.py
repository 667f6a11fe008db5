"""Centers have codes and send results; attempts say who was there, and who paid how much.

Revision ID: 0030
Revises: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import tracker.db

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# The release before goes on: it leaves the new columns empty and knows no results that wait.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)
_LIVE = sa.text("state <> 'sent_back'")
_INDEXES = (
    ("uq_center_result_ref", ["center_id", "ref"], _LIVE),
    ("uq_center_result_attempt", ["holder_id", "center_id", "scheme", "module", "taken_on"], _LIVE),
    ("ix_center_result_state", ["state", "id"], None),
    ("ix_center_result_upload", ["upload_id"], None),
    ("uq_center_result_assessment", ["assessment_id"], None),
)


def _said() -> list[sa.Column[object]]:
    """What both an attempt and a result of a center say."""
    return [
        sa.Column("edition", sa.String(32)),
        sa.Column("proctor", sa.String(200)),
        sa.Column("instructor", sa.String(200)),
        sa.Column("amount", tracker.db.AmountColumn(precision=8, scale=2)),
        sa.Column("funding_reference", sa.String(100)),
    ]


def upgrade() -> None:
    """Add the columns and the table of results."""
    with op.batch_alter_table("center") as batch_op:
        batch_op.add_column(sa.Column("code", sa.String(32)))
        batch_op.add_column(
            sa.Column("enters_directly", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.create_unique_constraint(op.f("uq_center_code"), ["code"])
    with op.batch_alter_table("assessment") as batch_op:
        for column in _said():
            batch_op.add_column(column)
        batch_op.create_check_constraint(op.f("ck_assessment_proctor"), "proctor <> instructor")
        batch_op.create_check_constraint(op.f("ck_assessment_amount"), "amount >= 0")
    op.create_index("ix_assessment_center", "assessment", ["center_id", "id"])
    op.create_index("ix_assessment_taken", "assessment", ["taken_on"])
    _results()
    _run(_POLICIES)


def _results() -> None:
    op.create_table(
        "center_result",
        sa.Column("id", _ID, nullable=False),
        sa.Column("center_id", _ID, nullable=False),
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("upload_id", _ID),
        sa.Column("ref", tracker.db.Ref, nullable=False),
        sa.Column("scheme", sa.String(32), nullable=False),
        sa.Column("module", sa.String(32), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("score", tracker.db.AmountColumn(precision=8, scale=2)),
        sa.Column("delivery", sa.String(16)),
        *_said(),
        sa.Column("funding", sa.String(16)),
        sa.Column("override_reason", sa.Text()),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sent_at", _INSTANT, nullable=False),
        sa.Column("sent_by", sa.String(100), nullable=False),
        sa.Column("decided_at", _INSTANT),
        sa.Column("decided_by", sa.String(100)),
        sa.Column("reason", sa.Text()),
        sa.Column("assessment_id", _ID),
        sa.CheckConstraint("state in ('waiting', 'accepted', 'sent_back')", name="state"),
        sa.CheckConstraint("proctor <> instructor", name="proctor"),
        sa.CheckConstraint("amount >= 0", name="amount"),
        sa.CheckConstraint(
            "(state = 'waiting') = (decided_at is null)"
            " and (state = 'sent_back') = (reason is not null)"
            " and (assessment_id is null or state = 'accepted')",
            name="decision",
        ),
        sa.ForeignKeyConstraint(["center_id"], ["center.id"]),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.ForeignKeyConstraint(["assessment_id"], ["assessment.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for name, columns, where in _INDEXES:
        op.create_index(
            name,
            "center_result",
            columns,
            unique=name.startswith("uq_"),
            sqlite_where=where,
            postgresql_where=where,
        )


def _run(statements: str) -> None:
    """Run SQL of PostgreSQL; SQLite has no policies."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in statements.split(";\n"):
            connection.exec_driver_sql(statement)


_POLICIES = """
drop policy reads on assessment;
create policy reads on assessment for select using ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()) or exists (select from sharing where sharing.holder_id =
    assessment.holder_id and sharing.employer_id = (select tracker_employer()) and
    sharing.ended_at is null) or center_id = (select tracker_center()));
alter table center_result enable row level security;
create policy reads on center_result for select using ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()) or center_id = (select tracker_center()));
create policy adds on center_result for insert with check ((select tracker_sees_all()) or
    center_id = (select tracker_center()));
create policy changes on center_result for update using ((select tracker_sees_all()) or
    center_id = (select tracker_center()));
create policy deletes on center_result for delete using ((select tracker_sees_all()) or
    center_id = (select tracker_center()))
"""
_OLD_POLICIES = """
drop policy reads on assessment;
create policy reads on assessment for select using ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()) or exists (select from sharing where sharing.holder_id =
    assessment.holder_id and sharing.employer_id = (select tracker_employer()) and
    sharing.ended_at is null))
"""


def downgrade() -> None:
    """Drop the columns and the table."""
    _run(_OLD_POLICIES)
    op.drop_table("center_result")
    op.drop_index("ix_assessment_taken", "assessment")
    op.drop_index("ix_assessment_center", "assessment")
    with op.batch_alter_table("assessment") as batch_op:
        batch_op.drop_constraint(op.f("ck_assessment_amount"), type_="check")
        batch_op.drop_constraint(op.f("ck_assessment_proctor"), type_="check")
        for column in _said():
            batch_op.drop_column(column.name)
    with op.batch_alter_table("center") as batch_op:
        batch_op.drop_constraint(op.f("uq_center_code"), type_="unique")
        batch_op.drop_column("enters_directly")
        batch_op.drop_column("code")
