"""The form of an attempt at a module, for one to record and for one to correct."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

from tracker.domain.credentials.assessments import DELIVERIES, FUNDINGS
from tracker.domain.credentials.funding import MOST_SOURCES, FundingSource
from tracker.domain.schemes.activity_types import translated
from tracker.domain.schemes.schemes import Scheme, Schemes
from tracker.language import catalogues
from tracker.language.voice import month_names
from tracker.services.credentials.assessments import AssessmentRow
from tracker.web.desk import desk_forms
from tracker.web.people.activity_forms import Choices

OPTIONAL = (
    "score",
    "delivery",
    "edition",
    "proctor",
    "instructor",
    "funding",
    "amount",
    "funding_reference",
    "override_reason",
)
"""The fields that may be left empty, beside the center."""
SOURCES = [
    {name: f"{name}_{number}" for name in ("funding", "amount", "funding_reference")}
    for number in range(2, MOST_SOURCES + 1)
]
"""The fields of each source that pays beside the first, by the name that the API gives it."""
_OF_SOURCES = tuple(field for names in SOURCES for field in names.values())
TYPED = ("family_name", "module", "taken_on_year", "taken_on_month", "taken_on_day", "result")


@dataclass(frozen=True, slots=True)
class AttemptWords:
    """One language's words."""

    labels: dict[str, str]
    hints: dict[str, str]
    results: dict[str, str]
    deliveries: dict[str, str]
    fundings: dict[str, str]
    more: str
    more_sources: str
    another: str
    unstated: str


WORDS = {
    lang: AttemptWords(**catalogues.topic(lang, "attempts_form")) for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class AttemptForm:
    """What the form offers: the modules by scheme, and the words of each choice."""

    words: AttemptWords
    modules: Sequence[tuple[str, Choices]]
    results: Choices
    deliveries: Choices
    fundings: Choices
    months: Sequence[str]
    sources: Sequence[Mapping[str, str]]
    labels: Mapping[str, str]


def form(schemes: Schemes, language: str, *, first: Collection[str] = ()) -> AttemptForm:
    """The form in a language; a module's value names its scheme, too. Some schemes come first."""
    say, ordered = WORDS[language], sorted(schemes, key=lambda one: one.code not in first)
    return AttemptForm(
        words=say,
        modules=[(one.full_name(language), _modules(one, language)) for one in ordered],
        results=[(code, say.results[code]) for code in ("pass", "fail")],
        deliveries=[(code, say.deliveries.get(code, code)) for code in DELIVERIES],
        fundings=[(code, say.fundings.get(code, code)) for code in FUNDINGS],
        months=month_names(language),
        sources=SOURCES,
        labels=labels(language),
    )


def _modules(scheme: Scheme, language: str) -> Choices:
    return [(f"{scheme.code}/{one.code}", translated(one.name, language)) for one in scheme.modules]


def sent() -> dict[str, Any]:
    """What the form that was sent says, as the API would be told it; what is empty is left out."""
    more_funding = sent_sources()
    return _sent_texts() | ({"more_funding": more_funding} if more_funding else {})


def sent_sources() -> list[dict[str, str]]:
    """The sources beside the first, each as the API would be told it."""
    typed = [
        {name: request.form.get(field, "").strip() for name, field in names.items()}
        for names in SOURCES
    ]
    return [
        {name: value for name, value in one.items() if value} for one in typed if any(one.values())
    ]


def _sent_texts() -> dict[str, str]:
    scheme, _, module = request.form.get("module", "").partition("/")
    values = {"scheme": scheme, "module": module, "taken_on": desk_forms.day("taken_on") or ""}
    for name in ("result", "center", *OPTIONAL):
        values[name] = request.form.get(name, "").strip()
    return {name: value for name, value in values.items() if value}


def typed() -> dict[str, str]:
    """The form's own fields as they were sent, to show them again."""
    others = ("center", "center_id", "later_cycles", "reason", *OPTIONAL, *_OF_SOURCES)
    return desk_forms.stated(*TYPED, *others)


def stated(row: AssessmentRow) -> Mapping[str, str]:
    """What an attempt says, in the form's own fields."""
    values = {name: getattr(row, name) for name in (*OPTIONAL, "center_id")}
    return {
        "module": f"{row.scheme}/{row.module}",
        "result": "pass" if row.passed else "fail",
        **desk_forms.day_fields("taken_on", row.taken_on),
        **{name: "" if value is None else str(value) for name, value in values.items()},
        **_stated_sources(row.more_funding),
    }


def _stated_sources(more: Sequence[FundingSource]) -> dict[str, str]:
    said: list[Mapping[str, Any]] = [*more]
    pairs = zip(SOURCES, said, strict=False)
    return {field: one[name] or "" for names, one in pairs for name, field in names.items()}


def in_words(more: Sequence[FundingSource], language: str) -> str:
    """The sources beside the first in one line; empty if there are none."""
    named = WORDS[language].fundings
    said = ([named[one["funding"]], one["amount"], one["funding_reference"]] for one in more)
    return "; ".join(" ".join(filter(None, parts)) for parts in said)


def labels(language: str) -> dict[str, str]:
    """The labels of all fields, those of the sources beside the first with their numbers."""
    say = WORDS[language]
    numbered = {
        field: say.another.format(label=say.labels[name], number=number)
        for number, names in enumerate(SOURCES, 2)
        for name, field in names.items()
    }
    inner = {
        f"more_funding.{place}.{name}": numbered[field]
        for place, names in enumerate(SOURCES)
        for name, field in names.items()
    }
    return say.labels | numbered | inner
