"""Every page costs a constant number of statements, however many rows there are.

Walked are all pages that are opened (GET), for each role that they answer, first with a few rows of
every kind and then with many. What the walk itself counts is not the pages' concern: who asks, and
that a session was used.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Table, UniqueConstraint, event, func, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from tests import statements
from tests.api.access import access_cases
from tests.api.access.access_cases import TODAY, Ids
from tests.api.access.test_page_table import (
    PageVisitor,
    ids_of,
    kinds_of,
    pages,
    path_of,
    visitors,
)
from tests.api.employers import employer_cases
from tests.api.http.test_statement_counts import grow
from tests.benchmarks import people as bench_people
from tests.benchmarks import workforces
from tracker.db import Base, new_id
from tracker.domain.permissions import SYSTEM
from tracker.models import (
    Activity,
    CenterApproval,
    Employer,
    EmployerLook,
    EmployerNudge,
    EmploymentConfirmation,
    HolderRequest,
    Sharing,
    Suppression,
    WorkerSeen,
)
from tracker.services.core import bulk
from tracker.services.core.context import Container

__all__ = ["visitors"]
FEW, MANY = 3, 40
ROLES = ("holder", "employer", "center", "provider", "sponsor", "reviewer", "staff", "admin")
FILES = (".pdf", ".ics", ".csv", ".xlsx", "/archive", "/file")
"""How the addresses of files end, which take what they are made of."""


ALONE = {
    *("applied_migration", "history_head", "job_run", "runtime", "usage", "tally"),
    "record_writer",
    *("open_review", "policy_publication", "relay_accept", "merged_row", "idempotency_key"),
    *("authenticator", "recovery_code", "password_hash", "provider_identity", "bounce", "digest"),
    *("employer_bar", "former_name", "former_renewal_decision", "preference"),
    *(f"{name} of Ana" for name in ("account", "approval", "center_result", "discrepancy")),
    *(f"{name} of Ana" for name in ("employer_bar", "erasure", "former_name", "holder_word")),
    *(f"{name} of Ana" for name in ("preference", "record_merge", "recovery", "roster_entry")),
    "sign_in of Ana",
}
"""Of what there is one, or a few, or what no page lists; of all else there are many rows."""
BY_SIZE = {"/desk/history/check"}
"""What reads the whole of something in pieces: the chain of the history, when staff ask for it."""


def more(container: Container, ana: Ids, count: int) -> None:
    """Put so many rows of every kind on record, beside Ana's and among them."""
    grow(container, about(ana), count)
    for _ in range(count):
        company = employer_cases.company(container, new_id())
        access_cases.person(container, company)
    acme = employer_cases.Company(container, ana["employer_id"])
    acme.hire(*(new_id()[-12:] for _ in range(count)))
    beside(container, ana, count)
    copies(container, ana, count)


