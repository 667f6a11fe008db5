"""tables.py: what PostgreSQL is not asked again is what cannot differ there."""

from __future__ import annotations

import pytest

from tests.api.access import tables


@pytest.fixture
def table(tmp_path):
    """Two columns: one who is refused their own record, one who has it."""
    path = tmp_path / "table.txt"
    path.write_text(
        "# Remarks.\n"
        "GET    /me                 -         401 200\n"
        "GET    /things/{id}        own       403 200\n"
        "GET    /things/{id}        other     403 404\n"
        "GET    /things/{id}        malformed 404 404\n"
        "GET    /parts/{id}         own       404 404\n"
        "GET    /parts/{id}         other     200 404\n"
        "GET    /verify/{id} (page) own       404 303\n"
        "GET    /verify/{id} (page) unknown   404 404\n"
    )
    return path


def test_others_records_are_not_asked_for_again_by_whoever_is_refused_their_own(table):
    assert tables.known(table, ("nobody", "holder"), "postgresql") == {
        ("GET", "/things/{id}", "other"): ["403", None],
        ("GET", "/things/{id}", "malformed"): ["404", "404"],
        ("GET", "/parts/{id}", "other"): [None, "404"],
        ("GET", "/verify/{id} (page)", "unknown"): ["404", None],
    }


def test_sqlite_is_asked_everything(table):
    assert tables.known(table, ("nobody", "holder"), "sqlite") == {}
