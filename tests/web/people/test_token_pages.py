"""The page of tokens (web/people/tokens.py), and whose tokens staff may end."""

from __future__ import annotations

import re

import pytest

from tests import factories
from tests.backends import SQLITE
from tests.browsers import content
from tracker.api import PREFIX
from tracker.domain.permissions import SYSTEM
from tracker.services.core import tokens

HERE = "/account/tokens"
SECRET = re.compile(r"trk_[\w-]+")


@pytest.fixture
def entered(browser, enter, employer_id, ana):
    """Sign somebody in, Ana for a holder; their browser."""

    def sign_in(role, access="manage"):
        if role == "holder":
            me = browser()
            me.sign_in(ana)
            return me
        more = {"employer_id": employer_id, "access": access} if role == "employer" else {}
        return enter(role, **more)[1]

    return sign_in


def status_of(browser, secret, path="/me"):
    headers = {"Authorization": f"Bearer {secret}"}
    return browser().get(f"{PREFIX}{path}", headers=headers).status_code


@SQLITE
@pytest.mark.parametrize("role", ["holder", "employer", "staff", "admin"])
def test_everybody_makes_sees_and_ends_tokens_of_their_own(browser, entered, role):
    me = entered(role)
    made = me.send_form(HERE, scope="read", days="30")
    (secret,) = SECRET.findall(made.text)
    assert made.headers["Cache-Control"] == "private, no-store"
    assert status_of(browser, secret) == 200
    page = me.get(HERE).text

    assert "Expires December 21, 2026" in page
    assert "Last used November 21, 2026" in page
    assert secret not in page
    assert "make changes" not in page.partition("</ul>")[0]
    (end,) = re.findall(rf'action="({HERE}/[^"]+/end)"', page)
    assert me.send_form(end).location == HERE
    assert status_of(browser, secret) == 401
    assert "No token can be used" in me.get(HERE).text


@SQLITE
def test_who_may_only_view_makes_and_ends_none(entered, container, employer_id):
    with container.work(SYSTEM) as work:
        id_, _ = tokens.create(work, name="HR", role="employer", organization_id=employer_id)
    me = entered("employer", access="view")
    page = content(me.get(HERE))

    assert "HR" in page
    assert "<form" not in page
    assert me.send_form(HERE, scope="read").status_code == 403
    assert me.send_form(f"{HERE}/{id_}/end").status_code == 403


@SQLITE
def test_who_has_not_proved_lately_who_they_are_does_so_first(entered, clock):
    me = entered("staff")
    clock.advance(minutes=11)
    asked = me.send_form(HERE, scope="read")

    assert asked.location == "/account/confirm?next=%2Faccount%2Ftokens"


@SQLITE
def test_a_token_without_a_right_is_refused_in_words(entered):
    refused = entered("holder").send_form(HERE)

    assert refused.status_code == 422
    assert 'role="alert"' in refused.text


def test_nobody_ends_the_token_of_another_person(browser, entered, container):
    with container.work(SYSTEM) as work:
        bo = factories.holder(work, email="bo@example.org")
        id_, secret = tokens.create(work, name="Bo", role="holder", holder_id=bo)
    answer = entered("holder").send_form(f"{HERE}/{id_}/end")

    assert answer.status_code == 404
    assert status_of(browser, secret) == 200


@pytest.mark.parametrize("role", ["holder", "employer"])
def test_staff_find_and_end_the_token_of_a_holder_or_employer_with_history(
    browser, entered, container, employer_id, role
):
    with container.work(SYSTEM) as work:
        bo = factories.holder(work, email="bo@example.org")
        whose = {"holder_id": bo} if role == "holder" else {"employer_id": employer_id}
        id_, secret = tokens.create(
            work,
            name="lost",
            role=role,
            holder_id=whose.get("holder_id"),
            organization_id=whose.get("employer_id"),
        )
        tokens.create(work, name="other", role="holder", holder_id=factories.holder(work))
    me = entered("staff")
    found = me.get(f"{PREFIX}/tokens", query_string=whose).json["items"]
    headers = {"X-CSRF-Token": me.csrf()}
    ended = me.open("DELETE", f"{PREFIX}/tokens/{id_}", headers=headers)

    assert [one["id"] for one in found] == [id_]
    assert ended.status_code == 204
    assert status_of(browser, secret) == 401
    entry = me.get(f"{PREFIX}/history", query_string={"subject_id": id_}).json["items"][0]
    assert (entry["action"], entry["actor_role"]) == ("revoke", "staff")


@pytest.mark.parametrize("role", ["staff", "admin"])
def test_only_an_admin_ends_the_token_of_a_colleague(browser, entered, container, role):
    with container.work(SYSTEM) as work:
        id_, secret = tokens.create(work, name="robot", role=role)
    for ender, status in (("staff", 404), ("admin", 204)):
        me = entered(ender)
        headers = {"X-CSRF-Token": me.csrf()}
        answer = me.open("DELETE", f"{PREFIX}/tokens/{id_}", headers=headers)
        assert answer.status_code == status
    assert status_of(browser, secret) == 401
