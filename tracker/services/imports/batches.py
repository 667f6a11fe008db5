"""Write rows to tables in chunks: find by key, compare, insert, update.

A chunk costs a fixed number of statements, whatever it contains.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from tracker.db import Base, new_id
from tracker.services.core import bulk, history
from tracker.services.core.history import Changes, Subject
from tracker.services.imports.run import Run


class OnRecord(Protocol):
    """A row on record, whose other values are compared by name."""

    @property
    def id(self) -> str:
        """The row's id."""


class Batch:
    """The rows of one chunk for one table, with counts of created, changed and unchanged ones."""

    def __init__(
        self, run: Run, table: type[Base], *, subject: Subject, derived: Collection[str] = ()
    ) -> None:
        """``derived`` columns follow from others: they are written, but do not count as changes."""
        self._run, self._table, self._subject, self._derived = run, table, subject, derived
        self.ids: dict[str, str] = {}  # by key, for rows that have one
        self._created: list[dict[str, object]] = []
        self._changed: list[tuple[str, Mapping[str, object], Changes]] = []

    def add(self, old: OnRecord | None, values: Mapping[str, object], **new: object) -> str:
        """Add a row: to insert together with the ``new`` values, to update, or unchanged.

        Returns ``created``, ``changed`` or ``unchanged``.
        """
        id_ = new_id() if old is None else old.id
        self.ids[str(new.get("ref", id_))] = id_
        if old is None:
            self._created.append({"id": id_, **new, **values})
            return self._count("created")
        compared = {name: value for name, value in values.items() if name not in self._derived}
        changed = history.changes({name: getattr(old, name) for name in compared}, compared)
        if not changed:
            return self._count("unchanged")
        self._changed.append((old.id, values, changed))
        return self._count("changed")

    def _count(self, fate: str) -> str:
        self._run.counts[fate] += 1
        return fate

    def write(self) -> None:
        """Write the chunk: changed rows first, since they may free keys for new ones."""
        work = self._run.work
        if self._changed:
            rows = [{"_id": id_, **values} for id_, values, _ in self._changed]
            bulk.update(work, self._table, rows)
            history.record_many(
                work,
                "import",
                self._subject,
                [
                    (id_, {"run": self._run.id, "changes": changed})
                    for id_, _, changed in self._changed
                ],
            )
        bulk.insert(work, self._table, self._created)
