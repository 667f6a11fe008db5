"""Consents that workers signed on paper and staff import with a roster."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import select

from tracker.db import new_id
from tracker.domain.employers.consents import ConsentAnswer, ConsentEnd, ConsentPurpose
from tracker.domain.periods import DAY
from tracker.models import RosterEntry, Sharing
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext
from tracker.services.employers import bars, consents, employers
from tracker.services.employers.consents import Pair
from tracker.services.employers.employments import Employment
from tracker.services.imports.run import Run


def record(run: Run, signed: Mapping[int, tuple[Employment, date]]) -> set[int]:
    """Record the valid consents of these rows; returns the numbers of the rows that added one.

    A consent is not recorded while one is in force, nor if it was signed before the holder ended
    theirs or before an employment ended: an old file does not restore what has ended.
    """
    pairs = {entry.pair for entry, _ in signed.values()}
    barred = _barred(run, pairs) if pairs else {}
    new: dict[Pair, dict[str, object]] = {}
    brought: set[int] = set()
    for number, (entry, day) in signed.items():
        if entry.pair in new or day < barred[entry.pair]:
            continue
        brought.add(number)
        new[entry.pair] = {
            "id": new_id(),
            "holder_id": entry.holder_id,
            "employer_id": entry.employer_id,
            "consented_on": day,
            "until_on": None,
            "purpose": ConsentPurpose.EMPLOYMENT,
            "with_dates": True,
            "with_points": False,
            "with_modules": False,
            "with_credentials": False,
            "recorded_at": run.work.now,
            "recorded_by": run.work.actor.name,
            "ended_at": None,
            "end_reason": None,
        }
    bulk.insert(run.work, Sharing, list(new.values()))
    consents.answered(run.work, set(new), ConsentAnswer.ACCEPTED)
    run.effects["consents recorded"] += len(new)
    return brought


def _barred(run: Run, pairs: Collection[Pair]) -> dict[Pair, date]:
    """By pair, the first day on which a valid consent may have been signed.

    It is the last possible date while a consent is in force or the employer is barred. A consent
    whose last day has passed is ended here.
    """
    today = employers.today(run.work)
    first_days = dict.fromkeys(pairs, date.min)
    lapsed: list[str] = []
    for row in consents.open_of(run.work, pairs):
        if row.until_on is not None and row.until_on < today:
            lapsed.append(row.id)
            first_days[row.holder_id, row.employer_id] = row.until_on + DAY
        else:
            first_days[row.holder_id, row.employer_id] = date.max
    consents.end(run.work, lapsed, ConsentEnd.LAPSED)
    first_days |= dict.fromkeys(bars.among(run.work, pairs), date.max)
    for pair, day in [*_withdrawn(run.work, pairs), *_left(run.work, pairs, today)]:
        first_days[pair] = max(first_days[pair], day)
    return first_days


def _withdrawn(reading: ReadContext, pairs: Collection[Pair]) -> list[tuple[Pair, date]]:
    """The days after those on which holders ended a consent, or it was found to have lapsed."""
    table = Sharing
    statement = select(table.holder_id, table.employer_id, table.ended_at).where(
        bulk.among(reading, table.holder_id, {holder_id for holder_id, _ in pairs}),
        table.ended_at.is_not(None),
        table.end_reason.is_distinct_from(ConsentEnd.EMPLOYMENT_ENDED),
    )
    return [
        ((row.holder_id, row.employer_id), employers.day_of(reading, row.ended_at) + DAY)
        for row in reading.rows(statement)
        if (row.holder_id, row.employer_id) in pairs
    ]


def _left(reading: ReadContext, pairs: Collection[Pair], today: date) -> list[tuple[Pair, date]]:
    """The days on which employments of these pairs ended."""
    table = RosterEntry
    statement = select(table.holder_id, table.employer_id, table.ended_on).where(
        bulk.among(reading, table.holder_id, {holder_id for holder_id, _ in pairs}),
        table.ended_on <= today,
    )
    return [
        ((row.holder_id, row.employer_id), row.ended_on)
        for row in reading.rows(statement)
        if (row.holder_id, row.employer_id) in pairs
    ]
