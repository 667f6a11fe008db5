"""The form of an attempt at a module, for one to record and for one to correct."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from flask import request

from tracker.domain.credentials.assessments import DELIVERIES, FUNDINGS
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
    )


def _modules(scheme: Scheme, language: str) -> Choices:
    return [(f"{scheme.code}/{one.code}", translated(one.name, language)) for one in scheme.modules]


def sent() -> dict[str, str]:
    """What the form that was sent says, as the API would be told it; what is empty is left out."""
    scheme, _, module = request.form.get("module", "").partition("/")
    values = {"scheme": scheme, "module": module, "taken_on": desk_forms.day("taken_on") or ""}
    for name in ("result", "center", *OPTIONAL):
        values[name] = request.form.get(name, "").strip()
    return {name: value for name, value in values.items() if value}


def typed() -> dict[str, str]:
    """The form's own fields as they were sent, to show them again."""
    return desk_forms.stated(*TYPED, "center", "center_id", "later_cycles", "reason", *OPTIONAL)


def stated(row: AssessmentRow) -> Mapping[str, str]:
    """What an attempt says, in the form's own fields."""
    values = {name: getattr(row, name) for name in (*OPTIONAL, "center_id")}
    return {
        "module": f"{row.scheme}/{row.module}",
        "result": "pass" if row.passed else "fail",
        **desk_forms.day_fields("taken_on", row.taken_on),
        **{name: "" if value is None else str(value) for name, value in values.items()},
    }
