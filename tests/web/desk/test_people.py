"""web/desk/people.py: found as people type, and everything about one person on one page."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from tests import factories
from tests.browsers import content
from tests.statements import counted
from tracker.domain.permissions import SYSTEM
from tracker.services.credentials import renewals
from tracker.services.desk import corrections
from tracker.services.people import holders
from tracker.services.points import activities, other_credentials

HERE = "/desk/people"

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def person(container, email, *, size=1):
    """Somebody certified, with so many records of each kind; the id."""
    holder_id, held = factories.certified(
        container, date(2021, 12, 25), given_name="Íñigo", family_name="Peña-Soto", email=email
    )
    with container.work(SYSTEM) as work:
        for number in range(size):
            course = {
                "category": "CE",
                "type": "third_party",
                "title": f"Welding {number}",
                "quantity": Decimal(100),
                "completed_on": date(2026, 1, 5),
            }
            activities.submit(work, activities.log(work, held, course))
            other_credentials.add(
                work, holder_id, {"credential": "nims", "issued_on": date(2026, 1, 5 + number)}
            )
        renewals.apply(work, held)
    return holder_id


def test_a_person_is_found_by_what_is_typed_and_nobody_is_said_with_what_to_try(enter, container):
    id_ = person(container, "inigo@example.org")
    _, me = enter("staff")

    with container.reading(SYSTEM) as reading:
        ref = holders.get(reading, id_).ref
    for typed in ("peña-soto iñigo", "INIGO penasoto", " inigo@EXAMPLE.org ", ref):
        page = me.get(HERE, query_string={"q": typed})
        assert f'href="{HERE}/{id_}"' in page.text, typed
    nobody = content(me.get(f"{HERE}?q=nobody"))
    assert "Nobody found" in nobody
    assert 'value="nobody"' in nobody
    assert me.get(f"{HERE}?q={'x' * 300}").status_code == 422


def test_more_people_than_a_page_shows_are_on_the_next_one(enter, container):
    with container.work(SYSTEM) as work:
        for _ in range(51):
            factories.holder(work, family_name="Ortega")
    _, me = enter("staff")
    first = content(me.get(f"{HERE}?q=ortega"))
    rest = first.partition('<p><a href="')[2].partition('"')[0].replace("&amp;", "&")

    assert first.count("Ortega</a>") == 50
    assert content(me.get(rest)).count("Ortega</a>") == 1
    assert me.get(f"{HERE}?q=ortega&after=x").status_code == 404


def test_everything_about_a_person_stands_on_one_page_with_old_and_new_values(enter, container):
    id_ = person(container, "inigo@example.org")
    with container.work(SYSTEM) as work:
        version = holders.get(work, id_).version
        change = {"given_name": "Íñigo José"}
        corrections.change(work, id_, change, version=version, reason="The passport says so.")
    _, me = enter("staff")
    text = content(me.get(f"{HERE}/{id_}"))

    assert "<h1>Íñigo José Peña-Soto</h1>" in text
    assert "Íñigo Peña-Soto (until November 21, 2026)" in text
    assert "All required modules are passed." in text
    assert text.count('<li class="passed">') == 4
    assert text.count('<li class="optional">') == 1
    assert "Welding 0</a>" in text
    (rules,) = re.findall(r'to [A-Z][^<]+, <a href="(/policy/cpt[^"]+)">rules of version', text)
    assert me.get(rules).status_code == 200
    assert "Applied on November 21, 2026. Under review." in text
    assert "person: corrected" in text
    assert "Given name: <del>Íñigo</del> → <ins>Íñigo José</ins>" in text
    assert "Reason: The passport says so." in text
    for part in ("identity", "modules", "employers", "fees", "messages", "history"):
        assert f'href="#{part}"' in text
        assert f'<section id="{part}">' in text


def test_in_spanish_nothing_is_left_in_english(enter, container):
    id_ = person(container, "inigo@example.org")
    _, me = enter("staff")
    page = me.get(f"{HERE}/{id_}", headers={"Accept-Language": "es"})

    assert "<h2>Identidad y direcciones</h2>" in page.text
    assert "Todos los módulos obligatorios están aprobados." in page.text
    assert "Solicitada el 21 de noviembre de 2026. En revisión." in page.text


def test_a_longer_record_costs_no_more_statements(enter, container):
    small, large = person(container, "a@example.org"), person(container, "b@example.org", size=7)
    _, me = enter("staff")
    costs = []
    for id_ in (small, large):
        with counted(container) as sent:
            assert me.get(f"{HERE}/{id_}").status_code == 200
        costs.append(len(sent))

    assert costs[0] == costs[1]


def test_others_find_no_such_page(enter, employer_id, browser, ana):
    _, reviewer = enter("reviewer")
    _, employer = enter("employer", employer_id=employer_id)
    holder = browser()
    holder.sign_in(ana)
    for who in (reviewer, employer, holder):
        assert who.get(HERE).status_code == 404
        assert HERE not in who.get("/account").text
