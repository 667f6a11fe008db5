"""Letters that came back: which address is written to no more, and who complained.

Only a proof of ours is believed: it names the letter, and the letter names the address. A report
counts once, by its own identity, however often it is read.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select, update

from tracker.domain.delivery import bounces as rules
from tracker.domain.delivery.bounces import ReturnKind
from tracker.domain.delivery.notices import MessageType
from tracker.domain.delivery.queue_acts import MessageState
from tracker.domain.emails import compared
from tracker.mail import envelopes
from tracker.mail.reports import Incoming
from tracker.models import (
    Bounce,
    Holder,
    Message,
    Preference,
)
from tracker.services.core import bulk, locks, signed_links
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.outbox import cursors, suppressions
from tracker.services.outbox.suppressions import HARD
from tracker.services.people import preferences

BounceKind = (
    ReturnKind
    | Literal["refused", "unsubscribed", "delayed", "automatic", "known", "unknown", "other"]
)
_IGNORED: Mapping[str, BounceKind] = {"delayed": "delayed", "automatic": "automatic"}
_TYPE_OF_KIND: Mapping[str, str] = {
    "reminder": MessageType.REMINDERS,
    "notice": MessageType.DECISIONS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedMessage:
    """That a letter came back, or that its reader complained; ``letter`` is its row.

    ``identity`` tells one report from another of the same letter. ``recipients`` are the
    addresses that it names: believed only where they are the holder's own.
    """

    letter: Any
    kind: ReturnKind
    identity: str
    at: datetime
    status: str = ""
    diagnostic: str = ""
    recipients: Collection[str] = ()

    @property
    def digest(self) -> str:
        """The same for the same report."""
        text = f"{self.letter.id}:{self.kind}:{self.identity}"
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()

    @property
    def address(self) -> str:
        """The address that the letter went to, as it is compared.

        A letter that was sent again to the holder's other address may still come back from the
        first one.
        """
        own = {compared(a) for a in (self.letter.email, self.letter.second_email) if a}
        named = [address for address in map(compared, self.recipients) if address in own]
        return str(named[0] if named else compared(self.letter.address))


def take(work: UnitOfWork, key: bytes, incoming: Incoming) -> BounceKind:
    """Act on one message that arrived at our addresses; says what it counts as."""
    if incoming.kind in {"failed", "complaint"}:
        return _returned(work, key, incoming)
    if incoming.kind == "unsubscribe":
        return _unsubscribed(work, key, incoming, by="mail")
    return _IGNORED.get(incoming.kind, "other")


def _returned(work: UnitOfWork, key: bytes, incoming: Incoming) -> BounceKind:
    proven = [
        id_
        for purpose, proof in incoming.proofs
        if purpose == "b" and (id_ := signed_links.proven(key, "b", proof))
    ]
    found = letters_by(work, "id", proven)
    complained = incoming.kind == "complaint"
    if not found and complained:
        return _unsubscribed(work, key, incoming, by=ReturnKind.COMPLAINT)
    if not found:
        return "unknown"
    kind = ReturnKind.COMPLAINT if complained else rules.kind_of(incoming.status)
    report = ReturnedMessage(
        letter=found[proven[0]] if proven[0] in found else next(iter(found.values())),
        kind=kind,
        identity=incoming.identity,
        at=min(incoming.at or work.now, work.now),
        status=incoming.status,
        diagnostic=incoming.diagnostic,
        recipients=incoming.recipients,
    )
    if not record(work, [report]):
        return "known"
    if kind == ReturnKind.SOFT and not rules.speaks_of_address(incoming.status):
        return "refused"
    return kind


def _unsubscribed(work: UnitOfWork, key: bytes, incoming: Incoming, *, by: str) -> BounceKind:
    """Switch off the type that a mail to its address, or a complaint, names.

    One that is older than the holder's last word changes nothing: the file is read again.
    """
    for type_ in MessageType:
        for purpose, proof in incoming.proofs:
            holder_id = (
                signed_links.proven(key, purpose, proof) if purpose == f"u-{type_}" else None
            )
            if holder_id and locks.lock(work, [holder_id]):
                changed = preferences.put(
                    work, type_, [holder_id], {"wanted": False}, before=incoming.at, by=by
                )
                return "unsubscribed" if changed else "known"
    return "unknown"


def letters_by(
    reading: ReadContext, name: Literal["id", "message_id"], values: Iterable[str]
) -> dict[str, Any]:
    """Letters by id or by Message-ID; what is not ours is left out."""
    found: dict[str, Any] = {}
    for some in bulk.chunks(sorted(set(values))):
        statement = (
            select(
                Message.id,
                Message.message_id,
                Message.kind,
                Message.address,
                Message.holder_id,
                Holder.email,
                Holder.second_email,
            )
            .join(Holder, Holder.id == Message.holder_id, isouter=True)
            .where(getattr(Message, name).in_(some))
        )
        found.update({getattr(row, name): row for row in reading.rows(statement)})
    return found


# What reports bring about.
def record(work: UnitOfWork, reports: Sequence[ReturnedMessage]) -> int:
    """Take down reports and act on those that are new, with a constant number of statements.

    An address that is bad for good is suppressed for good; three letters that came back for now
    within 14 days rest it for 30; who complained gets no more of that type. Returns how many
    were new.
    """
    by_digest = {one.digest: one for one in reports}
    if not by_digest:
        return 0
    rows = [
        {
            "digest": digest,
            "message_id": one.letter.id,
            "address": one.address,
            "kind": one.kind,
            "status": one.status,
            "diagnostic": one.diagnostic,
            "at": one.at,
        }
        for digest, one in sorted(by_digest.items())
    ]
    insert = work.upsert(Bounce).on_conflict_do_nothing(index_elements=["digest"])
    new = [by_digest[row.digest] for row in work.rows(insert.returning(Bounce.digest), rows)]
    of_kind: dict[str, list[ReturnedMessage]] = defaultdict(list)
    for one in new:
        of_kind[one.kind].append(one)
    _suppress(work, of_kind[ReturnKind.HARD])
    _rest(work, of_kind[ReturnKind.SOFT])
    _heed(work, of_kind[ReturnKind.COMPLAINT])
    return len(new)


def _suppress(work: UnitOfWork, reports: Sequence[ReturnedMessage]) -> None:
    """Write to these addresses no more, and send the letters to the holders' other ones."""
    if not reports:
        return
    suppressions.suppress(work, {one.address for one in reports}, HARD)
    _look_again(work, reports)
    _send_elsewhere(work, reports)


