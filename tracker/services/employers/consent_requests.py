"""Requests for consent: an employer asks for a worker, the holder accepts or declines.

A request is apart from everything else: it says who asks, for what and why, and nothing depends on
the answer. It belongs to an entry of a roster, and is recorded whether or not the entry means
anybody, so that an employer learns nothing by asking. A holder who declined is not asked again by
the same employer for 90 days, by whatever words it finds them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import aliased

from tracker.domain.employers import consents as rules
from tracker.domain.employers.consents import (
    ConsentAnswer,
    ConsentEnd,
    ConsentField,
    ConsentPurpose,
    ConsentTerms,
    NotSharedReason,
)
from tracker.domain.errors import Invalid, NotFound
from tracker.models import Employer, EmployerBar, RosterEntry, Sharing
from tracker.services.core import bulk, history
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import consents, employers, employments, sharing
from tracker.services.employers.consents import CONSENTED, EMPLOYED
from tracker.services.employers.employments import Employment
from tracker.services.employers.naming import NamedWorker
from tracker.services.employers.sharing import Viewer


@dataclass(frozen=True, slots=True)
class AskedWorker:
    """What became of asking for one entry: asked, or why not and from when it is possible."""

    entry_id: str
    asked: bool
    reason: str | None = None
    again_on: date | None = None


class _AskableRow(NamedTuple):
    id: str
    employer_id: str
    holder_id: str | None
    given_holder_ref: str | None
    given_number: str | None
    given_email: str | None
    asked_at: datetime | None
    answered_at: datetime | None
    answer: str | None
    sharing_id: str | None
    with_dates: bool | None
    with_points: bool | None
    with_modules: bool | None
    with_credentials: bool | None

    @property
    def covered(self) -> frozenset[ConsentField]:
        """What the worker shares now."""
        if self.sharing_id is None:
            return frozenset()
        shared = ConsentTerms(
            with_dates=bool(self.with_dates),
            with_points=bool(self.with_points),
            with_modules=bool(self.with_modules),
            with_credentials=bool(self.with_credentials),
        )
        return frozenset(shared.fields)

    @property
    def named(self) -> NamedWorker:
        """How the entry names its worker."""
        return NamedWorker(self.given_holder_ref, self.given_number, self.given_email)


_ASKABLE = select(
    RosterEntry.id,
    RosterEntry.employer_id,
    RosterEntry.holder_id,
    RosterEntry.given_holder_ref,
    RosterEntry.given_number,
    RosterEntry.given_email,
    RosterEntry.asked_at,
    RosterEntry.answered_at,
    RosterEntry.answer,
    Sharing.id.label("sharing_id"),
    Sharing.with_dates,
    Sharing.with_points,
    Sharing.with_modules,
    Sharing.with_credentials,
).join(Sharing, CONSENTED, isouter=True)


def ask(
    work: UnitOfWork, employer_id: str, entry_ids: Collection[str], terms: ConsentTerms
) -> list[AskedWorker]:
    """Ask for the consent of these workers, and say of each whether they were asked.

    The answer depends on nothing but what the employer wrote, asked and was told before. Raises
    NotFound, also for an entry of another employer or one that has ended.
    """
    employers.get(work, employer_id)
    employments.lock(work, [employer_id])
    rows = _askable(work, employer_id, entry_ids)
    results = [_result(work, row, terms) for row in rows]
    asked = {result.entry_id for result in results if result.asked}
    _record(work, [row for row in rows if row.id in asked], terms)
    return results


@dataclass(frozen=True, slots=True)
class ConsentState:
    """What a worker shares now, and whether they may be asked for certain terms today."""

    covered: frozenset[ConsentField]
    asked: AskedWorker


def state(
    reading: ReadContext, employer_id: str, entry_id: str, terms: ConsentTerms
) -> ConsentState:
    """The consent of one worker on the list. Raises NotFound."""
    employers.get(reading, employer_id)
    (row,) = _askable(reading, employer_id, [entry_id])
    return ConsentState(row.covered, _result(reading, row, terms))


def would_ask(
    reading: ReadContext, employer_id: str, entry_ids: Collection[str], terms: ConsentTerms
) -> list[AskedWorker]:
    """What ``ask`` would answer now, by which nobody is asked. Raises NotFound."""
    employers.get(reading, employer_id)
    rows = _askable(reading, employer_id, entry_ids)
    return [_result(reading, row, terms) for row in rows]


def _askable(
    reading: ReadContext, employer_id: str, entry_ids: Collection[str]
) -> list[_AskableRow]:
    """These current entries, all of them. Raises NotFound."""
    statement = _ASKABLE.where(
        RosterEntry.employer_id == employer_id,
        bulk.among(reading, RosterEntry.id, set(entry_ids)),
        EMPLOYED,
    )
    today = {"today": employers.today(reading)}
    rows = reading.rows_as(_AskableRow, statement.order_by(RosterEntry.id), today)
    if len(rows) != len(set(entry_ids)):
        raise NotFound
    return rows


def _result(work: ReadContext, row: _AskableRow, terms: ConsentTerms) -> AskedWorker:
    """Whether a worker may be asked today."""
    today = employers.today(work)
    if not row.named.words:
        return AskedWorker(row.id, asked=False, reason=NotSharedReason.NOT_MATCHED)
    if row.covered >= set(terms.fields):
        return AskedWorker(row.id, asked=False, reason="shared")
    declined = row.answer == ConsentAnswer.DECLINED
    again_on = rules.may_ask_from(
        asked_on=_day(work, row.asked_at if row.answer is None else None),
        declined_on=_day(work, row.answered_at if declined else None),
    )
    if again_on is None or again_on <= today:
        return AskedWorker(row.id, asked=True)
    reason = NotSharedReason.DECLINED if declined else NotSharedReason.ASKED
    return AskedWorker(row.id, asked=False, reason=reason, again_on=again_on)


def _day(reading: ReadContext, instant: datetime | None) -> date | None:
    return None if instant is None else employers.day_of(reading, instant)


def _record(work: UnitOfWork, rows: Collection[_AskableRow], terms: ConsentTerms) -> None:
    """Note that these workers are asked, and tell those whom the entries mean."""
    noted = {**employments.asking(work, terms), "answer": None, "answered_at": None}
    bulk.update_by(work, RosterEntry, "id", [{"id": row.id, **noted} for row in rows])
    detail = {"fields": list(terms.fields), "purpose": terms.purpose}
    history.record_many(work, "ask", "roster_entry", ((row.id, detail) for row in rows))
    tied = [
        Employment(row.id, row.employer_id, row.holder_id, row.named)
        for row in rows
        if row.holder_id is not None
    ]
    employments.ask(work, tied, again=True)


# By the holder.
class _RequestRow(NamedTuple):
    id: str
    employer_id: str
    employer_name: str
    asked_at: datetime
    purpose: str
    asks_dates: bool
    asks_points: bool
    asks_modules: bool
    asks_credentials: bool


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """An employer asks the acting holder; ``id`` is that of the roster entry."""

    id: str
    employer_id: str
    employer_name: str
    asked_on: date
    terms: ConsentTerms


_other = aliased(RosterEntry)


def _open(reading: ReadContext, holder_id: str) -> list[ConsentRequest]:
    declined = select(_other.id).where(
        _other.holder_id == holder_id,
        _other.employer_id == RosterEntry.employer_id,
        _other.answer == ConsentAnswer.DECLINED,
        _other.answered_at > reading.now - rules.DECLINED_FOR,
    )
    barred = select(EmployerBar.employer_id).where(EmployerBar.holder_id == holder_id)
    statement = (
        select(
            RosterEntry.id,
            RosterEntry.employer_id,
            Employer.name.label("employer_name"),
            RosterEntry.asked_at,
            RosterEntry.purpose,
            RosterEntry.asks_dates,
            RosterEntry.asks_points,
            RosterEntry.asks_modules,
            RosterEntry.asks_credentials,
        )
        .join(Employer, Employer.id == RosterEntry.employer_id)
        .where(
            RosterEntry.holder_id == holder_id,
            EMPLOYED,
            RosterEntry.asked_at.is_not(None),
            RosterEntry.answered_at.is_(None),
            RosterEntry.employer_id.not_in(barred),
            ~declined.exists(),
        )
        .order_by(Employer.name)
    )
    rows = reading.rows_as(_RequestRow, statement, {"today": employers.today(reading)})
    return [_request(reading, row) for row in rows]


def _request(reading: ReadContext, row: _RequestRow) -> ConsentRequest:
    return ConsentRequest(
        row.id,
        row.employer_id,
        row.employer_name,
        employers.day_of(reading, row.asked_at),
        ConsentTerms(
            ConsentPurpose(row.purpose),
            with_dates=row.asks_dates,
            with_points=row.asks_points,
            with_modules=row.asks_modules,
            with_credentials=row.asks_credentials,
        ),
    )


def mine(reading: ReadContext) -> list[ConsentRequest]:
    """The requests that the acting holder has not answered. Raises NotFound for other actors."""
    if reading.actor.holder_id is None:
        raise NotFound
    return _open(reading, reading.actor.holder_id)


def get(reading: ReadContext, request_id: str) -> ConsentRequest:
    """One of them. Raises NotFound."""
    found = next((request for request in mine(reading) if request.id == request_id), None)
    if found is None:
        raise NotFound
    return found


def accept(
    work: UnitOfWork,
    request_id: str,
    *,
    fields: Collection[ConsentField] | None = None,
    until_on: date | None = None,
) -> Viewer:
    """Consent to what was asked, or to fewer ``fields`` of it; replaces a consent in force.

    Raises NotFound, Invalid for a field that was not asked for or a day in the past.
    """
    request = get(work, request_id)
    chosen = set(request.terms.fields if fields is None else fields)
    if beyond := chosen - set(request.terms.fields):
        rule = f"was not asked for: {', '.join(sorted(beyond))}"
        raise Invalid("The employer did not ask for this.", fields={"fields": rule})
    sharing.check_day(work, until_on)
    pair = (str(work.actor.holder_id), request.employer_id)
    consents.end_of(work, [pair], ConsentEnd.REPLACED)
    terms = rules.terms(chosen, request.terms.purpose)
    return sharing.consent(work, request.employer_id, terms, until_on=until_on)


def decline(work: UnitOfWork, request_id: str) -> None:
    """Decline a request; the employer is told so. A consent in force stays. Raises NotFound."""
    request = get(work, request_id)
    pair = (str(work.actor.holder_id), request.employer_id)
    consents.answered(work, [pair], ConsentAnswer.DECLINED)
    history.record(work, "decline", "roster_entry", request.id, employer_id=request.employer_id)
