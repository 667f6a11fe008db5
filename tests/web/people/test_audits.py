"""web/people/audits.py: what is asked by when, the answer with files, and the appeal."""

from __future__ import annotations

import io
from datetime import date

import pytest
from PIL import Image
from sqlalchemy import select

from tests import statements
from tests.browsers import content
from tests.services.desk.queue_cases import OPEN, Desk
from tracker.domain.desk.audits import AuditBasis, AuditOutcome, AuditVerdict
from tracker.domain.permissions import SYSTEM
from tracker.models import Holder
from tracker.services.desk import audit_items, audits
from tracker.services.desk.audits import AuditToDraw
from tracker.web.people.audits import WORDS

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def desk(container, app):
    """Ana, certified."""
    assert app
    made = Desk(container)
    made.person("ana", OPEN, email="ana@example.org")
    return made


def drawn(desk, *activity_ids):
    """An audit of activities; the ids of its items."""
    wanted = AuditToDraw(
        scheme="cpt",
        basis=AuditBasis.HAND,
        seed=activity_ids[0],
        from_on=date(2026, 11, 1),
        until_on=date(2026, 11, 30),
        reason="Yearly.",
        activity_ids=activity_ids,
        reply_days=14,
    )
    with desk.container.work(SYSTEM) as work:
        audit_id = audits.draw(work, wanted)
        rows = audit_items.page(work, after=None, limit=99, filters={"audit_id": audit_id})
        return [row.id for row in rows]


def decide(desk, item_id, outcome, **more):
    """Settle an audited activity."""
    with desk.container.work(SYSTEM) as work:
        version = audit_items.get(work, item_id).version
        audit_items.decide(work, item_id, AuditVerdict(outcome, **more), version=version)


def answer(me, here, text, name="proof.png"):
    """Send the form with a file."""
    data = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(data, "PNG")
    data.seek(0)
    form = {"answer": text, "csrf_token": me.csrf(), "file": (data, name)}
    return me.post(f"{here}/answer", form, content_type="multipart/form-data")


def test_a_holder_answers_with_a_file_and_appeals_the_outcome(desk, browser, clock):
    activity = desk.approved("ana", "70", title="Forklift <2>")
    me = browser()
    me.sign_in("ana@example.org")
    assert WORDS["en"].none in content(me.get("/account/audits"))
    assert "/account/audits/" not in me.get("/account").text
    [item] = drawn(desk, activity)
    here = f"/account/audits/{item}"
    home = me.get("/account").text
    assert f'href="{here}"' in home
    assert "Answer by December 5, 2026." in home
    assert "Answer by December 5, 2026" in content(me.get("/account/audits"))
    text = content(me.get(here))
    assert "Show us proof of this activity by December 5, 2026." in text
    assert "There is no file yet." in text

    refused = answer(me, here, "", name="proof.png")
    assert refused.status_code == 422
    assert '<a href="#answer">Explain' in refused.text
    assert "There is no file yet." in content(me.get(here)), "all of it or nothing"
    assert answer(me, here, "See the file.").location == here
    answered = content(me.get(here))
    assert "See the file." in answered
    assert "proof.png" in answered
    assert "/account/audits/" not in me.get("/account").text
    clock.advance(hours=7, minutes=10)  # the evening where Ana lives, the next day in London
    me.sign_in("ana@example.org")
    assert answer(me, here, "And this.", name="more.png").location == here
    assert "November 22" not in content(me.get(here))

    decide(desk, item, AuditOutcome.REJECTED, reason_code="other", reason="It shows no hours.")
    decided = content(me.get(here))
    assert "It shows no hours." in decided
    assert "Your total is now 0. Before, it was 70." in decided
    assert "you can appeal until December 21, 2026." in decided
    assert answer(me, here, "Late.").status_code == 422
    clock.advance(minutes=5)
    assert me.send_form(f"{here}/appeal", statement="").status_code == 422
    assert me.send_form(f"{here}/appeal", statement="It shows them.").location == here
    appealed = content(me.get(here))
    assert "You appealed on November 21, 2026." in appealed
    assert 'name="statement"' not in appealed


def test_the_pages_speak_spanish_and_take_as_many_statements_for_more(desk, browser):
    with desk.container.work(SYSTEM) as work:
        work.session.scalars(select(Holder)).one().language = "es"
    me = browser()
    me.sign_in("ana@example.org")
    told = []
    for n in (1, 4):
        items = drawn(desk, *[desk.approved("ana", "5") for _ in range(n)])
        with statements.counted(desk.container) as ran:
            listed = me.get("/account/audits")
        told.append(len(ran))
    assert told[0] == told[1]
    assert "Responda a más tardar el 5 de diciembre de 2026" in content(listed)
    assert "Envíenos un comprobante" in content(me.get(f"/account/audits/{items[0]}"))