def _look_again(work: UnitOfWork, reports: Sequence[ReturnedMessage]) -> None:
    """Have the planner find out when the reminders that came back can be told after all."""
    cursors.touch_holders(work, {one.letter.holder_id for one in reports if one.letter.holder_id})


def _send_elsewhere(work: UnitOfWork, reports: Sequence[ReturnedMessage]) -> None:
    """Queue letters again whose holder has another address, while they are of use.

    Under another Message-ID: what the relay says of the first copy, now or later, is no evidence
    of the second.
    """
    of_holders = [one.letter for one in reports if one.letter.holder_id]
    silent = suppressions.of_holders(work, of_holders, now=work.now)
    elsewhere = [row.id for row in of_holders if suppressions.address_of(row, silent)]
    bad = {one.address for one in reports}  # a letter that went elsewhere already stays there
    for ids in bulk.chunks(elsewhere):
        statement = (
            update(Message)
            .where(
                Message.id.in_(ids),
                Message.state == MessageState.SENT,
                Message.useful_until > work.now,
                func.lower(Message.address).in_(bad),
            )
            .values(
                state=MessageState.READY, next_at=work.now, facts=None, finished_at=None, attempts=0
            )
            .returning(Message.id, Message.message_id)
        )
        domain = work.settings.mail.message_id_domain
        again = [
            {
                "id": row.id,
                "message_id": envelopes.message_id(work.message_key, row.message_id, domain),
            }
            for row in work.rows(statement)
        ]
        bulk.update_by(work, Message, "id", again)


def _rest(work: UnitOfWork, reports: Sequence[ReturnedMessage]) -> None:
    """Rest the addresses to which too many letters came back for now."""
    if not reports:
        return
    since = min(one.at for one in reports) - rules.SOFT_WITHIN
    came: dict[str, list[rules.Returned]] = defaultdict(list)
    for some in bulk.chunks({one.address for one in reports}):
        statement = select(Bounce.address, Bounce.message_id, Bounce.status, Bounce.at).where(
            Bounce.address.in_(some), Bounce.at >= since, Bounce.kind == ReturnKind.SOFT
        )
        for row in work.rows(statement):
            came[row.address].append(rules.Returned(row.message_id, row.status, row.at))
    ends = {address: rules.rest_until(some) for address, some in came.items()}
    resting = {address: end for address, end in ends.items() if end and end > work.now}
    suppressions.rest(work, resting)
    _look_again(work, [one for one in reports if one.address in resting])


def _heed(work: UnitOfWork, reports: Sequence[ReturnedMessage]) -> None:
    """Switch off the type of letter that somebody complained of."""
    holders: dict[str, set[str]] = defaultdict(set)
    for one in reports:
        if one.letter.holder_id and (type_ := _TYPE_OF_KIND.get(one.letter.kind)):
            holders[type_].add(one.letter.holder_id)
    for type_, ids in sorted(holders.items()):
        preferences.put(work, type_, ids, {"wanted": False}, by=ReturnKind.COMPLAINT)


# What holders and staff see of it.
@dataclass(frozen=True, slots=True)
class Deliverability:
    """Whether letters reach a holder; what is amiss with which address, and since when."""

    deliverable: bool
    problem: Literal["none", "bounced", "complained"] = "none"
    address: str | None = None
    since: datetime | None = None


def deliverability(reading: ReadContext, holder: Any) -> Deliverability:
    """Whether letters reach a holder, for the banner that says so; two statements.

    A complaint is told while a type of letter that it may have ended is off.
    """
    addresses = suppressions.addresses_of(holder)
    small = [compared(address) for address in addresses]
    silent = suppressions.since(reading, small, now=reading.now)
    off = select(Preference.type).where(
        Preference.holder_id == holder.id, ~Preference.wanted, Preference.changed_at >= Bounce.at
    )
    complained = select(Bounce.address, Bounce.at).where(
        Bounce.address.in_(small), Bounce.kind == ReturnKind.COMPLAINT, off.exists()
    )
    said = {row.address: row.at for row in reading.rows(complained.order_by(Bounce.at))}
    deliverable = any(address not in silent for address in small)
    for address in addresses:
        if since := silent.get(compared(address)):
            return Deliverability(deliverable, "bounced", address, since)
    for address in addresses:
        if since := said.get(compared(address)):
            return Deliverability(deliverable, "complained", address, since)
    return Deliverability(deliverable)
