"""Merging two records of one person into one, and taking it back.

Everything of the merged record goes to the one that stays (``merge_images.TABLES`` says what of
each table); its awards are united (``merge_awards``). The merged record stays as one that leads to
the other, and its history as it is. Two people of the staff do it (``overview/two_person_acts``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from tracker.db import new_id
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.delivery.queue_acts import HELD
from tracker.domain.desk.requests import RequestState
from tracker.domain.emails import compared
from tracker.domain.employers.consents import ConsentEnd
from tracker.domain.errors import (
    AlreadyMerged,
    CannotBeUndone,
    Conflict,
    IllegalTransition,
    Invalid,
    NotFound,
    TooBusy,
    WaitsInBoth,
)
from tracker.domain.names import FoldedName, is_same
from tracker.domain.people.erasures import ErasureState
from tracker.domain.people.recoveries import RecoveryState
from tracker.domain.permissions import check_not_own
from tracker.models import (
    Account,
    Appeal,
    Assessment,
    Certification,
    Erasure,
    Holder,
    HolderRequest,
    Message,
    Preference,
    RecordMerge,
    Recovery,
    Renewal,
    RosterEntry,
    Sharing,
)
from tracker.services.core import bulk, history, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.credentials import effects, fees, module_certificates
from tracker.services.desk import (
    merge_awards,
    merge_doubles,
    merge_images,
    self_made_facts,
)
from tracker.services.outbox import cursors, notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.people import (
    duplicates,
    endings,
    holders,
    names,
    own_records,
    search_words,
)

_WHY = "The two records of this person were merged."


class MergeRow(NamedTuple):
    """A merge, and whether it was undone."""

    id: str
    holder_id: str
    merged_id: str
    reason: str
    summary: Mapping[str, Any]
    recorded_at: datetime
    recorded_by: str
    undone_at: datetime | None
    undone_by: str | None
    undone_reason: str | None


_ROWS = select(*columns_of(MergeRow, RecordMerge))


@dataclass(frozen=True, slots=True)
class _Pair:
    """The record that stays, and the one that is merged into it."""

    kept: Holder
    merged: Holder

    @property
    def ids(self) -> list[str]:
        """Both ids."""
        return [self.kept.id, self.merged.id]


def merge(work: UnitOfWork, holder_id: str, merged_id: str, *, reason: str) -> str:
    """Merge a record into another one of the same person; returns the id of the merge.

    Raises NotFound, SelfReview, Invalid, AlreadyMerged, WaitsInBoth, Conflict where the records
    contradict each other, TooBusy while a message to the person is being sent.
    """
    pair = _locked(work, holder_id, merged_id)
    _check(work, pair)
    before, held = merge_images.of_people(work, pair.ids), _held(work, pair)
    _settle_what_both_have(work, pair)
    addresses = _unite_people(work, pair)
    module_certificates.lead(work, from_id=merged_id, to_id=holder_id)
    moved = merge_images.move(work, from_id=merged_id, to_id=holder_id)
    adjustments = merge_awards.unite(work, from_id=merged_id, to_id=holder_id)
    after = merge_images.of_people(work, pair.ids)
    summary = {
        "refs": [pair.kept.ref, pair.merged.ref],
        "moved": moved,
        **addresses,
        "certifications": _compared(held, _held(work, pair)),
        "adjustments": adjustments,
    }
    merge_id = new_id()
    row = {
        "id": merge_id,
        "holder_id": holder_id,
        "merged_id": merged_id,
        "reason": reason,
        "summary": summary,
        "seals": merge_images.seals(work, pair.ids),
        "recorded_at": work.now,
        "recorded_by": work.actor.name,
    }
    bulk.insert(work, RecordMerge, [row])
    merge_images.keep(work, merge_id, merge_images.differences(before, after))
    _finish(work, pair, merge_id, action="merge", reason=reason)
    return merge_id


def preview(work: UnitOfWork, holder_id: str, merged_id: str) -> Mapping[str, Any]:
    """What a merge would bring: it is tried and rolled back. Raises what ``merge`` raises."""
    savepoint = bulk.savepoint(work)
    try:
        id_ = merge(work, holder_id, merged_id, reason="")
        return get(work, id_).summary
    finally:
        savepoint.rollback()
        work.session.expire_all()


def undo(work: UnitOfWork, merge_id: str, *, reason: str) -> MergeRow:
    """Take a merge back: both records are again as they were.

    What was recorded since stays with the record that stayed. Sessions and tokens that the merge
    ended stay so, and a certificate issued for the passes of both reads as withdrawn. Raises
    NotFound, SelfReview, IllegalTransition, CannotBeUndone.
    """
    row = get(work, merge_id)
    pair = _locked(work, row.holder_id, row.merged_id)
    undone = {"undone_at": work.now, "undone_by": work.actor.name, "undone_reason": reason}
    once = update(RecordMerge).where(RecordMerge.id == merge_id, RecordMerge.undone_at.is_(None))
    if not work.rows(once.values(undone).returning(RecordMerge.id)):
        raise IllegalTransition("The merge was undone already; merge the records again instead.")
    _check_sending(work, pair)
    sealed = work.row(select(RecordMerge.seals).where(RecordMerge.id == merge_id)).seals
    for name, digest in merge_images.seals(work, pair.ids).items():
        if sealed[name] != digest:
            raise merge_images.changed_since(name)
    try:
        merge_images.restore(work, merge_images.kept(work, merge_id))
    except IntegrityError as error:
        raise CannotBeUndone(
            "Since the merge, something was recorded anew of which a person has only one, such as a"
            " consent or an entry in an employer's list. End that first."
        ) from error
    merge_awards.settle_all(work, pair.ids)
    _finish(work, pair, merge_id, action="undo_merge", reason=reason)
    duplicates.settle_parted(work, pair.ids, reason=reason)
    return get(work, merge_id)


# Reading.
def get(reading: ReadContext, merge_id: str) -> MergeRow:
    """One merge. Raises NotFound."""
    row = reading.row_as(MergeRow, _ROWS.where(RecordMerge.id == merge_id))
    if row is None:
        raise NotFound
    return row


def page(
    reading: ReadContext, *, after: str | None, limit: int, holder_id: str | None
) -> Sequence[MergeRow]:
    """A page of merges by id; with ``holder_id`` those of that record, either way."""
    statement = _ROWS.order_by(RecordMerge.id).limit(limit)
    if holder_id is not None:
        both = (RecordMerge.holder_id == holder_id) | (RecordMerge.merged_id == holder_id)
        statement = statement.where(both)
    if after:
        statement = statement.where(RecordMerge.id > after)
    return reading.rows_as(MergeRow, statement)


# Checking.
def _locked(work: UnitOfWork, holder_id: str, merged_id: str) -> _Pair:
    if holder_id == merged_id:
        rule = {"merged_id": "must be another record than the one that stays"}
        raise Invalid("A record cannot be merged into itself.", fields=rule)
    locks.lock(work, [holder_id, merged_id])
    work.session.expire_all()
    found = [work.session.get(Holder, id_) for id_ in (holder_id, merged_id)]
    kept, merged = found
    if kept is None or merged is None or kept.erased_at or merged.erased_at:
        raise NotFound
    for one in (holder_id, merged_id):
        check_not_own(work.actor, one)
    return _Pair(kept, merged)


def _check(work: UnitOfWork, pair: _Pair) -> None:
    for one in (pair.kept, pair.merged):
        if one.merged_into_id is not None:
            raise AlreadyMerged(
                f"The record {one.ref!r} was merged into another one; use that one instead.",
                merged_into=one.merged_into_id,
            )
        if one.deceased_on != pair.kept.deceased_on:
            raise Conflict("The records differ in the day of death; correct one of them first.")
    _check_sending(work, pair)
    _check_waiting(work, pair)
    merge_doubles.check_results(work, from_id=pair.merged.id, to_id=pair.kept.id)
    _check_attempts(work, pair)
    self_made_facts.check_none(work, pair.ids)


def _check_sending(work: UnitOfWork, pair: _Pair) -> None:
    sending = select(Message.id).where(Message.holder_id.in_(pair.ids), Message.state.in_(HELD))
    if work.row(sending) is not None:
        raise TooBusy("A message to this person is being sent; try again in a minute.")


def _check_waiting(work: UnitOfWork, pair: _Pair) -> None:
    """Refuse while something waits of which a person has only one, or that asks about access."""
    undecided = and_(Renewal.decision.is_(None), Renewal.withdrawn_on.is_(None))
    for what, table, waits in (
        ("an application for renewal", Renewal, undecided),
        ("an appeal", Appeal, Appeal.outcome.is_(None)),
    ):
        held = (
            select(Certification.scheme)
            .join(table, table.certification_id == Certification.id)
            .where(Certification.holder_id.in_(pair.ids), waits)
            .group_by(Certification.scheme)
            .having(func.count(Certification.holder_id.distinct()) > 1)
        )
        if work.row(held) is not None:
            raise _waits(f"Both records have {what} that waits")
    asked = select(HolderRequest.kind).where(
        HolderRequest.holder_id.in_(pair.ids), HolderRequest.state == RequestState.REQUESTED
    )
    if work.row(asked.group_by(HolderRequest.kind).having(func.count() > 1)) is not None:
        raise _waits("Both records have a request of one kind that waits")
    for what, owner, open_ in (
        ("an erasure", Erasure.holder_id, Erasure.state == ErasureState.REQUESTED),
        ("a recovery", Recovery.holder_id, Recovery.state == RecoveryState.PROPOSED),
    ):
        if work.row(select(owner).where(owner.in_(pair.ids), open_)) is not None:
            raise _waits(f"One of the records has {what} that waits")


def _waits(what: str) -> WaitsInBoth:
    return WaitsInBoth(f"{what} for a decision; decide or withdraw it first.")


def _check_attempts(work: UnitOfWork, pair: _Pair) -> None:
    """Refuse records that contradict each other: one attempt that was passed and failed."""
    for mine, other in _attempts_of_both(work, pair):
        if mine.passed != other.passed:
            raise Conflict(
                f"The records contradict each other: {mine.module} on {mine.taken_on} was passed in"
                " one and failed in the other; correct or void one of them first.",
                assessments=[mine.id, other.id],
            )


def _attempts_of_both(work: UnitOfWork, pair: _Pair) -> Sequence[tuple[_Attempt, _Attempt]]:
    """Pairs of the same attempt, by module and day, on both records: first the merged one's."""
    one, other = aliased(Assessment), aliased(Assessment)
    columns = ("id", "fee_id", "ref", "module", "taken_on", "passed")
    statement = select(*(getattr(table, name) for table in (one, other) for name in columns)).where(
        one.holder_id == pair.merged.id,
        other.holder_id == pair.kept.id,
        *(getattr(one, n) == getattr(other, n) for n in ("scheme", "module", "taken_on")),
        one.voided_at.is_(None),
        other.voided_at.is_(None),
    )
    return [
        (_Attempt(*row[: len(columns)]), _Attempt(*row[len(columns) :]))
        for row in work.rows(statement)
    ]


