"""Where the buttons of messages lead: through signing in to the page that the message is about."""

from __future__ import annotations

import re
from datetime import date
from urllib.parse import quote

import pytest
from sqlalchemy import select

from tests import factories
from tests.backends import SQLITE
from tests.rows import count
from tracker.domain.delivery.pages import DIGEST, OPENS, REMINDER, MessagePage, path_of
from tracker.domain.permissions import ORGANIZATIONS, SYSTEM
from tracker.language import catalogues
from tracker.mail.notices import TELLS
from tracker.models import Certification, HistoryEntry, LoginSession

WITH_LINKS_OF_THEIR_OWN = {
    "reset",
    *(f"invitation_{role}" for role in ORGANIZATIONS),
    "invitation_reviewer",
    "invitation_staff",
    "invitation_admin",
}
OF_HOLDERS = [MessagePage.ACCOUNT, MessagePage.CERTIFICATION, MessagePage.SHARING]


@pytest.fixture
def held(container, ana):
    """The id of Ana's certification."""
    assert ana
    with container.reading(SYSTEM) as reading:
        return reading.row(select(Certification.id)).id


@pytest.fixture
def entered(browser, enter, employer_id):
    """Sign somebody in, a holder by their address; their browser."""

    def sign_in(role, address):
        if role == "holder":
            me = browser()
            me.sign_in(address)
            return me
        more = {"employer_id": employer_id, "access": "manage"} if role == "employer" else {}
        return enter(role, **more)[1]

    return sign_in


def test_every_kind_of_message_has_a_page():
    news = set(catalogues.topic("en", "account_messages")) - WITH_LINKS_OF_THEIR_OWN

    assert set(OPENS) == {REMINDER, DIGEST, *TELLS, *news}


@SQLITE
@pytest.mark.parametrize("page", MessagePage)
def test_a_page_opens_for_the_person_concerned(entered, ana, held, page):
    me = entered("employer" if page == MessagePage.MEMBERS else "holder", ana)
    opened = me.get(page.replace("{id}", held))
    if page == MessagePage.MEMBERS:
        assert (opened.status_code, opened.location) == (303, "/account")
        opened = me.get(opened.location)

    assert opened.status_code == 200


@SQLITE
def test_a_certifications_page_shows_it_and_its_public_page(browser, ana, held):
    me = browser()
    me.sign_in(ana)
    shown = me.get(path_of([(REMINDER, held)]))

    assert "Valid through" in shown.text
    (public,) = re.findall(r'href="(/verify/[^"]+)"', shown.text)
    assert browser().get(public, headers={"Accept": "text/html"}).status_code == 200
    assert f'href="{path_of([(REMINDER, held)])}"' in me.get("/account").text


@SQLITE
@pytest.mark.parametrize("role", ["holder", "employer", "staff", "admin"])
def test_nobody_else_sees_it_and_unknown_ids_look_the_same(entered, container, held, role):
    with container.work(SYSTEM) as work:
        factories.holder(work, email="bo@example.org")
    other = entered(role, "bo@example.org")
    unknown = "01900000-0000-7000-8000-000000000000"
    answers = [other.get(path_of([(REMINDER, id_)])) for id_ in (held, unknown)]

    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].text == answers[1].text


@SQLITE
@pytest.mark.parametrize("page", OF_HOLDERS)
@pytest.mark.parametrize("way", ["code", "link"])
def test_who_is_not_signed_in_signs_in_and_comes_back_to_exactly_that_page(
    browser, ana, held, page, way
):
    path, me = page.replace("{id}", held), browser()
    asked = me.get(path)

    assert (asked.status_code, asked.location) == (303, f"/sign-in?next={quote(path, safe='')}")
    form = me.get(asked.location).text
    assert ana not in form
    assert f'name="next" value="{path}"' in form
    assert 'name="identifier" required' in form, "no address is filled in"
    sent = me.ask(ana, next=path)
    assert sent.location == f"/sign-in/code?next={quote(path, safe='')}"
    if way == "code":
        entered = me.post("/sign-in/code", {"code": me.mailed(), "next": path})
    else:
        entered = browser().post(me.link())
    assert (entered.status_code, entered.location) == (303, path)


@SQLITE
@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil", "x"])
def test_a_link_never_leads_to_another_site(browser, ana, elsewhere):
    """Case 47."""
    me = browser()
    me.ask(ana, next=elsewhere)

    assert browser().post(me.link()).location == "/account"


@SQLITE
@pytest.mark.parametrize("page", MessagePage)
def test_opening_a_page_signs_nobody_in_and_changes_nothing(browser, container, held, page):
    before = count(container, HistoryEntry)
    me, path = browser(), page.replace("{id}", held)
    for _ in range(2):
        answer = me.get(path)
        if answer.status_code == 303:
            answer = me.get(answer.location)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers

    assert count(container, LoginSession) == 0
    assert count(container, HistoryEntry) == before


@SQLITE
def test_the_page_of_a_certification_that_another_replaced_leads_to_all(
    browser, container, ana, held
):
    with container.work(SYSTEM) as work:
        work.session.get_one(Certification, held).replaced_on = date(2026, 1, 1)
    me = browser()
    me.sign_in(ana)
    opened = me.get(path_of([(REMINDER, held)]))

    assert (opened.status_code, opened.location) == (303, "/account")
