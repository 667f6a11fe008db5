"""Bounces and complaints: suppress bad addresses, and switch off what people complain about.

A report is believed only if it carries our signed proof: the proof names the message, and the
message names the address. A report counts once, by its own identity, however often it is read.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Literal, NamedTuple

from sqlalchemy import String, bindparam, func, or_, select, union_all, update

from tracker.db import Instant
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
    Suppression,
)
from tracker.services.core import bulk, locks, signed_links
from tracker.services.core.batched import ID
from tracker.services.core.context import ReadContext, UnitOfWork, sees_everything
from tracker.services.outbox import cursors, suppressions
from tracker.services.outbox.suppressions import HARD
from tracker.services.people import preferences
from tracker.services.people.holders import HolderRow

BounceKind = (
    ReturnKind
    | Literal["refused", "unsubscribed", "delayed", "automatic", "known", "unknown", "other"]
)
_IGNORED: Mapping[str, BounceKind] = {"delayed": "delayed", "automatic": "automatic"}
_TYPE_OF_KIND: Mapping[str, str] = {
    "reminder": MessageType.REMINDERS,
    "notice": MessageType.DECISIONS,
}


class SentMessage(NamedTuple):
    """A message that a report may be about, and its holder's addresses."""

    id: str
    message_id: str
    kind: str
    address: str
    holder_id: str | None
    email: str | None
    second_email: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedMessage:
    """A report that a message bounced or that its reader complained.

    ``identity`` distinguishes reports of the same message. ``recipients`` are the addresses that
    the report names; those that are not the holder's own are ignored.
    """

    message: SentMessage
    kind: ReturnKind
    identity: str
    at: datetime
    status: str = ""
    diagnostic: str = ""
    recipients: Collection[str] = ()

    @property
    def digest(self) -> str:
        """A hash that is the same for the same report."""
        text = f"{self.message.id}:{self.kind}:{self.identity}"
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()

    @property
    def address(self) -> str:
        """The address that bounced, in its compared form.

        A message that was sent again to the holder's other address may still bounce from the
        first one, so an address named in the report goes before the message's current one.
        """
        own = {compared(a) for a in (self.message.email, self.message.second_email) if a}
        named = [address for address in map(compared, self.recipients) if address in own]
        return named[0] if named else compared(self.message.address)


