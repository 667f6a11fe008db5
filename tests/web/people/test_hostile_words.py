"""Names and titles that would be lines, tags, templates or other hosts: cases 36, 37 and 38."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date
from typing import Any

import pytest
from sqlalchemy import update

from tests import factories, pdf_texts
from tests.api.conftest import Caller
from tests.api.points.activity_cases import decided, submitted
from tests.backends import SQLITE
from tests.browsers import Browser
from tests.conftest import office_of
from tests.members import member
from tests.services.delivery import reminder_cases
from tracker import jobs, settings
from tracker.app import create_app
from tracker.domain.permissions import SYSTEM
from tracker.models import Holder, Invitation

LINE = "Sam\r\nBcc: v@evil.example\r\n\r\nHello"
TITLE = "{{7*7}}<script>alert(1)</script>${7*7}"


@pytest.fixture
def caller(app, container):
    """Make a caller of the interface: ``caller("holder", holder_id=...)``."""
    return lambda role, **of: Caller(app.test_client(), factories.secret(container, role, **of))


HEADER = re.compile(r"^(?:[A-Za-z-]+: ?|[ \t])")


def test_a_line_in_a_name_is_refused_and_one_on_record_starts_no_header(caller, container, clock):
    """Case 36, by the messages that a real mail server has taken.

    No door takes such a name; what stands in the tables from elsewhere is written there by hand.
    """
    admin = caller("admin")
    sam = {"role": "staff", "name": LINE, "email": "sam@example.org"}
    assert admin.post("/invitations", sam).status_code == 422
    person = {"given_name": LINE, "family_name": "B", "email": "b@example.org"}
    assert admin.post("/holders", person).status_code == 422
    with reminder_cases.relay(container) as (sending, catcher):
        assert admin.post("/invitations", sam | {"name": "Sam"}).status_code == 201
        factories.certified(container, date(2026, 11, 20), email="ana@example.org")
        with container.work(SYSTEM) as work:
            work.execute(update(Invitation).values(name=LINE, invited_by=LINE))
            work.execute(update(Holder).values(given_name=LINE, family_name=LINE))
        clock.advance(minutes=11)
        jobs.dispatch(sending)
        caught = catcher.letters()

    assert {one.recipient for one in caught} == {"sam@example.org", "ana@example.org"}
    for one in caught:
        head = one.raw.partition(b"\r\n\r\n")[0].decode()
        assert all(HEADER.match(line) for line in head.split("\r\n")), head
        assert "Bcc" not in one.message
        assert "evil" not in head
        assert one.message.get_all("To") == [one.recipient]
        assert len(one.message.get_all("Subject") or ()) == 1
        assert "\nBcc:" not in one.text


@SQLITE
def test_a_title_is_words_in_page_message_and_file(browser, caller, container, clock):
    """Case 37."""
    holder_id, certification_id = factories.certified(
        container, date(2024, 3, 1), email="ana@example.org"
    )
    ana, staff = caller("holder", holder_id=holder_id), caller("staff")
    with reminder_cases.relay(container) as (sending, catcher):
        sent = submitted(ana, (holder_id, certification_id), title=TITLE, provider=TITLE)
        assert decided(staff, sent).status_code == 200
        clock.advance(minutes=11)
        jobs.dispatch(sending)
        said = next(one for one in catcher.letters() if TITLE in one.text)
    me = browser()
    me.sign_in("ana@example.org")
    page = me.get(f"/account/activities/{sent.json['id']}").text
    archive = zipfile.ZipFile(io.BytesIO(ana.get("/me/export").get_data()))

    assert "<script>alert" not in page
    assert "{{7*7}}&lt;script&gt;alert(1)&lt;/script&gt;${7*7}" in page
    assert "<script" not in said.html
    assert "{{7*7}}&lt;script&gt;" in said.html
    # A word that is longer than its column is broken there.
    summary = pdf_texts.text(archive.read("summary.pdf"))
    assert TITLE.replace(" ", "") in summary.replace(" ", "")


# Hosts.
LINKS = {
    "/sign-in": {"identifier": "ana@example.org"},
    "/password/forgotten": {"email": "kim@example.org"},
}


@pytest.mark.parametrize("path", LINKS)
@SQLITE
def test_a_mailed_link_leads_to_our_own_address_whatever_the_request_says(
    app, browser, container, path
):
    """Case 38, on one database: no row says where the site is, only the settings do."""
    factories.certified(container, date(2024, 3, 1), email="ana@example.org")
    member(container, "staff", email="kim@example.org")
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    forged |= {"Forwarded": "host=evil.example", "X-Original-Host": "evil.example"}
    assert (
        app.test_client().post(path, data=LINKS[path], base_url="https://evil.example").status_code
        == 404
    )
    with reminder_cases.relay(container) as (sending, catcher):
        assert browser().post(path, LINKS[path], headers=forged).status_code in {200, 303}
        jobs.look_up_sign_ins(sending)
        jobs.dispatch(sending)
        _are_ours(catcher.letters())


@SQLITE
def test_so_does_the_link_of_an_invitation(caller, container):
    admin = caller("admin")
    sam = {"role": "staff", "name": "Sam", "email": "sam@example.org"}
    with reminder_cases.relay(container) as (sending, catcher):
        made = admin.post("/invitations", sam, headers={"X-Forwarded-Host": "evil.example"})
        assert made.status_code == 201
        assert made.location.startswith("/api/v1/") or "evil" not in made.location
        jobs.dispatch(sending)
        _are_ours(catcher.letters())


def _are_ours(letters: Any) -> None:
    (one,) = letters
    found = re.findall(r"https?://[^/\s\"<>]+", one.text + one.html)
    assert {*found} == {"https://tracker.example"}, found
    assert "evil" not in one.raw.decode()


@pytest.mark.parametrize("is_trusted", [True, False])
@SQLITE
def test_wrong_passwords_are_counted_by_the_address_that_a_trusted_proxy_says(
    database_url, tmp_path, clock, is_trusted
):
    """Case 38: behind our proxy each caller by their own address; a stranger's word is nothing."""
    variables = {"TRACKER_APP_BASE_URL": "https://tracker.example"}
    if is_trusted:
        variables["TRACKER_SERVER_TRUSTED_PROXIES"] = "10.0.0.0/8"
    variables |= {"TRACKER_DATABASE_URL": database_url, "TRACKER_STORAGE_DIRECTORY": str(tmp_path)}
    app = create_app(settings.load("testing", variables), read_clock=clock)
    office = office_of(app)
    member(office, "staff", email="kim@example.org")
    guess = {"email": "kim@example.org", "password": "wrong"}

    def asked(forwarded: str) -> int:
        me = Browser(app, address="10.0.0.1")
        answer = me.post("/sign-in/password", guess, headers={"X-Forwarded-For": forwarded})
        return int(answer.status_code)

    rotating = [asked(f"203.0.113.{n}") for n in range(8)]
    lying = [asked(f"198.51.100.{n}, 203.0.113.99") for n in range(8)]
    office.engine.dispose()

    assert rotating == ([422] * 8 if is_trusted else [422] * 5 + [429] * 3)
    assert lying == ([422] * 5 + [429] * 3 if is_trusted else [429] * 8)
