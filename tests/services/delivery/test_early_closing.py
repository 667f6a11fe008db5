"""Windows that close before the expiry: no door says that a renewal is open once it is closed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import select

from tests import factories
from tests.api.employers.employer_cases import company
from tests.backends import SQLITE
from tests.services.credentials.test_adjustments import under
from tests.services.delivery import reminder_cases as cases
from tests.services.desk.queue_cases import OPEN, TODAY, Desk
from tracker import jobs
from tracker.domain.credentials.certifications import span_on, standing_on, timeline
from tracker.domain.delivery.digests import DigestFrequency
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.periods import Duration, Period
from tracker.domain.permissions import SYSTEM
from tracker.domain.schemes.policies import ApplicationWindow, LateStep
from tracker.language.voice import in_words
from tracker.mail import digest_previews, previews
from tracker.mail.messages import phrases
from tracker.models import Certification, Span
from tracker.services.credentials import verification
from tracker.services.desk import review_queue
from tracker.services.desk.queue_order import QueueFilter
from tracker.services.employers import (
    digest_contents,
    digests,
    workforce,
    workforce_files,
    workforce_selection,
)
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.overview import integrity
from tracker.services.points import evaluations
from tracker.services.standings import snapshots, standings

EXPIRES = date(2026, 12, 25)
LATE = LateStep(until=Duration(60, "days"), name={"en": "late", "es": "tarde"})


def closing(container, days, *late):
    """A container whose window of CPT closes so many days before the expiry."""
    window = ApplicationWindow(Duration(90, "days"), closes_before=Duration(days, "days"))
    return under(container, window=window, late=late)


@pytest.mark.parametrize(("days", "is_open"), [(34, True), (35, False)])
def test_every_door_tells_a_window_that_has_closed(container, days, is_open):
    """The last day is 21 November 2026 or the day before; today is the 21st."""
    desk = Desk(closing(container, days))
    desk.person("ana", OPEN)
    desk.waits("it", "ana")
    status = "renewal_open" if is_open else "active"
    closes_on = EXPIRES - timedelta(days)

    with desk.container.reading(SYSTEM) as reading:
        (held,) = standings.page(reading, [standings.ON_SPAN], limit=9, on=TODAY)
        listed = standings.page(
            reading, [standings.ON_SPAN, standings.STATUS == "renewal_open"], limit=9, on=TODAY
        )
        (row,) = standings.export(reading, on=TODAY)
        public = verification.by_address(reading, held.public_id)
        (item,) = review_queue.page(reading, QueueFilter(), after=None, limit=9).items

    assert (held.standing.status, held.standing.window_closes_on) == (status, closes_on)
    assert held.standing.valid
    assert len(listed) == is_open
    assert (row.status, public.standing.status) == (status, status)
    assert item.urgent == is_open


@pytest.mark.parametrize("late", [(), (LATE,)])
def test_sql_and_the_rule_say_the_same_of_every_day_of_an_early_closing(container, late):
    desk = Desk(closing(container, 30, *late))
    desk.person("ana", OPEN)
    scheme, id_ = desk.container.schemes["cpt"], desk.people["ana"][1]
    asked = (
        select(standings.STATUS.label("status"))
        .select_from(Certification)
        .join(Span, Span.certification_id == Certification.id)
        .where(standings.ON_SPAN)
    )
    seen: list[str] = []
    with desk.container.reading(SYSTEM) as reading:
        record = snapshots.records(reading, [id_])[id_]
        spans = timeline(scheme, record.cycles)
        for n in range(-100, 70):
            day = EXPIRES + timedelta(n)
            span, row = span_on(spans, day), reading.row(asked, {"on": day})
            assert span is not None
            assert row is not None
            assert row.status == standing_on(span, day).status
            seen += [row.status] if seen[-1:] != [row.status] else []
        assert not integrity.timelines(reading).wrong

    assert seen == ["active", "renewal_open", "active", *(["grace"] if late else []), "expired"]


@pytest.mark.parametrize(("days", "until"), [(30, date(2026, 11, 25)), (40, EXPIRES)])
def test_what_would_close_the_gap_is_done_before_the_window_closes(container, days, until):
    """After it, one waits for the late steps, up to which activities count."""
    desk = Desk(closing(container, days, LATE))
    desk.person("ana", OPEN)

    with desk.container.reading(SYSTEM) as reading:
        explained = evaluations.explain(reading, desk.people["ana"][1], on=TODAY)
        words = evaluations.gap_in_words(explained, "en")

    assert words["until"] == until


# What people are sent. The window closes on 5 December 2026, the certification expires on the 25th.
def events(message):
    (file,) = message.message.iter_attachments()
    events_ = Calendar.from_ical(file.get_content()).walk("VEVENT")
    return {str(event["uid"]).split("@")[0][-7:]: event.decoded("dtstart") for event in events_}


@pytest.fixture
def reminded(clock):
    """Send what is due on a day to a holder; gives the message."""

    def send(sender, day):
        clock.set(day)
        jobs.plan(sender)
        with cases.relay(sender) as (sending, catcher):
            jobs.dispatch(sending)
            *_, message = catcher.letters()
        return message

    return send


@SQLITE
def test_reminders_and_their_calendars_tell_the_last_day_of_the_window(container, reminded):
    sender = closing(container, 20)
    with sender.work(SYSTEM) as work:
        cases.award(work, cases.holders(work, 1), OPEN)
    in_time, too_late = reminded(sender, "2026-11-25"), reminded(sender, "2026-12-11")

    assert "December 5, 2026" in in_time.text
    assert events(in_time) == {"closing": date(2026, 12, 5), "-expiry": EXPIRES}
    assert "Applications closed on December 5, 2026" in too_late.text
    assert events(too_late) == {"-expiry": EXPIRES}


@SQLITE
def test_news_of_an_award_brings_the_last_day_of_the_window_for_the_calendar(
    container, clock, reminded
):
    sender = closing(container, 20)
    id_, _ = factories.certified(sender, OPEN)
    with sender.work(SYSTEM) as work:
        certification = work.row(select(Certification.id)).id
        news = NoticeToTell(
            kind=NoticeKind.AWARD, holder_id=id_, subject_id=certification, event="1", on=TODAY
        )
        notices.tell(work, [news])
    clock.advance(days=1)

    assert events(reminded(sender, "2026-11-24")) == {
        "closing": date(2026, 12, 5),
        "-expiry": EXPIRES,
    }


@SQLITE
@pytest.mark.parametrize(
    ("language", "monday", "window"),
    [
        ("en", "2026-11-30", "renewal window closes December 5, 2026"),
        ("en", "2026-12-07", "renewal window closed December 5, 2026"),
        ("es", "2026-11-30", "el plazo de renovación cierra el 5 de diciembre de 2026"),
        ("es", "2026-12-07", "el plazo de renovación cerró el 5 de diciembre de 2026"),
    ],
)
def test_digests_tell_employers_the_last_day_of_the_window(
    container, clock, language, monday, window
):
    sender = closing(container, 20)
    acme = company(sender)
    acme.hire("E1", awarded_on=OPEN)
    clock.set(str(date.fromisoformat(monday) - timedelta(days=7)))
    with sender.work(SYSTEM) as work:
        address = "hr@acme.example"
        digests.order(work, acme.id, every=DigestFrequency.WEEK, language=language, address=address)
    clock.set(monday)
    with cases.relay(sender) as (sending, catcher):
        jobs.digest(sending)
        jobs.dispatch(sending)
        (message,) = [one for one in catcher.letters() if one.recipient == address]

    expiry = {"en": "expires on December 25, 2026", "es": "vence el 25 de diciembre de 2026"}
    assert f"(E1): {expiry[language]} ({window})" in " ".join(message.text.split())


@SQLITE
def test_a_window_that_closes_with_the_expiry_is_no_news_to_employers(container):
    acme = company(container)
    acme.hire("E1", awarded_on=OPEN)
    period = Period(TODAY - timedelta(6), TODAY)
    with container.reading(SYSTEM) as reading:
        (row,) = digest_contents.snapshot(reading, acme.id, period)["sections"]["due"]["rows"]

    assert "closes" not in row


def test_employers_see_the_last_day_of_the_window_in_the_list_and_in_the_file(container):
    sender = closing(container, 20)
    acme = company(sender)
    acme.hire("E1", awarded_on=OPEN)
    with sender.reading(SYSTEM) as reading:
        question = workforce_selection.question(reading, acme.id, "cpt", on=TODAY)
        (worker,) = workforce.page(reading, question, after=None, limit=9, sort="urgency")
        (line,) = workforce_files.export(reading, question, sort="urgency", with_points=False)

    assert worker.window_closes_on == date(2026, 12, 5)
    told = dict(zip(workforce_files.COLUMNS, line, strict=True))
    assert told["window_closes_on"] == date(2026, 12, 5)


@SQLITE
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_preview_shows_what_is_sent_when_the_window_closes_early(container, language):
    """Its made-up certification expires on 15 March 2027, and the window closes on 23 February."""
    scheme = closing(container, 20).schemes["cpt"]
    made = {sample.name: sample.message for sample in previews.of_scheme(scheme, language)}
    before, after = (made[f"reminder-{n}-incomplete.{language}"] for n in (30, 14))
    (digest,) = (
        sample.message for sample in digest_previews.of_schemes([scheme], language, "digest")
    )
    award = made[f"notice-award.{language}"]
    last = in_words(date(2027, 2, 23), language)
    closed = phrases(language)["step_closed"].format(by=last)

    assert last in before.text
    assert closed not in before.text
    assert closed in after.text
    assert ["-closing@" in sample.calendar for sample in (before, after, award)] == [
        True,
        False,
        True,
    ]
    for key in ("window_closes", "window_closed"):
        assert phrases(language, "digest")[key] in " ".join(digest.text.split())
