"""What the forms of reviewers say: the filter in the address, and the answer to an activity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request
from marshmallow import ValidationError, fields
from werkzeug.datastructures import MultiDict

from tracker.api.desk.review_queue import QueueQuerySchema
from tracker.api.http import routing
from tracker.api.points.activities import VerdictSchema
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.schemes.reasons import Act
from tracker.services.core.context import ReadContext
from tracker.services.desk.queue_order import QueueFilter, QueuePlace
from tracker.services.points.activity_decisions import ReviewerDecision
from tracker.web.desk.reviews_words import WORDS
from tracker.web.people import forms

FILTERS = (
    *("scheme", "category", "type", "state", "flag", "overdue", "employer_id"),
    *("submitted_before", "expires_before"),
)
_ANSWER = ("verdict", "points_limit", "reason_code", "reason")
LIMIT = 25


@dataclass(frozen=True, slots=True)
class QueueQuery:
    """What the address asks for; ``errors``: what of it could not be understood, by its name."""

    selection: QueueFilter
    after: QueuePlace | None
    limit: int
    asked: dict[str, str]
    errors: dict[str, str]

    @property
    def text(self) -> str:
        """The filter as the query of an address, with the question mark; empty without one."""
        return f"?{urlencode(self.asked)}" if self.asked else ""


@dataclass(frozen=True, slots=True)
class ReasonShown:
    """A reason to choose: its text in the reader's language and in the holder's."""

    code: str
    text: str
    told: str


def query() -> QueueQuery:
    """The filter in the address, as the API loads it; everything if it can't be understood."""
    asked = {name: request.args[name] for name in FILTERS if request.args.get(name, "").strip()}
    paged = {k: request.args[k] for k in ("after",) if request.args.get(k)}
    try:
        found: dict[str, Any] = routing.load(QueueQuerySchema(), MultiDict(asked | paged))
    except Invalid as refusal:
        say = WORDS[routing.language()]
        errors = {name: say.wrong.get(name, say.wrong["filter"]) for name in refusal.fields}
        return QueueQuery(QueueFilter(), None, LIMIT, {}, errors)
    after, _ = found.pop("after", None), found.pop("limit")
    if "employer_id" in found:
        found["employer_id"] = str(found["employer_id"])
    return QueueQuery(QueueFilter(**found), after, LIMIT, asked, {})


def just() -> str | None:
    """The activity that the address says was decided just before; None for anything else."""
    try:
        return str(fields.UUID().deserialize(request.args.get("just", "")))
    except ValidationError:
        return None


def answer() -> ReviewerDecision:
    """The answer that the form says, checked as the API checks it. Raises Invalid."""
    said: dict[str, object] = dict(forms.sent(*_ANSWER))
    if "provider_approved" in request.form:
        said["provider_approved"] = True
    return ReviewerDecision(**routing.load(VerdictSchema(), said))


def errors_of(refusal: Refusal | None, language: str) -> tuple[dict[str, str], str | None]:
    """What is wrong with each field, and with all in one sentence; nothing without a refusal."""
    if refusal is None:
        return {}, None
    say = WORDS[language]
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    errors = {name: say.wrong[name] for name in named if name in say.wrong}
    return errors, next(iter(errors.values()), say.refusal(refusal))


def reasons(reading: ReadContext, act: Act, language: str, told_in: str) -> list[ReasonShown]:
    """The reasons for an act, those that are meant for it itself first."""
    found = reading.reasons.for_act(act)
    ordered = sorted(found, key=lambda one: act not in one.acts)
    return [
        ReasonShown(one.code, one.text.get(language, one.text["en"]), one.text.get(told_in, ""))
        for one in ordered
    ]