class _Attempt(NamedTuple):
    id: str
    fee_id: str | None
    ref: str | None
    module: str
    taken_on: date
    passed: bool


# What both records have.
def _settle_what_both_have(work: UnitOfWork, pair: _Pair) -> None:
    """Leave one of what a person has only once: an attempt, a consent, an entry, a preference."""
    pairs = _attempts_of_both(work, pair)
    same = [(mine, other) for mine, other in pairs if not (mine.ref or other.ref)]
    voided = {"voided_at": work.now, "void_reason": _WHY}
    _end(work, "void", Assessment, {mine.id for mine, _ in same}, voided)
    _settle_fees(work, same)
    live = Sharing.ended_at.is_(None)
    consents = _earlier_of_both(work, pair, Sharing, live)
    ended = {"ended_at": work.now, "end_reason": ConsentEnd.REPLACED}
    _end(work, "end", Sharing, consents, ended)
    entries = _earlier_of_both(work, pair, RosterEntry, RosterEntry.ended_on.is_(None))
    today = holders.today(work, pair.kept)
    _end(work, "end", RosterEntry, entries, {"ended_on": today})
    no = select(Preference.type).where(
        Preference.holder_id == pair.merged.id, Preference.wanted.is_(False)
    )
    mine = update(Preference).where(
        Preference.holder_id == pair.kept.id, Preference.type.in_(no.scalar_subquery())
    )
    work.execute(mine.values(wanted=False))
    merge_doubles.end(work, from_id=pair.merged.id, to_id=pair.kept.id, why=_WHY)


