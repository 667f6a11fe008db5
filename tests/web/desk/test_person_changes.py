"""web/desk/person_changes.py: a record is corrected, and its former values stay in the history."""

from __future__ import annotations

import re

import pytest

from tests import factories
from tests.browsers import content
from tracker.domain.permissions import SYSTEM
from tracker.services.people import holders

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def here(container):
    """The address of the form of somebody on record."""
    with container.work(SYSTEM) as work:
        id_ = factories.holder(work, given_name="Ana", family_name="Ruiz", email="ana@example.org")
    return f"/desk/people/{id_}/edit"


def stated(page):
    """What the form says."""
    found = re.findall(r'<input id="([^"]+)" name="[^"]+" type="[^"]+" value="([^"]*)"', page)
    (version,) = re.findall(r'name="version" value="(\d+)"', page)
    return {**dict(found), "version": version, "language": "en"}


def test_a_name_and_an_address_are_corrected_with_a_reason(enter, here):
    _, me = enter("staff")
    form = stated(me.get(here).text)
    assert form["email"] == "ana@example.org"
    change = {"family_name": "Ruiz Soto", "second_email": "a@example.net", "reason": "Passport."}
    person = here.removesuffix("/edit")
    assert me.send_form(here, **form | change).location == person
    text = content(me.get(person))
    assert "<h1>Ana Ruiz Soto</h1>" in text
    assert "Family name: <del>Ruiz</del> → <ins>Ruiz Soto</ins>" in text
    assert "a@example.net (confirmed)" in text

    late = me.send_form(here, **form | {"family_name": "Soto", "reason": "x"})
    assert (late.status_code, "read it again" in late.text) == (422, True)


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(enter, container, here):
    _, me = enter("staff")
    form = stated(me.get(here).text)
    wrong = {"email": "nobody", "given_name": "Anna", "time_zone": "Mars", "reason": "x"}
    wrong |= {"deceased_on_year": "2030", "deceased_on_month": "1", "deceased_on_day": "1"}
    refused = me.send_form(here, **form | wrong)
    assert refused.status_code == 422
    for name in ("email", "time_zone"):
        assert f'<a href="#{name}">' in refused.text
    assert 'value="Anna"' in refused.text
    future = me.send_form(here, **form | wrong | {"email": "a@example.org", "time_zone": "UTC"})
    assert '<a href="#deceased_on">' in future.text
    with container.reading(SYSTEM) as reading:
        assert holders.get(reading, here.split("/")[3]).given_name == "Ana"
    spanish = me.get(here, headers={"Accept-Language": "es"})
    assert "Guardar las correcciones" in spanish.text
    _, reviewer = enter("reviewer")
    assert reviewer.send_form(here, **form).status_code == 404
