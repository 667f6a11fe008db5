"""Employments: how one begins and ends, by the same rules for one worker and for a file.

``roster`` (one entry) and ``imports.roster`` (a file) write entries and pass on what began and what
ended; this module decides which person each entry is tied to, which consents end, and who is
notified.

Invariant: at most one current entry of an employer is tied to a person. Otherwise, once one entry
is shared, the employer could guess the person's other addresses and see which of them show the same
certificate.

Invariant: tying an entry opens nothing. Earlier consents end, so that an employer sees the same
after a right guess as after a wrong one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, func, select

from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.employers.consents import (
    DECLINED_FOR,
    ConsentAnswer,
    ConsentEnd,
    ConsentTerms,
)
from tracker.models import Employer, Notice, RosterEntry, Sharing
from tracker.services.core import bulk, history, locks
from tracker.services.core.context import ReadContext, UnitOfWork, sees_everything
from tracker.services.employers import bars, consents, employers, naming
from tracker.services.employers.consents import EMPLOYED, Pair
from tracker.services.employers.naming import EntryRow, NamedWorker, WorkerKey
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell

MOST_TOLD = 3
"""The limit on notices to a person about one employer's list in a month, for each kind."""
_NEWS = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Employment:
    """An entry and the person it means, or meant until the employment ended on ``ended_on``."""

    id: str
    employer_id: str
    holder_id: str
    named: NamedWorker
    ended_on: date | None = None

    @property
    def pair(self) -> Pair:
        """The person and the employer."""
        return self.holder_id, self.employer_id


def lock(work: UnitOfWork, employer_ids: Collection[str]) -> None:
    """Lock these employers' rosters against other writers; call before locking any holder."""
    statement = (
        select(Employer.id).where(bulk.among(work, Employer.id, employer_ids)).order_by(Employer.id)
    )
    work.rows(statement.with_for_update(key_share=True))


# Beginnings.
@sees_everything
def begin(work: UnitOfWork, claims: Sequence[Employment]) -> list[Employment]:
    """Tie current entries to the people they mean; earlier consents end. Returns what was tied.

    If several entries mean one person, the first is tied; none is if another entry of the employer
    already means that person. Nobody is notified yet: see ``ask``.
    """
    tied = tie(work, claims)
    consents.end_of(work, {entry.pair for entry in tied}, ConsentEnd.EMPLOYMENT_ENDED)
    return tied


@sees_everything
def tie(work: UnitOfWork, claims: Sequence[Employment]) -> list[Employment]:
    """Tie entries as ``begin`` does, and leave the consents as they are."""
    if not claims:
        return []
    locks.lock(work, {claim.holder_id for claim in claims})
    taken, repeated = _tied_already(work, claims)
    tied: list[Employment] = []
    for claim in claims:
        if claim.pair not in taken and (claim.employer_id, claim.named.words) not in repeated:
            taken.add(claim.pair)
            tied.append(claim)
    bulk.update_by(
        work,
        RosterEntry,
        "id",
        [{"id": entry.id, "holder_id": entry.holder_id} for entry in tied],
    )
    return tied


def _tied_already(
    work: UnitOfWork, claims: Sequence[Employment]
) -> tuple[set[Pair], set[tuple[str, frozenset[WorkerKey]]]]:
    """The people whom current entries mean, and the words of entries that are tied.

    Words in a tied entry mean the same person in a second one, even if they would mean somebody
    else today.
    """
    table = RosterEntry
    words = {word for claim in claims for word in claim.named.words}
    means_one = bulk.among(work, table.holder_id, {claim.holder_id for claim in claims})
    statement = select(*naming.ENTRY).where(
        bulk.among(work, table.employer_id, {claim.employer_id for claim in claims}),
        table.holder_id.is_not(None),
        EMPLOYED,
        means_one | naming.any_of(work, words),
    )
    rows = work.rows_as(EntryRow, statement, {"today": employers.today(work)})
    pairs = {(row.holder_id, row.employer_id) for row in rows if row.holder_id}
    return pairs, {(row.employer_id, row.named.words) for row in rows}


# Ends.
@sees_everything
def finish(work: UnitOfWork, ended: Sequence[Employment]) -> list[Employment]:
    """Apply the consequences of ended employments: consents end, and workers are notified.

    If another current entry of the employer has the same words, for instance because a worker got a
    new number, the employment continues there with its consent. If another entry means the person
    by other words, that one is tied and the person must be asked again. Returns what was tied.
    """
    if not ended:
        return []
    locks.lock(work, {entry.holder_id for entry in ended})
    gone = _without_successor(work, ended)
    consents.end_of(work, {entry.pair for entry in gone}, ConsentEnd.EMPLOYMENT_ENDED)
    _tell_ended(work, gone)
    return begin(work, _other_claims(work, gone))


