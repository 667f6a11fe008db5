"""Nudging workers who share, one or those whom a filter finds: read as they will, then sent."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from tracker.api.http import routing, session_cookies
from tracker.domain.employers.looks import LookKind
from tracker.domain.errors import NotFound, Refusal
from tracker.domain.permissions import Actor
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.delivery import nudge_previews
from tracker.services.employers import looks, nudges, workforce, workforce_overview
from tracker.services.employers.nudges import NudgePreview
from tracker.web.employers import selections
from tracker.web.employers.nudges_words import WORDS, NudgesWords
from tracker.web.employers.selections import HERE, Selected
from tracker.web.employers.workforce_words import WORDS as LIST_WORDS
from tracker.web.people import forms, visitors

pages = Blueprint("nudge-pages", __name__)

_MANY = f"{HERE}/nudges"
_ONE = f"{HERE}/workers/<uuid:entry_id>/nudge"


@pages.get(_MANY)
@visitors.for_organization("employer", changes=True)
def home(actor: Actor, employer_id: str) -> Response:
    """Whom the filter finds, how many of them may be nudged, and what they will read."""
    return _home(actor, employer_id)


@pages.post(_MANY)
@visitors.for_organization("employer", changes=True)
def nudge_many(actor: Actor, employer_id: str) -> Response:
    """Nudge them."""

    def act(work: UnitOfWork) -> str:
        chosen = selections.of_request(work, employer_id)
        if chosen.is_wrong:
            return selections.unread()
        count = nudges.nudge_all(work, chosen.selection)
        return chosen.address(done=f"nudged-{count}")

    return forms.attempted(
        actor, act, here=_MANY, refused=lambda refusal: _home(actor, employer_id, refusal)
    )


@pages.get(_ONE)
@visitors.for_organization("employer", changes=True)
def of_worker(actor: Actor, employer_id: str, *, entry_id: UUID) -> Response:
    """What one worker will read."""
    return _of_worker(actor, employer_id, str(entry_id))


@pages.post(_ONE)
@visitors.for_organization("employer", changes=True)
def nudge_one(actor: Actor, employer_id: str, *, entry_id: UUID) -> Response:
    """Nudge one worker."""
    id_ = str(entry_id)

    def act(work: UnitOfWork) -> str:
        scheme = _chosen(work, employer_id).selection.scheme.code
        (result,) = nudges.nudge(work, employer_id, [id_], scheme)
        done = "nudged" if result.nudged else "not_nudged"
        return selections.address(f"/workers/{id_}", {"done": done, "scheme": scheme})

    return forms.attempted(
        actor,
        act,
        here=f"{HERE}/workers/{id_}/nudge",
        refused=lambda refusal: _of_worker(actor, employer_id, id_, refusal),
    )


def _home(actor: Actor, employer_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        chosen = selections.of_request(reading, employer_id)
        if chosen.is_wrong:
            return visitors.go(selections.unread())
        found = nudges.preview(reading, chosen.selection)
        texts = nudge_previews.texts(reading, employer_id, chosen.selection.scheme.code)
    with routing.container().work(actor) as work:
        looks.record_numbers(work, chosen.selection)
    say = WORDS[language]
    return visitors.page(
        "employers/nudges",
        language,
        422 if refusal else 200,
        say=say,
        title=say.many,
        over=LIST_WORDS[language].title,
        action=chosen.address("/nudges"),
        back=chosen.address(),
        lines=[_filter(chosen, say, language), *_counts(found, say)],
        button=_button(found.nudged, say),
        texts=texts,
        wrong=forms.words().refusal(refusal.code) if refusal else None,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _of_worker(
    actor: Actor, employer_id: str, entry_id: str, refusal: Refusal | None = None
) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        chosen = _chosen(reading, employer_id)
        found = nudges.state(reading, chosen.selection, entry_id)
        worker = workforce.listed(reading, chosen.day, entry_id)
        texts = nudge_previews.texts(reading, employer_id, chosen.selection.scheme.code)
    with routing.container().work(actor) as work:
        workforce_overview.note_workers(work, chosen.day, LookKind.WORKER, [worker])
    say, here = WORDS[language], f"/workers/{entry_id}"
    scheme = {"scheme": chosen.selection.scheme.code}
    return visitors.page(
        "employers/nudges",
        language,
        422 if refusal else 200,
        say=say,
        title=say.one.format(worker.name or worker.employee_id),
        over=worker.name or worker.employee_id,
        action=selections.address(f"{here}/nudge", scheme),
        back=selections.address(here, scheme),
        lines=[say.state(found, language)],
        button=say.button_one if found.today.nudged else "",
        texts=texts,
        wrong=forms.words().refusal(refusal.code) if refusal else None,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _chosen(reading: ReadContext, employer_id: str) -> Selected:
    """The certification that the address names. Raises NotFound if it cannot be read."""
    chosen = selections.of_request(reading, employer_id)
    if chosen.is_wrong:
        raise NotFound
    return chosen


def _filter(chosen: Selected, say: NudgesWords, language: str) -> str:
    told = chosen.in_words(language) or [LIST_WORDS[language].everyone]
    return say.chosen.format("; ".join(told))


def _counts(found: NudgePreview, say: NudgesWords) -> list[str]:
    """How many may be nudged, and how many not, by the reason."""
    others = [say.others[reason].format(f"{n:,}") for reason, n in sorted(found.others.items())]
    most = [say.most.format(f"{nudges.MOST:,}")] if found.is_cut else []
    return [say.can_be.format(f"{found.nudged:,}"), *others, *most]


def _button(count: int, say: NudgesWords) -> str:
    if not count:
        return ""
    return say.button_one if count == 1 else say.button_other.format(f"{count:,}")
