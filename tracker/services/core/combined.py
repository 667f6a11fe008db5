"""Several statements in one round trip, since the round trip costs more than the work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, cast, literal_column, null, union_all
from sqlalchemy.engine import result_tuple
from sqlalchemy.types import TypeEngine

from tracker.services.core.context import AnyRow, ReadContext

Statement = Select[*tuple[Any, ...]]
Slot = tuple[type, int]
Layout = dict[Slot, TypeEngine[object]]


class Together:
    """Statements combined by UNION ALL, with every value in a column of its own type.

    A parameter has the same meaning in all of them. None may have an ORDER BY, since UNION ALL
    would not keep it; the caller sorts.
    """

    def __init__(self, *statements: Statement) -> None:
        layouts = [_layout(statement) for statement in statements]
        types = {slot: kind for layout in layouts for slot, kind in layout.items()}
        arms = (
            _arm(number, statement, layout, types)
            for number, (statement, layout) in enumerate(zip(statements, layouts, strict=True))
        )
        self._union, self._options = union_all(*arms), {"compiled_cache": _Compiled()}
        places = {slot: place for place, slot in enumerate(types, start=1)}
        self._forms = [
            (itemgetter(*(places[slot] for slot in layout)), result_tuple(_names(statement)))
            for statement, layout in zip(statements, layouts, strict=True)
        ]

    def read(
        self, reading: ReadContext, parameters: Mapping[str, object]
    ) -> tuple[list[AnyRow], ...]:
        """The rows of each statement, as it would return them alone."""
        rows: tuple[list[AnyRow], ...] = tuple([] for _ in self._forms)
        for row in reading.execute(self._union, parameters, self._options).fetchall():
            cut, make = self._forms[row[0]]
            rows[row[0]].append(make(cut(row)))
        return rows


class _Compiled(dict[Any, Any]):
    """The compiled form of one statement, for the dialect that ran it last.

    SQLAlchemy finds it by all that the statement is made of. Hashing the thousands of values of a
    combined one takes up to a tenth of the time to run it; here the dialect, which comes first in
    such a key, is enough.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        """The compiled form, if it is of the key's dialect."""
        return super().get(key[0], default)

    def __setitem__(self, key: Any, form: Any) -> None:
        self.clear()  # keeps no engine alive that has ended
        super().__setitem__(key[0], form)


def _names(statement: Statement) -> list[str]:
    return [str(column.key) for column in statement.selected_columns]


def _layout(statement: Statement) -> Layout:
    """The slot of each column: its type, and how many columns of that type come before it."""
    seen: Counter[type] = Counter()
    layout: Layout = {}
    for column in statement.selected_columns:
        kind = type(column.type)
        layout[kind, seen[kind]] = column.type
        seen[kind] += 1
    return layout


def _arm(number: int, statement: Statement, layout: Layout, types: Layout) -> Statement:
    """The statement with its columns in their slots and null in the others.

    The first arm sets the types; a bare null is enough in the others and keeps the text short.
    """
    columns = dict(zip(layout, statement.selected_columns, strict=True))
    cells = (
        columns.get(slot, literal_column("null") if number else cast(null(), kind))
        for slot, kind in types.items()
    )
    arm: ColumnElement[int] = literal_column(str(number))
    return statement.with_only_columns(arm, *cells, maintain_column_froms=True)
