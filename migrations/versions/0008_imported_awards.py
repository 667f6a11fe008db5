"""Imported awards: certifications that a file puts on record, with their numbers and cycles.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import tracker.db
from tracker.domain import numbers

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.Uuid(as_uuid=False)
_INSTANT = tracker.db.Instant(timezone=True)
_IMPORTED = ("former_key", "edition", "source", "imported_at", "voided_at", "void_reason")


def upgrade() -> None:
    with op.batch_alter_table("certification") as batch_op:
        batch_op.add_column(sa.Column("number_key", sa.String(32), nullable=True))
        batch_op.add_column(sa.Column("former_key", sa.String(32), nullable=True))
        batch_op.add_column(sa.Column("edition", sa.String(64), nullable=True))
        batch_op.add_column(sa.Column("source", sa.String(200), nullable=True))
        batch_op.add_column(sa.Column("imported_at", _INSTANT, nullable=True))
        batch_op.add_column(sa.Column("voided_at", _INSTANT, nullable=True))
        batch_op.add_column(sa.Column("void_reason", sa.Text(), nullable=True))
    _write_keys()
    with op.batch_alter_table("certification") as batch_op:
        batch_op.alter_column("number_key", existing_type=sa.String(32), nullable=False)
        batch_op.create_unique_constraint(op.f("uq_certification_number_key"), ["number_key"])
        batch_op.create_unique_constraint(op.f("uq_certification_former_key"), ["former_key"])
        batch_op.create_check_constraint(
            op.f("ck_certification_voided"), "voided_at is null or imported_at is not null"
        )
    with op.batch_alter_table("cycle") as batch_op:
        batch_op.add_column(
            sa.Column("imported", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("cycle") as batch_op:
        batch_op.alter_column("imported", existing_type=sa.Boolean(), server_default=None)


def _write_keys() -> None:
    """Write the form in which numbers are compared; from now on whoever writes one gives it."""
    table = sa.table(
        "certification", sa.column("id", _ID), sa.column("number"), sa.column("number_key")
    )
    connection, last = op.get_bind(), ""
    write = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("of"))
        .values(number_key=sa.bindparam("key"))
    )
    page = sa.select(table.c.id, table.c.number).order_by(table.c.id)
    while rows := connection.execute(
        (page.where(table.c.id > last) if last else page).limit(1000)
    ).fetchall():
        connection.execute(write, [{"of": row.id, "key": numbers.key(row.number)} for row in rows])
        last = rows[-1].id


def downgrade() -> None:
    with op.batch_alter_table("cycle") as batch_op:
        batch_op.drop_column("imported")
    with op.batch_alter_table("certification") as batch_op:
        batch_op.drop_constraint(op.f("ck_certification_voided"), type_="check")
        batch_op.drop_constraint(op.f("uq_certification_former_key"), type_="unique")
        batch_op.drop_constraint(op.f("uq_certification_number_key"), type_="unique")
        for name in ("number_key", *_IMPORTED):
            batch_op.drop_column(name)
