"""services/employers/worker_proofs.py: what workers have is found through indexes."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from sqlalchemy import event, select, text

from tests.api.employers import employer_cases
from tracker.domain.employers.requirements import NeededProof
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification
from tracker.services.employers import employers, worker_proofs

NEEDED = [NeededProof("cpt"), NeededProof("cpt", "safety")]


@pytest.fixture
def companies(container):
    """Several employers with many workers, one of whom each is certified."""
    made = [employer_cases.company(container, f"E{n}") for n in range(4)]
    for company in made:
        company.hire(*(f"W{n:04}" for n in range(1000)), awarded_on=None, with_modules=True)
        company.hire("C", with_modules=True)
    with container.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
    return made


@contextmanager
def sent(container):
    """The statements that run inside the block, with what is given to them."""
    ran = []

    def note(_connection, _cursor, statement, parameters, *_):
        ran.append((statement, parameters))

    event.listen(container.engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        event.remove(container.engine, "before_cursor_execute", note)


def plan(container, statement, parameters):
    """What the database says it will do."""
    explain = "explain query plan " if container.engine.dialect.name == "sqlite" else "explain "
    with container.reading(SYSTEM) as reading:
        rows = reading.connection.exec_driver_sql(explain + statement, parameters)
        return "\n".join(str(row[-1]) for row in rows)


def test_people_are_found_by_each_way_of_naming_them_through_its_index(container, companies):
    ours = companies[2]
    with container.reading(SYSTEM) as reading:
        mine = Certification.holder_id == ours.holders["C"]
        number, public_id = reading.row(
            select(Certification.number, Certification.public_id).where(mine)
        )
        on = employers.today(reading)
        said = [f"W{n:04}" for n in range(0, 1000, 50)]
        said += ["C", number, f"https://example.org/verify/{public_id}"]
        named = worker_proofs.meant(reading, ours.id, said)
        with sent(container) as ran:
            found = worker_proofs.find(reading, named, NEEDED, on=on)
    entries = {worker.row.entry_id for worker in found.values()}
    plans = "\n".join(plan(container, *one) for one in ran)

    assert len(ran) == 2
    assert len(entries) == 21
    assert len(found) == 23
    for table in ("roster_entry", "sharing"):  # the large ones here
        assert f"Seq Scan on {table}" not in plans
        assert f"SCAN {table}" not in plans
