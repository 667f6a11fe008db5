"""The history of changes, and the chain that shows whether anybody edited it.

Triggers (``migrations/versions/0016_a_chained_history.py``) refuse every UPDATE and DELETE of these
rows, except for erasing a personal value and moving the head on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant


def _if_known(column: str) -> dict[str, Any]:
    """The options of an index for rows with a value alone: most entries have few of the ids."""
    known = text(f"{column} is not null")
    return {"sqlite_where": known, "postgresql_where": known}


class HistoryEntry(Base, kw_only=True):
    """One line of history: who did what to which record, and when. Append-only.

    ``actor`` is the name of a token or a part of the program, and only the role where the name is a
    person's own: that is a ``HistoryValue``. Ids say exactly who it was: of the token, or of the
    account and its session. ``request_id`` is the X-Request-ID of the answer.
    """

    __tablename__ = "history"
    __table_args__ = (
        Index("ix_history_subject", "subject", "subject_id", "id"),
        Index("ix_history_actor", "actor", "id"),
        Index("ix_history_action", "action", "id"),
        Index("ix_history_at", "at", "id"),
        Index("ix_history_token", "token_id", "id", **_if_known("token_id")),
        Index("ix_history_account", "account_id", "id", **_if_known("account_id")),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, init=False
    )
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(String(64))
    detail: Mapped[dict[str, object]] = mapped_column(JSON)
    actor_role: Mapped[str | None] = mapped_column(String(16), default=None)
    token_id: Mapped[str | None] = mapped_column(Id, default=None)
    account_id: Mapped[str | None] = mapped_column(Id, default=None)
    session_id: Mapped[str | None] = mapped_column(Id, default=None)
    request_id: Mapped[str | None] = mapped_column(Id, default=None)


class HistoryValue(Base, kw_only=True):
    """A personal value that an entry of history changed: before and after.

    It is kept apart from the entry, so that it can be erased without changing the history:
    ``erased_by`` is then the id of the entry that says so. In the field ``actor`` it is the name of
    the person who acted, and ``subject_id`` that person.
    """

    __tablename__ = "history_value"
    __table_args__ = (Index("ix_history_value_subject", "subject_id", "field", "history_id"),)

    history_id: Mapped[int] = mapped_column(ForeignKey("history.id"), primary_key=True)
    field: Mapped[str] = mapped_column(String(32), primary_key=True)
    subject_id: Mapped[str] = mapped_column(String(64))
    before: Mapped[str | None] = mapped_column(Text, default=None)
    after: Mapped[str | None] = mapped_column(Text, default=None)
    erased_by: Mapped[int | None] = mapped_column(BigInteger, default=None)


class HistoryBlock(Base, kw_only=True):
    """A block of the chain: digests of the entries of one transaction, and their MAC.

    ``domain/history_chain`` says what is signed. ``entries`` names the entries with their digests.
    """

    __tablename__ = "history_block"

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key_id: Mapped[str] = mapped_column(String(16))
    entries: Mapped[str] = mapped_column(Text)
    mac: Mapped[str] = mapped_column(String(64))


class HistoryHead(Base, kw_only=True):
    """The end of the chain, one row, which a transaction locks last of all to add its blocks."""

    __tablename__ = "history_head"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1, autoincrement=False)
    chain: Mapped[str] = mapped_column(Id)
    sequence: Mapped[int] = mapped_column(BigInteger, default=0)
    mac: Mapped[str] = mapped_column(String(64))
    entries: Mapped[int] = mapped_column(BigInteger, default=0)