def beside(container: Container, ana: Ids, count: int) -> None:
    """Put on record what Ana has only one of with each employer or of each kind that is open."""
    with container.work(SYSTEM) as work:
        mine = select(bulk.table_of(Sharing)).where(Sharing.holder_id == ana["holder_id"])
        shared = dict(work.row(mine.limit(1))._mapping)
        known = select(Sharing.employer_id).where(Sharing.holder_id == ana["holder_id"])
        others = select(Employer.id).where(Employer.id.not_in(known)).limit(count)
        for number, (employer_id,) in enumerate(work.rows(others)):
            work.execute(
                insert(Sharing).values(shared | {"id": new_id(), "employer_id": employer_id})
            )
            seen: dict[str, Any] = {"scheme": "cpt", "at": work.now, "name": "Pat", "workers": 1}
            look = EmployerLook(employer_id=ana["employer_id"], kind="worker", as_of=TODAY, **seen)
            work.session.add(look)
            work.session.flush()
            closed: dict[str, Any] = {"state": "withdrawn", "closed_at": work.now}
            address = f"{new_id()}@example.org"
            on = date(2010, 1, 1) + timedelta(days=work.row(select(func.count(Sharing.id)))[0])
            both: dict[str, Any] = {
                "holder_id": ana["holder_id"],
                "employer_id": employer_id,
                "recorded_at": work.now,
            }
            days: dict[str, Any] = {"starts_on": date(2025, 1, 1), "ends_on": date(2025, 12, 31)}
            work.session.add_all(
                [
                    EmploymentConfirmation(**both, **days, year=2025, signed_by="Pat"),
                    EmployerNudge(**both, scheme="cpt", nudged_on=TODAY, nudged_by="Pat"),
                    WorkerSeen(look_id=look.id, holder_id=ana["holder_id"]),
                    HolderRequest(
                        **closed,
                        holder_id=ana["holder_id"],
                        kind="extension",
                        proposal={},
                        statement=f"x{number}",
                        requested_on=TODAY,
                        recorded_at=work.now,
                    ),
                    Suppression(address=address, reason="hard_bounce", recorded_at=work.now),
                    CenterApproval(
                        center_id=ana["center_id"], approved_on=on, recorded_at=work.now
                    ),
                ]
            )


def copies(container: Container, ana: Ids, count: int) -> None:
    """Copy what a service makes one at a time; what must be unique gets a value of its own."""
    for table in Base.metadata.sorted_tables:
        if table.name.startswith("history") or "id" not in table.c:
            continue
        mine = table.c.holder_id == ana["holder_id"] if "holder_id" in table.c else true()
        with suppress(IntegrityError), container.work(SYSTEM) as work:
            row = work.connection.execute(select(table).where(mine).limit(1)).one_or_none()
            if row is not None:
                rows = [dict(row._mapping) | fresh(table) for _ in range(count)]
                work.connection.execute(table.insert(), rows)


def fresh(table: Table) -> dict[str, str]:
    """Values of their own for the columns that make a row unique, beside those that refer."""
    keys = [index.columns for index in table.indexes if index.unique]
    keys += [one.columns for one in table.constraints if isinstance(one, UniqueConstraint)]
    unique = {column for key in keys for column in key} | {table.c.id}
    return {
        column.name: new_id()[-(getattr(column.type, "length", None) or 36) :]
        for column in unique
        if column.type.python_type is str and not column.foreign_keys
    }


def about(ana: Ids) -> dict[str, str]:
    """Ana's ids by the names that ``grow`` gives them."""
    organizations = ("center", "employer", "provider", "sponsor")
    names = (*organizations, "holder", "certification", "course", "account", "audit")
    return {name: ana[f"{name}_id"] for name in names if f"{name}_id" in ana}


def sizes(container: Container, ana: Ids) -> dict[str, int]:
    """How many rows each table has, and how many of them are Ana's."""
    found = {}
    with container.reading(SYSTEM) as reading:
        for table in Base.metadata.sorted_tables:
            everybodys = select(func.count()).select_from(table)
            found[table.name] = reading.row(everybodys)[0]
            if "holder_id" in table.c:
                hers = everybodys.where(table.c.holder_id == ana["holder_id"])
                found[f"{table.name} of Ana"] = reading.row(hers)[0]
    return found


def counts(
    app: Flask, container: Container, who: dict[str, PageVisitor], people: tuple[Ids, Ids]
) -> Iterator[tuple[str, int]]:
    """Each page with a role that it answers, and its number of statements."""
    for rule, method in pages(app):
        if method != "GET" or path_of(rule).endswith(FILES) or path_of(rule) in BY_SIZE:
            continue
        ids = ids_of(kinds_of(rule)[0], rule, people)
        for role in ROLES:
            with statements.counted(container) as ran:
                answer = who[role].visit(rule, "GET", ids)
                answer.close()
            if answer.status_code == 200:
                asked = [one for one in ran if one.startswith("SELECT")]
                yield f"{role} {path_of(rule)}", len(asked)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_every_page_costs_as_many_statements_for_many_rows_as_for_a_few(
    app: Flask,
    container: Container,
    visitors: dict[str, PageVisitor],
    people: tuple[Ids, Ids],
) -> None:
    ana, _ = people
    more(container, ana, FEW)
    first = sizes(container, ana)
    few = dict(counts(app, container, visitors, people))
    more(container, ana, MANY)
    many = dict(counts(app, container, visitors, people))

    now = sizes(container, ana)
    assert {name for name, n in now.items() if n < first[name] + MANY} == ALONE
    assert {page: (few[page], n) for page, n in many.items() if few.get(page) != n} == {}
    assert len(many) > 200


