"""Who entered a record for a holder; nobody decides what they entered themselves.

A record is an activity, an application to renew, or an appeal. What holders enter is their own, and
what the operator brings in a file nobody in particular has entered.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from tracker.domain.errors import SelfReview
from tracker.models import RecordWriter
from tracker.services.core import bulk, identities
from tracker.services.core.context import ReadContext, UnitOfWork

OWN = "You cannot decide on what you entered yourself; somebody else must."
"""Why a decision on such a record is refused."""
OWN_ENTRY = "decides what you entered yourself; somebody else must send the decision"
"""The rule by which a file's decision on such a record is refused."""

_NOTED = {  # made once, not with every record
    name: dialect.insert(RecordWriter).on_conflict_do_nothing()
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}


def note(work: UnitOfWork, subject_ids: Collection[str]) -> None:
    """Remember that the actor entered or changed these records for their holders."""
    actor = work.actor
    if actor.role == "holder" or actor.who is None or not subject_ids:
        return
    rows = [{"subject_id": id_, "person_id": actor.who} for id_ in subject_ids]
    work.execute(_NOTED[work.dialect], rows)


def check_not_written(reading: ReadContext, subject_id: str) -> None:
    """Refuse a decision on what the actor entered. Raises SelfReview."""
    if written(reading, [subject_id]):
        raise SelfReview(OWN)


def written(reading: ReadContext, subject_ids: Collection[str]) -> set[str]:
    """Those of some records that the actor entered or changed for their holders."""
    by = select(RecordWriter.subject_id, RecordWriter.person_id).where(
        bulk.among(reading, RecordWriter.subject_id, subject_ids)
    )
    rows = reading.rows(by)
    people = identities.behind(reading) if rows else frozenset()
    return {row.subject_id for row in rows if row.person_id in people}
