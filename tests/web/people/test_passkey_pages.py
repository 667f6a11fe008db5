"""Passkeys: signing in, confirming, adding, removing (web/people/passkeys.py)."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from datetime import date

import pytest
from sqlalchemy import delete, select

from tests import authenticators, factories
from tests.authenticators import Device, options_in, send
from tests.backends import SQLITE
from tests.browsers import content
from tests.members import PASSWORD, member
from tests.rows import acts_on, count
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Authenticator, Holder, LoginSession, Passkey, SignIn
from tracker.services.overview import exports
from tracker.services.people import holders, managed_accounts, recoveries

PASSKEYS = "/account/passkeys"


def heading(page):
    (found,) = re.findall(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    return found


@pytest.fixture
def phone():
    return Device()


@pytest.fixture
def added(me, phone):
    """The phone has a passkey of Kim's."""
    assert authenticators.add(me, phone).location == PASSKEYS
    return phone


def test_a_passkey_alone_signs_in_and_is_both_factors(browser, container, added):
    other = browser()
    page = other.get("/sign-in")
    assert "Sign in with a passkey" in page.text

    done = authenticators.sign_in(other, added)

    assert (done.status_code, done.location) == (303, "/account")
    assert heading(other.get("/account")) == "Admin Doe"
    assert other.get("/api/v1/me/security").json["is_fresh"]
    assert other.get("/api/v1/me/security").json["has_passkey"]
    assert acts_on(container, "account")[-2:] == ["add_passkey", "sign_in"]


@SQLITE
def test_holders_sign_in_with_a_passkey_in_their_language(browser, ana, phone):
    me, other = browser(), browser()
    me.sign_in(ana)
    authenticators.add(me, phone, "Teléfono de Ana")

    spanish = other.post("/sign-in/passkey", headers={"Accept-Language": "es"})
    assert heading(spanish) == "Use su llave de acceso"
    assert authenticators.sign_in(other, phone).status_code == 303
    assert other.get("/api/v1/me").json["holder"]["email"] == ana
    assert "Teléfono de Ana" in other.get(PASSKEYS).text


@SQLITE
def test_the_page_runs_our_own_script_and_nothing_else(browser):
    page = browser().post("/sign-in/passkey")
    policy = page.headers["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    (source,) = re.findall(r"<script src=\"([^\"]+)\" defer></script>", page.text)
    assert page.text.count("<script") == 1
    file = browser().get(source)
    assert (file.status_code, file.mimetype) == (200, "text/javascript")
    assert "<noscript>" in page.text
    assert page.headers["Cache-Control"] == "no-store"


@SQLITE
@pytest.mark.usefixtures("added")
def test_a_challenge_tells_nobody_who_has_a_passkey(browser):
    first, second = (options_in(browser().post("/sign-in/passkey")) for _ in range(2))

    assert first.pop("challenge") != second.pop("challenge")
    assert first == second
    assert first["allowCredentials"] == []
    assert first["rpId"] == "tracker.example"


def test_a_challenge_is_used_once_right_or_wrong(browser, added):
    me = browser()
    page = me.post("/sign-in/passkey")
    answer = added.use(options_in(page))
    secret = me.client.get_cookie("__Host-sign-in", domain="tracker.example").value
    assert send(me, page, answer).status_code == 303

    thief = browser()
    thief.client.set_cookie("__Host-sign-in", secret, domain="tracker.example")
    assert send(thief, page, answer).status_code == 422
    again = me.post("/sign-in/passkey")
    right = added.use(options_in(again))
    secret = me.client.get_cookie("__Host-sign-in", domain="tracker.example").value
    assert send(me, again, "{}").status_code == 422
    me.client.set_cookie("__Host-sign-in", secret, domain="tracker.example")
    assert send(me, again, right).status_code == 422


@SQLITE
def test_a_challenge_is_for_one_browser_and_lasts_ten_minutes(browser, added, clock):
    me, thief = browser(), browser()
    page = me.post("/sign-in/passkey")
    answer = added.use(options_in(page))
    assert send(thief, page, answer).status_code == 422

    page = me.post("/sign-in/passkey")
    clock.advance(minutes=10)
    assert send(me, page, added.use(options_in(page))).status_code == 422


