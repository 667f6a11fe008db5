"""api/people/holders.py, services/desk/corrections.py, services/people/names.py.

Names, searches, hints of duplicates, deaths.
"""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, text

from tests import factories
from tests.backends import SQLITE
from tests.benchmarks import people
from tracker.domain.names import FoldedName, searchable
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Certification, FormerName, Holder, Sharing
from tracker.services.employers import employers, roster, sharing
from tracker.services.people import holders


def patch(caller, path, body):
    return caller.patch(path, body, version=caller.get(path).headers["ETag"])


@pytest.fixture
def ids(container):
    return factories.certified(
        container,
        date(2024, 3, 1),
        ref="P1",
        given_name="Ana María",
        family_name="Núñez-García",
        email="Ana@example.org",
    )


@pytest.fixture
def path(ids):
    return f"/holders/{ids[0]}"


@pytest.fixture
def number(container, ids):
    with container.reading(SYSTEM) as reading:
        row = reading.row(select(Certification.number).where(Certification.id == ids[1]))
    return row.number


@pytest.fixture
def others(container):
    with container.work(SYSTEM) as work:
        for given, family in (("Mary", "O'Brien"), ("Marta", "OBrien"), ("Łucja", "De la Cruz")):
            factories.holder(work, given_name=given, family_name=family)


# Former names.
def test_every_name_that_was_replaced_is_kept_and_the_newest_comes_first(staff, path, clock):
    patch(staff, path, {"family_name": "Soto"})
    clock.set("2026-11-23")
    patch(staff, path, {"family_name": "Núñez-García", "given_name": "Ana"})
    clock.set("2026-11-25")
    told = patch(staff, path, {"family_name": "Soto"}).json

    assert [(n["given_name"], n["family_name"], n["until_on"]) for n in told["former_names"]] == [
        ("Ana", "Núñez-García", "2026-11-25"),
        ("Ana María", "Soto", "2026-11-23"),
        ("Ana María", "Núñez-García", "2026-11-21"),
    ]
    assert staff.get(path).json == told == staff.get("/holders?ref=P1").json["items"][0]


def test_a_change_of_other_fields_makes_no_former_name(staff, path):
    told = patch(staff, path, {"family_name": "Núñez-García", "email": "x@example.org"}).json
    assert told["former_names"] == []


@pytest.mark.parametrize("surname", ["Núñez-García", "nunez garcia", "SOTO", "So-to", "Ruiz"])
def test_the_certificate_is_found_by_every_surname_and_says_the_current_one(
    client, staff, path, number, surname
):
    for family in ("Soto", "Ruiz"):
        patch(staff, path, {"family_name": family})
    for typed in (number, number.lower(), number.replace("-", ""), number.replace("-", " ")):
        answer = client.get("/verify", query_string={"number": typed, "surname": surname})
        assert answer.status_code == 200, typed
        assert (answer.json["holder"], answer.json["number"]) == ("Ana María Ruiz", number)


def test_no_other_surname_finds_it(client, staff, path, number):
    patch(staff, path, {"family_name": "Soto"})
    for n, surname in enumerate(["Núñez", "García", "Ana", "Soto Ruiz", "-", "%", "Sot"]):
        asked = {"number": number, "surname": surname}
        caller = {"REMOTE_ADDR": f"198.51.100.{n}"}
        answer = client.get("/verify", query_string=asked, environ_base=caller)
        assert answer.status_code == 404, surname


def test_a_former_name_of_somebody_else_finds_nothing(client, container, staff, number):
    other, _ = factories.certified(container, date(2024, 3, 1), family_name="Vega")
    patch(staff, f"/holders/{other}", {"family_name": "Vargas"})
    for surname in ("Vega", "Vargas"):
        query = {"number": number, "surname": surname}
        assert client.get("/verify", query_string=query).status_code == 404


# Searching.
WAYS_TO_ASK = [
    "Núñez",
    "nunez",
    "garcia ana",
    "ANA MARIA NUNEZ",
    "nunez-gar",
    "NunezGarcia",
    "anamaria",
    "soto",
    "ana soto",
    "ana@example.org",
    "ANA@EXAMPLE.ORG",
    "P1",
    "mailto:ana@example.org",
    "mailto:ana%40example.org?subject=Hello",
    "Ana M. <ana@example.org>",
    "<ana @ example.org>",
    "p1",
    "E-77",
    "e-77",
    "Nu\N{COMBINING TILDE}nez",
    "nu\N{ZERO WIDTH SPACE}nez",
]


