"""Attacks on signing in that lie across several pages: cases 20, 22, 24, 28, 30, 32 and 43."""

from __future__ import annotations

import io
import json
import logging
import re
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

import tracker
from tests import factories
from tests.api.access.access_cases import PICTURE
from tests.backends import SQLITE
from tests.members import PASSWORD, member
from tracker import jobs, logs
from tracker.domain.permissions import SYSTEM
from tracker.models import Evidence, SignIn
from tracker.services.people import invitations, password_changes, sign_in

ME = "/api/v1/me"
FLAGS = {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}


def newest(container):
    """The id of the newest attempt."""
    with container.reading(SYSTEM) as reading:
        return str(reading.row(select(SignIn.id).order_by(SignIn.id.desc()).limit(1)).id)


def path_of(link):
    """The path of a mailed link."""
    return link.removeprefix("https://tracker.example")


@SQLITE
def test_a_session_that_is_over_answers_no_program_either(enter, clock):
    """Case 20, at the interface: after 31 minutes without a use, and after twelve hours of use."""
    _, me = enter("staff")
    assert me.get(ME).status_code == 200
    clock.advance(minutes=31)
    assert me.get(ME).status_code == 401
    _, busy = enter("admin")
    for _ in range(25):
        clock.advance(minutes=28)
        assert busy.get(ME).status_code == 200
    clock.advance(minutes=28)
    assert busy.get(ME).status_code == 401


@SQLITE
def test_a_new_password_by_a_mailed_link_still_needs_the_second_factor(browser, container, kim):
    """Case 22: neither the link nor the new password opens anything but the page for the code."""
    me, new = browser(), "another horse entirely"
    me.post("/password/forgotten", {"email": kim.email})
    jobs.look_up_sign_ins(container)
    with container.reading(SYSTEM) as reading:
        link = password_changes.link(reading, container.message_key, newest(container))
    assert me.post(path_of(link), {"new_password": new}).status_code == 200
    assert me.get(ME).status_code == 401
    assert me.cookie() is None
    entered = kim.enter_password(me, new)
    assert entered.location.startswith("/sign-in/factor")
    assert (me.get(ME).status_code, me.get(ME).json["code"]) == (403, "second_factor_missing")
    assert me.get("/account/people").location.startswith("/sign-in/factor")


# What is chosen, and whether it is taken.
PASSWORDS = {
    "sh0rt x": False,
    "password1234": False,
    "x7# q": False,
    "correct horse battery staple, and so on, to sixty-four characters": True,
    "   blanks   are   signs   too   ": True,
    "пароль из русских букв": True,
}


@pytest.fixture
def choose(browser, container, enter):
    """Choose a password by one of the doors; the answer."""

    def chosen(door, text):
        me = browser()
        if door == "own":
            _, me = enter("staff")
            return me.send_form("/account/password", new_password=text)
        if door == "reset":
            kim = member(container, "admin", email="kim@x.org")
            me.post("/password/forgotten", {"email": kim.email})
            jobs.look_up_sign_ins(container)
            with container.reading(SYSTEM) as reading:
                link = password_changes.link(reading, container.message_key, newest(container))
            return me.post(path_of(link), {"new_password": text})
        with container.work(SYSTEM) as work:
            wanted = invitations.PersonToInvite("staff", "Sam", "sam@x.org", None, None)
            row = invitations.invite(work, wanted)
            link = invitations.link(work, work.message_key, row.id, row.sendings)
        return me.post(path_of(link), {"new_password": text})

    return chosen


@pytest.mark.parametrize("door", ["own", "reset", "invitation"])
@pytest.mark.parametrize(("text", "is_taken"), PASSWORDS.items())
@SQLITE
def test_every_door_takes_long_passwords_with_blanks_and_no_short_or_common_ones(
    choose, door, text, is_taken
):
    """Case 24, on one database: a password is judged before anything is written."""
    answer = choose(door, text)

    assert (answer.status_code == 422) is not is_taken, answer.status_code


@SQLITE
def test_every_way_of_signing_in_gives_the_same_kind_of_cookie(browser, container, ana, kim):
    """Case 28. Passkeys and providers give theirs by the same function.

    Nothing else sets a cookie but the choice of a language.
    """
    by_code, by_link, by_password = browser(), browser(), browser()
    answers = [by_code.sign_in(ana)]
    by_link.ask(ana)
    with container.reading(SYSTEM) as reading:
        link = sign_in.link(reading, container.message_key, newest(container))
    answers.append(by_link.post(path_of(link)))
    answers.append(kim.sign_in(by_password))
    for answer in answers:
        given = [one for one in answer.headers.getlist("Set-Cookie") if "session=" in one]
        (cookie,) = given
        assert cookie.startswith("__Host-session=")
        assert set(cookie.split("; ")[1:]) == FLAGS
    program = Path(tracker.__file__).parent
    setting = {
        str(file.relative_to(program))
        for file in program.rglob("*.py")
        if re.search(r"\.set_cookie\(|\.delete_cookie\(", file.read_text("utf-8"))
    }
    assert setting == {"api/http/session_cookies.py", "web/languages.py"}


@pytest.mark.parametrize(
    ("name", "data", "is_taken"),
    [
        ("page.pdf", b"<!DOCTYPE html><script>alert(1)</script>", False),
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', False),
        ("photo.jpg", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", False),
        ("script.jpg", b"alert(1)", False),
        ("../../x\u202egnp.png", PICTURE, True),
        ("x" * 300 + ".png", PICTURE, True),
    ],
)
@SQLITE
def test_the_form_for_files_takes_what_the_interface_takes(
    browser, container, name, data, is_taken
):
    """Cases 30 and 32, by the page: the same check as tests/api/points/test_evidence.py tries."""
    _, held = factories.certified(container, date(2024, 3, 1), email="bea@example.org")
    me = browser()
    me.sign_in("bea@example.org")
    draft = drafted(me, held)
    form = {"csrf_token": me.csrf(), "file": (io.BytesIO(data), name)}
    answer = me.post(f"/account/activities/{draft}/evidence", form)
    with container.reading(SYSTEM) as reading:
        kept = reading.rows(select(Evidence.filename, Evidence.key))

    assert answer.status_code == (303 if is_taken else 422)
    assert len(kept) == is_taken
    for row in kept:
        assert re.fullmatch(r"[\w.]{1,200}", row.filename)
        assert re.fullmatch(r"[0-9a-f]{64}", row.key)
    if not is_taken:
        assert "PDF, JPG or PNG" in answer.text


def drafted(me, certification_id):
    """Log an activity by the interface, with a session; its id."""
    body = {"category": "CE", "type": "third_party", "title": "Course", "quantity": "5"}
    path = f"/api/v1/certifications/{certification_id}/activities"
    headers = {"X-CSRF-Token": me.csrf()}
    made = me.post(path, json=body | {"completed_on": "2026-01-05"}, headers=headers)
    return made.json["id"]


@SQLITE
def test_a_failed_sign_in_is_one_line_of_json_without_the_password(browser, container):
    """Case 43, with the handler that production has."""
    kim = member(container, "admin", name="Kim\nlevel=ERROR forged")
    kim.set_up()
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.formatter("json"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel("INFO")
    try:
        me = browser()
        kim.enter_password(me, "hunter2 hunter2", headers={"User-Agent": "Fire\tfox"})
        kim.sign_in(me)
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]

    assert [line["kind"] for line in lines if "kind" in line]
    assert "failed password" in {line["message"] for line in lines}
    for secret in ("hunter2", PASSWORD, kim.email):
        assert secret not in written.getvalue()
