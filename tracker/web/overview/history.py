"""The history: searched by person, act, actor and day; the health of its chain is always shown."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from tracker.api.http import routing
from tracker.api.overview.history import HistoryQuerySchema
from tracker.api.people.holders import HolderQuerySchema
from tracker.domain.errors import Invalid
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.services.core.context import ReadContext
from tracker.services.core.history import SUBJECTS
from tracker.services.overview import history_checks, history_searches
from tracker.services.overview.history_checks import VerifiedHistory
from tracker.services.overview.history_pages import HistoryFilter
from tracker.services.overview.history_searches import FoundHistory
from tracker.web import navigation
from tracker.web.desk import desk_forms, history_lines, record_words
from tracker.web.people import lists, visitors

pages = Blueprint("history-pages", __name__)

HERE = "/desk/history"
_LOOKED_AT = 50
_FIELDS = ("q", "holder_id", "subject", "action", "account_id", "actor", "from", "until")


@dataclass(frozen=True, slots=True)
class HistoryPageWords:
    """One language's words."""

    title: str
    chain: str
    chain_end: str
    chain_broken: str
    sound: str
    sound_all: str
    broken: str
    broken_next: str
    check_all: str
    filter: str
    person: str
    person_hint: str
    of_person: str
    which: str
    subject: str
    any: str
    action: str
    action_hint: str
    account: str
    actor: str
    actor_hint: str
    from_on: str
    until_on: str
    day_hint: str
    find: str
    clear: str
    none: str
    none_why: str
    invalid: str


WORDS = {
    lang: HistoryPageWords(**catalogues.topic(lang, "history_pages"))
    for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class ChainShown:
    """Whether the chain is as it was, in a sentence."""

    is_sound: bool
    heading: str
    text: str


@pages.get(HERE)
@visitors.for_staff
def search(actor: Actor) -> Response:
    """The entries that match, newest first, and whether the end of the chain is as it was."""
    language, container = routing.language(), routing.container()
    query = {name: value.strip() for name, value in request.args.items() if value.strip()}
    say, found = WORDS[language], FoundHistory()
    errors: dict[str, str] = {}
    with container.reading(actor) as reading:
        chain = history_checks.verify_end(reading, container.history_keys, blocks=_LOOKED_AT)
        members = history_searches.members(reading)
        try:
            found = _found(reading, query)
        except Invalid as refusal:
            labels = _labels(language)
            errors = {name: f"{labels.get(name, name)}: {say.invalid}" for name in refusal.fields}
    return visitors.page(
        "overview/history",
        language,
        422 if errors else 200,
        **_shown(found, language),
        say=say,
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        here=HERE,
        chain=_told(chain, language, heading=say.chain_end, sound=say.sound),
        members=members,
        subjects=_subjects(language),
        actions=sorted(record_words.WORDS[language].actions),
        stated={name: query.get(name, "") for name in _FIELDS},
        errors=errors,
        wrong=next(iter(errors.values()), None),
    )


@pages.get(f"{HERE}/check")
@visitors.for_staff
def check(actor: Actor) -> Response:
    """Follow the whole chain, from the first block to its head."""
    language, container = routing.language(), routing.container()
    with container.snapshot(actor) as reading:
        chain = history_checks.verify(reading, container.history_keys)
    say = WORDS[language]
    told = _told(chain, language, heading=say.chain, sound=say.sound_all)
    links = ({"href": HERE, "text": say.title},)
    lines = [told.text] if told.is_sound else [told.text, say.broken_next]
    return visitors.page("message", language, heading=told.heading, lines=lines, links=links)


def _found(reading: ReadContext, query: Mapping[str, str]) -> FoundHistory:
    """The entries that a query asks for. Raises Invalid, NotFound."""
    asked = {name: value for name, value in query.items() if name not in {"q", "holder_id"}}
    values = routing.load(HistoryQuerySchema(), asked)
    values.pop("limit")
    if "account_id" in values:
        values["account_id"] = str(values["account_id"])
    filters = HistoryFilter(limit=lists.LISTED + 1, **values)
    typed, holder_id = query.get("q"), query.get("holder_id")
    if holder_id:
        holder_id = str(routing.load(HistoryQuerySchema(), {"holder_id": holder_id})["holder_id"])
    elif typed:
        typed = routing.load(HolderQuerySchema(), {"q": typed})["q"]
    return history_searches.find(reading, filters, typed=typed, holder_id=holder_id)


def _shown(found: FoundHistory, language: str) -> dict[str, Any]:
    """The entries in words, the next page, and people to choose from."""
    lines = found.lines[: lists.LISTED]
    more = None
    if len(found.lines) > len(lines):
        place = base64.urlsafe_b64encode(str(lines[-1].id).encode()).decode()
        more = f"{HERE}?{urlencode({**request.args.to_dict(), 'after': place})}"
    return {
        "lines": [history_lines.shown(line, language) for line in lines],
        "more": more,
        "holder": found.holder,
        "people": found.people,
    }


def _told(chain: VerifiedHistory, language: str, *, heading: str, sound: str) -> ChainShown:
    if chain.breach is None:
        text = sound.format(blocks=chain.blocks, entries=chain.entries)
        return ChainShown(is_sound=True, heading=heading, text=text)
    say = WORDS[language]
    text = say.broken.format(chain.breach)
    return ChainShown(is_sound=False, heading=say.chain_broken, text=text)


def _subjects(language: str) -> Sequence[tuple[str, str]]:
    codes = record_words.WORDS[language]
    return sorted(
        ((code, codes.said("subjects", code)) for code in SUBJECTS), key=lambda one: one[1]
    )


def _labels(language: str) -> Mapping[str, str]:
    say = WORDS[language]
    named = {"from": say.from_on, "until": say.until_on, "q": say.person}
    return named | {name: getattr(say, name) for name in ("subject", "action", "actor")}
