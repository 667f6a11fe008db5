"""The daily look for likely duplicates among very many people (services/people/duplicates.py)."""

from __future__ import annotations

import random
import time

import pytest
from sqlalchemy import select

from tests.memory import Peak
from tracker import jobs
from tracker.db import new_id
from tracker.domain.names import FoldedName
from tracker.domain.permissions import SYSTEM
from tracker.models import Employer, Holder, LikelyDuplicate, RosterEntry
from tracker.services.core import bulk
from tracker.services.people import names

pytestmark = pytest.mark.no_cover

_ALPHABET = [a + b for a in "bcdfghjklmnprstvwz" for b in "aeiou"]
_TWICE = [FoldedName("Xavier", f"Xu{syllable}x") for syllable in _ALPHABET[:10]]


def _named(count: int) -> list[FoldedName]:
    """So many people, a hundredth of them of one surname, and ten of them on record twice."""
    chance = random.Random(3)

    def word(longest: int) -> str:
        return "".join(chance.choices(_ALPHABET, k=chance.randint(2, longest))).title()

    families = [word(4) for _ in range(6_000)]
    given = [word(3) for _ in range(800)]
    found = [FoldedName(chance.choice(given), chance.choice(families)) for _ in range(count)]
    found[: count // 100] = [FoldedName(one.given, "Nguyen") for one in found[: count // 100]]
    found[-20:] = [*_TWICE, *_TWICE]
    return found


def _employ(container, people: list[FoldedName]) -> list[str]:
    ids = [new_id() for _ in people]
    with container.work(SYSTEM) as work:
        employer = Employer(name="Acme", recorded_at=work.now)
        work.session.add(employer)
        work.session.flush()
        listed = {"employer_id": employer.id, "recorded_at": work.now}
        fixed = {"time_zone": "America/New_York", "language": "en", "recorded_at": work.now}
        for first in range(0, len(ids), 5_000):
            some = list(zip(ids, people, strict=True))[first : first + 5_000]
            rows = [
                {"id": id_, "ref": id_, **names.columns(name), "email": f"{id_}@example.org"}
                | {**fixed, "version": 1}
                for id_, name in some
            ]
            bulk.insert(work, Holder, rows)
            entries = [{"id": new_id(), "holder_id": id_, "employee_id": id_} for id_, _ in some]
            bulk.insert(work, RosterEntry, [entry | listed for entry in entries])
    return ids


@pytest.mark.parametrize("count", [3_000, pytest.param(100_000, marks=pytest.mark.scale)])
def test_all_of_a_long_list_are_looked_through_once_and_no_two_of_one_surname_alone(
    container, count, record_property
):
    ids = _employ(container, _named(count))
    twice = set(zip(ids[-20:-10], ids[-10:], strict=True))
    with Peak() as before:
        time.sleep(0.1)
    with Peak() as peak:
        begun, busy = time.perf_counter(), time.process_time()
        assert jobs.find_duplicates(container) == 1
        taken, busy = time.perf_counter() - begun, time.process_time() - busy
    with container.reading(SYSTEM) as reading:
        rows = reading.rows(select(LikelyDuplicate.first_id, LikelyDuplicate.second_id))
    record_property("seconds", f"{taken:.1f}, of which own CPU {busy:.1f}")
    record_property("megabytes more", f"{peak.megabytes - before.megabytes:.0f}")
    record_property("pairs", len(rows))

    assert twice <= {tuple(row) for row in rows}
    # 1.8 million comparisons among 100,000 people; each with each would be 5,000 million.
    assert busy < 10 + count / 2_000
    assert peak.megabytes - before.megabytes < 150 + count / 300
