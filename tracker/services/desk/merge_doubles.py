"""What both records of a person have, and a person has only once: one of the two ends.

So what is left can go to the record that stays. Undoing the merge brings back what ended
(``merge_images``). Attempts, employers' consents and their entries are settled in ``merges``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.orm import aliased

from tracker.db import Base
from tracker.domain.credentials.center_results import ResultState
from tracker.domain.errors import WaitsInBoth
from tracker.domain.points.activities import ActivityState
from tracker.models import (
    Activity,
    Apprenticeship,
    CenterResult,
    ManagedCase,
    OtherCredential,
    PathwayChoice,
)
from tracker.services.core import history
from tracker.services.core.context import UnitOfWork


def check_results(work: UnitOfWork, *, from_id: str, to_id: str) -> None:
    """Refuse while a result of the merged record waits that the other one has, too.

    It would stay with a record for which nothing is recorded any more. Raises WaitsInBoth.
    """
    mine, other = CenterResult, aliased(CenterResult)
    same = _agree(mine, other, "center_id", "scheme", "module", "taken_on")
    twice = select(other.id).where(
        other.holder_id == to_id, other.state != ResultState.SENT_BACK, *same
    )
    waits = select(mine.id).where(
        mine.holder_id == from_id, mine.state == ResultState.WAITING, twice.exists()
    )
    if work.row(waits) is not None:
        raise WaitsInBoth(
            "A center sent the same result for both records, and that of the merged one waits for a"
            " decision; decide it first."
        )


def end(work: UnitOfWork, *, from_id: str, to_id: str, why: str) -> None:
    """End one of the two, of all that both records have."""
    _untie_from_courses(work, from_id, to_id)
    _withdraw_credentials(work, from_id, to_id, why)
    _leave_pathways(work, from_id, to_id, why)
    for table in (Apprenticeship, ManagedCase):
        _end_access_of_sponsors(work, table, from_id, to_id, why)


def _untie_from_courses(work: UnitOfWork, from_id: str, to_id: str) -> None:
    """Of two activities from one course and day, one becomes a claim like any other.

    The policy says how often the same claim counts.
    """
    mine, other = Activity, aliased(Activity)
    same = _agree(mine, other, "course_id", "completed_on")
    living = [one.state != ActivityState.WITHDRAWN for one in (mine, other)]
    twice = select(other.id).where(other.holder_id == to_id, living[1], *same)
    untied = update(mine).where(mine.holder_id == from_id, living[0], twice.exists())
    work.execute(untied.values(course_id=None, version=Activity.version + 1))


def _withdraw_credentials(work: UnitOfWork, from_id: str, to_id: str, why: str) -> None:
    """Of the same credential on both, the one that was claimed stays, or else a verified one."""
    kept, merged = aliased(OtherCredential), aliased(OtherCredential)
    statement = select(kept.id, merged.id, _worth(kept), _worth(merged)).where(
        kept.holder_id == to_id,
        merged.holder_id == from_id,
        kept.withdrawn_at.is_(None),
        merged.withdrawn_at.is_(None),
        *_agree(kept, merged, "credential", "level", "issued_on"),
    )
    ids = [
        mine if worth_of_theirs > worth_of_mine else theirs
        for mine, theirs, worth_of_mine, worth_of_theirs in work.rows(statement)
    ]
    gone = update(OtherCredential).where(OtherCredential.id.in_(ids))
    work.execute(gone.values(withdrawn_at=work.now, withdrawn_reason=why))
    _record(work, "withdraw", "other_credential", ids, why)


def _worth(credential: Any) -> ColumnElement[int]:
    claimed, verified = credential.activity_id.is_not(None), credential.verified_at.is_not(None)
    return case((claimed, 2), (verified, 1), else_=0)


def _leave_pathways(work: UnitOfWork, from_id: str, to_id: str, why: str) -> None:
    mine, other = PathwayChoice, aliased(PathwayChoice)
    twice = select(other.id).where(
        other.holder_id == to_id, other.left_at.is_(None), *_agree(mine, other, "pathway")
    )
    left = update(mine).where(mine.holder_id == from_id, mine.left_at.is_(None), twice.exists())
    rows = work.rows(left.values(left_at=work.now).returning(mine.id))
    _record(work, "leave", "pathway_choice", [row.id for row in rows], why)


_SEEN_BY_SPONSORS: Mapping[type[Base], tuple[history.Subject, tuple[str, ...]]] = {
    Apprenticeship: ("apprenticeship", ("sponsor_id", "program_code", "started_on")),
    ManagedCase: ("managed_case", ("sponsor_id",)),
}


def _end_access_of_sponsors(
    work: UnitOfWork, table: type[Apprenticeship | ManagedCase], from_id: str, to_id: str, why: str
) -> None:
    """End the consent of an apprenticeship or a case that stays with the merged record.

    Nobody could end it there; the same one on the other record has a consent of its own.
    """
    mine, other = table, aliased(table)
    subject, names = _SEEN_BY_SPONSORS[table]
    same = _agree(mine, other, *names)
    twice = select(other.id).where(other.holder_id == to_id, *same)
    shared = mine.consented_at.is_not(None) & mine.consent_ended_at.is_(None)
    ended = update(mine).where(mine.holder_id == from_id, shared, twice.exists())
    rows = work.rows(ended.values(consent_ended_at=work.now).returning(mine.id))
    _record(work, "end_consent", subject, [row.id for row in rows], why)


def _agree(one: Any, other: Any, *names: str) -> Iterator[ColumnElement[bool]]:
    return (getattr(one, name) == getattr(other, name) for name in names)


def _record(
    work: UnitOfWork, action: str, subject: history.Subject, ids: Sequence[str], why: str
) -> None:
    history.record_many(work, action, subject, [(id_, {"reason": why}) for id_ in sorted(ids)])
