"""Composing notices: what is still true when the message is sent, and what the message says.

Notices that were undone or superseded in the meantime are left out; a message with none left is
not owed. ``notice_facts`` reads the facts, ``notice_news`` decides what is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any

from tracker.domain.credentials.certifications import Status
from tracker.domain.credentials.next_steps import NextStep
from tracker.domain.schemes.activity_types import translated
from tracker.mail import calendars
from tracker.mail import notices as wording
from tracker.mail.calendars import CalendarDay
from tracker.mail.notices import NoticeLetter, NoticeToCompose
from tracker.mail.today import Today
from tracker.services.core.context import ReadContext
from tracker.services.delivery import notice_facts, notice_news, sealing, stored_facts
from tracker.services.delivery.notice_facts import NoticeFacts
from tracker.services.delivery.notice_news import ToldNotice
from tracker.services.delivery.sealing import Composed, Made, MessageClaim, Uncomposed
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


def compose(reading: ReadContext, key: bytes, claims: Sequence[MessageClaim]) -> Made:
    """The messages of the claimed rows, by id, with a constant number of statements."""
    found = notice_facts.told(reading, [claim.id for claim in claims if claim.facts is None])
    known = notice_facts.known(reading, [row for rows in found.values() for row in rows])
    made: Made = {}
    for claim in claims:
        try:
            said = claim.facts or _snapshot(reading, claim, found.get(claim.id, []), known)
            made[claim.id] = (
                Uncomposed(said, owed=False)
                if isinstance(said, str)
                else _composed(reading, key, claim, said)
            )
            if claim.facts is None and isinstance(one := made[claim.id], Composed):
                made[claim.id] = replace(one, still_true=partial(_still_true, claim, one.facts))
        except Exception as error:  # noqa: BLE001 - one message's data must not stop the others
            made[claim.id] = Uncomposed(f"{type(error).__name__}: {error}"[:500], owed=True)
    return made


# What is still true.
def _snapshot(
    reading: ReadContext, claim: MessageClaim, rows: Sequence[Any], known: NoticeFacts
) -> dict[str, Any] | str:
    """Everything that the message says, as JSON values; or why there is nothing to say."""
    true = notice_news.of_letter(reading, known, rows)
    if not true:
        return "None of its news is still true."
    if claim.useful_until <= reading.now:
        return "It would arrive too late."
    first = rows[0]
    address = suppressions.address_of(first, {*known.silent, *sealing.refused(claim)})
    if address is None:
        return sealing.NO_ADDRESS
    return {
        "composed_at": reading.now.isoformat(),
        "address": address,
        "type": (claim.about or {}).get("type", ""),
        "name": f"{first.given_name} {first.family_name}",
        "language": first.language,
        "link": _link(reading, true),
        "news": [stored_facts.plain(news) for news, _ in true],
        "days": _days(true, first.language),
        "issuer": _issuer(reading, true),
    }


def _issuer(reading: ReadContext, true: Sequence[ToldNotice]) -> str:
    """The sender's name: the issuer of what the notices are about, or a default."""
    about = {held.scheme.issuer for _, held in true if held is not None}
    return sealing.issuer_of(reading, about)


def _link(reading: ReadContext, true: Sequence[ToldNotice]) -> str:
    """The link to the public page of the first current certification; empty if there is none."""
    base = reading.settings.app.base_url.rstrip("/")
    held = (one for _, one in true if one is not None and one.is_current)
    return next((f"{base}/verify/{one.row.public_id}" for one in held), "")


def _days(true: Sequence[ToldNotice], language: str) -> list[list[str]]:
    """The upcoming dates of certifications whose dates changed, for the holder's own calendar."""
    found: dict[tuple[str, str], list[str]] = {}
    for news, held in true:
        if news.tells not in _BRINGS_DATES or held is None or held.now is None:
            continue
        now, id_ = held.now, held.row.certification_id
        title = translated(held.scheme.title, language)
        days = calendars.ahead(
            id_,
            title,
            on=now.on,
            opens_on=now.opens_on,
            closes_on=now.closes_on,
            expires_on=now.expires_on,
        )
        if not now.is_held:
            found |= {(id_, day.kind): [id_, day.kind, title, day.on.isoformat()] for day in days}
    return list(found.values())


def _still_true(claim: MessageClaim, said: Mapping[str, Any], reading: ReadContext) -> bool:
    """Whether the message would say the same if composed now; checked with the marker."""
    found = notice_facts.told(reading, [claim.id]).get(claim.id, [])
    known = notice_facts.known(reading, found)
    now = _snapshot(reading, claim, found, known)
    if isinstance(now, str):
        return False
    return {**now, "composed_at": said["composed_at"]} == said


# What the message says.
def _composed(
    reading: ReadContext, key: bytes, claim: MessageClaim, facts: dict[str, Any]
) -> Composed:
    ways_out = sealing.ways_out_of(reading, key, claim.holder_id or "", facts["type"])
    at = datetime.fromisoformat(facts["composed_at"])
    calendar = calendars.published(
        [
            CalendarDay(id_, kind, scheme, date.fromisoformat(on))
            for id_, kind, scheme, on in facts["days"]
        ],
        language=facts["language"],
        at=at,
        domain=reading.settings.mail.message_id_domain,
    )
    letter = wording.compose_notice(
        NoticeLetter(
            name=facts["name"],
            language=facts["language"],
            news=tuple(_again(one, at.date()) for one in facts["news"]),
            link=facts["link"] if "/verify/" in facts["link"] else "",
            unsubscribe_link=ways_out and ways_out[0],
            calendar=calendar,
            issuer=facts.get("issuer", ""),
        )
    )
    return sealing.sealed(
        reading, key, claim, letter, facts, type_=facts["type"], issuer=facts.get("issuer", "")
    )


def _again(one: Mapping[str, Any], composed_on: date) -> NoticeToCompose:
    """The notice as stored; messages of older versions stored dates but no standing."""
    news = stored_facts.again(NoticeToCompose, one)
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
