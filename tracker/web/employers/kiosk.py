"""The kiosk: somebody scans or types a number, and a screen on the floor says yes or no.

The number is sent in the form and stands in no address. Who may only view may use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.employers import clearances as clearances_api
from tracker.api.employers.clearances import ClearanceQuestionSchema
from tracker.api.http import limits, routing, session_cookies
from tracker.domain.employers.looks import LookKind
from tracker.domain.employers.requirements import ClearanceState
from tracker.domain.errors import Invalid, TooOften
from tracker.domain.permissions import Actor
from tracker.language import clearances as words
from tracker.services.core.context import ReadContext
from tracker.services.employers import clearances, requirements
from tracker.services.employers.clearances import ClearedWorker
from tracker.web.employers import workforce_words
from tracker.web.employers.requirements_words import WORDS, RequirementsWords
from tracker.web.employers.workforce_words import WORDS as LIST_WORDS
from tracker.web.people import visitors

pages = Blueprint("kiosk-pages", __name__)

HERE = "/employer/kiosk"
_MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class KioskAnswer:
    """A big yes or no, and the sentence that says until when or why not."""

    is_yes: bool
    big: str
    who: str
    sentence: str


@pages.get(HERE)
@visitors.for_organization("employer")
def home(actor: Actor, employer_id: str) -> Response:
    """The jobs to choose from, and the field for a number."""
    return _page(actor, employer_id)


@pages.post(HERE)
@visitors.for_organization("employer")
def check(actor: Actor, employer_id: str) -> Response:
    """The answer, and the field for the next number."""
    try:
        limits.checked_at_kiosk(actor)
        question = {
            "requirement_id": request.form.get("requirement", ""),
            "people": [request.form.get("who", "")],
        }
        asked = routing.load(ClearanceQuestionSchema(), question)
    except TooOften as refusal:
        return visitors.too_often(refusal)
    except Invalid:
        return _page(actor, employer_id, is_empty=True)
    with routing.container().reading(actor) as reading:
        job = str(asked["requirement_id"])
        found = clearances.check(reading, employer_id, job, asked["people"])
        clearances_api.note(reading, found, LookKind.CLEARANCE)
        answer = _answer(reading, found.workers[0])
    return _page(actor, employer_id, answer=answer)


def _page(
    actor: Actor, employer_id: str, *, answer: KioskAnswer | None = None, is_empty: bool = False
) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        jobs = requirements.page(reading, employer_id)
    chosen = _chosen()
    return visitors.page(
        "employers/kiosk",
        language,
        422 if is_empty else 200,
        say=say,
        frame_words=LIST_WORDS[language],
        parts=workforce_words.parts(actor, language),
        here=HERE,
        jobs=[(job.id, job.name) for job in jobs],
        chosen=chosen if any(job.id == chosen for job in jobs) else "",
        answer=answer,
        wrong=say.kiosk_empty if is_empty else "",
        csrf_token=session_cookies.csrf_token(actor),
    )


def _chosen() -> str:
    """The job that the form or the address says; empty if it says none."""
    said = request.values.get("requirement", "")
    try:
        return str(UUID(said))
    except ValueError:
        return ""


def _answer(reading: ReadContext, worker: ClearedWorker) -> KioskAnswer:
    language = routing.language()
    say: RequirementsWords = WORDS[language]
    found = worker.clearance
    big = {ClearanceState.CLEARED: say.yes, ClearanceState.NOT_CLEARED: say.no}
    return KioskAnswer(
        is_yes=found.state == ClearanceState.CLEARED,
        big=big.get(found.state, say.unsure),
        who=worker.name or worker.employee_id or worker.said[:_MOST_SHOWN],
        sentence=words.answer(
            found, language, schemes=reading.schemes, catalog=reading.credentials
        ),
    )
