"""A line of history in words: who did what, to which record, and each value before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tracker.domain.permissions import ROLES
from tracker.services.overview.history_pages import HistoryLine
from tracker.web.desk import desk_forms, record_words
from tracker.web.desk.record_words import RecordWords

_TECHNICAL = ("_id", "sha256", "run", "merge")
"""The ends of names of details that say nothing to people; the API has them."""


_PAGES = {
    "holder": "/desk/people",
    "assessment": "/desk/assessments",
    "activity": "/desk/activities",
    "center": "/desk/centers",
}
"""Where the records with a page of their own are, by the subject of an entry."""


@dataclass(frozen=True, slots=True)
class ValueShown:
    """A value before and after; empty where there was or is none."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class HistoryShown:
    """A line of history; ``href`` is the page of the record, ``details`` are other facts."""

    id: int
    at: str
    actor: str
    did: str
    href: str
    changes: Sequence[ValueShown]
    details: Mapping[str, str]


def shown(line: HistoryLine, language: str) -> HistoryShown:
    """A line in a language; a code that has no words is shown as it is."""
    codes = record_words.WORDS[language]
    return HistoryShown(
        id=line.id,
        at=desk_forms.moment(line.at, language),
        actor=_actor(line, codes),
        did=f"{codes.said('subjects', line.subject)}: {codes.said('actions', line.action)}",
        href=f"{_PAGES[line.subject]}/{line.subject_id}" if line.subject in _PAGES else "",
        changes=[
            ValueShown(
                codes.said("fields", one.field),
                _text(one.before, language),
                _text(one.after, language),
            )
            for one in line.changes
        ],
        details={
            codes.said("fields", name): _text(value, language)
            for name, value in line.detail.items()
            if value is not None and not name.endswith(_TECHNICAL)
        },
    )


def _actor(line: HistoryLine, codes: RecordWords) -> str:
    role = codes.said("roles", line.actor_role) if line.actor_role else ""
    name = codes.said("roles", line.actor) if line.actor in {"system", *ROLES} else line.actor
    return f"{name} ({role})" if role and role != name else name


def _text(value: object, language: str) -> str:
    say = desk_forms.WORDS[language]
    if value is None:
        return ""
    if isinstance(value, bool):
        return say.yes if value else say.no
    if isinstance(value, list):
        return ", ".join(_text(one, language) for one in value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_text(one, language)}" for name, one in value.items())
    return str(value)
