"""On which databases a test runs, if not on both."""

from __future__ import annotations

import pytest

SQLITE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
"""On SQLite alone: where the path has no SQL of its own, or other tests send it to both.

Such are the words of a page or a message, refusals of a form's or a body's values, navigation, and
rules that are told by one more case. What differs by database stays on both: queries, constraints,
locks, policies of rows, the number of statements.
"""
