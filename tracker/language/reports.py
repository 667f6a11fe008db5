"""Reports: what is said to somebody under headings and in tables, whatever form it takes."""

from __future__ import annotations

from collections.abc import Sequence

from tracker.domain.value_classes import value_class


@value_class()
class ReportTable:
    """Rows under a heading; without columns, each row is one line.

    ``widths`` are the columns' shares of the width. ``note`` is said below the rows.
    """

    title: str
    rows: Sequence[Sequence[str]]
    columns: Sequence[str] = ()
    widths: Sequence[int] = ()
    note: str = ""


@value_class()
class Report:
    """A title, what is said first, and tables; all of it plain text in one language."""

    language: str
    title: str
    lines: Sequence[str]
    tables: Sequence[ReportTable]
