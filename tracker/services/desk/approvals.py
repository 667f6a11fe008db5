"""Acts that need two people: propose, approve, decline, withdraw (``domain.desk.approvals``).

Which acts there are, and how each is carried out, is in ``services.overview.two_person_acts``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from tracker.db import new_id
from tracker.domain.desk import approvals as rules
from tracker.domain.desk.approvals import ApprovalState, TwoPersonAct
from tracker.domain.errors import AlreadyRecorded, NotFound
from tracker.models import ActApproval
from tracker.services.core import bulk, history, identities
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.people import accounts, sessions


class ProposedAct(NamedTuple):
    """What is proposed: about which holder, which record, what exactly, and why."""

    holder_id: str
    subject_id: str
    what: Mapping[str, str | None]
    reason: str


@dataclass(frozen=True, slots=True)
class Performance:
    """How an act is carried out, and what it would bring, in plain values.

    ``carry_out`` returns the id of the record that it made, if it makes one. Both raise what the
    act itself raises; ``preview`` leaves no trace.
    """

    carry_out: Callable[[UnitOfWork, ProposedAct], str | None]
    preview: Callable[[UnitOfWork, ProposedAct], Mapping[str, object]]


class ApprovalRow(NamedTuple):
    """A proposal and what became of it; ``state`` is that on record."""

    id: str
    act: TwoPersonAct
    holder_id: str
    subject_id: str
    what: Mapping[str, str | None]
    preview: Mapping[str, object]
    reason: str
    proposed_by: str
    recorded_at: datetime
    expires_at: datetime
    state: ApprovalState
    decided_by: str | None
    decision_reason: str | None
    closed_at: datetime | None
    outcome_id: str | None

    def state_at(self, now: datetime) -> ApprovalState:
        """The state at an instant."""
        return rules.state_on(ApprovalState(self.state), self.expires_at, now)

    @property
    def proposed(self) -> ProposedAct:
        """What is proposed."""
        return ProposedAct(self.holder_id, self.subject_id, self.what, self.reason)


_ROWS = select(*columns_of(ApprovalRow, ActApproval))


def propose(
    work: UnitOfWork, act: TwoPersonAct, wanted: ProposedAct, performance: Performance
) -> ApprovalRow:
    """Propose an act, which must be possible today.

    Raises NotAllowed, SelfReview, AlreadyRecorded, and what the act itself raises.
    """
    ids = identities.behind(work)
    rules.check_may_propose(work.actor, holder_id=wanted.holder_id, ids=ids)
    _close_expired(work, act, wanted.subject_id)
    row = ActApproval(
        id=new_id(),
        act=act,
        **wanted._asdict(),
        preview=dict(performance.preview(work, wanted)),
        proposed_by=work.actor.name,
        proposer_id=work.actor.who or "",
        proposer_ids=sorted(ids),
        recorded_at=work.now,
        expires_at=work.now + rules.LASTS,
    )
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded("This is proposed already, and waits for an answer.") from error
    about = {"act": act, "holder": wanted.holder_id, "record": wanted.subject_id}
    history.record(work, "propose", "approval", row.id, **about, reason=wanted.reason)
    return get(work, row.id)


def _close_expired(work: UnitOfWork, act: TwoPersonAct, subject_id: str) -> None:
    """Close a proposal that nobody answered in time, so that it can be made again."""
    expired = update(ActApproval).where(
        ActApproval.act == act,
        ActApproval.subject_id == subject_id,
        ActApproval.state == ApprovalState.OPEN,
        ActApproval.expires_at <= work.now,
    )
    work.execute(expired.values(state=ApprovalState.EXPIRED, closed_at=work.now))


def answers_of_actor(
    reading: ReadContext, rows: Collection[ApprovalRow]
) -> Mapping[str, Collection[ApprovalState]]:
    """How the acting person may answer each of these open proposals."""
    ids, proposed = identities.behind(reading), {row.id: row.holder_id for row in rows}
    columns = (ActApproval.id, ActApproval.proposer_id, ActApproval.proposer_ids)
    statement = select(*columns).where(bulk.among(reading, ActApproval.id, proposed))
    return {
        row.id: rules.answers(
            ids=ids,
            holder_id=proposed[row.id],
            proposer_ids=[row.proposer_id, *row.proposer_ids],
        )
        for row in reading.rows(statement)
    }


def get(reading: ReadContext, approval_id: str) -> ApprovalRow:
    """One proposal. Raises NotFound."""
    row = reading.row_as(ApprovalRow, _ROWS.where(ActApproval.id == approval_id))
    if row is None:
        raise NotFound
    return row


def page(
    reading: ReadContext, *, after: str | None, limit: int, filters: Mapping[str, str]
) -> Sequence[ApprovalRow]:
    """A page of the proposals, by id. ``filters`` are act, holder_id, subject_id and state."""
    statement, filters = _ROWS.order_by(ActApproval.id).limit(limit), dict(filters)
    state = filters.pop("state", None)
    is_over = ActApproval.expires_at <= reading.now
    if state == ApprovalState.EXPIRED:
        unanswered = (ActApproval.state == ApprovalState.OPEN) & is_over
        statement = statement.where((ActApproval.state == state) | unanswered)
    elif state is not None:
        statement = statement.where(ActApproval.state == state)
        statement = statement.where(~is_over) if state == ApprovalState.OPEN else statement
    for name, value in filters.items():
        statement = statement.where(getattr(ActApproval, name) == value)
    if after:
        statement = statement.where(ActApproval.id > after)
    return reading.rows_as(ApprovalRow, statement)


def approve(
    work: UnitOfWork, approval_id: str, performances: Mapping[TwoPersonAct, Performance]
) -> ApprovalRow:
    """Carry out what somebody else proposed, in this transaction.

    Of several who approve at once, one does. Raises NotFound, SamePerson, NotAllowed, SelfReview,
    IllegalTransition, ReauthenticationRequired, and what the act itself raises.
    """
    row, ids = get(work, approval_id), identities.behind(work)
    proposer_ids = _proposer_ids(work, row.id)
    accounts.proposer_role(work, proposer_ids[0], "staff")
    rules.check_may_approve(work.actor, holder_id=row.holder_id, ids=ids, proposer_ids=proposer_ids)
    sessions.check_fresh_person(work)
    _close(work, row, ApprovalState.APPROVED, reason=None)
    history.record(work, "approve", "approval", row.id, act=row.act)
    made = performances[row.act].carry_out(work, row.proposed)
    work.execute(update(ActApproval).where(ActApproval.id == row.id).values(outcome_id=made))
    return get(work, approval_id)


def close(work: UnitOfWork, approval_id: str, answer: ApprovalState, *, reason: str) -> ApprovalRow:
    """Decline a proposal, or withdraw one's own.

    Raises NotFound, NotAllowed, IllegalTransition.
    """
    row = get(work, approval_id)
    proposer_ids = _proposer_ids(work, row.id)
    rules.check_answer(answer, ids=identities.behind(work), proposer_ids=proposer_ids)
    _close(work, row, answer, reason=reason)
    history.record(work, _VERBS[answer], "approval", row.id, reason=reason)
    return get(work, approval_id)


_VERBS = {ApprovalState.DECLINED: "decline", ApprovalState.WITHDRAWN: "withdraw"}


def _close(work: UnitOfWork, row: ApprovalRow, state: ApprovalState, *, reason: str | None) -> None:
    rules.check_open(row.state_at(work.now))
    waits = update(ActApproval).where(
        ActApproval.id == row.id, ActApproval.state == ApprovalState.OPEN
    )
    closed = waits.values(
        state=state,
        decided_by=work.actor.name,
        decider_id=work.actor.who,
        decision_reason=reason,
        closed_at=work.now,
    )
    if work.row(closed.returning(ActApproval.id)) is None:
        rules.check_open(ApprovalState(get(work, row.id).state))


def _proposer_ids(reading: ReadContext, approval_id: str) -> Sequence[str]:
    """All ids of the person who proposed it; the one that is written down comes first."""
    columns = (ActApproval.proposer_id, ActApproval.proposer_ids)
    row = reading.row(select(*columns).where(ActApproval.id == approval_id))
    return [row.proposer_id, *row.proposer_ids]
