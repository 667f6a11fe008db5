"""Fees of applications, appeals and attempts: quoted, and each change recorded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm.exc import StaleDataError

from tracker.domain.credentials import fees as rules
from tracker.domain.credentials.fees import FeeChange, FeeState, Quote
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.errors import AlreadyRecorded, IllegalTransition, Invalid, NotFound, Stale
from tracker.domain.schemes.schemes import AppealRule, Scheme
from tracker.models import Appeal, Assessment, Employer, Fee, Renewal
from tracker.services.core import history, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.core.row_scope import scope
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell

_TOLD = frozenset({FeeState.DUE, FeeState.PAID, FeeState.WAIVED, FeeState.REFUNDED})
_WITHDRAWN = "The application was withdrawn."


class FeeRow(NamedTuple):
    """A fee and what the last change of it said."""

    id: str
    holder_id: str
    amount: Decimal
    currency: str
    bundled: bool
    basis: str
    state: FeeState
    reference: str | None
    reason: str | None
    employer_id: str | None
    refund_due: bool
    changed_at: datetime
    changed_by: str
    recorded_at: datetime
    version: int


_ONE = select(*columns_of(FeeRow, Fee))


def owe(work: UnitOfWork, holder_id: str, quoted: Quote, renewals: Sequence[Renewal]) -> str:
    """Record the one fee of applications that were just made; returns its id."""
    price = _Price(quoted.amount, quoted.currency, quoted.reason, quoted.bundled)
    ids = [renewal.id for renewal in renewals]
    fee_id = _quote(work, holder_id, price, renewals=ids)
    # Not through the session: this is no change of an application, whose version stays 1.
    work.execute(update(Renewal).where(Renewal.id.in_(ids)).values(fee_id=fee_id))
    return fee_id


def owe_for_appeal(
    work: UnitOfWork, holder_id: str, rule: AppealRule, scheme: Scheme
) -> str | None:
    """Record the fee of an appeal that is being filed; returns its id, None if it costs nothing."""
    if not rule.fee:
        return None
    return _quote(work, holder_id, _Price(rule.fee, _currency(scheme), "The fee of an appeal."))


def owe_for_attempt(work: UnitOfWork, assessment_id: str, amount: Decimal) -> str:
    """Record the fee of an attempt on record; returns its id.

    Raises AlreadyRecorded if it has one, IllegalTransition if it is void, SelfReview, NotFound.
    """
    row = work.session.get(Assessment, assessment_id)
    if row is None:
        raise NotFound
    locks.lock_one_to_decide(work, row.holder_id)
    work.reread(row)
    if row.voided_at is not None:
        raise IllegalTransition("The attempt is void, so nothing is owed for it.", state="void")
    if row.fee_id is not None:
        raise AlreadyRecorded("The attempt has a fee on record; change that one.")
    scheme = work.schemes[row.scheme]
    basis = f"The fee of the attempt at {row.module} ({scheme.code}) on {row.taken_on}."
    price = _Price(amount, _currency(scheme), basis)
    row.fee_id = _quote(work, row.holder_id, price, assessment_id=row.id)
    work.session.flush()
    return row.fee_id


class _Price(NamedTuple):
    amount: Decimal
    currency: str
    basis: str
    bundled: bool = False


def _currency(scheme: Scheme) -> str:
    return scheme.fees.currency if scheme.fees else "USD"


def _quote(work: UnitOfWork, holder_id: str, price: _Price, **detail: object) -> str:
    fee = Fee(
        holder_id=holder_id,
        **price._asdict(),
        state=FeeState.QUOTED,
        changed_at=work.now,
        changed_by=work.actor.name,
        recorded_at=work.now,
    )
    work.session.add(fee)
    work.session.flush()
    history.record(work, "quote", "fee", fee.id, amount=price.amount, **detail)
    return fee.id


def follow_void(work: UnitOfWork, fee_ids: Collection[str]) -> None:
    """Have nobody owe the fees of attempts that were voided, and give back what was paid."""
    for fee in work.session.scalars(select(Fee).where(Fee.id.in_(fee_ids)).order_by(Fee.id)):
        state = FeeState(fee.state)
        if change := rules.after_void(state):
            _change(work, fee, change)
        elif state == FeeState.PAID and not fee.refund_due:
            _owe_refund(work, fee, rules.VOIDED)


def paid(reading: ReadContext, fee_ids: Collection[str]) -> Collection[str]:
    """Those of some fees that were paid."""
    statement = select(Fee.id).where(Fee.id.in_(fee_ids), Fee.state == FeeState.PAID)
    return {row.id for row in reading.rows(statement)}


def follow_appeal(work: UnitOfWork, appeal: Appeal) -> None:
    """Settle the fee of a decided appeal: given back or not owed if the rule says so, else due."""
    fee = None if appeal.fee_id is None else work.session.get(Fee, appeal.fee_id)
    if fee is None:
        return
    state = FeeState(fee.state)
    if change := rules.after_appeal(state, fee.reason, refunded=appeal.fee_refunded):
        _change(work, fee, change)
    elif fee.refund_due is not (appeal.fee_refunded and state == FeeState.PAID):
        fee.refund_due = appeal.fee_refunded
        work.session.flush()
        history.record(work, "owe_refund" if fee.refund_due else "owe_no_refund", "fee", fee.id)
        if fee.refund_due:
            _tell(work, fee, f"refund_due:{work.now.isoformat()}")


def change(work: UnitOfWork, fee_id: str, change: FeeChange, *, version: int) -> None:
    """Record what became of a fee, by the table of transitions (``rules.check_change``).

    Raises SelfReview, Stale, IllegalTransition, Invalid, NotFound.
    """
    fee = _locked(work, fee_id, version)
    rules.check_change(FeeState(fee.state), change)
    employer = select(Employer.id).where(Employer.id == change.employer_id)
    if change.employer_id is not None and work.row(employer) is None:
        raise Invalid("There is no such employer.", fields={"employer_id": "is unknown"})
    _change(work, fee, change)


def correct_amount(
    work: UnitOfWork, fee_id: str, amount: Decimal, *, reason: str, version: int
) -> None:
    """Correct what an attempt costs; other fees cost what their schemes say.

    Raises IllegalTransition for a fee that is not open or not an attempt's, Invalid if nothing
    changes, SelfReview, Stale, NotFound.
    """
    fee = _locked(work, fee_id, version)
    if not _is_of_attempt(work, fee.id):
        raise IllegalTransition("This fee has the amount that the scheme says.", state=fee.state)
    rules.check_amount(FeeState(fee.state), fee.amount, amount)
    _reprice(work, fee, amount, reason=reason)


def is_correctable(reading: ReadContext, row: FeeRow) -> bool:
    """Whether ``correct_amount`` may correct it: the open fee of an attempt."""
    return row.state in rules.OPEN_FEES and _is_of_attempt(reading, row.id)


def _is_of_attempt(reading: ReadContext, fee_id: str) -> bool:
    return reading.row(select(Assessment.id).where(Assessment.fee_id == fee_id)) is not None


def _locked(work: UnitOfWork, fee_id: str, version: int) -> Fee:
    """The fee to change, as it was read. Raises NotFound, SelfReview, Stale."""
    fee = work.session.get(Fee, fee_id)
    if fee is None:
        raise NotFound
    locks.lock_one_to_decide(work, fee.holder_id)
    work.reread(fee)
    if fee.version != version:
        raise Stale("The fee has changed since you read it; read it again.")
    return fee


def _change(work: UnitOfWork, fee: Fee, change: FeeChange) -> None:
    before = fee.state
    fee.state, fee.reference, fee.reason = change.state, change.reference, change.reason
    fee.refund_due = False
    fee.employer_id, fee.changed_at, fee.changed_by = change.employer_id, work.now, work.actor.name
    try:
        work.session.flush()
    except StaleDataError as error:
        raise Stale("The fee has changed since you read it; read it again.") from error
    history.record(
        work,
        "change",
        "fee",
        fee.id,
        changes={"state": (before, change.state)},
        reference=change.reference,
        reason=change.reason,
        employer_id=change.employer_id,
    )
    if change.state in _TOLD:
        _tell(work, fee, f"{change.state}:{work.now.isoformat()}")


def _tell(work: UnitOfWork, fee: Fee, event: str) -> None:
    news = NoticeToTell(
        kind=NoticeKind.FEE_CHANGED,
        holder_id=fee.holder_id,
        subject_id=fee.id,
        event=event,
        on=work.now.date(),
    )
    notices.tell(work, [news])


def _of(work: UnitOfWork, renewal: Renewal) -> Fee | None:
    return None if renewal.fee_id is None else work.session.get(Fee, renewal.fee_id)


def sharing(work: UnitOfWork, renewal: Renewal) -> list[Renewal]:
    """The other applications of the same fee that were not withdrawn."""
    if renewal.fee_id is None:
        return []
    others = select(Renewal).where(
        Renewal.fee_id == renewal.fee_id,
        Renewal.withdrawn_on.is_(None),
        Renewal.id != renewal.id,
    )
    return list(work.session.scalars(others.order_by(Renewal.id)).all())


def forgo(work: UnitOfWork, renewal: Renewal) -> None:
    """Waive the open fee of a withdrawn application that nobody else needs."""
    fee = _of(work, renewal)
    if fee is not None and fee.state in rules.OPEN_FEES:
        _change(work, fee, FeeChange(FeeState.WAIVED, reason=_WITHDRAWN))


def reprice(work: UnitOfWork, renewal: Renewal, quoted: Quote) -> None:
    """Set what is owed for the rest of a bundle; what was settled before stays as it is."""
    fee = _of(work, renewal)
    if fee is None or fee.state not in rules.OPEN_FEES or fee.amount == quoted.amount:
        return
    fee.bundled, fee.basis = quoted.bundled, quoted.reason
    _reprice(work, fee, quoted.amount)


def _reprice(work: UnitOfWork, fee: Fee, amount: Decimal, **detail: object) -> None:
    before, fee.amount = fee.amount, amount
    fee.changed_at, fee.changed_by = work.now, work.actor.name
    work.session.flush()
    changes = {"amount": (before, amount)}
    history.record(work, "reprice", "fee", fee.id, changes=changes, **detail)
    if fee.state == FeeState.DUE:
        _tell(work, fee, f"{FeeState.DUE}:{work.now.isoformat()}")


def follow_denial(work: UnitOfWork, renewal: Renewal, scheme: Scheme) -> None:
    """Do with the fee what the scheme says for a denial, unless another application needs it."""
    fee, others = _of(work, renewal), sharing(work, renewal)
    if fee is None or any(one.decision != RenewalVerdict.DENIED for one in others):
        return
    if change := rules.after_denial(scheme, FeeState(fee.state)):
        _change(work, fee, change)
    elif rules.is_refund_due(scheme, FeeState(fee.state)) and not fee.refund_due:
        _owe_refund(work, fee, rules.DENIED)


def _owe_refund(work: UnitOfWork, fee: Fee, reason: str) -> None:
    fee.refund_due = True
    work.session.flush()
    history.record(work, "owe_refund", "fee", fee.id, reason=reason)
    _tell(work, fee, f"refund_due:{work.now.isoformat()}")


def follow_end_of_denial(work: UnitOfWork, renewal: Renewal) -> None:
    """Take back what a denial made of the fee, since it no longer holds."""
    fee = _of(work, renewal)
    if fee is None:
        return
    if change := rules.after_denial_ended(FeeState(fee.state), fee.reason):
        _change(work, fee, change)
    elif fee.refund_due:
        fee.refund_due = False
        work.session.flush()
        history.record(work, "owe_no_refund", "fee", fee.id)


def demand(work: UnitOfWork, renewal: Renewal) -> None:
    """Have the fee of an application be due, and tell its holder, also if it was due before."""
    fee = _of(work, renewal)
    if fee is not None and fee.state == FeeState.QUOTED:
        _change(work, fee, FeeChange(FeeState.DUE))
    elif fee is not None and fee.state in rules.OPEN_FEES:
        _tell(work, fee, f"{FeeState.DUE}:{work.now.isoformat()}")


def state_of(work: UnitOfWork, renewal: Renewal) -> FeeState | None:
    """The state of an application's fee; None if it has none on record."""
    if renewal.fee_id is None:
        return None
    return FeeState(work.row(select(Fee.state).where(Fee.id == renewal.fee_id)).state)


def get(reading: ReadContext, fee_id: str) -> FeeRow:
    """A fee. Raises NotFound, also for another holder's."""
    row = reading.row_as(FeeRow, _ONE.where(Fee.id == fee_id, scope(reading.actor, Fee)))
    if row is None:
        raise NotFound
    return row


def page(
    reading: ReadContext,
    *,
    after: str | None,
    limit: int,
    state: str | None = None,
    holder_id: str | None = None,
) -> list[FeeRow]:
    """A page of fees in the order of their ids; a holder sees their own."""
    statement = _ONE.where(scope(reading.actor, Fee)).order_by(Fee.id).limit(limit)
    if holder_id is not None:
        statement = statement.where(Fee.holder_id == holder_id)
    if state is not None:
        statement = statement.where(Fee.state == state)
    if after:
        statement = statement.where(Fee.id > after)
    return reading.rows_as(FeeRow, statement)
