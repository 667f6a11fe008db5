"""Which workers a page shows: the filter that its address says, in words, and such addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import request

from tracker.api.employers import workforce as workforce_api
from tracker.api.employers.workforce import WorkforceQuerySchema
from tracker.api.http import routing
from tracker.api.http.schemas import Loaded
from tracker.domain.employers.workforce import Thresholds
from tracker.domain.errors import Invalid
from tracker.language.voice import in_words
from tracker.services.core.context import ReadContext
from tracker.services.employers.workforce_selection import FILTERS, WorkforceFilter
from tracker.web.employers.workforce_words import WORDS

HERE = "/employer"
_KEPT = ("as_of", "scheme", *FILTERS, "sort")
"""What an address keeps from page to page; not where a page begins, nor what was just done."""
_PLACES = ("site", "department", "shift")
_GROUP = ("as_of", "scheme", *_PLACES)
"""What the numbers are counted for; the rest of a filter chooses among those people."""


@dataclass(frozen=True, slots=True)
class Selected:
    """The workers whom an address asks for; ``is_wrong``: it could not be read, and all are."""

    selection: WorkforceFilter
    query: Loaded
    given: Mapping[str, str]
    is_wrong: bool

    def address(self, path: str = "", **more: object) -> str:
        """A page about the same workers."""
        return address(path, {**self.given, **more})

    def narrowed(self, **more: object) -> str:
        """The list of some workers of the same group."""
        group = {name: self.given[name] for name in _GROUP if name in self.given}
        return f"{address('', group | more)}#list"

    @property
    def day(self) -> WorkforceFilter:
        """All workers of the employer on the day that is asked about."""
        chosen = self.selection
        return WorkforceFilter(chosen.employer_id, chosen.scheme, chosen.on)

    @property
    def is_narrow(self) -> bool:
        """Whether the filter leaves anybody out."""
        return any(name in self.given for name in FILTERS)

    @property
    def is_typed(self) -> bool:
        """Whether the form of the filter chose more than a link of the page above it does."""
        return any(name in self.given for name in ("as_of", "scheme", "employee_id", *_PLACES))

    def in_words(self, language: str) -> list[str]:
        """What the filter says, each part in words."""
        chosen, say = self.selection, WORDS[language]
        told: list[str] = []
        if chosen.segment:
            told.append(say.segment_names(thresholds())[chosen.segment])
        if chosen.status:
            told.append(say.statuses[chosen.status])
        places = ((getattr(say, name), getattr(chosen, name)) for name in _PLACES)
        told += [f"{label} {value}" for label, value in places if value]
        if chosen.employee_id:
            told.append(say.begins.format(chosen.employee_id))
        if chosen.expires_from and chosen.expires_until:
            days = (chosen.expires_from, chosen.expires_until)
            first, last = (in_words(day, language) for day in days)
            told.append(say.expires_between.format(first=first, last=last))
        return told


def thresholds() -> Thresholds:
    """The days before expiry from which this installation counts a worker as due."""
    return routing.container().settings.employers.thresholds


def address(path: str, values: Mapping[str, object]) -> str:
    """A page of an employer's with a query."""
    said = urlencode({name: str(value) for name, value in values.items()})
    return f"{HERE}{path}?{said}" if said else f"{HERE}{path}"


def of_request(reading: ReadContext, employer_id: str) -> Selected:
    """The workers of an employer whom the address of this page asks for."""
    given = sent(request.args, (*_KEPT, "after", "limit"))
    try:
        query = routing.load(WorkforceQuerySchema(), given)
        selection = workforce_api.selection_of(reading, employer_id, query)
    except Invalid:
        query = routing.load(WorkforceQuerySchema(), {})
        selection = workforce_api.selection_of(reading, employer_id, query)
        return Selected(selection, query, {}, is_wrong=True)
    kept = {name: value for name, value in given.items() if name in _KEPT}
    return Selected(selection, query, kept, is_wrong=False)


def unread() -> str:
    """The list for an address that could not be read, where that is said before anything is done.

    A file, a report or a question to everybody would not be what was asked for.
    """
    return address("", request.args.to_dict())


def sent(values: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """What was sent under these names; a field that was left empty was not sent."""
    return {name: values[name] for name in names if values.get(name, "").strip()}
