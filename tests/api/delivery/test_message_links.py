"""Every link of every message, followed in the running application: a page does what it says."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from tests.api.employers.employer_cases import company
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.delivery.digests import DigestFrequency
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.services.employers import digests
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.points import activities, activity_decisions, activity_rows

TODAY = date(2026, 11, 21)
SHOWS = {
    "See my certification": ('name="next" value="/account/certifications/', "Email me a code"),
    "Open my account": ('name="next" value="/account"',),
    "Unsubscribe or pause reminders": ("<form", "Pause"),
    "Unsubscribe from messages about decisions": ("<form", "Unsubscribe"),
    "Ver mi certificación": ('name="next" value="/account/certifications/', "código por correo"),
    "Abrir mi cuenta": ('name="next" value="/account"',),
    "Cancelar o pausar estos recordatorios": ("<form", "pausa"),
    "Stop these summaries": ("<form", "summaries"),
    "Cancelar estos resúmenes": ("<form", "resúmenes"),
    "Cancelar los avisos sobre decisiones": ("<form",),
}
"""What the page behind a label must show to somebody who is not signed in."""
LINK = re.compile(r"^(?P<label>.+?):\s+(?P<url>https?://\S+)$", re.MULTILINE)


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_link_leads_to_a_page_that_does_what_its_label_says(app, container, clock, language):
    messages = everything(container, clock, language)
    followed = set()
    for message in messages:
        text = message.text.replace("\r\n", "\n")
        for found in LINK.finditer(text):
            label, address = found["label"], urlsplit(found["url"])
            spoken = "es" if text.startswith("Hola") else "en"  # whom it is to has a language, too
            accepted = {"Accept": "text/html", "Accept-Language": spoken}
            path = address._replace(scheme="", netloc="").geturl()
            page = app.test_client().get(path, headers=accepted, follow_redirects=True)
            assert page.status_code == 200, (message.subject, label)
            for words in SHOWS[label]:
                assert words in page.text, (message.subject, label)
            followed.add(label)
        assert text.count("http") == len(LINK.findall(text)), "no link without a label"
    assert len(messages) >= 6
    assert len(followed) >= 3


def everything(container, clock, language):
    """Messages of every type: reminders, decisions, what is always sent, a digest."""
    (due,) = cases.certified(container, TODAY + timedelta(days=30), language=language)
    (held,) = cases.certified(container, TODAY + timedelta(days=400), language=language)
    with container.work(SYSTEM) as work:
        people = cases.holders(work, 1, language=language)
        cases.award(work, people, TODAY)
        holder_id = cases.holder_of(work, due)
        given = {
            "category": "CE",
            "type": "third_party",
            "title": "Robots",
            "provider": "Amatrol",
            "quantity": Decimal(16),
            "completed_on": date(2026, 5, 1),
        }
        activity_id = activities.log(work, due, given)
        activities.submit(work, activity_id)
    with container.work(SYSTEM) as work:
        version = activity_rows.get(work, activity_id).version
        verdict = activity_decisions.ReviewerDecision(ActivityVerdict.APPROVED)
        activity_decisions.decide(work, activity_id, verdict, version=version)
    cases.change(container, held, "suspend", TODAY)
    acme = company(container)
    acme.hire("E1", awarded_on=date(2021, 12, 25))
    with container.work(SYSTEM) as work:
        digests.order(
            work, acme.id, every=DigestFrequency.WEEK, language=language, address="hr@acme.example"
        )
        asked = NoticeToTell(
            kind=NoticeKind.CONSENT_ASKED,
            holder_id=holder_id,
            subject_id=acme.id,
            event="x",
            on=TODAY,
        )
        notices.tell(work, [asked])
    clock.set("2026-11-23")
    with cases.relay(container) as (sending, catcher):
        jobs.plan(sending)
        jobs.digest(sending)
        jobs.dispatch(sending)
        return catcher.letters()
