"""web/overview/operations.py: the state at a glance, and the switch of all messages."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tests.browsers import content
from tests.statements import counted
from tests.web.test_frame import links
from tracker import jobs
from tracker.domain.permissions import OF_THE_BODY, SYSTEM
from tracker.language.catalogues import LANGUAGES
from tracker.models import HistoryEntry
from tracker.services.delivery import send_safety
from tracker.services.overview import findings

HERE = "/ops"
SQLITE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def test_what_fails_is_named_with_the_command_that_mends_it(enter, container):
    _, kim = enter("admin")
    with container.work(SYSTEM) as work:
        send_safety.disable(work, reason="The relay is being replaced.")
    page = content(kim.get(HERE))

    assert "Nothing is sent." in page
    assert "The relay is being replaced." in page
    assert "tracker reminders enable --reason WHY" in page
    assert "Start `tracker scheduler`." in page
    with container.reading(SYSTEM) as reading:
        found = list(findings.of_database(reading))
    assert all(f">{one.check}</th>" in page for one in found)
    assert f"{sum(one.state != 'ok' for one in found)} findings need a look." in page


@SQLITE
def test_sending_is_stopped_and_allowed_with_a_reason_that_is_kept(enter, container):
    _, kim = enter("admin")
    for path, reason in (("disable", "A wrong text."), ("enable", "The text is right now.")):
        refused = kim.send_form(f"{HERE}/{path}", reason=" ")
        assert refused.status_code == 422
        assert "Say why." in refused.text
        assert kim.send_form(f"{HERE}/{path}", reason=reason).location == HERE
        with container.reading(SYSTEM) as reading:
            assert (send_safety.obstacle(reading) is None) is (path == "enable")
            acts = [row.action for row in reading.rows(select(HistoryEntry.action))]
        assert path in acts


@SQLITE
def test_each_job_is_shown_with_its_last_run_and_its_next(enter, container, clock):
    assert "No scheduler has run yet." in content(enter("admin")[1].get(HERE))
    jobs.note(container, "digest", 1500, every=900, error="OperationalError")
    clock.advance(seconds=20)
    jobs.note(container, "plan", 250, every=5, error=None)
    page = content(enter("admin", email="two@example.org")[1].get(HERE))

    assert "Failed: OperationalError" in page
    assert "1.5 s" in page
    assert "November 21, 2026, 17:14 UTC" in page
    assert "Overdue" not in page
    clock.advance(minutes=6)
    page = content(enter("admin", email="three@example.org")[1].get(HERE))
    assert page.count("Overdue") == 1


@SQLITE
def test_the_page_is_for_administrators(enter):
    for role in sorted(OF_THE_BODY):
        _, who = enter(role)
        is_admin = role == "admin"
        assert who.get(HERE).status_code == (200 if is_admin else 404)
        assert (HERE in links(who.get("/account"))[0]) is is_admin
        if not is_admin:
            assert who.send_form(f"{HERE}/disable", reason="x").status_code == 404


@SQLITE
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_every_language_at_a_constant_cost(enter, container, language):
    _, kim = enter("admin")
    with counted(container) as sent:
        page = kim.get(HERE, headers={"Accept-Language": language})

    assert page.headers["Content-Language"] == language
    assert not re.findall(r"\{[a-z_]*\}", content(page))
    assert len(sent) < 40