def _without_successor(work: UnitOfWork, ended: Sequence[Employment]) -> list[Employment]:
    """Those whose words are in no other current entry; the others are moved to that entry."""
    still = _tied_already(work, ended)[0]
    free: dict[tuple[str, frozenset[WorkerKey]], str] = {}
    words = {word for entry in ended for word in entry.named.words}
    for entry_id, employer_id, named in _untied(work, ended, words):
        free.setdefault((employer_id, named.words), entry_id)
    gone: list[Employment] = []
    passed_on: list[tuple[Employment, str]] = []
    for entry in (entry for entry in ended if entry.pair not in still):
        successor = free.pop((entry.employer_id, entry.named.words), None)
        if successor is None:
            gone.append(entry)
        else:
            passed_on.append((entry, successor))
    _pass_on(work, passed_on)
    return gone


def _pass_on(work: UnitOfWork, passed_on: Collection[tuple[Employment, str]]) -> None:
    bulk.update_by(
        work,
        RosterEntry,
        "id",
        [{"id": id_, "holder_id": entry.holder_id} for entry, id_ in passed_on],
    )
    history.record_many(
        work,
        "tie",
        "roster_entry",
        ((id_, {"employer_id": entry.employer_id, "after": entry.id}) for entry, id_ in passed_on),
    )


def _untied(
    work: UnitOfWork, ended: Sequence[Employment], words: Collection[WorkerKey]
) -> list[tuple[str, str, NamedWorker]]:
    """The employers' current entries with any of these words that are tied to nobody."""
    table = RosterEntry
    statement = (
        select(*naming.ENTRY)
        .where(
            bulk.among(work, table.employer_id, {entry.employer_id for entry in ended}),
            table.holder_id.is_(None),
            EMPLOYED,
            naming.any_of(work, words),
        )
        .order_by(table.id)
    )
    rows = work.rows_as(EntryRow, statement, {"today": employers.today(work)})
    return [(row.id, row.employer_id, row.named) for row in rows]


def _other_claims(work: UnitOfWork, gone: Sequence[Employment]) -> list[Employment]:
    """Current entries by which the same employers still mean the same people."""
    if not gone:
        return []
    pairs = {entry.pair for entry in gone}
    words = naming.words_of(work, {entry.holder_id for entry in gone})
    entries = _untied(work, gone, {word for some in words.values() for word in some})
    meanings = naming.meant(work, (named for *_, named in entries))
    return [
        Employment(id_, employer_id, holder_id, named)
        for id_, employer_id, named in entries
        if (holder_id := meanings.living(named)) and (holder_id, employer_id) in pairs
    ]


@sees_everything
def claims_of(work: UnitOfWork, holder_id: str, employer_id: str) -> list[Employment]:
    """The employer's current untied entries that mean this person now."""
    return _other_claims(
        work, [Employment("", employer_id, holder_id, NamedWorker(None, None, None))]
    )


# Notices.
def asking(work: UnitOfWork, terms: ConsentTerms) -> dict[str, object]:
    """The columns of an entry through which is asked for consent now."""
    return {
        "asked_at": work.now,
        "purpose": terms.purpose,
        "asks_dates": terms.with_dates,
        "asks_points": terms.with_points,
        "asks_modules": terms.with_modules,
        "asks_credentials": terms.with_credentials,
    }


def asked_as_listed(work: UnitOfWork, named: NamedWorker) -> dict[str, object]:
    """The same columns of a new entry: whoever is listed by a word is asked for the usual."""
    return asking(work, ConsentTerms()) if named.words else {}


@sees_everything
def ask(work: UnitOfWork, tied: Iterable[Employment], *, again: bool = False) -> None:
    """Ask people for their consent: those newly listed, or ``again`` those listed before.

    A new employment asks again, even within the same month; but if an employer keeps removing and
    listing somebody, it asks at most ``MOST_TOLD`` times a month. Whoever declined is not asked for
    90 days. Whether there is a consent already is checked when the message is composed.
    """
    entries = _not_declined(work, _unbarred(work, list(tied)))
    ends, today = _ends(work, entries), employers.today(work)
    notices.tell(
        work,
        (
            NoticeToTell(
                kind=NoticeKind.CONSENT_ASKED,
                holder_id=entry.holder_id,
                subject_id=entry.employer_id,
                event=str(today) if again else _asking(today, ends[entry.pair]),
                on=today,
            )
            for entry in entries
        ),
    )


def _unbarred(work: UnitOfWork, entries: Sequence[Employment]) -> list[Employment]:
    """Those whose person has not barred the employer; the others get no notice about it."""
    barred = bars.among(work, {entry.pair for entry in entries})
    return [entry for entry in entries if entry.pair not in barred]


def _not_declined(work: UnitOfWork, entries: Sequence[Employment]) -> list[Employment]:
    """Those whose person has not declined a request of the employer lately."""
    table = RosterEntry
    statement = select(table.holder_id, table.employer_id).where(
        *_of_pairs(work, table, entries),
        table.answer == ConsentAnswer.DECLINED,
        table.answered_at > work.now - DECLINED_FOR,
    )
    rows = work.rows(statement) if entries else []
    declined = {(row.holder_id, row.employer_id) for row in rows}
    return [entry for entry in entries if entry.pair not in declined]


