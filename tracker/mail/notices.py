"""News: what happened to a holder's certifications becomes a letter.

Lives here: the wording; phrases stand in ``templates/notices.*.toml``. Does not live here:
whether the news is still true and who hears of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from tracker.domain.wording import figure, in_words
from tracker.mail.messages import (
    Letter,
    Phrases,
    counted,
    greeting,
    laid_out,
    phrases,
    printable,
)

_LONGEST_QUOTE = 1000


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened; which facts it has depends on what it ``tells``.

    That is ``award``, ``approved``, ``partly`` (fewer points than claimed),
    ``rejected``, ``more_information``, ``renewal_approved``, ``renewal_denied``, ``suspended``,
    ``reinstated``, ``revoked``, ``consent_asked``.

    ``about`` is the activity's title or the employer's name; ``reason`` the words of whoever
    decided; ``points_approved`` what an approved activity brings, of ``points_claimed`` where
    that is more; ``points_total`` and ``points_required`` are the certification's as it stands.
    ``appeal_by`` is the last day to appeal.
    """

    tells: str
    scheme_name: str = ""
    number: str = ""
    about: str = ""
    on: date | None = None
    reason: str = ""
    points_claimed: Decimal | None = None
    points_approved: Decimal | None = None
    points_total: Decimal | None = None
    points_required: Decimal | None = None
    expires_on: date | None = None
    window_opens_on: date | None = None
    appeal_by: date | None = None


@dataclass(frozen=True, slots=True)
class NoticeLetter:
    """What one letter of news says, to whom, in which language; the gravest comes first.

    Without an ``unsubscribe_link`` it is a letter that is always sent, and says so.
    """

    name: str
    language: str
    news: tuple[News, ...]
    link: str
    unsubscribe_link: str | None = None
    calendar: str = ""


# The sentences that may follow the first one, by what is told: those with a missing fact are
# left out.
_SENTENCES: Mapping[str, tuple[str, ...]] = {
    "award": ("valid_through", "no_expiry", "needs", "award_opens"),
    "approved": ("brings", "brings_part", "total"),
    "partly": ("claimed_approved", "reason", "total"),
    "rejected": ("reason", "rejected_next"),
    "more_information": ("missing", "more_information_next"),
    "renewal_approved": ("valid_through", "next_opens"),
    "renewal_denied": ("reason", "valid_through", "renewal_denied_next"),
    "suspended": ("reason", "suspended_seen", "appeal"),
    "reinstated": ("reason", "reinstated_seen", "valid_through"),
    "revoked": ("reason", "revoked_seen", "appeal"),
    "consent_asked": ("consent_nothing", "consent_fields", "consent_next"),
}
TELLS = tuple(_SENTENCES)
_GRAVEST_FIRST = (
    "revoked", "suspended", "renewal_denied", "reinstated", "renewal_approved", "award",
    "more_information", "rejected", "partly", "approved", "consent_asked",
)  # fmt: skip


def compose_notice(facts: NoticeLetter) -> Letter:
    """Write one letter of news. Raises IndexError when there is none."""
    say = phrases(facts.language, "notices")
    news = _in_order(facts.news)
    common = phrases(facts.language)
    asked = all(one.tells == "consent_asked" for one in news)
    context = {
        "language": facts.language,
        "subject": _subject(say, news),
        "greeting": greeting(common, facts.name),
        "sections": _sections(say, news, facts.language),
        "enclosed": common["enclosed"] if facts.calendar else "",
        "button": say["button_consent" if asked else "button_look"],
        "link": facts.link,
        "reason": say["reason_type" if facts.unsubscribe_link else "reason_always"],
        "unsubscribe_link": facts.unsubscribe_link,
        "unsubscribe": say["unsubscribe"],
        "reversible": common["reversible"],
    }
    return laid_out(context, calendar=facts.calendar)


def _in_order(news: Sequence[News]) -> list[News]:
    """The gravest first, and with it the others of the same certification."""
    grave = sorted(news, key=lambda one: _GRAVEST_FIRST.index(one.tells))
    numbers = [one.number for one in grave]
    return sorted(grave, key=lambda one: numbers.index(one.number))


def _subject(say: Phrases, news: Sequence[News]) -> str:
    first, others = news[0], len(news) - 1
    subject = say[f"{first.tells}_subject"].format(
        scheme=printable(first.scheme_name), about=printable(first.about)
    )
    return subject + (counted(say, "subject_more", others) if others else "")


def _sections(say: Phrases, news: Sequence[News], language: str) -> list[dict[str, object]]:
    """What is told, one after the other: a certification is named once, its total told last."""
    sections = []
    for number, one in enumerate(news):
        before, after = news[number - 1 : number], news[number + 1 : number + 2]
        if any(_same(one, other) for other in after):
            one = replace(one, points_total=None)  # noqa: PLW2901 - the last one tells it
        section = _section(say, one, language)
        if any(_same(one, other) for other in before if number):
            section |= {"title": None, "number": ""}
        sections.append(section)
    return sections


def _same(one: News, other: News) -> bool:
    return bool(one.number) and one.number == other.number


def _section(say: Phrases, one: News, language: str) -> dict[str, object]:
    words = _words(one, language)
    return {
        "title": words.get("about" if one.tells == "consent_asked" else "scheme"),
        "lead": say[one.tells].format_map(words),
        "number": say["number"].format_map(words) if one.number else "",
        "percent": None,
        "share": "",
        "paragraphs": [
            (say[key].format_map(words),) for key in _SENTENCES[one.tells] if _is_said(key, one)
        ],
    }


_NEEDED: Mapping[str, tuple[str, ...]] = {
    "valid_through": ("expires_on",), "award_opens": ("window_opens_on",),
    "next_opens": ("window_opens_on",), "needs": ("points_required", "expires_on"),
    "brings": ("points_approved",),
    "brings_part": ("points_claimed", "points_approved"),
    "claimed_approved": ("points_claimed", "points_approved"),
    "total": ("points_total", "points_required"), "reason": ("reason",), "missing": ("reason",),
    "appeal": ("appeal_by",), "renewal_denied_next": ("expires_on",),
}  # fmt: skip


def _is_said(key: str, one: News) -> bool:
    if key == "no_expiry":
        return one.expires_on is None
    if key == "brings" and one.points_claimed is not None:
        return False
    return all(getattr(one, name) not in {None, ""} for name in _NEEDED.get(key, ()))


def _words(one: News, language: str) -> dict[str, str]:
    """The facts as they stand in sentences."""
    days = {"on": one.on, "expires": one.expires_on, "opens": one.window_opens_on,
            "appeal_by": one.appeal_by}  # fmt: skip
    points = {"claimed": one.points_claimed, "approved": one.points_approved,
              "total": one.points_total, "required": one.points_required}  # fmt: skip
    return {
        "scheme": printable(one.scheme_name),
        "number": printable(one.number),
        "about": printable(one.about),
        "reason": _quoted(one.reason),
        **{name: in_words(day, language) for name, day in days.items() if day},
        **{name: figure(number) for name, number in points.items() if number is not None},
    }


def _quoted(reason: str) -> str:
    """What somebody wrote, on one line, and not the whole of a treatise."""
    line = printable(reason)
    return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1] + "…"
