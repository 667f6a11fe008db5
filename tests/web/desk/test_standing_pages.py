"""web/desk/standings.py: suspend, revoke, reinstate, and the public page as it will look."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tests.browsers import content
from tracker.domain.permissions import SYSTEM
from tracker.models import ActApproval, Certification, StandingChange
from tracker.services.people import own_records

HERE = "/desk/certificates"
SQLITE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
WHY = {"reason_code": "conduct", "reason": "Exam code of conduct"}


@pytest.fixture
def held(desk):
    """The id of Ana's certification."""
    return desk.people["ana"][1]


def kinds(container):
    with container.reading(SYSTEM) as reading:
        return [row.kind for row in reading.rows(select(StandingChange.kind))]


def test_one_sees_the_public_page_proposes_a_revocation_and_another_one_approves(
    enter, held, container
):
    _, sam = enter("staff", email="sam@x.org", name="Sam")
    _, lee = enter("staff", email="lee@x.org", name="Lee")
    with container.reading(SYSTEM) as reading:
        number = reading.row(select(Certification.number).where(Certification.id == held)).number
    assert sam.get(f"{HERE}?number={number}").location == f"{HERE}/{held}"
    form = {"kind": "revoke", "effective_on": "2026-12-01", "barred_until": "", **WHY}
    page = content(sam.send_form(f"{HERE}/{held}/preview", **form))
    assert f"You are about to propose this: Revoke {number} of Ana Ruiz" in page
    assert "effective December 1, 2026" in page
    assert re.search(r'<div class="invalid" role="status">\s*<h2>.*Revoked</h2>', page)
    assert kinds(container) == []

    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    assert {name: hidden[name] for name in form} == form
    assert sam.send_form(f"{HERE}/{held}", **form).location == f"{HERE}/{held}"
    assert "It is proposed to revoke this." in content(sam.get(f"{HERE}/{held}"))
    assert kinds(container) == []
    again = sam.send_form(f"{HERE}/{held}", **form)
    assert "It is already proposed to revoke this." in content(again)
    with container.reading(SYSTEM) as reading:
        proposal = reading.row(select(ActApproval.id)).id
    approve = f"/account/approvals/{proposal}/approve"
    assert sam.send_form(approve).status_code == 422
    assert lee.send_form(approve).location == "/account/approvals"
    assert kinds(container) == ["revoke"]
    assert "Revoked, effective December 1, 2026, Lee." in content(lee.get(f"{HERE}/{held}"))


@SQLITE
def test_a_suspension_is_previewed_done_and_lifted(enter, held, container):
    _, sam = enter("staff", email="sam@x.org", name="Sam")
    here = f"{HERE}/{held}"
    page = content(sam.send_form(f"{here}/preview", kind="suspend", **WHY))
    assert "You are about to do this: Suspend" in page
    assert "Suspended</h2>" in page
    assert kinds(container) == []
    back = content(sam.send_form(f"{here}/preview", kind="suspend", again="yes", **WHY))
    assert 'value="suspend" required checked' in back
    assert "Exam code of conduct</textarea>" in back
    sam.send_form(here, kind="suspend", **WHY)
    text = content(sam.get(here))
    assert "Suspended, effective November 21, 2026, Sam. Exam code of conduct" in text
    late = sam.send_form(f"{here}/preview", kind="suspend", **WHY)
    assert "somebody may have changed it in the meantime" in content(late)
    sam.send_form(here, kind="reinstate", reason_code="cleared", reason="It was another person")
    assert kinds(container) == ["suspend", "reinstate"]


@SQLITE
def test_a_wrong_form_changes_nothing_and_names_its_fields(enter, held, container):
    _, sam = enter("staff", email="sam@x.org")
    for said, field in (
        ({**WHY}, "kind"),
        ({"kind": "suspend", "reason_code": "no", "reason": "x"}, "reason_code"),
        ({"kind": "suspend", "reason_code": "conduct"}, "reason"),
        ({"kind": "suspend", **WHY, "effective_on": "soon"}, "effective_on"),
        ({"kind": "suspend", **WHY, "effective_on": "2001-01-01"}, "effective_on"),
    ):
        for act in ("", "/preview"):
            refused = sam.send_form(f"{HERE}/{held}{act}", **said)
            assert refused.status_code == 422
            assert f'<a href="#{field}">' in content(refused)
            assert f'id="{field}"' in content(refused)
    missed = sam.get(f"{HERE}?number=CPT-NONE")
    assert (missed.status_code, "There is no certificate" in content(missed)) == (404, True)
    assert kinds(container) == []


@SQLITE
def test_nobody_changes_their_own_and_others_find_nothing(enter, held, desk, container):
    who, sam = enter("staff", email="sam@x.org")
    _, lee = enter("reviewer", email="lee@x.org")
    with container.work(SYSTEM) as work:
        own_records.name(work, who.id, desk.people["ana"][0])
    assert "You can&#39;t change this one" in content(sam.get(f"{HERE}/{held}"))
    for act in ("", "/preview"):
        refused = sam.send_form(f"{HERE}/{held}{act}", kind="suspend", **WHY)
        assert "You can&#39;t change this one" in content(refused)
        assert lee.send_form(f"{HERE}/{held}{act}", kind="suspend", **WHY).status_code == 404
    assert lee.get(HERE).status_code == lee.get(f"{HERE}/{held}").status_code == 404
    told = {"headers": {"Accept-Language": "es"}}
    assert "Mostrarlo" in content(sam.get(HERE, **told))
    assert "Cambios hasta hoy" in content(sam.get(f"{HERE}/{held}", **told))
    assert kinds(container) == []
