"""Keys that a spreadsheet has changed, such as ``17.0`` for ``17``.

Such a key is refused, unless exactly that key is on record.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from tracker.domain.values import fraction_rule
from tracker.models import Activity, Assessment, Holder, Renewal, StandingChange
from tracker.services.core import bulk
from tracker.services.imports.run import ImportRow, Run

# Employee numbers are compared with those of their employer (``roster``).
_ON_RECORD: dict[str, InstrumentedAttribute[str] | InstrumentedAttribute[str | None]] = {
    "holder_ref": Holder.ref,
    "attempt_ref": Assessment.ref,
    "activity_ref": Activity.ref,
    "renewal_ref": Renewal.ref,
    "change_ref": StandingChange.ref,
}


def without_fractions(run: Run, rows: list[ImportRow]) -> list[ImportRow]:
    """The rows whose keys are not fractions, or are on record as such; the others are refused.

    Queries the database only if a chunk has such a key.
    """
    for column in _ON_RECORD.keys() & run.header:
        if column == "holder_ref" and not (run.employer_id is None and run.work.actor.is_staff):
            continue  # an organization must not learn who is on record
        suspect = [
            (row, rule) for row in rows if (key := row[column]) and (rule := fraction_rule(key))
        ]
        on_record = _on_record(run, column, {row[column] for row, _ in suspect}) if suspect else ()
        for row, rule in suspect:
            if row[column] not in on_record:
                run.refuse(row, column, rule)
    return run.good(rows)


def _on_record(run: Run, column: str, keys: Collection[str]) -> set[str]:
    known = _ON_RECORD[column]
    statement = select(known.label("ref")).where(bulk.among(run.work, known, keys))
    return {row.ref for row in run.work.rows(statement)}
