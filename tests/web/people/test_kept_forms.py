"""What somebody typed before they had to prove who they are (web/people/kept_forms.py)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Response

import tracker
from tests.browsers import Browser
from tracker.domain.permissions import Actor
from tracker.web.people import kept_forms

PEOPLE, TOKENS = "/account/people", "/account/tokens"
AGAIN = "Nothing has been sent yet."
NEW = {"name": "Max & <b>", "email": "max@x.org", "role": "admin"}

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def stale_form(browser: Browser, path: str, **form: str) -> Any:
    """Send a form too late; the page that comes then."""
    answer = browser.send_form(path, **form)
    assert answer.location.startswith("/account/confirm?"), answer
    return answer


@on_sqlite
def test_an_invitation_typed_too_late_is_there_again_and_sent_by_its_button(enter, clock):
    kim, me = enter("admin")
    clock.advance(minutes=11)
    stale_form(me, f"{PEOPLE}/invitations", **NEW)
    assert me.send_form("/account/confirm", password="wrong", code="1").status_code == 422
    proof = {"password": "correct horse battery", "code": kim.code(), "next": PEOPLE}
    back = me.send_form("/account/confirm", **proof)
    page = me.get(back.location).text

    assert page.count(AGAIN) == 1
    assert 'value="Max &amp; &lt;b&gt;"' in page
    assert "max@x.org" not in me.get(PEOPLE).text
    typed = {"name": NEW["name"], "email": NEW["email"], "role": "admin"}
    assert me.send_form(f"{PEOPLE}/invitations", **typed).location == PEOPLE
    assert "max@x.org" in me.get(PEOPLE).text


@on_sqlite
def test_a_holder_who_confirms_by_a_mailed_code_finds_the_choice_again(browser, ana, clock):
    """The mailed code starts another session of the same person."""
    me = browser()
    me.sign_in(ana)
    clock.advance(minutes=11)
    stale_form(me, TOKENS, scope="write", days="90")
    me.send_form("/account/confirm", next=TOKENS)
    answer = me.post("/sign-in/code", {"code": me.mailed(), "next": TOKENS})
    page = me.get(answer.location).text

    assert AGAIN in page
    assert re.search(r'<input[^>]*value="write"[^>]* checked>', page)
    assert not re.search(r'<input[^>]*value="read"[^>]* checked>', page)
    assert re.search(r'<option value="90" selected>', page)


@on_sqlite
def test_the_name_of_a_new_passkey_is_there_again(enter, clock):
    _, me = enter("staff")
    clock.advance(minutes=11)
    stale_form(me, "/account/passkeys", name="Phone")

    assert re.search(r'<input name="name"[^>]* value="Phone">', me.get("/account/passkeys").text)


@on_sqlite
def test_nobody_else_at_the_browser_sees_it_and_it_ends_with_signing_out(enter, clock):
    _, me = enter("admin", email="kim@x.org")
    _, sam = enter("admin", email="sam@x.org")
    clock.advance(minutes=11)
    kept = stale_form(me, f"{PEOPLE}/invitations", **NEW).headers["Set-Cookie"]
    sent = kept.partition(";")[0].partition("=")[2]
    for browser, text in ((sam, sent), (me, sent[:-1] + "x"), (me, "x.y"), (me, ".")):
        browser.client.set_cookie("__Host-form", text, domain="tracker.example")
        page = browser.get(PEOPLE)
        assert AGAIN not in page.text
        assert "__Host-form=; " in page.headers["Set-Cookie"]
    for part in ("__Host-form=", "Secure", "HttpOnly", "SameSite=Lax"):
        assert part in kept
    stale_form(me, f"{PEOPLE}/invitations", **NEW)
    out = me.send_form("/sign-out")
    assert any(one.startswith("__Host-form=; ") for one in out.headers.getlist("Set-Cookie"))


@on_sqlite
def test_it_is_kept_for_ten_minutes(enter, clock):
    _, me = enter("admin")
    clock.advance(minutes=11)
    stale_form(me, f"{PEOPLE}/invitations", **NEW)
    clock.advance(minutes=10)

    assert AGAIN not in me.get(PEOPLE).text


@on_sqlite
def test_no_secret_is_kept_and_nothing_too_long(app):
    """What is chosen at random does not become shorter; a cookie holds 4,096 bytes."""
    kim = Actor(role="admin", name="Kim", person_id="kim")
    noise = "".join(chr(0x4E00 + n * n * 7919 % 20_011) for n in range(5_000))

    def kept(**form: str) -> str:
        with app.test_request_context("/account/people", method="POST", data=form):
            return str(kept_forms.keep(Response(), kim).headers.get("Set-Cookie", ""))

    secret = dict.fromkeys([*kept_forms.SECRETS, "csrf_token"], "x")
    assert kept(**secret) == ""
    with_name = kept(**secret, name="Ida").partition("=")[2].partition(";")[0]
    with app.test_request_context("/", headers={"Cookie": f"__Host-form={with_name}"}):
        found = kept_forms.kept(kim)
    assert found is not None
    assert list(found.pairs) == [("name", "Ida")]
    assert kept(name="x" * 19_000) != ""
    assert kept(name="x" * 30_000) == "", "packed it is short, but it would be read in part"
    assert 0 < len(kept(reason=noise[:500], name="Ida", email="ida@example.org")) < 4_096
    assert kept(reason=noise) == ""


def test_every_field_for_a_secret_is_known():
    """By what the templates and the forms of one page say of it to the browser."""
    folder = Path(tracker.__file__).parent / "web"
    found = set()
    for template in folder.rglob("*.html"):
        for tag in re.findall(r"<input[^>]*>", template.read_text()):
            if 'type="password"' in tag or "one-time-code" in tag:
                found |= set(re.findall(r'name="([a-z_]+)"', tag))
    source = (folder / "people" / "forms.py").read_text()
    for arguments in re.findall(r"FormField\(([^)]*)\)", source):
        if '"password"' in arguments or "one-time-code" in arguments:
            found |= set(re.findall(r'^\s*"([a-z_]+)"', arguments))

    assert {"code", "password", "new_password"} <= found
    assert found <= kept_forms.SECRETS


@on_sqlite
def test_the_rest_of_a_page_stays_as_it_was_to_the_letter(app):
    kim = Actor(role="admin", name="Kim", person_id="kim")
    text = (
        "<!doctype html><!-- x --><svg viewBox='0 0 1 1'><path d=\"M0\"/></svg>&amp;&#233;<br>"
        '<form action="/a"><input name="n" value="1"></form>'
        '<form action="/b"><textarea name="t">old &amp;</textarea><input name="n" value="2">'
        '<input type="hidden" name="csrf_token" value="new"></form><p>é</p>'
    )
    with app.test_request_context("/b", method="POST", data={"t": "</textarea>&", "n": '"'}):
        cookie = kept_forms.keep(Response(), kim).headers["Set-Cookie"].partition(";")[0]
    with app.test_request_context("/", headers={"Cookie": cookie}):
        made = kept_forms.filled(Response(text), kim, "Again.").get_data(as_text=True)

    expected = text.replace('<form action="/b">', '<form action="/b"><p role="status">Again.</p>')
    expected = expected.replace("old &amp;", "&lt;/textarea&gt;&amp;")
    assert made == expected.replace('value="2"', 'value="&quot;"')
