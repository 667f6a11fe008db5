"""db.py: what an SQL error says, and so what is logged of one, quotes no data."""

from __future__ import annotations

import traceback

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests import factories
from tracker.domain.permissions import SYSTEM

SECRET = "ana.secret@example.org"


@pytest.mark.parametrize(
    "statement",
    [
        "update holder set email = :secret, id = (select max(id) from holder)",
        "update holder set ref = :secret",
        "update holder set language = :secret, email = :secret",
        "insert into holder (id, email) values ('0192d3a0-0000-7000-8000-000000000001', :secret)",
        "select no_such_column from holder where email = :secret",
    ],
)
def test_an_error_quotes_neither_parameters_nor_rows(container, statement):
    with container.work(SYSTEM) as work:
        for _ in range(2):
            factories.holder(work, email=SECRET)
    with pytest.raises(DBAPIError) as failed, container.work(SYSTEM) as work:
        work.connection.execute(text(statement), {"secret": SECRET})
    logged = "".join(traceback.format_exception(failed.value))
    assert "holder" in logged
    assert SECRET not in logged