def _settle_fees(work: UnitOfWork, same: Sequence[tuple[_Attempt, _Attempt]]) -> None:
    """The fee of an attempt that was voided goes to the same one; of two fees one is not owed.

    The one that was paid stays, so that nobody gets money back only to be asked for it again.
    """
    paid = fees.paid(work, [one.fee_id for pair in same for one in pair if one.fee_id])
    given_up: list[str] = []
    for mine, other in same:
        if not mine.fee_id:
            continue
        if other.fee_id and (other.fee_id in paid or mine.fee_id not in paid):
            given_up.append(mine.fee_id)
            continue
        carried = update(Assessment).where(Assessment.id == other.id)
        work.execute(carried.values(fee_id=mine.fee_id))
        given_up += [other.fee_id] if other.fee_id else []
    fees.follow_void(work, given_up)


def _earlier_of_both(
    work: UnitOfWork,
    pair: _Pair,
    table: type[Sharing | RosterEntry],
    lasts: ColumnElement[bool],
) -> set[str]:
    """Of what lasts with one employer on both records, that which was recorded earlier."""
    statement = select(table.employer_id, table.id).where(table.holder_id.in_(pair.ids), lasts)
    latest: dict[str, str] = {}
    earlier = set()
    for row in work.rows(statement.order_by(table.recorded_at, table.id)):
        if row.employer_id in latest:
            earlier.add(latest[row.employer_id])
        latest[row.employer_id] = row.id
    return earlier


