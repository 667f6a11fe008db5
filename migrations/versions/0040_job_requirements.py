"""Requirements of employers, looks at who is cleared, consents that cover other credentials.

Revision ID: 0040
Revises: 0039
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

# The release before goes on: it has no requirements, and writes no such look.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)
_LIVE = sa.text("ended_at is null")
_LOOKS = "'list', 'worker', 'file', 'numbers', 'digest'"
_OWN = "(select tracker_sees_all()) or employer_id = (select tracker_employer())"
_HOLDER = "(select tracker_sees_all()) or holder_id = (select tracker_holder())"
_SHARES = (
    f"{_HOLDER} or exists (select from sharing where sharing.holder_id = other_credential.holder_id"
    " and sharing.employer_id = (select tracker_employer()) and sharing.ended_at is null)"
)
_POLICIES = (
    "alter table job_requirement enable row level security",
    f"create policy rows on job_requirement using ({_OWN})",
    "drop policy rows on other_credential",
    f"create policy reads on other_credential for select using ({_SHARES})",
    f"create policy adds on other_credential for insert with check ({_HOLDER})",
    f"create policy changes on other_credential for update using ({_HOLDER})",
    f"create policy deletes on other_credential for delete using ({_HOLDER})",
)
_FORMER_POLICIES = (
    *(f"drop policy {name} on other_credential" for name in ("reads", "adds", "changes")),
    "drop policy deletes on other_credential",
    f"create policy rows on other_credential using ({_HOLDER})",
)
_COVERED = (("sharing", "with_credentials"), ("roster_entry", "asks_credentials"))


def upgrade() -> None:
    """Create the table, which an employer sees its own rows of, and allow the kinds of looks."""
    op.create_table(
        "job_requirement",
        sa.Column("id", _ID, nullable=False),
        sa.Column("employer_id", _ID, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("needs", sa.JSON(), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind in ('role', 'line', 'task')", name="kind"),
        sa.ForeignKeyConstraint(["employer_id"], ["employer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_job_requirement_live",
        "job_requirement",
        ["employer_id", "name"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_index("ix_job_requirement_employer", "job_requirement", ["employer_id", "id"])
    _allow(f"{_LOOKS}, 'clearance', 'gate_list'")
    for table, name in _COVERED:
        column: sa.Column[bool] = sa.Column(
            name, sa.Boolean(), nullable=False, server_default=sa.false()
        )
        op.add_column(table, column)
    _run(_POLICIES)


def _run(policies: tuple[str, ...]) -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in policies:
            connection.exec_driver_sql(statement)


def _allow(kinds: str) -> None:
    with op.batch_alter_table("employer_look") as batch_op:
        batch_op.drop_constraint(op.f("ck_employer_look_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_employer_look_kind"), f"kind in ({kinds})")


def downgrade() -> None:
    """Drop the table, the columns, and the looks that the release before does not know."""
    _run(_FORMER_POLICIES)
    for table, name in _COVERED:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column(name)
    op.execute(
        sa.text(
            "delete from worker_seen where look_id in (select id from employer_look"
            " where kind in ('clearance', 'gate_list'))"
        )
    )
    op.execute(sa.text("delete from employer_look where kind in ('clearance', 'gate_list')"))
    _allow(_LOOKS)
    op.drop_table("job_requirement")
