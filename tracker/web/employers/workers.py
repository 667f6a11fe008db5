"""One worker: the standing by consent, or why there is none; asking, and the end of employment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.domain.employers.consents import ConsentPurpose, ConsentTerms
from tracker.domain.employers.looks import LookKind
from tracker.domain.employers.workforce import NOT_CERTIFIED
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.domain.points.claims import Evaluation
from tracker.domain.schemes.activity_types import translated
from tracker.domain.schemes.schemes import Scheme
from tracker.language import consents as words_of_consents
from tracker.language.voice import figure, in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.employers import consent_requests, roster, workforce_overview
from tracker.services.employers.consent_requests import AskedWorker
from tracker.services.employers.workforce import Worker
from tracker.services.employers.workforce_overview import WorkerOverview
from tracker.web.employers import asking, selections
from tracker.web.employers.nudges_words import WORDS as NUDGES
from tracker.web.employers.selections import HERE, Selected
from tracker.web.employers.workers_words import WORDS, WorkersWords
from tracker.web.employers.workforce_words import WORDS as LIST_WORDS
from tracker.web.people import forms, visitors
from tracker.web.people.account import moment

pages = Blueprint("worker-pages", __name__)

_ONE = f"{HERE}/workers/<uuid:entry_id>"
_MORE = ConsentTerms(ConsentPurpose.EMPLOYMENT, with_dates=True, with_points=True)
_BAR = 1000


@dataclass(frozen=True, slots=True)
class PointsBand:
    """The points of a worker, as totals: in words, and how far the bar reaches."""

    so_far: str
    rest: str
    length: int


@pages.get(_ONE)
@visitors.for_organization("employer")
def show(actor: Actor, employer_id: str, *, entry_id: UUID) -> Response:
    """A worker, and what can be done."""
    return _show(actor, employer_id, str(entry_id))


@pages.post(f"{_ONE}/ask")
@visitors.for_organization("employer", changes=True)
def ask(actor: Actor, employer_id: str, *, entry_id: UUID) -> Response:
    """Ask the worker for consent."""
    id_ = str(entry_id)

    def act(work: UnitOfWork) -> str:
        results = consent_requests.ask(work, employer_id, [id_], asking.sent())
        return f"{HERE}/workers/{id_}?done={'asked' if results[0].asked else 'not_asked'}"

    return forms.attempted(
        actor,
        act,
        here=f"{HERE}/workers/{id_}",
        refused=lambda refusal: _show(actor, employer_id, id_, refusal),
    )


@pages.get(f"{_ONE}/end")
@visitors.for_organization("employer", changes=True)
def ending(actor: Actor, employer_id: str, *, entry_id: UUID) -> Response:
    """What ends with the employment, before it does."""
    return _ending(actor, employer_id, str(entry_id))


@pages.post(f"{_ONE}/end")
@visitors.for_organization("employer", changes=True)
def end(actor: Actor, employer_id: str, *, entry_id: UUID) -> Response:
    """End the employment today."""
    id_ = str(entry_id)

    def act(work: UnitOfWork) -> str:
        roster.end(work, employer_id, id_)
        return f"{HERE}?done=ended"

    return forms.attempted(
        actor,
        act,
        here=f"{HERE}/workers/{id_}/end",
        refused=lambda refusal: _ending(
            actor, employer_id, id_, forms.words().refusal(refusal.code)
        ),
    )


def _found(actor: Actor, employer_id: str, entry_id: str) -> tuple[WorkerOverview, Selected, str]:
    """The worker on the day asked for, and when that was read; the look is on record first."""
    with routing.container().reading(actor) as reading:
        chosen = selections.of_request(reading, employer_id)
        found = workforce_overview.of_worker(reading, chosen.day, entry_id, _MORE)
        checked = moment(reading.now, routing.language(), chosen.day.scheme.time_zone)
    if found.worker.shared:
        with routing.container().work(actor) as work:
            workforce_overview.note_workers(work, chosen.day, LookKind.WORKER, [found.worker])
    return found, chosen, checked


def _show(
    actor: Actor, employer_id: str, entry_id: str, refusal: Refusal | None = None
) -> Response:
    language = routing.language()
    found, chosen, checked = _found(actor, employer_id, entry_id)
    say, worker, scheme = WORDS[language], found.worker, chosen.selection.scheme
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    errors = {"purpose": say.wrong_purpose} if "purpose" in named else {}
    usual = forms.words().refusal(refusal.code) if refusal else None
    return visitors.page(
        "employers/worker",
        language,
        422 if refusal else 200,
        say=say,
        here=f"{HERE}/workers/{worker.id}",
        back=HERE,
        worker=worker,
        may_change="write" in actor.scopes,
        heading=worker.name or f"{say.employee_id} {worker.employee_id}",
        done=say.done.get(request.args.get("done", "")),
        unread=LIST_WORDS[language].wrong_day if chosen.is_wrong else "",
        nudged=NUDGES[language].state(found.nudge, language) if worker.shared else "",
        nudge=NUDGES[language].many if found.nudge.today.nudged else "",
        nudge_path=selections.address(f"/workers/{worker.id}/nudge", {"scheme": scheme.code}),
        standing=LIST_WORDS[language].statuses[worker.status],
        is_certified=worker.shared and worker.status != NOT_CERTIFIED,
        facts=_facts(worker, language),
        points=_band(worker.points, say) if worker.points else None,
        modules=_modules(worker, scheme, language),
        scheme=scheme.full_name(language),
        checked=say.checked.format(checked),
        shares=_shares(found, say, language),
        why_not=_why_not(worker, say, language),
        listed_by=say.listed_by.format(_listed_by(found, say)),
        cannot_ask=_cannot_ask(found.consent.asked, say, language),
        ticked=asking.ticked(_MORE),
        purpose=request.form.get("purpose", ConsentPurpose.EMPLOYMENT),
        errors=errors,
        wrong=next(iter(errors.values()), usual),
        csrf_token=session_cookies.csrf_token(actor),
    )


def _facts(worker: Worker, language: str) -> list[tuple[str, str]]:
    """The employer's own facts and, by consent, the certificate and its dates."""
    say = WORDS[language]
    window = (worker.window_opens_on, worker.window_closes_on)
    opens, closes = (in_words(day, language) if day else "" for day in window)
    expires = in_words(worker.expires_on, language) if worker.expires_on else ""
    over = worker.days_left is not None and worker.days_left < 0
    told = [
        (say.expired if over else say.expires, _with_left(worker.days_left, expires, language)),
        (say.window, say.window_days.format(first=opens, last=closes) if closes else ""),
        (say.certificate, worker.certificate_number or ""),
        (say.employee_id, worker.employee_id),
        (say.site, worker.site or ""),
        (say.department, worker.department or ""),
        (say.shift, worker.shift or ""),
    ]
    return [(label, value) for label, value in told if value]


