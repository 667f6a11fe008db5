"""Who paid for the attempts of the people whose cases a sponsor manages: sums, attempts, a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from tracker.api.credentials import funding as funding_api
from tracker.api.credentials.funding import FundedAttemptsQuerySchema, FundingQuerySchema
from tracker.api.http import routing
from tracker.domain.credentials import funding as rules
from tracker.domain.credentials.funding import FundingPeriod, FundingSource
from tracker.domain.errors import Invalid, TooBusy, TooManyAtOnce
from tracker.domain.periods import Period
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words, money
from tracker.services.core import days
from tracker.services.core.context import ReadContext
from tracker.services.credentials import funding
from tracker.services.credentials.funding import FundedAttempt, NamedLine
from tracker.web.credentials import sponsor_words
from tracker.web.credentials.sponsor_words import WORDS as SPONSOR_WORDS
from tracker.web.desk import attempt_forms, module_grids
from tracker.web.people import lists, visitors

pages = Blueprint("funding-pages", __name__)

HERE = "/sponsor/funding"
_CURRENCY = "USD"


@dataclass(frozen=True, slots=True)
class FundingWords:
    """One language's words."""

    title: str
    why: str
    none: str
    since: str
    until: str
    period: str
    show: str
    file: str
    total: str
    without_amount: str
    attempts: str
    attempts_why: str
    days: str
    source: str
    unstated: str
    center: str
    result: str
    passed: str
    failed: str
    count: str
    amount: str
    unknown: str
    person: str
    module: str
    taken: str
    paid: str
    reference: str
    periods: dict[str, str]
    wrong: dict[str, str]


WORDS = {
    lang: FundingWords(**catalogues.topic(lang, "funding_pages")) for lang in catalogues.LANGUAGES
}


@pages.get(HERE)
@visitors.for_organization("sponsor")
def report(actor: Actor, sponsor_id: str) -> Response:
    """The report of a period, by default of this year, by quarters."""
    del sponsor_id
    language = routing.language()
    say = WORDS[language]
    errors: dict[str, str] = {}
    with routing.container().reading(actor) as reading:
        asked = _asked(reading)
        try:
            found = funding_api.lines(reading, _loaded(FundingQuerySchema(), asked))
        except Invalid as refusal:
            errors = {name: say.wrong[name] for name in refusal.fields if name in say.wrong}
            found = []
    return visitors.page(
        "credentials/funding",
        language,
        422 if errors else 200,
        say=say,
        here=HERE,
        parts=sponsor_words.parts(language),
        sponsor_words=SPONSOR_WORDS[language],
        asked=asked,
        periods=[(one, say.periods[one]) for one in FundingPeriod],
        rows=[_line(one, language) for one in found],
        told=_told(found, say) if found else say.none,
        query=urlencode(asked),
        errors=errors,
    )


@pages.get(f"{HERE}.csv")
@visitors.for_organization("sponsor")
def as_csv(actor: Actor, sponsor_id: str) -> Response:
    """The report as a file."""
    del sponsor_id
    try:
        with routing.container().reading(actor) as reading:
            query = _loaded(FundingQuerySchema(), _asked(reading))
            return visitors.private(funding_api.csv_file(reading, query))
    except Invalid:
        return visitors.go(f"{HERE}?{urlencode(request.args)}")
    except (TooManyAtOnce, TooBusy) as refusal:
        return visitors.refused_file(refusal)


@pages.get(f"{HERE}/attempts")
@visitors.for_organization("sponsor")
def attempts(actor: Actor, sponsor_id: str) -> Response:
    """The attempts that the report adds up, one by one."""
    del sponsor_id
    language = routing.language()
    with routing.container().reading(actor) as reading:
        asked = {name: day for name, day in _asked(reading).items() if name != "period"}
        try:
            query = _loaded(FundedAttemptsQuerySchema(), asked)
        except Invalid:
            return visitors.go(f"{HERE}?{urlencode(asked)}")
        within = Period(query["since"], query["until"])
        found = funding.attempts(reading, within, after=lists.place(), limit=lists.LISTED + 1)
        modules = module_grids.names(reading.schemes, language)
    rows, more = lists.cut(found, lambda one: one.id)
    say = WORDS[language]
    return visitors.page(
        "credentials/funded_attempts",
        language,
        say=say,
        parts=sponsor_words.parts(language),
        sponsor_words=SPONSOR_WORDS[language],
        back=f"{HERE}?{urlencode(asked)}",
        days=_days(within, language),
        rows=[_attempt(one, modules, language) for one in rows],
        more=more,
    )


def _asked(reading: ReadContext) -> dict[str, str]:
    """The days and the length of a period that the address says; this year by quarters if not."""
    today = days.today_everywhere(reading)
    usual = {
        "since": today.replace(month=1, day=1).isoformat(),
        "until": today.isoformat(),
        "period": FundingPeriod.QUARTER.value,
    }
    return {name: request.args.get(name) or value for name, value in usual.items()}


def _loaded(
    schema: FundingQuerySchema | FundedAttemptsQuerySchema, asked: Mapping[str, str]
) -> dict[str, Any]:
    return dict(routing.load(schema, MultiDict(asked)))


def _told(found: Sequence[NamedLine], say: FundingWords) -> str:
    """How many attempts there are, and what was paid for them, in a sentence."""
    paid = sum((one.line.amount for one in found), Decimal("0.00"))
    count = rules.attempts_of([one.line for one in found], funding=None)
    return say.total.format(attempts=count, amount=money(paid, _CURRENCY))


def _line(found: NamedLine, language: str) -> list[str]:
    """A line of the report, cell by cell."""
    say, line = WORDS[language], found.line
    unknown = say.without_amount.format(line.without_amount) if line.without_amount else ""
    return [
        _days(Period(line.starts_on, line.ends_on), language),
        _source(line.funding, language),
        found.center or say.unstated,
        say.passed if line.passed else say.failed,
        str(line.attempts),
        " ".join(filter(None, (money(line.amount, _CURRENCY), unknown))),
    ]


def _attempt(
    one: FundedAttempt, modules: Mapping[tuple[str, str], str], language: str
) -> list[str]:
    """An attempt, cell by cell; who paid is the last one."""
    say = WORDS[language]
    sources = [*_first(one), *one.more_funding]
    return [
        f"{one.given_name} {one.family_name}",
        modules.get((one.scheme, one.module), one.module),
        in_words(one.taken_on, language),
        say.passed if one.passed else say.failed,
        one.center or say.unstated,
        "; ".join(_paid(source, language) for source in sources) or say.unstated,
    ]


def _first(one: FundedAttempt) -> list[FundingSource]:
    if one.funding is None:
        return []
    return [rules.source(one.funding, one.amount, one.funding_reference)]


def _paid(source: FundingSource, language: str) -> str:
    """Who pays how much, with the reference if there is one."""
    say, amount = WORDS[language], source["amount"]
    paid = money(Decimal(amount), _CURRENCY) if amount else say.unknown
    told = say.paid.format(source=_source(source["funding"], language), amount=paid)
    if reference := source["funding_reference"]:
        return say.reference.format(paid=told, reference=reference)
    return told


def _source(code: str | None, language: str) -> str:
    named = attempt_forms.WORDS[language].fundings
    return named.get(code, code) if code else WORDS[language].unstated


def _days(period: Period, language: str) -> str:
    first, last = in_words(period.starts_on, language), in_words(period.ends_on, language)
    return WORDS[language].days.format(first=first, last=last)
