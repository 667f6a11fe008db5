"""The words by which staff find people, in a table with an index of their beginnings.

Revision ID: 0035
Revises: 0034
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from tracker.domain.names import words

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

kind = "contract"  # the release before records people without their words

_BATCH = 1000
_ID = sa.Uuid(as_uuid=False)
_FOLDED = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
_HOLDER = sa.table(
    "holder",
    sa.column("id", _ID),
    sa.column("folded_name"),
    sa.column("email"),
    sa.column("second_email"),
    sa.column("merged_into_id", _ID),
    sa.column("erased_at"),
)
_WORD = sa.table("holder_word", sa.column("holder_id", _ID), sa.column("word", sa.Text()))
_FROM_ARRAYS = sa.text(
    "insert into holder_word (holder_id, word)"
    " select * from unnest(cast(:ids as uuid[]), cast(:words as text[]))"
)
_SEES = "(select tracker_sees_all()) or holder_id = (select tracker_holder())"
_POLICIES = (
    "alter table holder_word enable row level security",
    f"create policy rows on holder_word using ({_SEES})",
)


def upgrade() -> None:
    """Create the table and fill it from names and addresses; the index is made once it is full."""
    op.create_table(
        "holder_word",
        sa.Column("holder_id", _ID, nullable=False),
        sa.Column("word", _FOLDED, nullable=False),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"]),
        sa.PrimaryKeyConstraint("holder_id", "word"),
        sqlite_with_rowid=False,
    )
    last = ""
    while people := _batch(last):
        _write(people)
        last = people[-1].id
    op.create_index("ix_holder_word_word", "holder_word", ["word", "holder_id"])
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in _POLICIES:
            connection.exec_driver_sql(statement)


def _batch(last: str) -> Sequence[Any]:
    page = sa.select(_HOLDER).order_by(_HOLDER.c.id).limit(_BATCH)
    page = page.where(_HOLDER.c.merged_into_id.is_(None), _HOLDER.c.erased_at.is_(None))
    return op.get_bind().execute(page.where(_HOLDER.c.id > last) if last else page).fetchall()


def _write(people: Sequence[Any]) -> None:
    rows = [
        (person.id, word)
        for person in people
        for word in words(person.folded_name, (person.email, person.second_email))
    ]
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        ids, found = zip(*rows, strict=True)
        connection.execute(_FROM_ARRAYS, {"ids": [*ids], "words": [*found]})
        return
    connection.execute(sa.insert(_WORD), [{"holder_id": i, "word": word} for i, word in rows])


def downgrade() -> None:
    """Drop the table: everything in it follows from names and addresses."""
    op.drop_table("holder_word")
