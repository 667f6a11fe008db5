"""The demo's people on pathways: half-way each, and a record of every neighbor credential."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from tracker.demo import pathways as demo
from tracker.domain.permissions import SYSTEM
from tracker.models import Apprenticeship, Holder, OtherCredential
from tracker.services.credentials import pathways

TODAY = date(2026, 11, 21)


def test_each_stands_half_way_with_the_next_step_named(container):
    with container.work(SYSTEM) as work:
        assert demo.travel(work, TODAY) == 3
    found = {}
    with container.reading(SYSTEM) as reading:
        for row in reading.rows(select(Holder.id, Holder.ref)):
            [(choice, progress)] = pathways.of_holder(reading, row.id)
            done = [one.step.code for one in progress.steps if one.done_on]
            assert progress.next is not None
            found[choice.pathway] = (done, progress.next.code)
        kinds = {row.credential for row in reading.rows(select(OtherCredential.credential))}
        shared = reading.row(select(Apprenticeship.consented_at))

    assert found == {
        "career_changer": (["funding", "maintenance"], "other_modules"),
        "mechatronics_student": (["cpt", "smscp_1"], "osha_10"),
        "sponsored_apprentice": (["registered"], "cpt"),
    }
    assert kinds == set(container.credentials.by_code)
    assert shared.consented_at is not None