@SQLITE
@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://tracker.example.evil.example"},
        {"origin": "http://tracker.example"},
        {"host": "evil.example"},
        {"verifies": False},
    ],
    ids=str,
)
def test_a_passkey_used_on_another_site_or_without_its_owner_is_refused(browser, me, added, lie):
    for name, value in lie.items():
        setattr(added, name, value)

    page = authenticators.sign_in(browser(), added)
    assert (page.status_code, "can&#39;t be used here" in page.text) == (422, True)
    refused = authenticators.add(me, added, "Second")
    assert (refused.status_code, "couldn&#39;t be checked" in refused.text) == (422, True)


CHANGED: list[dict[str, bytes]] = [
    {"signature": b"x"},
    {"signature": b""},
    {"userHandle": bytes(16)},
    {"authenticatorData": bytes(37)},
    {"authenticatorData": b""},
    {"clientDataJSON": b"{}"},
    {"clientDataJSON": b"\xff"},
]


@SQLITE
def test_an_answer_that_was_changed_is_refused(browser, container, added):
    for changed in CHANGED:
        assert authenticators.sign_in(browser(), added, **changed).status_code == 422, changed
        assert count(container, LoginSession) == 1, changed


NO_ANSWERS = [
    "",
    "x",
    "[]",
    "null",
    "{}",
    '{"id": 1}',
    "9" * 20_000,
    '{"id":"\\ud800"}',
    "[" * 5000,
]


@SQLITE
def test_what_is_no_answer_is_refused(browser, me):
    for answer in NO_ANSWERS:
        other = browser()
        assert send(other, other.post("/sign-in/passkey"), answer).status_code == 422, answer[:8]
        page = me.send_form(PASSKEYS, name="x")
        assert send(me, page, answer).status_code == 422, answer[:8]


@SQLITE
def test_an_answer_without_a_user_handle_signs_nobody_in(browser, added):
    me = browser()
    page = me.post("/sign-in/passkey")
    answer = json.loads(added.use(options_in(page)))
    del answer["response"]["userHandle"]

    assert send(me, page, json.dumps(answer)).status_code == 422


def test_a_counter_that_does_not_go_up_is_a_copy_and_refused(browser, container, added):
    assert authenticators.sign_in(browser(), added).status_code == 303
    copy = deepcopy(added.keys[-1].count)
    assert authenticators.sign_in(browser(), added).status_code == 303
    added.keys[-1].count = copy

    assert authenticators.sign_in(browser(), added).status_code == 422
    assert acts_on(container, "account")[-1] == "refuse_passkey"
    added.keys[-1].count = 50
    assert authenticators.sign_in(browser(), added).status_code == 303


@SQLITE
def test_a_device_that_does_not_count_is_accepted(browser, me):
    device = Device(counts=False)
    authenticators.add(me, device)

    for _ in range(2):
        assert authenticators.sign_in(browser(), device).status_code == 303


@SQLITE
def test_another_key_with_the_same_name_signs_nobody_in(browser, added):
    stranger = Device()
    me = browser()
    page = me.post("/sign-in/passkey")
    options = options_in(page)
    made = {
        "challenge": options["challenge"],
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
        "authenticatorSelection": {"userVerification": "required"},
        "user": {"id": authenticators.text_of(added.keys[-1].handle)},
    }
    stranger.make(made)
    stranger.keys[-1].id = added.keys[-1].id

    assert send(me, page, stranger.use(options)).status_code == 422


@SQLITE
def test_who_was_deactivated_does_not_sign_in(browser, container, added, kim):
    member(container, "admin", email="boss@example.org")
    with container.work(SYSTEM) as work:
        managed_accounts.deactivate(work, kim.id, reason="Left")

    assert authenticators.sign_in(browser(), added).status_code == 422


