"""web/desk/appeals.py: appeals by deadline, the letter before it leaves, and the decision."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import func, select

from tests import statements
from tests.browsers import content
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Appeal, Holder, Notice, StandingChange
from tracker.services.credentials import appeals, certifications

HERE = "/desk/appeals"


def suspended(container, held, actor):
    """Suspend a certification and appeal against it; the id of the appeal."""
    with container.work(actor) as work:
        certifications.change(
            work, held, kind=ChangeKind.SUSPEND, reason_code="conduct", reason="Copied answers"
        )
    with container.work(SYSTEM) as work:
        return appeals.file(work, held, statement="It was not me.")


def counts(container):
    with container.reading(SYSTEM) as reading:
        return [reading.row(select(func.count(table.id)))[0] for table in (Notice, StandingChange)]


def test_the_letter_is_seen_before_somebody_else_decides(enter, desk, container):
    lee_is, lee = enter("staff", email="lee@x.org", name="Lee")
    _, sam = enter("staff", email="sam@x.org", name="Sam")
    decider = Actor(role="staff", name="Lee", person_id=lee_is.id)
    id_ = suspended(container, desk.people["ana"][1], decider)
    listed = content(sam.get(HERE))
    assert "Ana Ruiz" in listed
    assert "the suspension effective November 21, 2026, decided by Lee" in listed
    assert "To be decided by" in listed
    here = f"{HERE}/{id_}"
    page = content(sam.get(here))
    assert "It was not me." in page
    assert "Copied answers" in page
    version = re.findall(r'name="version" value="(\d+)"', page)[0]
    form = {"outcome": "upheld", "reason": "It was another person", "version": version}
    own = content(lee.send_form(f"{here}/preview", **form))
    assert "You made the decision that is appealed." in own
    assert "It was another person</textarea>" in own

    before = counts(container)
    letter = content(sam.send_form(f"{here}/preview", **form))
    assert '<div class="framed letter" lang="en">' in letter
    assert "It was another person" in letter
    assert "Uphold the appeal</button>" in letter
    assert counts(container) == before
    assert sam.send_form(here, **form).location == here
    assert "Upheld on November 21, 2026. It was another person" in content(sam.get(here))
    late = content(sam.send_form(here, **form))
    assert "decided or changed in the meantime" in late
    assert "No appeal waits for a decision." in content(sam.get(HERE))
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(Appeal.outcome)).outcome == "upheld"


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_fields_languages_access_and_statements(enter, desk, container):
    _, sam = enter("staff", email="sam@x.org")
    _, rae = enter("reviewer", email="rae@x.org")
    decider = Actor(role="staff", name="x", person_id=None)
    id_ = suspended(container, desk.people["ana"][1], decider)
    here = f"{HERE}/{id_}"
    for act in ("", "/preview"):
        refused = sam.send_form(f"{here}{act}", outcome="perhaps", reason="Because", version="1")
        assert refused.status_code == 422
        assert '<a href="#outcome">Choose a decision.' in content(refused)
        assert "Because</textarea>" in content(refused)
        empty = sam.send_form(f"{here}{act}", outcome="upheld", version="1")
        assert '<a href="#reason">Say why' in content(empty)
    assert rae.get(HERE).status_code == rae.get(here).status_code == 404
    with container.work(SYSTEM) as work:
        ana = work.session.get(Holder, desk.people["ana"][0])
        ana.language, ana.deceased_on = "es", date(2026, 11, 1)
    told = {"headers": {"Accept-Language": "es"}}
    assert "Debe decidirse a más tardar el" in content(sam.get(HERE, **told))
    assert "Lo que dice el titular" in content(sam.get(here, **told))

    def sent(path):
        with statements.counted(container) as found:
            assert sam.get(path).status_code == 200
        return len(found)

    cost = [sent(HERE), sent(here)]
    for name in ("p1", "p2", "p3"):
        desk.person(name, email=f"{name}@example.org")
        suspended(container, desk.people[name][1], decider)
    assert [sent(HERE), sent(here)] == cost