PEOPLE, WORKERS = 100_000, 20_000


@pytest.mark.scale
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_at_the_size_of_a_country_pages_cost_the_same_and_read_by_indexes(
    app: Flask,
    container: Container,
    visitors: dict[str, PageVisitor],
    people: tuple[Ids, Ids],
) -> None:
    """Among 100,000 certified people, of whom 20,000 work for one employer.

    What counts or draws from all of something may read a table in order, and nothing else.
    """
    ana, _ = people
    more(container, ana, FEW)
    few = dict(counts(app, container, visitors, people))
    _a_country(container, ana["employer_id"])
    begun = time.perf_counter()
    with _sent(container) as sent:
        many = dict(counts(app, container, visitors, people))
    seconds = time.perf_counter() - begun
    scanned = _scanned(container, sent)

    assert {page: (few[page], n) for page, n in many.items() if few.get(page) != n} == {}
    assert [one for one in scanned if not one.startswith(READ_WHOLE)] == []
    assert seconds < len(many), f"{seconds:.0f} s for {len(many)} pages"


READ_WHOLE = (
    *("roster_entry: ", "sharing: ", "standing_span: "),  # nearly all of them are of one employer
    "certification: SELECT DISTINCT certification.scheme",  # for the operator: schemes without file
    "holder: SELECT lower(holder.email) AS address",  # no index has the second address in lowercase
)
"""What is read from end to end, and why."""
SUM = re.compile(r"\b(count|sum|avg|percentile_cont|min|max)\(", re.IGNORECASE)


def _a_country(container: Container, employer_id: str) -> None:
    """Put people on record, most of whom wait for a decision; the first ones work for Acme."""
    with container.work(SYSTEM) as work:
        found = bench_people.certify(work, PEOPLE, prefix="S", activities=3)
        workforces.employ(work, employer_id, [one.holder_id for one in found[:WORKERS]])
        waiting = update(Activity).where(Activity.type == "college_credit")
        work.execute(waiting.values(state="submitted", submitted_on=TODAY))
    with container.work(SYSTEM) as work:
        bench_people.analyze(work)


@contextmanager
def _sent(container: Container) -> Iterator[list[tuple[str, Any]]]:
    """The statements that read something, with their parameters."""
    ran: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            ran.setdefault(statement, given)

    found: list[tuple[str, Any]] = []
    event.listen(container.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(container.engine, "before_cursor_execute", note)
        found += ran.items()


def _scanned(container: Container, sent: list[tuple[str, Any]]) -> list[str]:
    """The statements that read a large table from end to end, each behind its table.

    Left out is what adds up all that waits: it reads all of that, by its nature.
    """
    found = []
    with container.engine.connect() as connection:
        sizes = "SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > 20000"
        large = {name for (name,) in connection.exec_driver_sql(sizes)}
        for statement, given in sent:
            if SUM.search(statement):
                continue
            explain = f"EXPLAIN (FORMAT JSON) {statement}"
            (plan,) = connection.exec_driver_sql(explain, given).scalar_one()
            tables = large.intersection(_sequential(plan["Plan"]))
            found += [f"{table}: {statement[:300]}" for table in tables]
    return found


def _sequential(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for inner in node.get("Plans", ()):
        yield from _sequential(inner)
