"""Acts for which people must have proved lately who they are (services/people/sessions.py)."""

from __future__ import annotations

import re

import pytest

from tests.backends import SQLITE

pytestmark = SQLITE

PEOPLE, RECOVERIES = "/account/people", "/account/recoveries"
NEW = {"name": "Max", "email": "max@x.org"}


@pytest.mark.parametrize("act", ["invite", "change", "deactivate", "approve"])
def test_what_gives_or_takes_the_rights_of_staff_needs_a_fresh_proof(enter, clock, act):
    _, kim = enter("admin", email="kim@x.org")
    _, sam = enter("staff", email="sam@x.org")
    lee, _ = enter("staff", email="lee@x.org")
    assert sam.send_form(RECOVERIES, account_id=lee.id, reason="Lost the phone").status_code == 303
    approve = re.findall(rf'action="({RECOVERIES}/[^"]+/approve)"', kim.get(RECOVERIES).text)[0]
    path, form, back = {
        "invite": (f"{PEOPLE}/invitations", {**NEW, "role": "admin"}, PEOPLE),
        "change": (f"{PEOPLE}/{lee.id}/change", {"role": "admin"}, f"{PEOPLE}/{lee.id}"),
        "deactivate": (f"{PEOPLE}/{lee.id}/deactivate", {"reason": "Left"}, f"{PEOPLE}/{lee.id}"),
        "approve": (approve, {}, RECOVERIES),
    }[act]
    clock.advance(minutes=11)
    stale = kim.send_form(path, **form)

    assert (stale.status_code, stale.location.partition("?")[0]) == (303, "/account/confirm")
    assert back.replace("/", "%2F") in stale.location
    assert kim.get(RECOVERIES).text.count("/approve") == 1
    assert f"{PEOPLE}/invitations/" not in kim.get(PEOPLE).text


def test_colleagues_of_an_employer_are_invited_without(enter, clock, employer_id):
    _, me = enter("employer", employer_id=employer_id)
    clock.advance(minutes=11)

    assert me.send_form(f"{PEOPLE}/invitations", **NEW, access="view").location == PEOPLE