def test_a_holders_passkey_ends_with_the_address_that_added_it(browser, container, ana, phone):
    me, other = browser(), browser()
    me.sign_in(ana)
    authenticators.add(me, phone)
    with container.work(SYSTEM) as work:
        holder = work.session.scalar(select(Holder).where(Holder.email == ana))
        changed = {"email": "new@example.org"}
        holders.write(work, holder, changed, reason="Lost", is_approved=True)

    assert authenticators.sign_in(other, phone).status_code == 422
    other.sign_in("new@example.org")
    assert authenticators.sign_in(browser(), phone).status_code == 422
    assert authenticators.add(other, phone).location == PASSKEYS
    assert authenticators.sign_in(browser(), phone).status_code == 303


@SQLITE
def test_the_dead_do_not_sign_in(browser, container, ana, phone):
    me = browser()
    me.sign_in(ana)
    authenticators.add(me, phone)
    with container.work(SYSTEM) as work:
        holder = work.session.scalar(select(Holder).where(Holder.email == ana))
        holders.write(work, holder, {"deceased_on": date(2026, 11, 1)}, reason="Told")

    assert authenticators.sign_in(browser(), phone).status_code == 422


def test_the_session_before_ends(browser, added, me):
    former = me.cookie()
    assert authenticators.sign_in(me, added).status_code == 303
    thief = browser()
    thief.set_cookie(former)

    assert thief.get("/api/v1/me").status_code == 401


def test_a_passkey_confirms_who_it_is(container, me, added, clock):
    """Case 23."""
    clock.advance(minutes=11)
    assert me.send_form(PASSKEYS, name="x").location.startswith("/account/confirm?")
    asked = me.get("/account/confirm?next=/account/security")
    assert "Use a passkey" in asked.text
    page = me.send_form("/account/confirm/passkey", next="/account/security")
    options = options_in(page)
    assert [one["id"] for one in options["allowCredentials"]] == [
        authenticators.text_of(added.keys[-1].id)
    ]

    assert send(me, page, added.use(options, signature=b"x")).status_code == 422
    assert not me.get("/api/v1/me/security").json["is_fresh"]
    page = me.send_form("/account/confirm/passkey", next="/account/security")
    assert send(me, page, added.use(options_in(page))).location == "/account/security"
    assert me.get("/api/v1/me/security").json["is_fresh"]
    assert acts_on(container, "account")[-1] == "confirm"


@SQLITE
def test_nobody_confirms_with_another_persons_passkey(enter, added, clock):
    _, sam = enter("staff")
    own = Device()
    authenticators.add(sam, own)
    clock.advance(minutes=11)
    page = sam.send_form("/account/confirm/passkey", next="/account")

    assert send(sam, page, added.use(options_in(page))).status_code == 422
    assert not sam.get("/api/v1/me/security").json["is_fresh"]


@SQLITE
def test_who_has_no_passkey_is_not_asked_for_one(me):
    assert "passkey" not in content(me.get("/account/confirm"))
    assert me.send_form("/account/confirm/passkey", next="/account").status_code == 404


@SQLITE
def test_a_challenge_to_confirm_signs_nobody_in_and_the_other_way_round(me, added):
    page = me.send_form("/account/confirm/passkey", next="/account")
    hidden = {"credential": added.use(options_in(page))}
    assert me.post("/sign-in/passkey/answer", hidden).status_code == 422
    page = me.post("/sign-in/passkey")
    answer = added.use(options_in(page))

    assert me.send_form("/account/confirm/passkey/answer", credential=answer).status_code == 422


def test_adding_is_told_and_the_list_says_when_each_was_used(browser, container, me, added, clock):
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        (letter,) = catcher.letters()
    assert letter.subject == "A passkey was added to your account on Tracker"
    assert "https://tracker.example/account/passkeys" in letter.text
    text = me.get(PASSKEYS).text
    assert "My phone" in text
    assert "never used" in text

    clock.advance(minutes=1)
    authenticators.sign_in(browser(), added)
    assert "last used November 21, 2026, 17:01 UTC" in me.get(PASSKEYS).text
    (row,) = me.get("/api/v1/me/passkeys").json["items"]
    assert row["last_used_at"] == "2026-11-21T17:01:00Z"


