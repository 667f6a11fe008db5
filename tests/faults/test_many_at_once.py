"""Eight claimers at once: no message is claimed twice."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import insert

from tests.faults.processes import THIRTY_DAYS_BEFORE
from tests.services.delivery import reminder_cases as cases
from tracker.db import new_id
from tracker.domain.permissions import SYSTEM
from tracker.mail.smtp_sender import Delivery, DeliveryOutcome
from tracker.models import Message
from tracker.services.delivery import leases, send_safety


def waiting(work, count):
    (holder,) = cases.holders(work, 1)
    rows = [
        {
            "id": (id_ := new_id()),
            "dedupe_key": id_,
            "message_id": f"<{id_}@example>",
            "kind": "reminder",
            "holder_id": holder,
            "address": "ana@example.com",
            "stage": 30,
            "priority": 5,
            "state": "ready",
            "created_at": work.now,
            "next_at": work.now,
            "useful_until": work.now.replace(year=2028),
            "token": 0,
            "attempts": 0,
        }
        for _ in range(count)
    ]
    work.connection.execute(insert(Message), rows)


def test_eight_claimers_take_and_finish_every_letter_once(container, clock, is_long):
    count = 20_000 if is_long else 800
    clock.now = THIRTY_DAYS_BEFORE
    with container.work(SYSTEM) as work:
        send_safety.open_row(work)
        place = send_safety.place(work)
        waiting(work, count)

    def claim_all(number: int) -> list[str]:
        mine: list[str] = []
        while True:
            with container.work(SYSTEM) as work:
                claims = leases.claim(work, owner=f"claimer {number}", place=place, limit=50)
                for claim in claims:
                    assert (
                        leases.settle(work, claim, Delivery(DeliveryOutcome.ACCEPTED, "")) == "sent"
                    )
            if not claims:
                return mine
            mine += [claim.id for claim in claims]

    with ThreadPoolExecutor(8) as pool:
        taken = Counter(id_ for mine in pool.map(claim_all, range(8)) for id_ in mine)

    assert len(taken) == taken.total() == count
    assert set(cases.states(container)) == {"sent"}
    assert {row.token for row in cases.letters(container)} == {1}