def _with_left(days: int | None, expires: str, language: str) -> str:
    if days is None:
        return expires
    return f"{expires} ({LIST_WORDS[language].left_in_words(days)})"


def _band(points: Evaluation, say: WorkersWords) -> PointsBand:
    """Totals alone: an employer sees no activity and no evidence."""
    amounts = {"counted": figure(points.total), "required": figure(points.required)}
    missing = say.points_missing.format(missing=figure(points.missing))
    reached = min(points.total / points.required, Decimal(1)) if points.required else Decimal(1)
    return PointsBand(
        so_far=say.points_so_far.format(**amounts),
        rest=missing if points.missing else say.points_all,
        length=round(_BAR * reached),
    )


def _modules(worker: Worker, scheme: Scheme, language: str) -> list[str]:
    names = {one.code: translated(one.name, language) for one in scheme.modules}
    told: list[str] = []
    for one in worker.modules or ():
        name = names.get(one.module, one.module)
        day: date | None = one.passed_on
        on = {"name": name, "day": in_words(day, language)} if day else None
        told.append(WORDS[language].module_on.format(**on) if on else name)
    return told


def _shares(found: WorkerOverview, say: WorkersWords, language: str) -> str:
    covered = found.consent.covered
    if not covered:
        return say.shares_nothing
    known = words_of_consents.SHORT[language]
    return say.shares.format(", ".join(known[field] for field in known if field in covered))


def _why_not(worker: Worker, say: WorkersWords, language: str) -> Sequence[str]:
    """Why one is not shared, what that means, and what to do."""
    if worker.reason is None:
        return ()
    day = in_words(worker.reason_on, language) if worker.reason_on else ""
    reason = worker.reason
    return (
        say.not_shared[reason].format(day),
        say.what_it_means[reason],
        say.what_to_do[reason],
    )


def _listed_by(found: WorkerOverview, say: WorkersWords) -> str:
    """By which words the employer listed them; the words themselves are in its own list."""
    given = (
        (found.entry.given_number, say.listed_by_number),
        (found.entry.given_email, say.listed_by_email),
    )
    return ", ".join(text for value, text in given if value) or say.listed_by_nothing


def _cannot_ask(asked: AskedWorker, say: WorkersWords, language: str) -> str:
    if asked.asked:
        return ""
    told = {
        "not_matched": say.cannot_ask_not_matched,
        "shared": say.cannot_ask_shared,
        "asked": say.cannot_ask_asked,
        "declined": say.cannot_ask_declined,
    }
    day = in_words(asked.again_on, language) if asked.again_on else ""
    return told[asked.reason or "shared"].format(day)


def _ending(actor: Actor, employer_id: str, entry_id: str, wrong: str | None = None) -> Response:
    language = routing.language()
    found, _, _ = _found(actor, employer_id, entry_id)
    say, worker = WORDS[language], found.worker
    named = f"{worker.name} ({worker.employee_id})" if worker.name else worker.employee_id
    return visitors.page(
        "employers/worker_end",
        language,
        422 if wrong else 200,
        say=say,
        heading=say.end_title.format(named),
        here=f"{HERE}/workers/{worker.id}",
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )
