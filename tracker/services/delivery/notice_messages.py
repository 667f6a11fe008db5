"""Composing notices (a ``Composer``): what is still true on sending, and what the message says.

Notices that were undone or superseded in the meantime are left out; a message with none left is
not owed. ``notice_facts`` reads the facts, ``notice_news`` decides what is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from tracker.domain.credentials.certifications import Status
from tracker.domain.credentials.next_steps import NextStep
from tracker.domain.schemes.activity_types import translated
from tracker.mail import calendars
from tracker.mail import notices as wording
from tracker.mail.calendars import CalendarDay
from tracker.mail.notices import NoticeMessage, NoticeToCompose
from tracker.mail.today import Today
from tracker.services.core.context import ReadContext
from tracker.services.delivery import notice_facts, notice_news, sealing, stored_facts
from tracker.services.delivery.notice_facts import NoticeFacts
from tracker.services.delivery.notice_news import ToldNotice
from tracker.services.delivery.notice_rows import MessageNotice
from tracker.services.delivery.sealing import Composed, MessageClaim, Owed, Uncomposed
from tracker.services.delivery.stored_facts import StoredFacts, StoredMessage
from tracker.services.outbox import suppressions

_BRINGS_DATES = frozenset(
    {
        "award",
        "award_corrected",
        "award_restored",
        "renewal_approved",
        "extended",
        "extension_ended",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredNotices(StoredMessage):
    """Everything that a message of notices says; older versions stored no issuer.

    ``days`` are the dates for the holder's calendar: certification, kind, scheme and date of each.
    """

    type: str
    link: str
    news: tuple[NoticeToCompose, ...]
    days: Sequence[Sequence[str]]
    issuer: str = ""


def owed(
    reading: ReadContext, claims: Sequence[MessageClaim]
) -> Callable[[MessageClaim], Owed | Uncomposed]:
    """What each message says now. A message with stored facts is sent again as it was."""
    notices = notice_facts.of_messages(
        reading, [claim.id for claim in claims if claim.facts is None]
    )
    facts = notice_facts.of_subjects(reading, [row for rows in notices.values() for row in rows])

    def of_claim(claim: MessageClaim) -> Owed | Uncomposed:
        if claim.facts is not None:
            return Owed(claim.facts)
        stored = _stored(reading, claim, notices.get(claim.id, []), facts)
        if isinstance(stored, Uncomposed):
            return stored
        return Owed(stored_facts.plain(stored))

    return of_claim


# What is still true.
def _stored(
    reading: ReadContext, claim: MessageClaim, rows: Sequence[MessageNotice], facts: NoticeFacts
) -> _StoredNotices | Uncomposed:
    true = notice_news.of_message(reading, facts, rows)
    if not true:
        return Uncomposed("None of its news is still true.", owed=False)
    if claim.useful_until <= reading.now:
        return Uncomposed("It would arrive too late.", owed=False)
    first = rows[0]
    address = suppressions.address_of(first, {*facts.suppressed, *sealing.refused(claim)})
    if address is None:
        return Uncomposed(sealing.NO_ADDRESS, owed=False)
    return _StoredNotices(
        composed_at=reading.now,
        address=address,
        type=(claim.about or {}).get("type", ""),
        name=f"{first.given_name} {first.family_name}",
        language=first.language,
        link=_link(reading, true),
        news=tuple(news for news, _ in true),
        days=_days(true, first.language),
        issuer=_issuer(reading, true),
    )


def _issuer(reading: ReadContext, true: Sequence[ToldNotice]) -> str:
    """The sender's name: the issuer of what the notices are about, or a default."""
    about = {held.scheme.issuer for _, held in true if held is not None}
    return sealing.issuer_of(reading, about)


def _link(reading: ReadContext, true: Sequence[ToldNotice]) -> str:
    """The page that the message is about: of its certification, if the holder has it today."""
    told = [
        (news.tells, held.row.certification_id if held is not None and held.is_current else None)
        for news, held in true
    ]
    return sealing.button_link(reading, told)


def _days(true: Sequence[ToldNotice], language: str) -> list[list[str]]:
    """The upcoming dates of certifications whose dates changed, for the holder's own calendar."""
    days: dict[tuple[str, str], list[str]] = {}
    for news, held in true:
        if news.tells not in _BRINGS_DATES or held is None or held.now is None or held.now.is_held:
            continue
        now, id_ = held.now, held.row.certification_id
        title = translated(held.scheme.title, language)
        for day in calendars.ahead(
            id_,
            title,
            on=now.on,
            opens_on=now.opens_on,
            closes_on=now.closes_on,
            expires_on=now.expires_on,
        ):
            days[id_, day.kind] = [id_, day.kind, title, day.on.isoformat()]
    return list(days.values())


# What the message says.
def compose(reading: ReadContext, key: bytes, claim: MessageClaim, facts: StoredFacts) -> Composed:
    """The message that says these facts."""
    stored = stored_facts.value_of(_StoredNotices, facts)
    unsubscribe = sealing.unsubscribe_links(reading, key, claim.holder_id or "", stored.type)
    calendar = calendars.published(
        [
            CalendarDay(id_, kind, scheme, date.fromisoformat(on))
            for id_, kind, scheme, on in stored.days
        ],
        language=stored.language,
        at=stored.composed_at,
        domain=reading.settings.mail.message_id_domain,
    )
    written = wording.compose_notice(
        NoticeMessage(
            name=stored.name,
            language=stored.language,
            news=tuple(_with_standing(news, stored.composed_at.date()) for news in stored.news),
            link=stored.link if "/api/" not in stored.link else "",  # older versions did
            unsubscribe_link=unsubscribe and unsubscribe[0],
            type=stored.type,
            calendar=calendar,
            issuer=stored.issuer,
        )
    )
    return sealing.sealed(
        reading, key, claim, written, facts, type_=stored.type, issuer=stored.issuer
    )


def _with_standing(news: NoticeToCompose, composed_on: date) -> NoticeToCompose:
    """The notice; messages of older versions stored dates but no standing."""
    if news.now is not None or not news.number:
        return news
    is_over = news.expires_on is not None and news.expires_on < composed_on
    held = news.tells if news.tells in {"suspended", "revoked"} else ""
    now = Today(
        on=composed_on,
        status=held or (Status.EXPIRED if is_over else Status.ACTIVE),
        valid=not (held or is_over),
        step=NextStep("none"),
        expires_on=news.expires_on,
        opens_on=news.window_opens_on,
    )
    return replace(news, now=now)
