"""Staff decide on results that assessment centers sent: one by one, or a whole upload."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from tracker.domain.credentials import center_results as rules
from tracker.domain.credentials.center_results import ResultState, ResultVerdict
from tracker.domain.errors import Invalid, NotFound, Refusal
from tracker.domain.permissions import check_not_own
from tracker.models import Account, Center, CenterResult
from tracker.services.core import bulk, history, locks
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import assessments, center_results
from tracker.services.credentials.center_results import CenterResultRow
from tracker.services.people import account_news, accounts

_MOST_TOLD = 100


@dataclass(frozen=True, slots=True)
class ResultDecision:
    """What staff decide on some results: those with these ids, or all of an upload that wait.

    Accepting with a reason also overrides a wait that is not over and an approval that is missing.
    """

    verdict: ResultVerdict
    reason: str | None = None
    result_ids: Collection[str] = ()
    upload_id: str | None = None


def decide(work: UnitOfWork, decision: ResultDecision) -> int:
    """Accept results or send them back, all or none; returns how many.

    Accepted ones become assessments, with the awards that follow. The center is told. Raises
    NotFound, IllegalTransition for one that was decided before, SelfReview, Invalid for results
    that cannot be recorded, which names each by its id.
    """
    rows = _locked(work, decision)
    for row in rows:
        check_not_own(work.actor, row.holder_id)
        rules.decided(row.state, decision.verdict, reason=decision.reason)
    if decision.verdict == ResultVerdict.ACCEPT:
        _accept(work, rows, decision.reason)
    else:
        _send_back(work, rows, decision.reason)
    for center_id in sorted({row.center_id for row in rows}):
        _tell(work, center_id, decision)
    return len(rows)


def _locked(work: UnitOfWork, decision: ResultDecision) -> list[CenterResultRow]:
    """The results, read after their holders were locked. Raises NotFound."""
    if decision.upload_id is not None:
        rows = center_results.waiting(work, CenterResult.upload_id == decision.upload_id)
        if not rows:
            raise NotFound
        return rows
    ids = set(decision.result_ids)
    statement = center_results.RESULTS.where(bulk.among(work, CenterResult.id, ids))
    locks.lock(work, {row.holder_id for row in work.rows_as(CenterResultRow, statement)})
    rows = work.rows_as(CenterResultRow, statement.order_by(CenterResult.id))
    if len(rows) != len(ids):
        raise NotFound
    return rows


def _accept(work: UnitOfWork, rows: list[CenterResultRow], reason: str | None) -> None:
    attempts = [(row.holder_id, row.attempt(override_reason=reason)) for row in rows]
    pairs = list(zip(rows, assessments.judge(work, attempts), strict=True))
    faults = {row.id: _rule(one) for row, one in pairs if isinstance(one, Refusal)}
    if faults:
        raise Invalid(
            f"{len(faults)} of {len(rows)} results cannot be recorded. Send those back, or give a "
            "reason where a rule may be overridden.",
            fields=dict(list(faults.items())[:_MOST_TOLD]),
        )
    center_results.accept(work, pairs, reason=reason)


def _rule(refusal: Refusal) -> str:
    """What a refusal says, with the rules by field if it has them."""
    fields = refusal.fields if isinstance(refusal, Invalid) else {}
    return "; ".join([refusal.detail, *(f"{name} {rule}" for name, rule in fields.items())])


def _send_back(work: UnitOfWork, rows: list[CenterResultRow], reason: str | None) -> None:
    values = center_results.decision(work, ResultState.SENT_BACK) | {"reason": reason}
    bulk.update(work, CenterResult, [{"_id": row.id, **values} for row in rows])
    details = [(row.id, {"reason": reason}) for row in rows]
    history.record_many(work, "send_back", "center_result", details)


def _tell(work: UnitOfWork, center_id: str, decision: ResultDecision) -> None:
    """Tell everybody who acts for the center."""
    place = work.row(select(Center.name).where(Center.id == center_id)).name
    accepted = decision.verdict == ResultVerdict.ACCEPT
    what = account_news.RESULTS_ACCEPTED if accepted else account_news.RESULTS_SENT_BACK
    people = select(Account.id).where(Account.center_id == center_id, accounts.IS_LIVING)
    for row in work.rows(people):
        account = accounts.owner(work, row.id)
        account_news.tell(work, account, what, place=place, why=decision.reason)
