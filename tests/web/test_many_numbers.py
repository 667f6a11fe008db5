"""web/many_numbers.py, services/credentials/verification.py: many certificates at once."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, update

from tests import factories
from tests.api.employers.employer_cases import read
from tests.statements import counted
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification, Holder, ModuleCertificate
from tracker.web.many_numbers import VerifiedNumbersSchema

WRONG = {"number": "CPT-22222-22222", "surname": "Nobody"}


@pytest.fixture
def people(container):
    """Three certified people: number and last name of each."""
    found = []
    for name in ("Peña-García", "O'Neil", "Li"):
        _, id_ = factories.certified(container, date(2023, 12, 25), family_name=name)
        with container.reading(SYSTEM) as reading:
            row = reading.row(select(Certification.number).where(Certification.id == id_))
        found.append({"number": row.number, "surname": name})
    return found


@pytest.fixture
def verify(app):
    client = app.test_client()

    def post(*items, status=200, **headers):
        answer = client.post("/api/v1/verify", json={"items": list(items)}, headers=headers)
        assert answer.status_code == status, answer.json
        return read(VerifiedNumbersSchema, answer)["items"] if status == 200 else answer

    return post


def wrong(n):
    """A number that there is not, in the form of ours."""
    digits = f"{n:05}".translate(str.maketrans("01", "AB"))
    return {"number": f"CPT-22222-{digits}", "surname": "Nobody"}


def test_each_is_answered_as_if_it_were_asked_alone(people, verify, client):
    found = verify(*people, WRONG)
    alone = [client.get("/api/v1/verify", query_string=one).json for one in people]

    assert [one["result"] for one in found] == ["found"] * 3 + ["not_found"]
    assert [one["certificate"] for one in found] == [*alone, None]
    assert found[0]["causes"] == []


def test_a_name_in_another_spelling_fits_and_that_of_another_does_not(people, verify):
    ana, ben, _ = people
    found = verify({**ana, "surname": "pena garcia"}, {**ben, "surname": ana["surname"]})

    assert [one["result"] for one in found] == ["found", "not_found"]
    assert found[1]["causes"][0] == "other_name"


def test_the_certificate_of_a_module_is_found_too(container, verify):
    with container.work(SYSTEM) as work:
        holder_id = factories.holder(work, family_name="Li")
        factories.passed(work, holder_id, date(2026, 2, 1), modules=("safety",))
    with container.reading(SYSTEM) as reading:
        row = reading.row(
            select(ModuleCertificate.number).where(ModuleCertificate.holder_id == holder_id)
        )
    (found,) = verify({"number": row.number, "surname": "Li"})

    assert found["result"] == "found"
    assert found["certificate"]["module"] == "Safety"


def test_wrong_guesses_are_counted_and_after_the_last_nothing_more_is_answered(people, verify):
    many = [wrong(n) for n in range(30)]
    first = verify(*many, people[0])

    assert [one["result"] for one in first] == ["not_found"] * 30 + ["too_often"]
    assert first[-1]["certificate"] is None
    assert verify(people[0], status=429).headers["Retry-After"]


def test_a_number_is_guessed_at_a_few_times_and_then_not_answered(people, verify, client):
    ana = people[0]
    for _ in range(20):
        client.get("/api/v1/verify", query_string={**ana, "surname": "Nobody"})
    found = verify(ana, people[1])

    assert [one["result"] for one in found] == ["too_often", "found"]


def test_a_number_stands_once_in_a_question_in_any_spelling(people, verify):
    again = {**people[0], "number": people[0]["number"].lower().replace("-", " ")}

    assert verify(people[0], again, status=422)
    assert verify(*[wrong(n) for n in range(101)], status=422)
    assert verify(status=422)


def test_so_many_questions_an_hour_are_answered(people, verify, clock):
    for _ in range(20):
        verify(people[0])
    verify(people[0], status=429)
    clock.advance(hours=1, minutes=1)
    verify(people[0])


def test_a_hundred_cost_as_many_statements_as_one(container, people, verify, clock):
    def cost(*items):
        clock.advance(hours=2)
        with counted(container) as ran:
            verify(*items)
        return len(ran)

    few = cost(people[0], wrong(0))
    assert cost(*people, *(wrong(n) for n in range(97))) == few


def test_neither_do_those_who_show_their_modules(container, people, verify, clock):
    with container.work(SYSTEM) as work:
        work.execute(update(Holder).values(shows_modules=True))

    def cost(*items):
        clock.advance(hours=2)
        with counted(container) as ran:
            shown = verify(*items)
        return len(ran), [one["certificate"]["modules"] for one in shown]

    few, [mine] = cost(people[0])
    assert [one["code"] for one in mine] == ["safety", "quality", "processes", "maintenance"]
    assert cost(*people) == (few, [mine] * 3)
