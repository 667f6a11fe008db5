"""The switch to the other language on every page (web/languages.py)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests import factories
from tests.browsers import Browser
from tracker.domain.permissions import SYSTEM
from tracker.models import Holder

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
BACK = {"language": "es", "back": "/sign-in?next=%2Faccount%2Fdata&lang=en"}


def test_a_stranger_chooses_it_once_and_comes_back_to_the_page(app):
    me = Browser(app)
    page = me.get("/sign-in?next=%2Faccount%2Fdata")
    assert 'name="back" value="/sign-in?next=%2Faccount%2Fdata"' in page.text
    assert '<button class="link" lang="es"' in page.text
    chosen = me.post("/language", BACK)

    assert (chosen.status_code, chosen.location) == (303, "/sign-in?next=%2Faccount%2Fdata")
    for path in ("/sign-in", "/verify"):
        said = me.get(path, headers={"Accept": "text/html", "Accept-Language": "en"})
        assert '<html lang="es">' in said.text, path
    assert '<html lang="en">' in me.get("/verify?lang=en", headers={"Accept": "text/html"}).text


def test_a_holder_keeps_it_on_record_so_that_messages_speak_it_too(app, container):
    with container.work(SYSTEM) as work:
        factories.holder(work, email="bo@example.org")
    me = Browser(app)
    me.sign_in("bo@example.org")
    assert me.post("/language", BACK).status_code == 400, "without the token of the session"
    assert (
        me.send_form("/language", language="es", back="/account/data").location == "/account/data"
    )
    assert '<html lang="es">' in me.get("/account/data").text
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(Holder.language)).language == "es"


@pytest.mark.parametrize(
    ("form", "where"),
    [
        ({"language": "es", "back": "https://evil.example/"}, "/account"),
        ({"language": "xx", "back": "/verify"}, "/verify"),
    ],
)
def test_it_leads_to_no_other_site_and_takes_no_other_language(app, form, where):
    me = Browser(app)
    sent = me.post("/language", form)
    assert sent.location == where
    assert ("Set-Cookie" in sent.headers) is (form["language"] == "es")
    foreign = me.post("/language", BACK, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 400
