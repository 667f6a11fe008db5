"""An application to renew with all that its decision needs, decided or not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import select

from tracker.domain.credentials import fees as fee_rules
from tracker.domain.credentials.certifications import Standing
from tracker.domain.credentials.renewals import ApplicationFacts, RenewalVerdict
from tracker.domain.desk.reviews import ReviewLock
from tracker.domain.errors import Refusal
from tracker.domain.permissions import is_own
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.reasons import ReasonCode
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Certification, Holder, OpenReview, Renewal
from tracker.services.core import open_reviews, writers
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import (
    applications,
    certifications,
    fees,
    former_decisions,
    renewals,
)
from tracker.services.credentials.fees import FeeRow
from tracker.services.credentials.former_decisions import RenewalDecisionRow
from tracker.services.credentials.renewals import RenewalRow
from tracker.services.outbox.notices import SECOND_THOUGHTS
from tracker.services.standings import snapshots, standings


@dataclass(frozen=True, slots=True)
class RenewalDossier:
    """An application, its holder, and what stands in the way of an approval today.

    ``judged`` is None if the scheme counts no points; ``waiting`` are the ids of activities that
    were submitted in time and are undecided. ``obstacles`` leaves out the checks of ``policy``,
    which are confirmed with the approval. ``is_barred``: the reader must not decide it. Until
    ``quiet_until`` no message about the decision leaves.
    """

    renewal: RenewalRow
    holder_name: str
    language: str
    number: str
    scheme: Scheme
    policy: Policy
    standing: Standing | None
    judged: ApplicationFacts | None
    waiting: Sequence[str]
    obstacles: Sequence[Refusal]
    fee: FeeRow | None
    decisions: Sequence[RenewalDecisionRow]
    reasons: Sequence[ReasonCode]
    lock: ReviewLock | None
    is_barred: bool
    quiet_until: datetime | None


_ABOUT = (
    select(
        Holder.given_name,
        Holder.family_name,
        Holder.language,
        Certification.number,
        Renewal.closed_at,
        *open_reviews.COLUMNS,
    )
    .select_from(Renewal)
    .join(Certification, Certification.id == Renewal.certification_id)
    .join(Holder, Holder.id == Certification.holder_id)
    .join(OpenReview, OpenReview.subject_id == Renewal.id, isouter=True)
)
_OWN = 5


def get(reading: ReadContext, renewal_id: str) -> RenewalDossier:
    """An application. Raises NotFound."""
    row = renewals.get(reading, renewal_id)
    held = certifications.with_zone(reading, row.certification_id)
    scheme = reading.schemes[row.scheme]
    record = snapshots.records(reading, [held.id])[held.id]
    case = applications.of_renewal(reading, held, record, row)
    counted = applications.judge(reading, held, case)
    fee = fees.get(reading, row.fee_id) if row.fee_id else None
    given, family, language, number, closed_at, *lock = reading.row(
        _ABOUT.where(Renewal.id == row.id)
    )
    assert len(lock) == len(open_reviews.COLUMNS)  # noqa: S101 - the columns after the five
    today = standings.of_certification(reading, held.id, on=reading.day_of(scheme, held.time_zone))
    until = closed_at + SECOND_THOUGHTS if closed_at else None
    return RenewalDossier(
        renewal=row,
        holder_name=f"{given} {family}".strip(),
        language=language,
        number=number,
        scheme=scheme,
        policy=applications.governing(reading, held, case, row),
        standing=today.standing if today else None,
        judged=counted.judged if counted else None,
        waiting=counted.waiting if counted else (),
        obstacles=_obstacles(reading, held, case, row, fee),
        fee=fee,
        decisions=former_decisions.with_ruling(reading, row.id),
        reasons=reading.reasons.for_act("renewal_denial"),
        lock=open_reviews.still_held(reading, ReviewLock(*lock) if lock[0] else None),
        is_barred=is_own(reading.actor, row.holder_id) or bool(writers.written(reading, [row.id])),
        quiet_until=until if until and until > reading.now else None,
    )


def _obstacles(
    reading: ReadContext,
    held: snapshots.ZonedCertification,
    case: applications.Open,
    row: RenewalRow,
    fee: FeeRow | None,
) -> list[Refusal]:
    """What an approval would be refused for today, beside checks that are not confirmed."""
    state = fee.state if fee else None
    checks: Sequence[Callable[[], None]] = (
        partial(applications.check_state, reading, held, case, row),
        partial(applications.check_points, reading, held, case, row),
        partial(fee_rules.check_settled, reading.schemes[row.scheme], state),
    )
    found: list[Refusal] = []
    for check in checks:
        try:
            check()
        except Refusal as refusal:
            found.append(refusal)
    return found


def decide(
    work: UnitOfWork,
    renewal_id: str,
    *,
    decision: RenewalVerdict,
    reason: str | None,
    reason_code: str | None,
    version: int,
    checks: Collection[str],
) -> None:
    """Decide an application; a reason code without words is told in the holder's language.

    Raises what ``renewals.decide()`` raises, and UnknownReason.
    """
    if reason_code is not None:
        work.reasons.check("renewal_denial", reason_code, words=reason)
        row = renewals.get(work, renewal_id)
        language = work.row(select(Holder.language).where(Holder.id == row.holder_id)).language
        text = work.reasons.by_code[reason_code].text
        reason = reason or text.get(language, text["en"])
    renewals.decide(
        work, renewal_id, decision=decision, reason=reason, version=version, checks=checks
    )