@SQLITE
def test_a_device_is_not_asked_to_make_a_second_passkey(me, added):
    options = options_in(me.send_form(PASSKEYS, name="x"))

    assert [one["id"] for one in options["excludeCredentials"]] == [
        authenticators.text_of(added.keys[-1].id)
    ]
    assert options["attestation"] == "none"
    assert options["authenticatorSelection"]["residentKey"] == "required"


def test_the_same_passkey_is_not_on_record_twice(enter, added, monkeypatch):
    _, sam = enter("staff")
    same = added.keys[-1].id
    monkeypatch.setattr(authenticators, "Key", lambda _, *rest: Key(same, *rest))

    refused = authenticators.add(sam, Device())
    assert (refused.status_code, "Nothing was changed" in refused.text) == (422, True)


Key = authenticators.Key


NO_NAMES = ["", "x" * 61, "\u202e"]


@SQLITE
def test_a_passkey_needs_a_name(me):
    for name in NO_NAMES:
        page = me.send_form(PASSKEYS, name=name)

        assert (page.status_code, "at most 60" in page.text) == (422, True), name


@pytest.mark.usefixtures("added")
def test_twenty_are_enough(container, me, kim):
    with container.work(SYSTEM) as work:
        for n in range(19):
            work.session.add(
                Passkey(
                    account_id=kim.id,
                    credential_id=f"A{n:03}",
                    public_key=b"",
                    sign_count=0,
                    name="x",
                    email=kim.email,
                    recorded_at=work.now,
                )
            )
    refused = me.send_form(PASSKEYS, name="One more")

    assert (refused.status_code, "Remove one first" in refused.text) == (422, True)


def test_renaming_and_removing(browser, container, me, added):
    (row,) = me.get("/api/v1/me/passkeys").json["items"]
    assert me.send_form(f"{PASSKEYS}/{row['id']}/rename", name=" Work  phone ").status_code == 303
    assert me.get("/api/v1/me/passkeys").json["items"][0]["name"] == "Work phone"
    assert me.send_form(f"{PASSKEYS}/{row['id']}/rename", name="").status_code == 422
    other = browser()
    authenticators.sign_in(other, added)

    assert me.send_form(f"{PASSKEYS}/{row['id']}/remove").location == PASSKEYS
    assert other.get("/api/v1/me").status_code == 401
    assert authenticators.sign_in(browser(), added).status_code == 422
    assert acts_on(container, "account")[-4:] == [
        "rename_passkey",
        "sign_in",
        "sign_out",
        "remove_passkey",
    ]
    assert me.send_form(f"{PASSKEYS}/{row['id']}/remove").status_code == 404


@SQLITE
@pytest.mark.usefixtures("added")
def test_removing_needs_a_fresh_proof(me, clock):
    (row,) = me.get("/api/v1/me/passkeys").json["items"]
    clock.advance(minutes=11)

    stale = me.send_form(f"{PASSKEYS}/{row['id']}/remove")
    assert stale.location.startswith("/account/confirm?")
    headers = {"X-CSRF-Token": me.get("/api/v1/me").json["csrf_token"]}
    answer = me.open("DELETE", f"/api/v1/me/passkeys/{row['id']}", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "reauthentication_required")


@SQLITE
@pytest.mark.usefixtures("added")
def test_nobody_touches_another_persons_passkey(enter, me):
    (row,) = me.get("/api/v1/me/passkeys").json["items"]
    _, sam = enter("staff")

    assert sam.send_form(f"{PASSKEYS}/{row['id']}/remove").status_code == 404
    assert sam.send_form(f"{PASSKEYS}/{row['id']}/rename", name="x").status_code == 404
    assert me.get("/api/v1/me/passkeys").json["items"] == [row]


def without_app(container, kim):
    with container.work(SYSTEM) as work:
        work.execute(delete(Authenticator).where(Authenticator.account_id == kim.id))


