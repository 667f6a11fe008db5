"""What a run must remember about all rows of a file, kept on disk so that memory use stays flat.

A private temporary SQLite file that is deleted when it is closed. It is unrelated to the
application's database.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self, TypeAlias

from tracker.services.core.bulk import CHUNK

Note: TypeAlias = Any
"""What a kind of file has kept of a row as JSON, and knows the form of."""

_TABLES = """
    create table seen (space text, key text, row integer, primary key (space, key)) without rowid;
    create table touched (scheme text, id text, row integer, changed integer,
                          primary key (scheme, id)) without rowid;
    create table noted (space text, row integer, note text, primary key (space, row)) without rowid;
    create table grouped (owner text, row integer, note text, primary key (owner, row))
    without rowid;
"""
_TOUCH = """
    insert into touched values (?, ?, ?, ?) on conflict (scheme, id) do update
    set changed = max(changed, excluded.changed), row = min(row, excluded.row)
"""


class Scratch:
    """Keys with the first row of each, and the records that rows touched."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)  # "": a private temporary file
        self._file.executescript("pragma journal_mode = off; pragma synchronous = off;" + _TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def first_rows(self, space: str, keys: Sequence[tuple[str, int]]) -> dict[str, int]:
        """Remember keys with their rows; returns the first row of each key."""
        self._many(
            "insert or ignore into seen values (?, ?, ?)", ((space, key, row) for key, row in keys)
        )
        return self.rows_of(space, [key for key, _ in keys])

    def rows_of(self, space: str, keys: Iterable[str]) -> dict[str, int]:
        """The rows of those keys that were remembered."""
        rows = self._file.execute(
            "select key, row from seen where space = ? and key in (select value from json_each(?))",
            (space, json.dumps(list(keys))),
        )
        return dict(rows.fetchall())

    def touch(self, rows: Iterable[tuple[str, str, int, bool]]) -> None:
        """Remember the records that rows concern: scheme, id, row, and whether it was changed."""
        self._many(_TOUCH, rows)

    def touched(self) -> Iterator[tuple[str, list[tuple[str, int, bool]]]]:
        """All touched records in chunks of one scheme, by id: id, first row, whether changed."""
        for (scheme,) in self._file.execute("select distinct scheme from touched").fetchall():
            last = ""
            while True:
                page = self._file.execute(
                    "select id, row, changed from touched where scheme = ? and id > ?"
                    " order by id limit ?",
                    (scheme, last, CHUNK),
                ).fetchall()
                if not page:
                    break
                yield scheme, [(id_, row, bool(changed)) for id_, row, changed in page]
                last = page[-1][0]

    def note(self, space: str, notes: Iterable[tuple[int, object]]) -> None:
        """Keep a JSON value for each of these rows."""
        self._many(
            "insert into noted values (?, ?, ?)",
            ((space, row, json.dumps(note)) for row, note in notes),
        )

    def group(self, notes: Iterable[tuple[str, int, object]]) -> None:
        """Keep a JSON value for each of these rows, grouped by owner."""
        self._many(
            "insert into grouped values (?, ?, ?)",
            ((owner, row, json.dumps(note)) for owner, row, note in notes),
        )

    def grouped(self, owners: Iterable[str]) -> dict[str, list[tuple[int, Note]]]:
        """All values kept for these owners, in the order of the rows."""
        by_owner: dict[str, list[tuple[int, Note]]] = {}
        rows = self._file.execute(
            "select owner, row, note from grouped where owner in (select value from json_each(?))"
            " order by owner, row",
            (json.dumps(list(owners)),),
        )
        for owner, row, note in rows:
            by_owner.setdefault(owner, []).append((row, json.loads(note)))
        return by_owner

    def noted(self, space: str) -> Iterator[list[tuple[int, Note]]]:
        """All values kept in this space in the order of the rows, in chunks."""
        last = 0
        while True:
            page = self._file.execute(
                "select row, note from noted where space = ? and row > ? order by row limit ?",
                (space, last, CHUNK),
            ).fetchall()
            if not page:
                return
            yield [(row, json.loads(note)) for row, note in page]
            last = page[-1][0]

    def _many(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        self._file.execute("begin")
        self._file.executemany(statement, rows)
        self._file.execute("commit")
