"""The lean reading of approved claims says what the facts say, of every activity and day."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select, update

from tests.backends import SQLITE
from tests.services.credentials.policy_cases import populate
from tracker.domain.permissions import SYSTEM
from tracker.models import Activity, Certification, Decision
from tracker.services.standings import approved_claims, snapshots

BEGIN = date(2026, 1, 1)


def test_it_is_what_the_facts_say_after_any_rounds_of_submissions_and_decisions(container):
    chance = random.Random(7)
    populate(container, 25)
    with container.work(SYSTEM) as work:
        for row in work.rows(select(Activity.id).order_by(Activity.id)):
            _decide_at_random(work, chance, row.id)
    with container.reading(SYSTEM) as reading:
        table = Certification
        held = reading.rows(select(table.id, table.holder_id, table.scheme).order_by(table.id))
        known = snapshots.activities(reading, {one.holder_id for one in held})
        different = set()
        for day in (BEGIN + timedelta(days=n) for n in range(-1, 12)):
            found = approved_claims.claims(reading, [one.id for one in held], on=day)
            expected = {
                one.id: [
                    a.claim_on(day) for a in known[one.holder_id, one.scheme] if a.approved_on(day)
                ]
                for one in held
            }
            assert {id_: _plain(claims) for id_, claims in found.items()} == {
                id_: _plain(claims) for id_, claims in expected.items() if claims
            }
            different.add(sum(map(len, expected.values())))
    assert len(different) > 5


@SQLITE
def test_of_nobody_nothing_is_known(reading):
    assert approved_claims.claims(reading, [], on=BEGIN) == {}


def _decide_at_random(work, chance, activity_id):
    """States, rounds and decisions on a few days, some on the same one."""
    submitted_on = BEGIN + timedelta(days=chance.randrange(8))
    rounds = [None, *(datetime(2026, 1, day, tzinfo=UTC) for day in (2, 5))]
    work.connection.execute(
        update(Activity)
        .where(Activity.id == activity_id)
        .values(
            state=chance.choice(["draft", "submitted", "approved", "approved", "withdrawn"]),
            submitted_on=chance.choice([submitted_on, submitted_on, None]),
            submitted_at=chance.choice(rounds),
            tags=chance.choice([[], ["safety", "ethics"]]),
            unit=chance.choice(["", "hour"]),
            duty=chance.choice([True, False]),
        )
    )
    for _ in range(chance.randrange(4)):
        verdict = chance.choice(["approved", "approved", "rejected"])
        work.session.add(
            Decision(
                activity_id=activity_id,
                verdict=verdict,
                decided_on=BEGIN + timedelta(days=chance.randrange(8)),
                decided_by="somebody",
                points_limit=chance.choice([None, Decimal("3.00")]),
                provider_approved=chance.choice([True, False]),
                recorded_at=datetime(2026, 1, chance.randrange(1, 8), tzinfo=UTC),
            )
        )
        work.session.flush()


def _plain(claims):
    """In one order, and with refs written alike."""
    alike = (replace(claim, ref=claim.ref.replace("-", "")) for claim in claims)
    return sorted(alike, key=lambda claim: claim.ref)