def _asking(today: date, ends: int) -> str:
    """The key of one request for consent: the month, and how many employments ended recently."""
    return f"{today:%Y-%m}" + (f":{min(ends, MOST_TOLD - 1)}" if ends else "")


def tell_listed(work: UnitOfWork, signed: Iterable[tuple[Employment, date]]) -> None:
    """Notify people whose signed consent was imported, with the day on which they signed."""
    notices.tell(
        work,
        (
            NoticeToTell(
                kind=NoticeKind.LISTED,
                holder_id=entry.holder_id,
                subject_id=entry.employer_id,
                event=entry.id,
                on=day,
            )
            for entry, day in signed
        ),
    )


def _tell_ended(work: UnitOfWork, gone: Sequence[Employment]) -> None:
    """Notify people who were removed from the list, unless they have had enough notices lately."""
    gone = _unbarred(work, gone)
    ends = _ends(work, gone)
    notices.tell(
        work,
        (
            NoticeToTell(
                kind=NoticeKind.EMPLOYMENT_ENDED,
                holder_id=entry.holder_id,
                subject_id=entry.employer_id,
                event=entry.id,
                on=entry.ended_on,
            )
            for entry in gone
            if entry.ended_on is not None and ends[entry.pair] <= MOST_TOLD
        ),
    )


def _ends(work: UnitOfWork, entries: Collection[Employment]) -> Counter[Pair]:
    """How often employments of these pairs, or consents with them, ended recently.

    Counted from the first of the month of the oldest day that is still news.
    """
    since = (employers.today(work) - _NEWS).replace(day=1)
    return _ended_entries(work, entries, since) | _ended_consents(work, entries, since)


def _ended_entries(work: UnitOfWork, entries: Collection[Employment], since: date) -> Counter[Pair]:
    table = RosterEntry
    statement = (
        select(table.holder_id, table.employer_id, func.count())
        .where(*_of_pairs(work, table, entries), table.ended_on >= since, ~EMPLOYED)
        .group_by(table.holder_id, table.employer_id)
    )
    rows = work.rows(statement, {"today": employers.today(work)})
    return Counter({(row[0], row[1]): row[2] for row in rows})


def _ended_consents(
    work: UnitOfWork, entries: Collection[Employment], since: date
) -> Counter[Pair]:
    table = Sharing
    statement = (
        select(table.holder_id, table.employer_id, func.count())
        .where(
            *_of_pairs(work, table, entries),
            table.end_reason == ConsentEnd.EMPLOYMENT_ENDED,
            table.ended_at >= work.now - (work.now.date() - since),
        )
        .group_by(table.holder_id, table.employer_id)
    )
    return Counter({(row[0], row[1]): row[2] for row in work.rows(statement)})


def _of_pairs(
    work: UnitOfWork, table: type[RosterEntry | Sharing], entries: Collection[Employment]
) -> tuple[ColumnElement[bool], ...]:
    return (
        bulk.among(work, table.holder_id, {entry.holder_id for entry in entries}),
        bulk.among(work, table.employer_id, {entry.employer_id for entry in entries}),
    )


# Ends that were recorded in advance.
def reached(reading: ReadContext) -> list[Employment]:
    """Employments whose recorded end has come and whose consequences are not applied yet.

    Nothing is shown from that day on, whether they are applied or not.
    """
    table, today = RosterEntry, employers.today(reading)
    statement = (
        select(*naming.ENTRY)
        .where(
            table.holder_id.is_not(None), table.ended_on <= today, table.ended_on >= today - _NEWS
        )
        .order_by(table.ended_on, table.id)
    )
    ahead = [
        Employment(row.id, row.employer_id, row.holder_id, row.named, row.ended_on)
        for row in reading.rows_as(EntryRow, statement)
        if row.holder_id and row.ended_on
        if employers.day_of(reading, row.recorded_at) < row.ended_on
    ]
    return _not_finished(reading, ahead)


def _not_finished(reading: ReadContext, ended: Collection[Employment]) -> list[Employment]:
    """Those with an open consent, or without a notice of their end.

    A consent given after the end is for a future employment, and is left alone.
    """
    since = {
        (r.holder_id, r.employer_id): r.consented_on
        for r in consents.open_of(reading, {entry.pair for entry in ended})
    }
    table = Notice
    statement = select(table.event).where(
        bulk.among(reading, table.holder_id, {entry.holder_id for entry in ended}),
        table.kind == NoticeKind.EMPLOYMENT_ENDED,
    )
    events = {row.event for row in reading.rows(statement)} if ended else set()
    return [
        entry
        for entry in ended
        if (day := since.get(entry.pair)) is None or day < (entry.ended_on or day)
        if day is not None or entry.id not in events
    ]


def finish_reached(work: UnitOfWork, entries: Sequence[Employment]) -> None:
    """Apply the consequences of employments that ``reached`` returned."""
    lock(work, {entry.employer_id for entry in entries})
    ask(work, finish(work, entries))