def _end(
    work: UnitOfWork,
    action: str,
    table: type[Assessment | Sharing | RosterEntry],
    ids: set[str],
    values: Mapping[str, object],
) -> None:
    if ids:
        work.execute(update(table).where(table.id.in_(ids)).values(values))
    subjects: Mapping[object, history.Subject] = {
        Assessment: "assessment",
        Sharing: "sharing",
        RosterEntry: "roster_entry",
    }
    lines = [(id_, {"reason": _WHY}) for id_ in sorted(ids)]
    history.record_many(work, action, subjects[table], lines)


# The people.
def _unite_people(work: UnitOfWork, pair: _Pair) -> dict[str, object]:
    """Give names, addresses and the account to the record that stays; says which."""
    account = _unite_accounts(work, pair)
    kept, merged = pair.kept, pair.merged
    own = {compared(one) for one in (kept.email, kept.second_email) if one}
    theirs = [
        (address, confirmed)
        for address, confirmed in (
            (merged.email, merged.email_confirmed),
            (merged.second_email, merged.second_email_confirmed),
        )
        if address and compared(address) not in own
    ]
    values: dict[str, object] = {}
    if theirs and not kept.second_email:
        (address, confirmed), *theirs = theirs
        values |= {"second_email": address, "second_email_confirmed": confirmed}
    values |= _united_names(work, pair)
    stub = {
        "merged_into_id": kept.id,
        "folded_name": "",
        "email": f"{merged.id}@merged.invalid",
        "second_email": None,
        "email_confirmed": False,
        "second_email_confirmed": False,
    }
    for one, changed in ((kept, values), (merged, stub)):
        version = {"version": Holder.version + 1}
        work.execute(
            update(bulk.table_of(Holder)).where(Holder.id == one.id).values({**changed, **version})
        )
    own_account = select(Account.id).where(Account.own_record_id == merged.id)
    for row in work.rows(own_account):
        own_records.name(work, row.id, kept.id, found_by="merge")
    addresses = [kept.email, values.get("second_email", kept.second_email)]
    return {
        "account": account,
        "addresses": [one for one in addresses if one],
        "addresses_left_out": [address for address, _ in theirs],
    }


