"""Renewals: applications, decisions, quotes, and appeals against changes of standing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from operator import attrgetter
from typing import Any, Literal

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from tracker.domain import certifications as rules
from tracker.domain import renewals, terms
from tracker.domain.errors import (
    IllegalTransition,
    Invalid,
    NotFound,
    RenewalPending,
    Stale,
)
from tracker.domain.permissions import check_not_own, check_own_holder
from tracker.domain.policies import Policy
from tracker.domain.schemes import Scheme
from tracker.domain.terms import Case
from tracker.models import Certification, Cycle, Renewal
from tracker.services import cases, certifications, facts, history, notices, standings
from tracker.services.cases import Asked
from tracker.services.notices import News
from tracker.services.work import Reading, Work

_COLUMNS = (
    Renewal.id, Renewal.ref, Renewal.certification_id, Renewal.cycle, Renewal.submitted_on,
    Renewal.points_counted, Renewal.decision, Renewal.decided_on, Renewal.reason,
    Renewal.withdrawn_on, Renewal.recorded_at, Renewal.version, Certification.holder_id,
    Certification.scheme,
)  # fmt: skip
_ONE = select(*_COLUMNS).join(Certification, Certification.id == Renewal.certification_id)
OF_HOLDER = _ONE.where(Certification.holder_id == bindparam("id"))


def apply(work: Work, certification_id: str) -> str:
    """Apply to recertify, today. The refusals are those of ``domain.renewals.objections``."""
    row = certifications.locked(work, certification_id)
    scheme = work.schemes[row.scheme]
    on = work.today(scheme)
    held = standings.of_certification(work, row.id, on=on)
    if held is None:
        raise NotFound
    record = facts.records(work, [row.id])[row.id]
    result = _points(work, row, record, on=on)
    evaluation = result.evaluation if result else None
    renewals.check_application(held.standing, evaluation, result.policy if result else None)
    renewal = Renewal(
        certification_id=row.id, cycle=record.cycles[-1].ordinal, submitted_on=on,
        points_counted=evaluation.total if evaluation else None, recorded_at=work.now,
    )  # fmt: skip
    work.session.add(renewal)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise RenewalPending("An application is under review already.") from error
    history.record(work, "apply", "renewal", renewal.id, certification_id=row.id)
    certifications.refresh(work, scheme, [row.id])
    return renewal.id


def _points(work: Work, row: Any, record: facts.Record, *, on: date) -> standings.Points | None:
    """The points of the certification, whole, as an application needs them."""
    scheme = work.schemes[row.scheme]
    activities = facts.activities(work, [row.holder_id])
    asked = Asked(row.id, row.holder_id, row.scheme)
    beside = cases.beside(work, [asked], activities).get(row.id, cases.ALONE)
    claimed = activities[row.holder_id, row.scheme]
    return standings.evaluate(scheme, record, claimed, on=on, beside=beside)


def _open(work: Work, renewal_id: str) -> tuple[Renewal, Any]:
    """An undecided renewal with its certification, the holder locked. Raises NotFound."""
    renewal = work.session.get(Renewal, renewal_id)
    if renewal is None:
        raise NotFound
    row = certifications.locked(work, renewal.certification_id)
    work.session.refresh(renewal)
    if renewal.decision or renewal.withdrawn_on:
        state = renewal.decision or "withdrawn"
        raise IllegalTransition(f"The renewal is {state} already.", state=state)
    return renewal, row


def decide(
    work: Work, renewal_id: str, *, decision: Literal["approved", "denied"],
    reason: str | None, version: int, checks: Collection[str] = (),
) -> None:  # fmt: skip
    """Approve a renewal, which opens the next cycle in the same transaction, or deny it.

    ``checks`` are those that the reviewer confirms; an approval needs all of the policy's.
    Raises SelfReview, IllegalTransition, Stale, CheckMissing, Invalid for a denial without a
    reason or a check that the policy does not ask for.
    """
    renewal, row = _open(work, renewal_id)
    check_not_own(work.actor, row.holder_id)
    if renewal.version != version:
        raise Stale("The renewal changed since you read it; read it again.")
    if decision == "denied" and not reason:
        raise Invalid("A denial needs its reason.", fields={"reason": "is required to deny"})
    scheme = work.schemes[row.scheme]
    on = work.today(scheme)
    if decision == "approved":
        record = facts.records(work, [row.id])[row.id]
        _check_still_in_force(record)
        renewals.check_confirmed(_governing(work, row, record, renewal), checks)
        cycle = _next_cycle(scheme, record, decided_on=on)
        work.connection.execute(insert(Cycle), [certifications.cycle_row(work, row.id, cycle)])
    renewal.decision, renewal.decided_on, renewal.decided_by = decision, on, work.actor.name
    renewal.reason, renewal.closed_at = reason, work.now
    work.session.flush()
    confirmed = {"checks": sorted(set(checks))} if checks else {}
    history.record(work, decision, "renewal", renewal.id, reason=reason, **confirmed)
    certifications.refresh(work, scheme, [row.id])
    news = News(
        kind="renewal_decided", holder_id=row.holder_id, subject_id=renewal.id, event=decision,
        on=on,
    )  # fmt: skip
    notices.tell(work, [news])


def _next_cycle(scheme: Scheme, record: facts.Record, *, decided_on: date) -> rules.Cycle:
    """The cycle that follows the last one, as it was extended by the day of the decision."""
    last = record.cycles[-1]
    return rules.next_cycle(
        scheme, last, decided_on=decided_on, awarded_on=record.cycles[0].starts_on,
        extended_to=rules.moved_to(last, record.adjustments, decided_on),
    )  # fmt: skip


def _governing(work: Work, row: Any, record: facts.Record, renewal: Renewal) -> Policy:
    """The version under which the application was made; of several the best for the holder."""
    scheme, on = work.schemes[row.scheme], renewal.submitted_on
    case = Case(scheme, record.cycles, record.applications, record.adjustments)
    found = terms.versions(case, record.cycles[-1], on)
    if len(found) == 1:
        return found[0]
    judged = _points(work, row, record, on=on)
    return judged.policy if judged else found[0]


def _check_still_in_force(record: facts.Record) -> None:
    hold = rules.hold_on(record.changes, date.max)
    if hold:
        raise IllegalTransition(f"The certification is {hold}; it cannot be renewed.", state=hold)


def withdraw(work: Work, renewal_id: str) -> None:
    """Take an application back before it is decided. Raises IllegalTransition, NotFound."""
    renewal, row = _open(work, renewal_id)
    scheme = work.schemes[row.scheme]
    renewal.withdrawn_on, renewal.closed_at = work.today(scheme), work.now
    work.session.flush()
    history.record(work, "withdraw", "renewal", renewal.id)
    certifications.refresh(work, scheme, [row.id])


def get(reading: Reading, renewal_id: str) -> Any:
    """A renewal's row. Raises NotFound, also for somebody else's."""
    row = reading.row(_ONE.where(Renewal.id == renewal_id))
    if row is None:
        raise NotFound
    check_own_holder(reading.actor, row.holder_id)
    return row


def of_holder(reading: Reading, holder_id: str) -> Sequence[Any]:
    """All renewals of a holder, oldest first."""
    rows = reading.rows(OF_HOLDER, {"id": holder_id})
    return sorted(rows, key=attrgetter("submitted_on", "id"))


def page(
    reading: Reading, *, after: str | None, limit: int, certification_id: str | None = None,
    pending: bool | None = None,
) -> list[Any]:  # fmt: skip
    """A page of renewals in the order of their ids."""
    statement = _ONE.order_by(Renewal.id).limit(limit)
    if certification_id is not None:
        statement = statement.where(Renewal.certification_id == certification_id)
    if pending is not None:
        undecided = Renewal.decision.is_(None) & Renewal.withdrawn_on.is_(None)
        statement = statement.where(undecided if pending else ~undecided)
    if after:
        statement = statement.where(Renewal.id > after)
    return list(reading.rows(statement))


def quote(reading: Reading, certification_ids: Sequence[str]) -> renewals.Quote:
    """What renewing these certifications of one holder together costs today. Raises NotFound."""
    chosen, policies = {}, {}
    for certification_id in certification_ids:
        row, record = facts.with_cycles(reading, certification_id)
        scheme = reading.schemes[row.scheme]
        held = standings.of_certification(reading, row.id, on=reading.today(scheme))
        if held is None or record is None:
            raise NotFound
        chosen[scheme] = held.standing
        if version := record.cycles[-1].policy:
            policies[scheme] = scheme.policy(version)
    return renewals.quote(chosen, policies)
