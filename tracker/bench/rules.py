"""The rules over many certifications at once, as an export or a dry run applies them."""

from __future__ import annotations

import time

from tracker.bench.measurements import Measured, at_least, measures
from tracker.bench.workshop import Workshop
from tracker.domain.permissions import SYSTEM
from tracker.services import days, standings


@measures("evaluations", at_least(3000, "/s"), against="a second of one core")
def evaluations(shop: Workshop) -> Measured:
    """Evaluations in bulk, from rows: 10 activities each; the database's own time apart."""
    ids = [person.holder_id for person in shop.people]
    with shop.office.reading(SYSTEM) as reading:
        on = days.today_everywhere(reading)
        standings.evaluations(reading, standings.of_many(reading, ids, on=on), on=on)
        done, begun, deadline = 0, time.process_time(), time.perf_counter() + shop.seconds
        while not done or time.perf_counter() < deadline:
            held = standings.of_many(reading, ids, on=on)
            done += len(standings.evaluations(reading, held, on=on))
    return Measured(done / (time.process_time() - begun))
