"""Nobody edits the history unseen: a chain over it, triggers, and actors without names.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# The release before goes on writing, but no block covers its entries until `tracker history adopt`
# takes them in. What was there before is covered by the first blocks of the new release, since
# a migration does not know the key.
kind = "expand"

_ID = sa.Uuid(as_uuid=False)
_KEPT = ("history", "history_value", "history_block", "history_head")
_WHO = ("token_id", "account_id", "session_id", "request_id")
_FOUND_BY = ("token", "account")


def upgrade() -> None:
    _columns()
    _tables()
    _names_of_people()
    if op.get_bind().dialect.name == "postgresql":
        _triggers_of_postgresql()
    else:
        _triggers_of_sqlite()


def _columns() -> None:
    op.add_column("history", sa.Column("actor_role", sa.String(16), nullable=True))
    for name in _WHO:
        op.add_column("history", sa.Column(name, _ID, nullable=True))
    for name in _FOUND_BY:
        known = sa.text(f"{name}_id is not null")
        op.create_index(
            f"ix_history_{name}",
            "history",
            [f"{name}_id", "id"],
            sqlite_where=known,
            postgresql_where=known,
        )
    op.add_column("history_value", sa.Column("erased_by", sa.BigInteger(), nullable=True))


def _tables() -> None:
    op.create_table(
        "history_block",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("entries", sa.Text(), nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_table(
        "history_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chain", _ID, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name="single"),
        sa.PrimaryKeyConstraint("id"),
    )


def _names_of_people() -> None:
    """Names of holders who signed in leave the entries and become values that can be erased."""
    named = (
        "select substr(holder.given_name || ' ' || holder.family_name, 1, 100) as name,"
        " min(cast(holder.id as varchar(36))) as id"
        " from holder join account on account.holder_id = holder.id"
        " group by substr(holder.given_name || ' ' || holder.family_name, 1, 100)"
    )
    id_ = "person.id"
    if op.get_bind().dialect.name == "sqlite":  # which stores the id without hyphens
        parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        id_ = " || '-' || ".join(f"substr(person.id, {at}, {length})" for at, length in parts)
    op.execute(
        "insert into history_value (history_id, field, subject_id, before, after)"  # noqa: S608 - no value is given
        f" select history.id, 'actor', {id_}, null, history.actor"
        f" from history join ({named}) as person on person.name = history.actor"
    )
    op.execute(
        "update history set actor = 'holder', actor_role = 'holder' where id in"
        " (select history_id from history_value where field = 'actor')"
    )


_REFUSAL = "history is append-only"
_SAME = ("history_id", "field", "subject_id")
_ERASURE = (
    "{differ} or old.erased_by is not null or new.erased_by is null"
    " or new.before is not null or new.after is not null"
)


def _triggers_of_postgresql() -> None:
    op.execute(
        "create function history_is_kept() returns trigger language plpgsql as"
        f" $$ begin raise exception '{_REFUSAL}' using errcode = 'restrict_violation'; end $$"
    )
    for table in _KEPT:
        acts = "delete or truncate" if table in {"history_value", "history_head"} else _ALL
        op.execute(
            f"create trigger {table}_kept before {acts} on {table}"
            " for each statement execute function history_is_kept()"
        )
    for table, wrong in _UPDATES.items():
        op.execute(
            f"create trigger {table}_changed before update on {table}"
            f" for each row when ({wrong}) execute function history_is_kept()"
        )


_ALL = "update or delete or truncate"
_UPDATES = {
    "history_value": _ERASURE.format(differ=" or ".join(f"new.{n} <> old.{n}" for n in _SAME)),
    "history_head": "new.chain <> old.chain or new.sequence <= old.sequence",
}


def _triggers_of_sqlite() -> None:
    for table in _KEPT:
        _refuse_on_sqlite(f"{table}_kept", f"before delete on {table}")
        wrong = f" when {_UPDATES[table]}" if table in _UPDATES else ""
        _refuse_on_sqlite(f"{table}_changed", f"before update on {table}{wrong}")


def _refuse_on_sqlite(name: str, when: str) -> None:
    op.execute(f"create trigger {name} {when} begin select raise(abort, '{_REFUSAL}'); end")


def downgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for table in _KEPT:
        for name in (f"{table}_kept", f"{table}_changed"):
            on = f" on {table}" if is_postgresql else ""
            op.execute(f"drop trigger if exists {name}{on}")
    if is_postgresql:
        op.execute("drop function history_is_kept()")
    op.drop_table("history_head")
    op.drop_table("history_block")
    # The release before shows names where it wrote them.
    op.execute(
        "update history set actor = (select after from history_value"
        " where history_id = history.id and field = 'actor' and after is not null)"
        " where id in (select history_id from history_value"
        " where field = 'actor' and after is not null)"
    )
    op.execute("delete from history_value where field = 'actor'")
    op.drop_column("history_value", "erased_by")
    for name in _FOUND_BY:
        op.drop_index(f"ix_history_{name}", "history")
    for name in ("actor_role", *_WHO):
        op.drop_column("history", name)
