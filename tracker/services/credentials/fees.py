"""Fees of applications to recertify: quoted with the application, and each change recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm.exc import StaleDataError

from tracker.domain.credentials import fees as rules
from tracker.domain.credentials.fees import FeeChange, FeeState, Quote
from tracker.domain.errors import Invalid, NotFound, Stale
from tracker.models import Employer, Fee, Renewal
from tracker.services.core import history, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.core.row_scope import scope

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
    changed_at: datetime
    changed_by: str
    recorded_at: datetime
    version: int


_ONE = select(*columns_of(FeeRow, Fee))


def owe(work: UnitOfWork, holder_id: str, quoted: Quote, renewals: Sequence[Renewal]) -> str:
    """Record the one fee of applications that were just made; returns its id."""
    fee = Fee(
        holder_id=holder_id,
        amount=quoted.amount,
        currency=quoted.currency,
        bundled=quoted.bundled,
        basis=quoted.reason,
        state=FeeState.QUOTED,
        changed_at=work.now,
        changed_by=work.actor.name,
        recorded_at=work.now,
    )
    work.session.add(fee)
    work.session.flush()
    ids = [renewal.id for renewal in renewals]
    # Not through the session: this is no change of an application, whose version stays 1.
    work.execute(update(Renewal).where(Renewal.id.in_(ids)).values(fee_id=fee.id))
    detail = {"amount": quoted.amount, "renewals": ids}
    history.record(work, "quote", "fee", fee.id, **detail)
    return fee.id


def change(work: UnitOfWork, fee_id: str, change: FeeChange, *, version: int) -> None:
    """Record what became of a fee, by the table of transitions (``rules.check_change``).

    Raises SelfReview, Stale, IllegalTransition, Invalid, NotFound.
    """
    fee = work.session.get(Fee, fee_id)
    if fee is None:
        raise NotFound
    locks.lock_one_to_decide(work, fee.holder_id)
    work.reread(fee)
    if fee.version != version:
        raise Stale("The fee has changed since you read it; read it again.")
    rules.check_change(FeeState(fee.state), change)
    employer = select(Employer.id).where(Employer.id == change.employer_id)
    if change.employer_id is not None and work.row(employer) is None:
        raise Invalid("There is no such employer.", fields={"employer_id": "is unknown"})
    _change(work, fee, change)


def _change(work: UnitOfWork, fee: Fee, change: FeeChange) -> None:
    before = fee.state
    fee.state, fee.reference, fee.reason = change.state, change.reference, change.reason
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


def forgo(work: UnitOfWork, renewal: Renewal) -> None:
    """Waive the open fee of a withdrawn application, unless another one still needs it."""
    fee = None if renewal.fee_id is None else work.session.get(Fee, renewal.fee_id)
    others = select(func.count()).where(
        Renewal.fee_id == renewal.fee_id, Renewal.withdrawn_on.is_(None)
    )
    if fee is None or fee.state not in rules.OPEN_FEES or work.row(others)[0]:
        return
    _change(work, fee, FeeChange(FeeState.WAIVED, reason=_WITHDRAWN))


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
