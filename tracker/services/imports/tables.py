"""Rows into tables, a chunk at a time: found by key, compared, inserted, updated.

A chunk costs a fixed number of statements, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.db import Base, new_id
from tracker.services import bulk, history
from tracker.services.imports.run import Run


class Batch:
    """The rows of one chunk for one table, with the count of what becomes of each."""

    def __init__(self, run: Run, table: type[Base], *, subject: str, private: bool = False) -> None:
        """``private``: history names the fields that changed, not what stood there."""
        self._run, self._table, self._subject, self._private = run, table, subject, private
        self.ids: dict[str, str] = {}  # by key, of the rows that have one
        self._created: list[dict[str, Any]] = []
        self._changed: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def add(self, old: Any, values: Mapping[str, Any], **new: Any) -> str:
        """Have a row written: inserted with the ``new`` values too, updated, or left alone.

        Returns which: ``created``, ``changed`` or ``unchanged``.
        """
        id_ = new_id() if old is None else old.id
        self.ids[new.get("ref", id_)] = id_
        if old is None:
            self._created.append({"id": id_, **new, **values})
            return self._count("created")
        before = {k: getattr(old, k) for k, v in values.items() if getattr(old, k) != v}
        if not before:
            return self._count("unchanged")
        self._changed.append(({"_id": old.id, **values}, before))
        return self._count("changed")

    def _count(self, fate: str) -> str:
        self._run.counts[fate] += 1
        return fate

    def write(self) -> None:
        """Write the chunk: first what changed, which may make room for what is new."""
        work = self._run.work
        if self._changed:
            bulk.update(work, self._table, [values for values, _ in self._changed])
            history.record_many(
                work, "import", self._subject,
                [(values["_id"], self._detail(values, old)) for values, old in self._changed],
            )  # fmt: skip
        bulk.insert(work, self._table, self._created)

    def _detail(self, values: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
        detail: dict[str, Any] = {"run": self._run.id, "fields": sorted(before)}
        if not self._private:
            for name, old in before.items():
                detail |= {f"{name}_before": old, f"{name}_after": values[name]}
        return detail
