"""services/delivery/recipients.py: no one who has died gets email, in whatever way."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification, Holder, Message, Notice
from tracker.services.delivery import composers, leases, ledger, marker, sealing, send_safety
from tracker.services.delivery.sealing import Composed
from tracker.services.desk import corrections
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell

EXPIRY = date(2027, 3, 15)


def nine(offset):
    day = EXPIRY - timedelta(days=offset)
    local = datetime(day.year, day.month, day.day, 9, tzinfo=ZoneInfo("America/New_York"))
    return local.astimezone(UTC)


@pytest.fixture
def holder_id(container, clock):
    clock.now = nine(60)
    (id_,) = cases.certified(container, EXPIRY)
    with container.reading(SYSTEM) as reading:
        statement = select(Certification.holder_id).where(Certification.id == id_)
        return str(reading.row(statement).holder_id)


def record_death(container, holder_id, day):
    with container.work(SYSTEM) as work:
        version = work.row(select(Holder.version).where(Holder.id == holder_id)).version
        corrections.change(work, holder_id, {"deceased_on": day}, version=version, reason=None)


def awarded(container, holder_id, event):
    with container.work(SYSTEM) as work:
        subject = work.row(select(Certification.id)).id
        news = NoticeToTell(
            kind=NoticeKind.REVOKED,
            holder_id=holder_id,
            subject_id=subject,
            event=event,
            on=work.now.date(),
        )
        notices.tell(work, [news])


def test_a_reminder_after_the_death_is_skipped_with_its_reason(container, clock, holder_id):
    record_death(container, holder_id, date(2027, 1, 10))
    with container.reading(SYSTEM) as reading:
        foreseen = list(ledger.foresee(reading, as_of=EXPIRY - timedelta(days=60)))
    jobs.plan(container)
    clock.now = nine(30)
    jobs.plan(container)

    assert [(stage.fate, stage.reason) for stage in foreseen if stage.offset == 60] == [
        ("skipped", "deceased")
    ]
    assert [(o, f, r) for o, f, r in cases.stages(container) if o in {60, 30}] == [
        (60, "skipped", "deceased"),
        (30, "skipped", "deceased"),
    ]
    assert cases.letters(container) == []
    with container.reading(SYSTEM) as reading:
        assert ledger.identity_violations(reading) == []


@SQLITE
def test_a_death_that_is_taken_back_lets_the_next_stage_go(container, clock, holder_id):
    record_death(container, holder_id, date(2027, 1, 10))
    jobs.plan(container)
    record_death(container, holder_id, None)
    clock.now = nine(30)
    jobs.plan(container)
    assert cases.stages(container)[-1] == (30, "planned", None)


def test_news_after_the_death_is_not_put_into_the_outbox(container, holder_id):
    record_death(container, holder_id, date(2027, 1, 10))
    awarded(container, holder_id, "1")
    with container.reading(SYSTEM) as reading:
        assert reading.rows(select(Notice.id).where(Notice.kind == "revoked")) == []


@SQLITE
def test_a_message_that_waits_is_cancelled_with_the_reason(container, holder_id):
    jobs.plan(container)
    record_death(container, holder_id, date(2027, 1, 10))
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
    assert catcher.letters() == []
    assert [(row.state, row.last_error) for row in cases.letters(container)] == [
        ("cancelled", sealing.DECEASED)
    ]


@pytest.mark.parametrize("kind", ["reminder", "notice"])
def test_the_marker_refuses_a_message_that_was_composed_before_the_death(
    container, holder_id, kind
):
    if kind == "reminder":
        jobs.plan(container)
    else:
        awarded(container, holder_id, "1")
    with container.work(SYSTEM) as work:
        statement = select(Message.id).where(Message.kind == kind)
        assert work.row(statement) is not None
        place = _place(work)
        claims = leases.claim(work, owner="x", place=place, limit=10)
    with container.reading(SYSTEM) as reading:
        made = composers.compose(reading, container.message_key, claims)
    record_death(container, holder_id, date(2027, 1, 10))
    with container.statement(SYSTEM) as work:
        marked = [
            marker.mark(work, claim, message, place=place)
            for claim in claims
            if isinstance(message := made[claim.id], Composed)
        ]
    assert True not in marked
    with container.reading(SYSTEM) as reading:
        again = composers.compose(reading, container.message_key, claims)
    assert {
        uncomposed for uncomposed in again.values() if isinstance(uncomposed, Composed)
    } == set()
    assert {getattr(uncomposed, "reason", None) for uncomposed in again.values()} == {
        sealing.DECEASED
    }


def _place(work):
    send_safety.open_row(work)
    return send_safety.place(work)
