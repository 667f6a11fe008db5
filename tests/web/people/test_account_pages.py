"""What people see once they are signed in (web/people/account.py)."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import select, update

from tests import factories
from tests.backends import SQLITE
from tests.browsers import content
from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.domain.permissions import SYSTEM
from tracker.models import Employer, Holder, LoginSession
from tracker.services.core import tokens
from tracker.services.credentials import assessments
from tracker.services.people import accounts, sign_in


def text_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


@SQLITE
def test_a_holder_sees_certifications_and_days_left(browser, ana, clock):
    clock.set("2026-11-25")
    me = browser()
    me.sign_in(ana)
    told = text_of(me.get("/account"))

    assert "Ana Ruiz" in told
    assert "Valid · 30 days left" in told
    assert "Valid through December 25, 2026" in told


def test_a_candidate_sees_modules_passed_and_missing(browser, container):
    with container.work(SYSTEM) as work:
        holder_id = factories.holder(work, email="kim@example.org")
        factories.passed(work, holder_id, date(2026, 5, 12), modules=("maintenance",))
        failed = AttemptToRecord(
            scheme="cpt", module="safety", taken_on=date(2026, 11, 20), passed=False
        )
        assessments.record(work, holder_id, failed)
    me = browser()
    me.sign_in("kim@example.org")
    page = me.get("/account")
    told = text_of(page)

    assert "Maintenance Awareness Passed on May 12, 2026." in told
    assert "Safety Not passed yet. You can take it again from December 6, 2026." in told
    assert "Green Production" not in told
    [public] = re.findall(r'href="(/verify/[^"]+)"', page.text)
    assert "Maintenance Awareness" in me.get(public, headers={"Accept": "text/html"}).text


@SQLITE
@pytest.mark.parametrize(
    ("day", "said"), [("2026-12-24", "1 day left"), ("2026-12-25", "today is the last day")]
)
def test_the_last_days_have_their_words(browser, ana, clock, day, said):
    clock.set(day)
    me = browser()
    me.sign_in(ana)

    assert said in text_of(me.get("/account"))


@SQLITE
def test_an_expired_certification_has_no_days_left(browser, ana, clock):
    clock.set("2026-12-26")
    me = browser()
    me.sign_in(ana)
    told = text_of(me.get("/account"))

    assert "Expired" in told
    assert "days left" not in told


@SQLITE
def test_a_holder_is_spoken_to_in_the_language_on_record(browser, container, ana):
    with container.work(SYSTEM) as work:
        work.execute(update(Holder).values(language="es"))
    me = browser()
    me.sign_in(ana)

    assert "Sus certificaciones" in me.get("/account").text
    for path in ("sharing", "data", "security", "passkeys", "tokens", "events", "confirm"):
        page = me.get(f"/account/{path}", headers={"Accept-Language": "en"})
        assert 'lang="es"' in page.text, path


@SQLITE
@pytest.mark.parametrize("path", ["people", "approvals", f"sharing/requests/{UUID(int=1)}"])
def test_what_is_not_for_a_person_is_said_in_words_with_the_way_back(browser, ana, path):
    me = browser()
    me.sign_in(ana)
    page = me.get(f"/account/{path}")

    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "There&#39;s nothing here" in page.text
    assert '<a href="/account">' in page.text


@SQLITE
def test_every_link_of_the_account_page_opens(enter, employer_id):
    for role in ("employer", "reviewer", "staff", "admin"):
        of = {"employer_id": employer_id, "access": "manage"} if role == "employer" else {}
        _, me = enter(role, **of)
        links = re.findall(r'<a href="(/account/[^"]+)"', me.get("/account").text)

        assert {me.get(link).status_code for link in links} == {200}, role


@SQLITE
def test_somebody_without_a_certification_and_with_a_name_of_signs(browser, container):
    with container.work(SYSTEM) as work:
        factories.holder(
            work,
            email="bo@example.org",
            given_name="<script>alert(1)</script>",
            family_name="{{7*7}}",
        )
    me = browser()
    me.sign_in("bo@example.org")
    page = me.get("/account")

    assert "You don&#39;t have a certification yet." in page.text
    assert "<script" not in page.text
    assert "{{7*7}}" in page.text


def test_people_see_where_they_are_signed_in_and_end_the_others(browser, ana):
    me, phone = browser(), browser()
    phone.ask(ana)
    phone.post(
        "/sign-in/code",
        {"code": phone.mailed()},
        headers={"User-Agent": "Phone <b>1</b>" + "x" * 300},
    )
    me.sign_in(ana)
    page = content(me.get("/account"))
    assert page.rpartition("<h2>")[2].count("<li>") == 2
    assert "Phone &lt;b&gt;1&lt;/b&gt;" in page
    assert page.count("(this browser)") == 1
    (path,) = re.findall(r'action="(/account/sessions/[^"]+)"', page)

    ended = me.post(path, {"csrf_token": me.csrf()})

    assert (ended.status_code, ended.location) == (303, "/account")
    assert phone.get("/account").status_code == 303
    assert content(me.get("/account")).rpartition("<h2>")[2].count("<li>") == 1


def test_nobody_ends_another_persons_session(browser, container, ana):
    with container.work(SYSTEM) as work:
        factories.holder(work, email="bo@example.org")
    me, other = browser(), browser()
    other.sign_in("bo@example.org")
    with container.reading(SYSTEM) as reading:
        theirs = reading.row(select(LoginSession.id)).id
    me.sign_in(ana)
    form = {"csrf_token": me.csrf()}
    unknown = "01900000-0000-7000-8000-000000000000"
    answers = [me.post(f"/account/sessions/{id_}/end", form) for id_ in (theirs, unknown)]

    assert [one.status_code for one in answers] == [404, 404]
    assert other.get("/account").status_code == 200


def test_an_employer_signs_in_by_a_link_of_the_operator(browser, container, clock):
    with container.work(SYSTEM) as work:
        employer = Employer(name="Acme", recorded_at=work.now)
        work.session.add(employer)
        work.session.flush()
        email = "hr@example.org"
        account_id = accounts.open_account(
            work, role="employer", name="Hal", email=email, organization_id=employer.id
        )
        until = clock.now.replace(hour=23)
        link = sign_in.link_for(work, account_id, email, until=until)
    me = browser()
    me.post(link.removeprefix("https://tracker.example"))
    told = text_of(me.get("/account"))

    assert "You&#39;re signed in for your company. Acme" in told
    assert "Your certifications" not in told


@SQLITE
@pytest.mark.parametrize("scope", ["read", "write"])
def test_a_token_opens_no_page_and_ends_no_session(browser, container, ana, scope):
    """Pages ask for no scope, so a token with one scope would have both."""
    with container.work(SYSTEM) as work:
        holder_id = work.row(select(Holder.id).where(Holder.email == ana)).id
        _, token = tokens.create(
            work, name="Ana", role="holder", holder_id=holder_id, scopes=[scope]
        )
    me, program = browser(), browser()
    me.sign_in(ana)
    with container.reading(SYSTEM) as reading:
        session_id = reading.row(select(LoginSession.id)).id
    headers = {"Authorization": f"Bearer {token}"}
    answers = [
        program.get("/account", headers=headers),
        program.post(f"/account/sessions/{session_id}/end", headers=headers),
    ]

    assert [one.status_code for one in answers] == [303, 303]
    assert all(one.location.startswith("/sign-in") for one in answers)
    assert me.get("/account").status_code == 200
