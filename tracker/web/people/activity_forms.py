"""The form of an activity: which fields its type has, and what it says as the API is told it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import request

from tracker.domain.schemes.activity_types import ActivityType, as_noun, translated
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.language import policy_activities
from tracker.language.voice import Voice, figure, month_names
from tracker.services.points.activity_rows import ActivityRow

_WORDS = ("title", "provider", "quantity", "unit", "role")
_DAYS = ("starts_on", "completed_on")
_PARTS = ("year", "month", "day")
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ActivityForm:
    """The fields of a type's form: ``quantity`` is its unit, empty if none is asked for.

    ``units``, ``roles`` and ``tags`` are codes and names to choose from. ``first_day`` says whether
    the first day is asked for, ``is_job`` whether the last one may be open.
    """

    kind: str
    rules: Sequence[str]
    quantity: str
    units: Choices
    roles: Choices
    tags: Choices
    months: Sequence[str]
    first_day: bool
    is_job: bool
    duty: bool


def form(scheme: Scheme, policy: Policy, kind: ActivityType, language: str) -> ActivityForm:
    """The form for a type in a language."""
    voice = Voice(policy, language)
    asks = not kind.is_job and (kind.basis == "quantity" or kind.threshold is not None)
    units = {code: policy.units[code].name for code in kind.units if code in policy.units}
    return ActivityForm(
        kind=voice.text(kind.name),
        rules=list(policy_activities.of_type(scheme, policy, kind, language)),
        quantity=voice.unit(kind).many if asks and kind.unit else "",
        units=[(code, as_noun(translated(name, language)).many) for code, name in units.items()]
        if asks and len(units) > 1
        else [],
        roles=[(code, voice.text(policy.roles[code])) for code in kind.roles],
        tags=[
            (code, voice.text(policy.tags[code].name))
            for code in policy.tags
            if code not in kind.tags
        ],
        months=month_names(language),
        first_day=kind.is_job or kind.date_basis in {"start", "whole"},
        is_job=kind.is_job,
        duty=kind.outside_duties,
    )


def values(kind: ActivityType) -> dict[str, object]:
    """What the form that was sent says of an activity of a type, as the API would be told it."""
    found: dict[str, object] = {name: request.form.get(name, "").strip() or None for name in _WORDS}
    if found["title"] is None:
        del found["title"]
    days = {name: sent_day(name) for name in _DAYS}
    choices = {"tags": request.form.getlist("tags"), "duty": "duty" in request.form}
    return found | days | choices | {"category": kind.category, "type": kind.code}


def sent_day(name: str) -> str | None:
    """The day of three fields as YYYY-MM-DD, whether it exists or not; None if all are empty."""
    parts = [request.form.get(f"{name}_{part}", "").strip() for part in _PARTS]
    if not any(parts):
        return None
    return "-".join([parts[0], *(part.zfill(2) for part in parts[1:])])


def as_sent() -> dict[str, object]:
    """The form's own fields as they were sent, to show them again."""
    return {**request.form.to_dict(), "tags": request.form.getlist("tags")}


def stated(row: ActivityRow) -> dict[str, object]:
    """What an activity says, in the form's own fields."""
    found: dict[str, object] = {
        **{name: getattr(row, name) or "" for name in ("title", "provider", "unit", "role")},
        "quantity": figure(row.quantity).replace(",", "") if row.quantity is not None else "",
        "tags": row.tags,
        "duty": row.duty,
    }
    for name in _DAYS:
        day: date | None = getattr(row, name)
        if day is not None:
            found |= {f"{name}_{part}": str(getattr(day, part)) for part in _PARTS}
    return found


def copied(row: ActivityRow) -> dict[str, object]:
    """The same without its days, for another activity like it."""
    days = {f"{name}_{part}" for name in _DAYS for part in _PARTS}
    return {name: value for name, value in stated(row).items() if name not in days}