@pytest.mark.usefixtures("others")
def test_a_person_is_found_however_they_are_asked_for(container, staff, path, ids):
    patch(staff, path, {"family_name": "Soto"})
    patch(staff, path, {"family_name": "Núñez-García"})
    with container.work(SYSTEM) as work:
        acme = employers.register(work, name="Acme").id
        roster.add(work, acme, employee_id="E-77", holder_ref="P1")

    for query in WAYS_TO_ASK:
        found = staff.get("/holders", query_string={"q": query}).json["items"]
        assert [one["id"] for one in found] == [ids[0]], query


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(
    "address", ["ANA@example.org", "mailto:ana@example.org", "A <ana@example.org>"]
)
def test_a_person_is_found_by_an_address_as_links_and_headers_hold_it(staff, ids, address):
    found = staff.get("/holders", query_string={"email": address}).json["items"]
    assert [one["id"] for one in found] == [ids[0]]


def test_a_person_is_found_by_a_certificate_number_in_any_form(staff, ids, number):
    for typed in (number, number.lower(), number.replace("-", ""), number.replace("-", " ")):
        found = staff.get("/holders", query_string={"q": typed}).json["items"]
        assert [one["id"] for one in found] == [ids[0]], typed


WORDS = [
    ({"q": "obrien"}, ["Marta", "Mary"]),
    ({"q": "O'Brien"}, ["Marta", "Mary"]),
    ({"q": "mary o brien"}, ["Mary"]),
    ({"q": "marta o brien"}, ["Marta"]),
    ({"q": "delacruz lucja"}, ["Łucja"]),
    ({"q": "mar"}, ["Ana María", "Marta", "Mary"]),
    ({"q": "nobody"}, []),
    ({"q": "%"}, []),
    ({"q": "_"}, []),
    ({"q": "-"}, []),
    ({"family_name": "nunez"}, ["Ana María"]),
    ({"family_name": "NÚÑEZ G"}, ["Ana María"]),
    ({"family_name": "garcia"}, []),
    ({"family_name": "o'b"}, ["Marta", "Mary"]),
    ({"family_name": "obrien", "given_name": "mary"}, ["Mary"]),
    ({"given_name": "lucja"}, ["Łucja"]),
    ({"given_name": "ana m"}, ["Ana María"]),
    ({"given_name": "maria"}, []),
    ({"given_name": "%"}, []),
    ({"family_name": "."}, []),
]


@pytest.mark.usefixtures("others", "ids")
def test_words_are_compared_without_accents_case_and_hyphens(staff):
    for query, found in WORDS:
        items = staff.get("/holders", query_string=query).json["items"]
        assert sorted(one["given_name"] for one in items) == found, query


def test_found_people_come_in_pages(staff, others):
    del others
    first = staff.get("/holders?q=obrien&limit=1").json
    second = staff.get(f"/holders?q=obrien&limit=1&after={first['next']}").json
    assert [one["given_name"] for one in first["items"] + second["items"]] == ["Mary", "Marta"]
    assert second["next"] is None


def test_a_surname_is_found_through_an_index(container, backend):
    with container.work(SYSTEM) as work:
        people.register(work, 5_000, prefix="R")
    explain = "explain query plan" if backend == "sqlite" else "explain"
    with container.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("analyze")
    with container.reading(SYSTEM) as reading:
        matches = holders._matches(reading, "family_name", "Peña R000017").indexed
        compiled = (
            select(Holder.id)
            .where(matches)
            .compile(container.engine, compile_kwargs={"literal_binds": True})
        )
        plan = str(reading.connection.exec_driver_sql(f"{explain} {compiled}").fetchall())
    assert "ix_holder_folded_name" in plan


