"""What was received is acknowledged, unless it was decided before the message could leave."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from tests.backends import SQLITE
from tests.services.delivery.test_notices_true import (
    certified,
    decide,
    sent,
    submitted,
    write,
)
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.permissions import SYSTEM
from tracker.models import Appeal
from tracker.services.credentials import appeals, renewals


def apply(container, certification_id, clock):
    """An application whose points wait for a decision."""
    for n in range(7):
        submitted(container, certification_id, title=f"Course {n}")
    sent(container, clock)
    with container.work(SYSTEM) as work:
        return renewals.apply(work, certification_id)


def denied(container, certification_id, clock):
    renewal_id = apply(container, certification_id, clock)
    with container.work(SYSTEM) as work:
        renewals.decide(
            work, renewal_id, decision=RenewalVerdict.DENIED, reason="Not shown.", version=1
        )
    sent(container, clock, minutes=121)
    with container.work(SYSTEM) as work:
        return appeals.file(work, certification_id, statement="x", renewal_id=renewal_id)


@SQLITE
def test_an_activity_is_acknowledged_once_and_its_decision_instead_if_that_was_quicker(
    container, clock
):
    id_, _ = certified(container)
    submitted(container, id_, title="Robots")
    quick = submitted(container, id_, title="Cranes")
    decide(container, quick)
    (message,) = sent(container, clock)

    assert "We received your activity “Robots” on November 21, 2026." in message.text
    assert "We'll let you know when we have decided." in message.text
    assert "Approved: “Cranes”" in message.text
    assert "your activity “Cranes”" not in message.text
    assert sent(container, clock, minutes=121) == []


@pytest.mark.parametrize("withdrawn", [False, True])
def test_an_application_is_acknowledged_unless_it_was_withdrawn(container, clock, withdrawn):
    id_, _ = certified(container)
    renewal_id = apply(container, id_, clock)
    if withdrawn:
        with container.work(SYSTEM) as work:
            renewals.withdraw(work, renewal_id)
    messages = sent(container, clock, minutes=121)

    told = [m for m in messages if "We received your application for renewal on" in m.text]
    assert len(told) == (0 if withdrawn else 1)


@pytest.mark.parametrize("decided", [False, True])
def test_an_appeal_is_acknowledged_with_the_day_by_which_it_is_decided(container, clock, decided):
    id_, _ = certified(container)
    appeal_id = denied(container, id_, clock)
    if decided:
        write(
            container,
            update(Appeal)
            .where(Appeal.id == appeal_id)
            .values(outcome="dismissed", decided_on=Appeal.filed_on, reason="x"),
        )
    messages = sent(container, clock)

    if decided:
        assert messages == []
        return
    (message,) = messages
    assert "We received the appeal that you filed on November 21, 2026." in message.text
    assert "Somebody who had no part in the decision will decide on it by" in message.text
