"""Addresses of domains beyond ASCII are kept in one form.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.domain import emails

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Suppressions are found by the address alone, so one that is kept in both forms is one.
_ADDRESSES = {
    "holder": ("email", "second_email"),
    "employer": ("email",),
    "roster_entry": ("given_email",),
    "digest_order": ("address",),
    "bounce": ("address",),
    "suppression": ("address",),
}


def upgrade() -> None:
    """Write domains that stand in their ASCII form as they are kept from now on."""
    for name, columns in _ADDRESSES.items():
        for column in columns:
            _settle(sa.table(name, sa.column(column)), column)


def _settle(table: sa.TableClause, name: str) -> None:
    connection, column = op.get_bind(), table.c[name]
    encoded = sa.select(column).where(sa.func.lower(column).like("%xn--%")).distinct()
    for address in connection.execute(encoded).scalars().all():
        kept = emails.kept(address)
        if kept == address:
            continue
        held = connection.execute(sa.select(column).where(column == kept)).first()
        change: sa.Delete | sa.Update = sa.update(table).values({name: kept})
        if table.name == "suppression" and held is not None:
            change = sa.delete(table)
        connection.execute(change.where(column == address))


def downgrade() -> None:
    """Nothing: either form is read."""