def test_whoever_writes_a_name_writes_what_it_is_found_by(container, staff, path):
    staff.post("/holders", {"given_name": "Bo", "family_name": "Łuk", "email": "b@x.org"}, key="1")
    for body in ({"family_name": "Soto"}, {"given_name": "Nu\N{COMBINING TILDE}a"}):
        patch(staff, path, body)
    with container.reading(SYSTEM) as reading:
        for row in reading.rows(select(Holder.__table__)):
            former = reading.rows(
                select(FormerName.given_name, FormerName.family_name)
                .where(FormerName.holder_id == row.id)
                .order_by(FormerName.id.desc())
            )
            names = [FoldedName(f.given_name, f.family_name) for f in former]
            assert row.folded_name == searchable(FoldedName(row.given_name, row.family_name), names)


# Hints.
def test_somebody_who_looks_like_a_person_on_record_is_remarked_on(staff, ids):
    del ids
    body = {"given_name": "ANA MARIA", "family_name": "Nunez Garcia", "email": "ana@example.org"}
    made = staff.post("/holders", body, key="1")
    assert made.status_code == 201
    (warning,) = made.json["warnings"]
    assert "'P1' has the same name and the same email address" in warning
    other = {"email": "other@example.org"}
    assert staff.post("/holders", body | other, key="2").json["warnings"] == []


# Deaths.
@pytest.mark.parametrize("day", ["2026-11-21", "2020-02-29"])
def test_staff_record_a_death_and_take_it_back(client, staff, path, number, day):
    def verified(**headers):
        query = {"number": number, "surname": "Nunez Garcia"}
        return client.get("/verify", query_string=query, headers=headers)

    assert verified().json["valid"] is True
    told = patch(staff, path, {"deceased_on": day, "reason": "The family wrote"})
    assert (told.status_code, told.json["deceased_on"]) == (200, day)
    over = verified().json
    assert (over["status"], over["valid"]) == ("active", False)
    assert over["remark"] == "This certification is no longer in force."
    page = verified(Accept="text/html").text
    assert "no longer in force" in page
    assert "✓" not in page
    assert "deceased" not in page + str(over)
    assert "ya no está vigente" in verified(**{"Accept": "text/html", "Accept-Language": "es"}).text

    patch(staff, path, {"deceased_on": None})
    assert verified().json["valid"] is True
    assert "remark" not in verified().json
    lines = staff.get(f"{path}/history?limit=2").json["items"]
    assert [line["changes"] for line in lines] == [
        [{"field": "deceased_on", "before": day, "after": None}],
        [{"field": "deceased_on", "before": None, "after": day}],
    ]


@SQLITE
def test_a_death_to_come_and_one_told_by_the_holder_are_refused(staff, caller, path, ids):
    answer = patch(staff, path, {"deceased_on": "2026-11-22"})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "deceased_on")
    own = caller("holder", holder_id=ids[0])
    for day in ("2026-11-20", None):
        assert patch(own, path, {"deceased_on": day, "language": "es"}).status_code == 403
    assert staff.get(path).json["language"] == "en"


def test_consents_end_with_a_death_and_do_not_come_back(container, staff, path, ids):
    actor = _as_holder(ids[0])
    with container.work(SYSTEM) as work:
        acme = employers.register(work, name="Acme").id
    with container.work(actor) as work:
        sharing.consent(work, acme)
    patch(staff, path, {"deceased_on": "2026-11-20"})
    patch(staff, path, {"deceased_on": None})
    with container.reading(SYSTEM) as reading:
        row = reading.row(select(Sharing.ended_at, Sharing.end_reason))
    assert (row.ended_at is not None, row.end_reason) == (True, "deceased")


def _as_holder(holder_id):
    return Actor(role="holder", name="Ana", holder_id=holder_id)


def test_what_identifies_a_person_is_found_by_indexes(container):
    wanted = select(Holder.id).where(Holder.id.in_(holders.identified("CPT-2345")))
    with container.work(SYSTEM) as work:
        if work.dialect == "postgresql":
            work.execute(text("set local enable_seqscan = off"))  # the tables are nearly empty
        how = "explain query plan" if work.dialect == "sqlite" else "explain"
        sql = wanted.compile(work.connection, compile_kwargs={"literal_binds": True})
        plan = " ".join(str(row) for row in work.rows(text(f"{how} {sql}")))
    if work.dialect == "sqlite":  # PostgreSQL takes another one of empty tables
        assert "ix_roster_entry_employee_id" in plan
    assert "scan holder" not in plan.lower()
    assert "scan certification" not in plan.lower()
    assert "scan roster_entry" not in plan.lower()
    assert "seq scan" not in plan.lower()
