"""What people are found by is made again: apostrophes of any kind part words by now.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from tracker.domain.names import FoldedName, searchable

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

kind = "expand"  # the release before finds people by either text

_BATCH = 1000
_ID = sa.Uuid(as_uuid=False)
_HOLDER = sa.table(
    "holder",
    sa.column("id", _ID),
    sa.column("given_name"),
    sa.column("family_name"),
    sa.column("folded_name"),
)
_FORMER = sa.table(
    "former_name",
    sa.column("id", _ID),
    sa.column("holder_id", _ID),
    sa.column("given_name"),
    sa.column("family_name"),
)


def upgrade() -> None:
    """Write the texts that differ from those of today, a batch of people at a time."""
    last = ""
    while rows := _batch(last):
        former = _former([row.id for row in rows])
        asked = [row for row in rows if any(map(_may_differ, (_name(row), *former[row.id])))]
        found = [(row, searchable(_name(row), former[row.id])) for row in asked]
        _write([{"of": row.id, "text": text} for row, text in found if text != row.folded_name])
        last = rows[-1].id


def _batch(last: str) -> Sequence[Any]:
    page = sa.select(_HOLDER).order_by(_HOLDER.c.id).limit(_BATCH)
    return op.get_bind().execute(page.where(_HOLDER.c.id > last) if last else page).fetchall()


def _former(holder_ids: Sequence[str]) -> dict[str, list[FoldedName]]:
    """Give people's former names, the newest first."""
    named = sa.select(_FORMER).where(_FORMER.c.holder_id.in_(holder_ids))
    found: dict[str, list[FoldedName]] = defaultdict(list)
    for row in op.get_bind().execute(named.order_by(_FORMER.c.id.desc())):
        found[row.holder_id].append(_name(row))
    return found


def _name(row: Any) -> FoldedName:
    return FoldedName(row.given_name, row.family_name)


def _may_differ(name: FoldedName) -> bool:
    """Whether a name holds a sign that was folded otherwise; of ASCII there is one."""
    written = name.given + name.family
    return not written.isascii() or "`" in written


def _write(texts: Sequence[dict[str, str]]) -> None:
    write = sa.update(_HOLDER).where(_HOLDER.c.id == sa.bindparam("of"))
    if texts:
        op.get_bind().execute(write.values(folded_name=sa.bindparam("text")), texts)


def downgrade() -> None:
    """Nothing: a text is made again with the next change of the name."""
