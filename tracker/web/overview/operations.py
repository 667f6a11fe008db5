"""The state of the installation, and the switch that stops all messages; for administrators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.services.core.context import UnitOfWork
from tracker.services.core.job_runs import LastRun
from tracker.services.delivery import send_safety
from tracker.services.overview import operations
from tracker.services.overview.operations import Operations
from tracker.web.overview.operations_words import WORDS
from tracker.web.people import forms, visitors
from tracker.web.people.account import moment

pages = Blueprint("operation-pages", __name__)

HERE = "/ops"


@pages.get(HERE)
@visitors.for_administrators
def home(actor: Actor) -> Response:
    """The state now."""
    return _home(actor)


@pages.post(f"{HERE}/enable")
@visitors.for_administrators
def enable(actor: Actor) -> Response:
    """Allow sending, whatever stopped it."""
    return _switched(actor, send_safety.enable)


@pages.post(f"{HERE}/disable")
@visitors.for_administrators
def disable(actor: Actor) -> Response:
    """Stop all messages at once."""
    return _switched(actor, send_safety.disable)


def _switched(actor: Actor, change: Callable[..., None]) -> Response:
    def act(work: UnitOfWork) -> str:
        change(work, reason=forms.reason())
        return HERE

    return forms.attempted(actor, act, here=HERE, refused=lambda refusal: _home(actor, refusal))


def _home(actor: Actor, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        found, now = operations.look(reading), reading.now
    count = found.problems
    told = say.problems_one if count == 1 else say.problems_other.format(count)
    errors = {"reason": say.no_reason} if isinstance(refusal, Invalid) else {}
    usual = forms.words().refusal(refusal.code) if refusal else None
    return visitors.page(
        "overview/operations",
        language,
        422 if refusal else 200,
        say=say,
        here=HERE,
        found=found,
        told=told if count else say.fine,
        checked=say.checked.format(_moment(now, language)),
        heartbeat=_moment(found.heartbeat, language) if found.heartbeat else say.never,
        late=_late(found, language),
        jobs=[_job(one, now, language) for one in found.runs],
        runs=[
            (name, _moment(one.at, language), one.count)
            for name, one in sorted(found.tallies.items())
        ],
        errors=errors,
        wrong=next(iter(errors.values()), usual),
        typed=request.form.get("reason", ""),
        csrf_token=session_cookies.csrf_token(actor),
    )


@dataclass(frozen=True, slots=True)
class JobShown:
    """The last run of a job in words; ``wrong`` if it failed, ``late`` if the next is overdue."""

    name: str
    ended: str
    took: str
    outcome: str
    wrong: bool
    next: str
    late: bool


def _job(run: LastRun, now: datetime, language: str) -> JobShown:
    say = WORDS[language]
    return JobShown(
        name=run.name,
        ended=_moment(run.ended_at, language),
        took=say.seconds.format(f"{run.took_ms / 1000:,.1f}"),
        outcome=say.failed.format(run.error) if run.error else say.done,
        wrong=run.error is not None,
        next=_moment(run.next_at, language),
        late=run.is_late(now),
    )


def _late(found: Operations, language: str) -> list[str]:
    """Since when the oldest message of each group is overdue."""
    say = WORDS[language]
    return [
        say.oldest_of.format(group=say.groups[group], at=_moment(since, language))
        for group, since in found.waiting_since.items()
    ]


def _moment(instant: datetime, language: str) -> str:
    return moment(instant, language, ZoneInfo("UTC"))