@pytest.mark.usefixtures("added")
def test_the_last_second_factor_stays(container, me, kim):
    without_app(container, kim)
    (row,) = me.get("/api/v1/me/passkeys").json["items"]
    refused = me.send_form(f"{PASSKEYS}/{row['id']}/remove")
    assert (refused.status_code, "only second factor" in refused.text) == (422, True)
    headers = {"X-CSRF-Token": me.get("/api/v1/me").json["csrf_token"]}
    answer = me.open("DELETE", f"/api/v1/me/passkeys/{row['id']}", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (409, "last_factor")

    authenticators.add(me, Device(), "Second")
    assert me.send_form(f"{PASSKEYS}/{row['id']}/remove").location == PASSKEYS


@SQLITE
def test_holders_may_remove_the_last_one(browser, ana, phone):
    me = browser()
    me.sign_in(ana)
    authenticators.add(me, phone)
    (row,) = me.get("/api/v1/me/passkeys").json["items"]

    assert me.send_form(f"{PASSKEYS}/{row['id']}/remove").location == PASSKEYS
    assert me.get("/api/v1/me/passkeys").json["items"] == []


@SQLITE
def test_a_password_alone_sets_up_no_app_beside_a_passkey(browser, container, kim, added):
    without_app(container, kim)
    thief = browser()
    kim.enter_password(thief, PASSWORD)
    page = thief.get("/sign-in/factor")

    assert heading(page) == "Use your passkey"
    assert "otpauth" not in page.text
    assert thief.post("/sign-in/factor", {"code": "123456"}).status_code in {200, 422}
    assert count(container, Authenticator) == 0
    assert authenticators.sign_in(thief, added).status_code == 303


def test_two_people_who_reset_the_second_factor_remove_the_passkeys(browser, container, kim, added):
    with container.work(SYSTEM) as work:
        recoveries.reset_factor_at(work, kim.email)

    assert count(container, Passkey) == 0
    assert authenticators.sign_in(browser(), added).status_code == 422


@pytest.mark.usefixtures("added")
def test_somebody_with_a_passkey_has_a_second_factor(container, kim):
    without_app(container, kim)
    with container.reading(SYSTEM) as reading:
        assert managed_accounts.get(reading, kim.id).has_second_factor


def test_a_caller_asks_for_so_many_challenges_a_minute(browser, clock):
    me = browser()
    answers = [me.post("/sign-in/passkey").status_code for _ in range(31)]

    assert answers == [200] * 30 + [429]
    clock.advance(minutes=1)
    assert me.post("/sign-in/passkey").status_code == 200


def test_old_challenges_are_deleted(browser, container, clock):
    browser().post("/sign-in/passkey")
    clock.advance(days=2)
    jobs.tidy(container)

    assert count(container, SignIn) == 0


@SQLITE
def test_forms_from_other_sites_change_nothing(browser, me):
    """Case 25."""
    foreign = {"Origin": "https://evil.example"}
    for path in ("/sign-in/passkey", "/sign-in/passkey/answer"):
        assert browser().post(path, headers=foreign).status_code == 400
    for path in (PASSKEYS, f"{PASSKEYS}/answer", "/account/confirm/passkey"):
        assert me.post(path, {"name": "x"}).status_code == 400


def test_a_holders_record_says_which_passkeys_there_are_and_no_keys(browser, container, ana, phone):
    me = browser()
    me.sign_in(ana)
    authenticators.add(me, phone)
    with container.reading(SYSTEM) as reading:
        ref = reading.row(select(Holder.ref)).ref
        record = exports.record(reading, ref)

    (passkey,) = record["accounts"][0]["passkeys"]
    assert passkey["name"] == "My phone"
    assert set(passkey) == {"id", "name", "email", "recorded_at", "last_used_at"}


@SQLITE
def test_a_token_of_staff_has_no_passkeys_and_removes_none(browser, container, me):
    authenticators.add(me, Device())
    (row,) = me.get("/api/v1/me/passkeys").json["items"]
    other = browser()
    headers = {"Authorization": f"Bearer {factories.secret(container, 'staff')}"}

    assert other.get("/api/v1/me/passkeys", headers=headers).json["items"] == []
    path = f"/api/v1/me/passkeys/{row['id']}"
    assert other.open("DELETE", path, headers=headers).status_code == 404