def take(work: UnitOfWork, key: bytes, incoming: Incoming) -> BounceKind:
    """Act on one message that arrived at our addresses; returns what it counts as."""
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
    messages = messages_by(work, "id", proven)
    complained = incoming.kind == "complaint"
    if not messages and complained:
        return _unsubscribed(work, key, incoming, by=ReturnKind.COMPLAINT)
    if not messages:
        return "unknown"
    kind = ReturnKind.COMPLAINT if complained else rules.kind_of(incoming.status)
    report = ReturnedMessage(
        message=messages.get(proven[0]) or next(iter(messages.values())),
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
    """Switch off the message type that an unsubscribe email or a complaint names.

    A report older than the holder's last choice changes nothing, because a mailbox file may be
    read more than once.
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


def messages_by(
    reading: ReadContext, name: Literal["id", "message_id"], values: Iterable[str]
) -> dict[str, SentMessage]:
    """Messages by id or by Message-ID; unknown ones are left out."""
    messages: dict[str, SentMessage] = {}
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
        for message in reading.rows_as(SentMessage, statement):
            messages[message.id if name == "id" else message.message_id] = message
    return messages


# Effects of reports.
def record(work: UnitOfWork, reports: Sequence[ReturnedMessage]) -> int:
    """Record reports and act on the new ones, with a constant number of statements.

    A hard bounce suppresses the address for good; three messages that bounced softly within 14
    days suppress it for 30 days; a complaint switches off that type of message. Returns how many
    reports were new.
    """
    by_digest = {report.digest: report for report in reports}
    if not by_digest:
        return 0
    rows = [
        {
            "digest": digest,
            "message_id": report.message.id,
            "address": report.address,
            "kind": report.kind,
            "status": report.status,
            "diagnostic": report.diagnostic,
            "at": report.at,
        }
        for digest, report in sorted(by_digest.items())
    ]
    insert = work.upsert(Bounce).on_conflict_do_nothing(index_elements=["digest"])
    new = [by_digest[row.digest] for row in work.rows(insert.returning(Bounce.digest), rows)]
    of_kind: dict[str, list[ReturnedMessage]] = defaultdict(list)
    for report in new:
        of_kind[report.kind].append(report)
    _suppress(work, of_kind[ReturnKind.HARD])
    _rest(work, of_kind[ReturnKind.SOFT])
    _heed(work, of_kind[ReturnKind.COMPLAINT])
    return len(new)


def _suppress(work: UnitOfWork, reports: Sequence[ReturnedMessage]) -> None:
    """Suppress these addresses for good, and send the messages to the holders' other addresses."""
    if not reports:
        return
    suppressions.suppress(work, {report.address for report in reports}, HARD)
    _look_again(work, reports)
    _send_elsewhere(work, reports)


def _look_again(work: UnitOfWork, reports: Sequence[ReturnedMessage]) -> None:
    """Have the planner work out when the stages of these bounced reminders can be sent again."""
    holder_ids = (report.message.holder_id for report in reports)
    cursors.touch_holders(work, {holder_id for holder_id in holder_ids if holder_id})


def _send_elsewhere(work: UnitOfWork, reports: Sequence[ReturnedMessage]) -> None:
    """Requeue messages that are still useful and whose holder has another address.

    They get a new Message-ID, so that the relay's evidence about the first copy does not count
    for the second.
    """
    of_holders = [report.message for report in reports if report.message.holder_id]
    suppressed = suppressions.of_holders(work, of_holders, now=work.now)
    elsewhere = [m.id for m in of_holders if suppressions.address_of(m, suppressed)]
    # A message that was already sent to the other address is left alone.
    bad = {report.address for report in reports}
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
    """Suppress for a while the addresses with too many soft bounces."""
    if not reports:
        return
    since = min(report.at for report in reports) - rules.SOFT_WITHIN
    came: dict[str, list[rules.Returned]] = defaultdict(list)
    for some in bulk.chunks({report.address for report in reports}):
        statement = select(Bounce.address, Bounce.message_id, Bounce.status, Bounce.at).where(
            Bounce.address.in_(some), Bounce.at >= since, Bounce.kind == ReturnKind.SOFT
        )
        for row in work.rows(statement):
            came[row.address].append(rules.Returned(row.message_id, row.status, row.at))
    ends = {address: rules.rest_until(some) for address, some in came.items()}
    resting = {address: end for address, end in ends.items() if end and end > work.now}
    suppressions.rest(work, resting)
    _look_again(work, [report for report in reports if report.address in resting])


def _heed(work: UnitOfWork, reports: Sequence[ReturnedMessage]) -> None:
    """Switch off the type of message that somebody complained about."""
    holders: dict[str, set[str]] = defaultdict(set)
    for report in reports:
        type_, holder_id = _TYPE_OF_KIND.get(report.message.kind), report.message.holder_id
        if holder_id and type_:
            holders[type_].add(holder_id)
    for type_, ids in sorted(holders.items()):
        preferences.put(work, type_, ids, {"wanted": False}, by=ReturnKind.COMPLAINT)


# What holders and staff see.
@dataclass(frozen=True, slots=True)
class Deliverability:
    """Whether messages reach a holder; what is wrong with which address, and since when."""

    deliverable: bool
    problem: Literal["none", "bounced", "complained"] = "none"
    address: str | None = None
    since: datetime | None = None


# The holder's addresses as the database compares them; some need the rules of ``domain.emails``.
_THEIRS = union_all(
    select(func.lower(Holder.email)).where(Holder.id == ID),
    select(func.lower(Holder.second_email)).where(Holder.id == ID),
)
_OFF = select(Preference.type).where(
    Preference.holder_id == ID, ~Preference.wanted, Preference.changed_at >= Bounce.at
)
_SUPPRESSED = select(Suppression.address, Suppression.recorded_at).where(
    or_(Suppression.until_at.is_(None), Suppression.until_at > bindparam("now", type_=Instant))
)
_COMPLAINED = select(Bounce.address, Bounce.at).where(
    Bounce.kind == ReturnKind.COMPLAINT.value, _OFF.exists()
)
TO_HOLDER = (
    _SUPPRESSED.where(Suppression.address.in_(_THEIRS)),
    _COMPLAINED.where(Bounce.address.in_(_THEIRS)),
)
"""What is wrong with the addresses of the holder ``id``; can be prefetched."""
_SMALL = bindparam("addresses", type_=String, expanding=True)
_TO_ADDRESSES = (
    _SUPPRESSED.where(Suppression.address.in_(_SMALL)),
    _COMPLAINED.where(Bounce.address.in_(_SMALL)),
)


@sees_everything
def deliverability(reading: ReadContext, holder: HolderRow) -> Deliverability:
    """Whether messages reach a holder, for the banner; runs two statements.

    A complaint is reported while a message type that it may have switched off is still off.
    """
    addresses = suppressions.addresses_of(holder)
    small = [compared(address) for address in addresses]
    parameters: dict[str, object] = {"id": holder.id, "now": reading.now}
    statements = TO_HOLDER
    if not all(map(str.isascii, addresses)) or small != [one.lower() for one in addresses]:
        statements, parameters = _TO_ADDRESSES, {**parameters, "addresses": small}
    asked = {name: parameters[name] for name in parameters if name != "now"}
    suppressed = {row.address: row.recorded_at for row in reading.rows(statements[0], parameters)}
    complained = reading.rows(statements[1], asked)
    complaints = {row.address: row.at for row in sorted(complained, key=attrgetter("at"))}
    deliverable = any(address not in suppressed for address in small)
    for address in addresses:
        if since := suppressed.get(compared(address)):
            return Deliverability(deliverable, "bounced", address, since)
    for address in addresses:
        if since := complaints.get(compared(address)):
            return Deliverability(deliverable, "complained", address, since)
    return Deliverability(deliverable)
