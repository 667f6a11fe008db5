"""A person as the staff of the certification body sees them: everything on record, on one page.

The number of statements does not grow with what is on record. Lists that may be long, messages and
history, are given by their newest entries; pages of their own show the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tracker.domain.errors import Invalid, NotFound
from tracker.domain.names import is_family_name
from tracker.services.core import days
from tracker.services.core.context import ReadContext
from tracker.services.credentials import (
    apprenticeships,
    assessments,
    centers,
    fees,
    module_certificates,
)
from tracker.services.credentials.apprenticeships import ApprenticeshipProgress
from tracker.services.credentials.assessments import AssessmentRow
from tracker.services.credentials.fees import FeeRow
from tracker.services.credentials.module_certificates import Progress
from tracker.services.delivery import sent_messages
from tracker.services.delivery.sent_messages import MessageFilter, OutboxMessage
from tracker.services.desk import merges, requests
from tracker.services.desk.merges import MergeRow
from tracker.services.desk.requests import RequestRow
from tracker.services.employers import sharing
from tracker.services.employers.sharing import Viewer
from tracker.services.outbox import suppressions
from tracker.services.overview import history_pages, holder_records
from tracker.services.overview.history_pages import HistoryFilter, HistoryLine
from tracker.services.overview.holder_records import HolderRecord
from tracker.services.people import holders, names
from tracker.services.people.holders import HolderRow
from tracker.services.people.names import FormerNameRow
from tracker.services.points import activity_rows, decision_rows, other_credentials
from tracker.services.points.activity_rows import ActivityRow
from tracker.services.points.decision_rows import DecisionRow
from tracker.services.points.other_credentials import OtherCredentialRow
from tracker.services.standings import snapshots, standings
from tracker.services.standings.snapshots import CertificationRecord
from tracker.services.standings.standings import HeldCertification

NEWEST = 10
"""How many messages and how many lines of history are shown."""
_MOST = 100


@dataclass(frozen=True, slots=True)
class PersonOverview:
    """Everything on record about a person.

    ``cycles`` are by certification, ``suppressed`` the addresses to which nothing is sent,
    ``is_more`` says whether the history has more lines than those shown.
    """

    record: HolderRecord
    cycles: Mapping[str, CertificationRecord]
    modules: Sequence[Progress]
    viewers: Sequence[Viewer]
    credentials: Sequence[OtherCredentialRow]
    apprenticeships: Sequence[ApprenticeshipProgress]
    requests: Sequence[RequestRow]
    fees: Sequence[FeeRow]
    merges: Sequence[MergeRow]
    messages: Sequence[OutboxMessage]
    suppressed: Collection[str]
    history: Sequence[HistoryLine]
    is_more: bool


def of_person(reading: ReadContext, holder_id: str) -> PersonOverview:
    """The whole record of a person today. Raises NotFound."""
    record = holder_records.of_holder(reading, holder_id, on=None)
    lines = history_pages.page(reading, HistoryFilter(limit=NEWEST + 1), holder_id=holder_id)
    about = {"holder_id": holder_id}
    return PersonOverview(
        record=record,
        cycles=snapshots.cycles(reading, [one.id for one in record.certifications]),
        modules=module_certificates.progress(reading, holder_id),
        viewers=sharing.viewers(reading, holder_id),
        credentials=other_credentials.page(reading, holder_id),
        apprenticeships=apprenticeships.page(reading, holder_id=holder_id),
        requests=requests.page(reading, after=None, limit=_MOST, filters=about),
        fees=fees.page(reading, after=None, limit=_MOST, holder_id=holder_id),
        merges=merges.page(reading, after=None, limit=_MOST, holder_id=holder_id),
        messages=sent_messages.newest(reading, MessageFilter(None, NEWEST, holder_id=holder_id)),
        suppressed=suppressions.of_holders(reading, [record.holder], now=reading.now),
        history=lines[:NEWEST],
        is_more=len(lines) > NEWEST,
    )


@dataclass(frozen=True, slots=True)
class PersonListed:
    """Somebody who was searched for, with former names and certifications today."""

    holder: HolderRow
    former_names: Sequence[FormerNameRow]
    certifications: Sequence[HeldCertification]


def search(
    reading: ReadContext, query: str, *, after: str | None, limit: int
) -> list[PersonListed]:
    """A page of the people whom a query means (``holders.search``), in the order of their ids."""
    rows = holders.search(reading, after=after, limit=limit, filters={"q": query})
    ids = [row.id for row in rows]
    former = names.former(reading, ids)
    held: dict[str, list[HeldCertification]] = defaultdict(list)
    for one in standings.of_many(reading, ids, on=days.today_everywhere(reading)):
        held[one.holder_id].append(one)
    return [PersonListed(row, former.get(row.id, ()), held[row.id]) for row in rows]


@dataclass(frozen=True, slots=True)
class ModulesOverview:
    """What staff see while they record results of somebody: modules, certifications, the centers.

    ``recorded`` is the attempt that was just recorded, if there is one.
    """

    holder: HolderRow
    former_names: Sequence[FormerNameRow]
    modules: Sequence[Progress]
    certifications: Sequence[HeldCertification]
    centers: Sequence[str]
    recorded: AssessmentRow | None


def of_modules(
    reading: ReadContext, holder_id: str, *, recorded_id: str | None = None
) -> ModulesOverview:
    """The modules of a person today. Raises NotFound, also for an attempt of somebody else."""
    recorded = assessments.get(reading, recorded_id) if recorded_id else None
    if recorded is not None and recorded.holder_id != holder_id:
        raise NotFound
    return ModulesOverview(
        holder=holders.get(reading, holder_id),
        former_names=names.of_holder(reading, holder_id),
        modules=module_certificates.progress(reading, holder_id),
        certifications=standings.of_holder(reading, holder_id, on=days.today_everywhere(reading)),
        centers=centers.names_of(reading),
        recorded=recorded,
    )


def check_family_name(reading: ReadContext, holder_id: str, typed: str) -> None:
    """Refuse a result that names somebody else. Raises Invalid, NotFound.

    A former family name is the person's, too.
    """
    holder = holders.get(reading, holder_id)
    known = [names.of(holder), *map(names.of, names.of_holder(reading, holder_id))]
    if not is_family_name(typed, known):
        own = f"{holder.given_name} {holder.family_name}"
        rule = (
            f"is {typed!r}, but this is the record of {own}; if it is the same person, correct the "
            "name on record first"
        )
        raise Invalid("The result names somebody else.", fields={"family_name": rule})


@dataclass(frozen=True, slots=True)
class AttemptOverview:
    """An attempt on record, whose it is, and the centers to choose from, by id and name."""

    attempt: AssessmentRow
    holder: HolderRow
    centers: Sequence[tuple[str, str]]


def of_attempt(reading: ReadContext, assessment_id: str) -> AttemptOverview:
    """An attempt as staff correct it. Raises NotFound."""
    attempt = assessments.get(reading, assessment_id)
    return AttemptOverview(
        attempt, holders.get(reading, attempt.holder_id), centers.choices(reading)
    )


@dataclass(frozen=True, slots=True)
class FeeOverview:
    """A fee, whose it is, and the employers that may get an invoice, by id and name.

    ``can_correct``: it is the open fee of an attempt, whose amount may be corrected.
    """

    fee: FeeRow
    holder: HolderRow
    employers: Sequence[tuple[str, str]]
    can_correct: bool


def of_fee(reading: ReadContext, fee_id: str) -> FeeOverview:
    """A fee as staff record what became of it. Raises NotFound."""
    row = fees.get(reading, fee_id)
    return FeeOverview(
        fee=row,
        holder=holders.get(reading, row.holder_id),
        employers=[
            (one.employer_id, one.employer_name) for one in sharing.viewers(reading, row.holder_id)
        ],
        can_correct=fees.is_correctable(reading, row),
    )


@dataclass(frozen=True, slots=True)
class DecidedActivity:
    """An activity, whose it is, and every decision on it, oldest first."""

    activity: ActivityRow
    holder: HolderRow
    decisions: Sequence[DecisionRow]


def of_activity(reading: ReadContext, activity_id: str) -> DecidedActivity:
    """An activity as staff correct the decision on it. Raises NotFound."""
    row = activity_rows.get(reading, activity_id)
    decisions = decision_rows.of_activity(reading, activity_id)
    return DecidedActivity(row, holders.get(reading, row.holder_id), decisions)