def _united_names(work: UnitOfWork, pair: _Pair) -> dict[str, str]:
    """The searchable names of both; the merged record's current name becomes a former one."""
    kept, merged = names.of(pair.kept), names.of(pair.merged)
    known: list[FoldedName] = []
    if not is_same(kept, merged):
        today = holders.today(work, pair.merged)
        replaced = names.Replaced(pair.merged.id, merged, today)
        known += names.keep(work, [replaced])[pair.merged.id]
    else:
        known += map(names.of, names.of_holder(work, pair.merged.id))
    return names.columns(kept, [*map(names.of, names.of_holder(work, pair.kept.id)), *known])


def _unite_accounts(work: UnitOfWork, pair: _Pair) -> str:
    """End what lets in to the merged record; its account goes on if it is the only one."""
    endings.of_holder(work, pair.merged.id)
    theirs = update(Account).where(Account.holder_id == pair.merged.id)
    if work.row(select(Account.id).where(Account.holder_id == pair.kept.id)) is None:
        moved = work.execute(theirs.values(holder_id=pair.kept.id)).rowcount
        return "moved" if moved else "none"
    closed = work.execute(theirs.values(deactivated_at=work.now, email=None)).rowcount
    return "closed" if closed else "kept"


# Consequences.
_Held = Mapping[str, Mapping[str, object]]


def _held(work: UnitOfWork, pair: _Pair) -> _Held:
    """What each certification of both is today, in plain values."""
    leads = select(Certification.id, Certification.merged_into_id).where(
        Certification.holder_id.in_(pair.ids), Certification.merged_into_id.is_not(None)
    )
    leading = dict(work.rows(leads))
    held: dict[str, Mapping[str, object]] = {}
    for holder_id in pair.ids:
        seen = effects.look(work, holder_id)
        for id_, row in seen.rows.items():
            now = seen.standings.get(id_)
            held[id_] = {
                "scheme": row.scheme,
                "number": row.number,
                "leads_to": leading.get(id_),
                "awarded_on": str(row.awarded_on),
                "status": None if now is None else str(now.status),
                "expires_on": None if now is None or not now.expires_on else str(now.expires_on),
            }
    return held


def _compared(before: _Held, after: _Held) -> list[dict[str, object]]:
    """Each certificate with its standing before and after, and the number to which it leads."""
    compared_: list[dict[str, object]] = []
    for id_, now in after.items():
        was = before.get(id_, {})
        leads_to = now["leads_to"]
        compared_.append(
            {
                "scheme": now["scheme"],
                "number": now["number"],
                "leads_to": after[str(leads_to)]["number"] if leads_to else None,
                "before": {name: was.get(name) for name in ("awarded_on", "status", "expires_on")},
                "after": {name: now[name] for name in ("awarded_on", "status", "expires_on")},
            }
        )
    return compared_


def _finish(work: UnitOfWork, pair: _Pair, merge_id: str, *, action: str, reason: str) -> None:
    """Record it for both, tell the person, and look again at what depends on names and dates."""
    work.session.expire_all()
    both = [(pair.kept.id, pair.merged.id), (pair.merged.id, pair.kept.id)]
    lines = [(one, {"merge": merge_id, "other": other, "reason": reason}) for one, other in both]
    history.record_many(work, action, "holder", lines)
    search_words.settle(work, pair.ids)
    cursors.touch_holders(work, pair.ids)
    own_records.look_for(work, holder_ids=pair.ids)
    duplicates.look_for(work, [pair.kept.id])
    told = NoticeToTell(
        kind=NoticeKind.RECORDS_MERGED,
        holder_id=pair.kept.id,
        subject_id=merge_id,
        event=action,
        on=work.now.date(),
    )
    notices.tell(work, [told])
