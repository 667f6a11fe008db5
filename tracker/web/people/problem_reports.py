"""The problems that visitors reported, for staff."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response

from tracker.api.http import routing, session_cookies
from tracker.domain.permissions import Actor
from tracker.services.overview import problem_reports
from tracker.web.people import forms, lists, visitors
from tracker.web.people.account import moment
from tracker.web.problems import WORDS

pages = Blueprint("problem-report-pages", __name__)

HERE = "/account/problems"
_PAGE = 50


@pages.get(HERE)
@visitors.for_staff
def home(actor: Actor) -> Response:
    """The open reports, oldest first."""
    return _home(actor)


@pages.post(f"{HERE}/<uuid:report_id>/close")
@visitors.for_staff
def close(actor: Actor, *, report_id: UUID) -> Response:
    """Close one that was looked at."""
    return forms.carried_out(
        actor,
        lambda work: problem_reports.close(work, str(report_id)),
        here=HERE,
        refused=lambda wrong: _home(actor, wrong),
    )


def _home(actor: Actor, wrong: str | None = None) -> Response:
    language, after = routing.language(), lists.place()
    with routing.container().reading(actor) as reading:
        rows = problem_reports.page(reading, after=after, limit=_PAGE + 1)
    shown = rows[:_PAGE]
    return visitors.page(
        "problem_reports",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        here=HERE,
        wrong=wrong,
        reports=[(one, moment(one.recorded_at, language, ZoneInfo("UTC"))) for one in shown],
        older=f"{HERE}?after={shown[-1].id}" if len(rows) > _PAGE else "",
        csrf_token=session_cookies.csrf_token(actor),
    )
