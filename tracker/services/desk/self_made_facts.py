"""What people of the body did on a record that a merge would make their own.

On a record that an account names as its owner's, nobody decides for themselves. A second record of
the same person is named by none, so what its owner decided on it must not come along by a merge.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import aliased

from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.errors import SelfReview
from tracker.domain.permissions import OF_THE_BODY
from tracker.models import (
    Account,
    Activity,
    Assessment,
    Certification,
    Decision,
    HistoryEntry,
    Renewal,
    StandingChange,
    Token,
)
from tracker.services.core import bulk, tokens
from tracker.services.core.context import ReadContext


def check_none(reading: ReadContext, holder_ids: Collection[str]) -> None:
    """Refuse if the owner of one of the records decided something on one of them.

    Raises SelfReview.
    """
    people = _owners(reading, holder_ids)
    if not people:
        return
    for what, statement in (
        ("an activity", _decided_activity(holder_ids, people)),
        ("an application to renew", _decided_renewal(holder_ids, people)),
        ("a change of standing", _changed_standing(holder_ids, people)),
        ("an assessment", _recorded_attempt(reading, holder_ids, people)),
    ):
        if reading.row(statement.limit(1)) is not None:
            raise SelfReview(
                f"One of the records belongs to somebody of the body who decided on {what} there."
                " Somebody else must correct that or decide it again first."
            )


def _owners(reading: ReadContext, holder_ids: Collection[str]) -> set[str]:
    """The people of the body whose own record is one of these, and those whose tokens they made."""
    by_account = select(Account.id).where(Account.own_record_id.in_(holder_ids))
    by_token = select(Token.person_id).where(
        Token.holder_id.in_(holder_ids), Token.role.in_(sorted(OF_THE_BODY))
    )
    owners = {row[0] for some in (by_account, by_token) for row in reading.rows(some)} - {None}
    return {person for one in owners for person in tokens.people_below(reading, one)}


def _decided_activity(holder_ids: Collection[str], people: Collection[str]) -> Select[str]:
    return (
        select(Decision.id)
        .join(Activity, Activity.id == Decision.activity_id)
        .where(
            Activity.holder_id.in_(holder_ids),
            Decision.decided_by_id.in_(people),
            Decision.undone_at.is_(None),
        )
    )


def _decided_renewal(holder_ids: Collection[str], people: Collection[str]) -> Select[str]:
    return (
        select(Renewal.id)
        .join(Certification, Certification.id == Renewal.certification_id)
        .where(Certification.holder_id.in_(holder_ids), Renewal.decided_by_id.in_(people))
    )


def _changed_standing(holder_ids: Collection[str], people: Collection[str]) -> Select[str]:
    """The latest change of a certification; to give up one's own is everybody's right."""
    later = aliased(StandingChange)
    followed = select(later.id).where(
        later.certification_id == StandingChange.certification_id, later.id > StandingChange.id
    )
    return (
        select(StandingChange.id)
        .join(Certification, Certification.id == StandingChange.certification_id)
        .where(
            Certification.holder_id.in_(holder_ids),
            StandingChange.decided_by_id.in_(people),
            StandingChange.kind != ChangeKind.SURRENDER,
            ~followed.exists(),
        )
    )


def _recorded_attempt(
    reading: ReadContext, holder_ids: Collection[str], people: Collection[str]
) -> Select[int]:
    """The latest entry of an attempt's history, if it is theirs: the attempt has only a name."""
    attempts = select(Assessment.id).where(
        Assessment.holder_id.in_(holder_ids), Assessment.voided_at.is_(None)
    )
    ids = [row.id for row in reading.rows(attempts)]
    theirs = select(Token.id).where(Token.person_id.in_(people))
    later = aliased(HistoryEntry)
    followed = select(later.id).where(
        later.subject == HistoryEntry.subject,
        later.subject_id == HistoryEntry.subject_id,
        later.id > HistoryEntry.id,
    )
    return select(HistoryEntry.id).where(
        ~followed.exists(),
        HistoryEntry.subject == "assessment",
        bulk.among(reading, HistoryEntry.subject_id, ids),
        or_(HistoryEntry.account_id.in_(people), HistoryEntry.token_id.in_(theirs)),
    )
