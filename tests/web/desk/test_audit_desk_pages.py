"""web/desk/audits.py and audit_items.py: the draw and the outcome, each seen before it is made."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tests import statements
from tests.browsers import content
from tests.rows import count
from tracker.models import Activity, AuditItem, ClaimAudit

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)

HERE = "/desk/audits"
DRAW = {
    "scheme": "cpt",
    "basis": "share",
    "unit": "activity",
    "percent": "100",
    "seed": "2026",
    "reply_days": "14",
    "reason": "The yearly audit.",
    "from_on_year": "2026",
    "from_on_month": "11",
    "from_on_day": "1",
    "until_on_year": "2026",
    "until_on_month": "11",
    "until_on_day": "30",
}


def test_a_draw_and_an_outcome_are_seen_before_they_are_made(enter, desk, container):
    for title, hours in (("Robots <1>", "70"), ("Lasers", "30")):
        desk.approved("ana", hours, title=title)
    desk.applied("ana")
    _, sam = enter("staff", email="sam@x.org", name="Sam")
    assert "No audit has been drawn yet." in content(sam.get(HERE))
    refused = sam.send_form(f"{HERE}/new/preview", **DRAW | {"basis": "flag"})
    assert refused.status_code == 422
    assert '<a href="#flag">Flag: is required' in refused.text
    assert 'value="2026"' in refused.text, "what was typed is kept"
    shown = content(sam.send_form(f"{HERE}/new/preview", **DRAW))
    assert "This draws 2 of 2" in shown
    assert count(container, ClaimAudit) == 0
    again = sam.send_form(f"{HERE}/new/preview", **DRAW | {"again": "yes"})
    assert "The yearly audit." in again.text
    audit = sam.send_form(f"{HERE}/new", **DRAW).location
    assert count(container, AuditItem) == 2
    twice = sam.send_form(f"{HERE}/new", **DRAW)
    assert (twice.status_code, count(container, ClaimAudit)) == (422, 1)
    assert "drawn on November 21, 2026" in content(sam.get(HERE))
    page = sam.get(audit).text
    items = re.findall(r'href="(/desk/audits/items/[^"]+)">([^<]+)<', page)
    assert {title for _, title in items} == {"Robots &lt;1&gt;", "Lasers"}

    [here] = [href for href, title in items if title != "Lasers"]
    text = sam.get(here).text
    assert "No answer yet." in text
    version = re.findall(r'name="version" value="(\d+)"', text)[0]
    form = {"outcome": "rejected", "version": version, "reason": "No proof."}
    wrong = sam.send_form(f"{here}/preview", **form)
    assert wrong.status_code == 422
    assert '<a href="#reason_code">Reason from the list: is required' in wrong.text
    form["reason_code"] = "insufficient_evidence"
    brings = content(sam.send_form(f"{here}/preview", **form))
    assert "<td>100</td><td>30</td>" in brings
    assert "Applied on November 10, 2026: 30 of 100" in brings
    with container.engine.connect() as connection:
        states = select(Activity.state).distinct()
        assert connection.execute(states).scalars().all() == ["approved"]
    again = sam.send_form(f"{here}/preview", **form | {"again": "yes"})
    assert "No proof.</textarea>" in again.text
    assert sam.send_form(here, **form).location == here
    assert "No proof." in content(sam.get(here))
    late = sam.send_form(here, **form)
    assert late.status_code == 422


def test_who_may_what_in_spanish_and_with_as_many_statements(enter, desk, container):
    _, sam = enter("staff", email="sam@x.org", name="Sam")
    _, rae = enter("reviewer", email="rae@x.org")
    told = []
    for n in (1, 4):
        ids = [desk.approved("bea", "5") for _ in range(n)]
        by_hand = DRAW | {"basis": "hand", "percent": "", "seed": f"hand {n}"}
        by_hand["activity_ids"] = "\n".join(f"https://x/desk/reviews/{id_}" for id_ in ids)
        audit = sam.send_form(f"{HERE}/new", **by_hand).location
        with statements.counted(container) as ran:
            page = sam.get(audit)
        told.append(len(ran))
        assert page.text.count("/desk/audits/items/") == n
    assert told[0] == told[1]
    spanish = {"headers": {"Accept-Language": "es"}}
    assert "Sortear una auditoría" in content(sam.get(HERE, **spanish))
    assert "Puntos quitados" in content(rae.get(audit, **spanish))
    assert "Cómo se sortea" in content(sam.get(f"{HERE}/new", **spanish))
    assert rae.get(f"{HERE}/new").status_code == 404
    assert "Draw an audit" not in content(rae.get(HERE))
