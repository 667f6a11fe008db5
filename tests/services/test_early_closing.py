"""Windows that close before the expiry: no door says that a renewal is open once it is closed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from tests.services.queue_cases import OPEN, TODAY, Desk
from tests.services.test_adjustments import under
from tracker.domain.certifications import span_on, standing_on, timeline
from tracker.domain.periods import Duration
from tracker.domain.permissions import SYSTEM
from tracker.domain.policies import ApplicationWindow, LateStep
from tracker.models import Certification, Span
from tracker.services import checks, evaluations, facts, queue, standings, verification
from tracker.services.queue_order import Question

EXPIRES = date(2026, 12, 25)
LATE = LateStep(until=Duration(60, "days"), name={"en": "late", "es": "tarde"})


def closing(office, days, *late):
    """An office whose window of CPT closes so many days before the expiry."""
    window = ApplicationWindow(Duration(90, "days"), closes_before=Duration(days, "days"))
    return under(office, window=window, late=late)


@pytest.mark.parametrize(("days", "is_open"), [(34, True), (35, False)])
def test_every_door_tells_a_window_that_has_closed(office, days, is_open):
    """The last day is 21 November 2026 or the day before; today is the 21st."""
    desk = Desk(closing(office, days))
    desk.person("ana", OPEN)
    desk.waits("it", "ana")
    told = "renewal_open" if is_open else "active"
    closes_on = EXPIRES - timedelta(days)

    with desk.office.reading(SYSTEM) as reading:
        (held,) = standings.page(reading, [standings.ON_SPAN], limit=9, on=TODAY)
        listed = standings.page(
            reading, [standings.ON_SPAN, standings.STATUS == "renewal_open"], limit=9, on=TODAY
        )
        (row,) = standings.export(reading, on=TODAY)
        public = verification.by_address(reading, held.public_id)
        (item,) = queue.page(reading, Question(), after=None, limit=9).items

    assert (held.standing.status, held.standing.window_closes_on) == (told, closes_on)
    assert held.standing.valid
    assert len(listed) == is_open
    assert (row.status, public.standing.status) == (told, told)
    assert item.urgent == is_open


@pytest.mark.parametrize("late", [(), (LATE,)])
def test_sql_and_the_rule_say_the_same_of_every_day_of_an_early_closing(office, late):
    desk = Desk(closing(office, 30, *late))
    desk.person("ana", OPEN)
    scheme, id_ = desk.office.schemes["cpt"], desk.people["ana"][1]
    asked = (
        select(standings.STATUS.label("status"))
        .select_from(Certification)
        .join(Span, Span.certification_id == Certification.id)
        .where(standings.ON_SPAN)
    )
    seen: list[str] = []
    with desk.office.reading(SYSTEM) as reading:
        record = facts.records(reading, [id_])[id_]
        spans = timeline(scheme, record.cycles)
        for n in range(-100, 70):
            day = EXPIRES + timedelta(n)
            span, row = span_on(spans, day), reading.row(asked, {"on": day})
            assert span is not None
            assert row is not None
            assert row.status == standing_on(span, day).status
            seen += [row.status] if seen[-1:] != [row.status] else []
        assert not checks.timelines(reading).wrong

    assert seen == ["active", "renewal_open", "active", *(["grace"] if late else []), "expired"]


@pytest.mark.parametrize(("days", "until"), [(30, date(2026, 11, 25)), (40, EXPIRES)])
def test_what_would_close_the_gap_is_done_before_the_window_closes(office, days, until):
    """After it, one waits for the late steps, up to which activities count."""
    desk = Desk(closing(office, days, LATE))
    desk.person("ana", OPEN)

    with desk.office.reading(SYSTEM) as reading:
        found = evaluations.explain(reading, desk.people["ana"][1], on=TODAY)
        told = evaluations.gap_in_words(found, "en")

    assert told["until"] == until
