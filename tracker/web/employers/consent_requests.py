"""Asking many workers for consent: those whom a filter finds, counted before anybody is asked."""

from __future__ import annotations

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.domain.employers.consents import ConsentPurpose, ConsentTerms
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.services.core.context import UnitOfWork
from tracker.services.employers import looks, workforce_asks
from tracker.services.employers.workforce_asks import AskPreview
from tracker.web.employers import asking, selections
from tracker.web.employers.selections import HERE, Selected
from tracker.web.employers.workers_words import WORDS, WorkersWords
from tracker.web.employers.workforce_words import WORDS as LIST_WORDS
from tracker.web.people import forms, visitors

pages = Blueprint("consent-request-pages", __name__)

_PATH = f"{HERE}/consents"
_USUAL = ConsentTerms(ConsentPurpose.EMPLOYMENT, with_dates=True, with_points=True)


@pages.get(_PATH)
@visitors.for_organization("employer", changes=True)
def home(actor: Actor, employer_id: str) -> Response:
    """Whom the filter finds, how many of them may be asked, and the form."""
    return _home(actor, employer_id)


@pages.post(_PATH)
@visitors.for_organization("employer", changes=True)
def ask(actor: Actor, employer_id: str) -> Response:
    """Ask them, or only count again what the form says."""
    if "count" in request.form:
        return _home(actor, employer_id)

    def act(work: UnitOfWork) -> str:
        chosen = selections.of_request(work, employer_id)
        if chosen.is_wrong:
            return selections.unread()
        count = workforce_asks.ask(work, chosen.selection, asking.sent())
        return chosen.address(done=f"asked-{count}")

    return forms.attempted(
        actor, act, here=_PATH, refused=lambda refusal: _home(actor, employer_id, refusal)
    )


def _home(actor: Actor, employer_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say, terms = WORDS[language], _terms()
    with routing.container().reading(actor) as reading:
        chosen = selections.of_request(reading, employer_id)
        if chosen.is_wrong:
            return visitors.go(selections.unread())
        found = workforce_asks.preview(reading, chosen.selection, terms)
    with routing.container().work(actor) as work:
        looks.record_numbers(work, chosen.selection)
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    errors = {"purpose": say.wrong_purpose} if "purpose" in named else {}
    usual = forms.words().refusal(refusal.code) if refusal else None
    return visitors.page(
        "employers/consent_requests",
        language,
        422 if refusal else 200,
        say=say,
        action=chosen.address("/consents"),
        back=chosen.address(),
        filter=_filter(chosen, say, language),
        found=_counts(found, say),
        most=say.many_most.format(f"{workforce_asks.MOST:,}") if found.is_cut else "",
        button=_button(found.asked, say),
        ticked=frozenset(terms.fields),
        purpose=terms.purpose,
        errors=errors,
        wrong=next(iter(errors.values()), usual),
        csrf_token=session_cookies.csrf_token(actor),
    )


def _terms() -> ConsentTerms:
    """What the form says, as far as it can be read."""
    if request.method != "POST":
        return _USUAL
    try:
        return asking.sent()
    except Invalid:
        return _USUAL


def _filter(chosen: Selected, say: WorkersWords, language: str) -> str:
    told = chosen.in_words(language) or [LIST_WORDS[language].everyone]
    return say.many_filter.format("; ".join(told))


def _counts(found: AskPreview, say: WorkersWords) -> list[str]:
    """How many may be asked, and how many not, by the reason."""
    words = {
        "shared": say.many_shared,
        "asked": say.many_asked,
        "declined": say.many_declined,
        "not_matched": say.many_not_matched,
    }
    others = [words[reason].format(f"{n:,}") for reason, n in sorted(found.others.items())]
    return [say.many_ask.format(f"{found.asked:,}"), *others]


def _button(count: int, say: WorkersWords) -> str:
    if not count:
        return ""
    return (say.many_button_one if count == 1 else say.many_button_other).format(f"{count:,}")
