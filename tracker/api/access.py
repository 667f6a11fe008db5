"""Access: who the caller is, and the tokens with which programs call."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response, request
from marshmallow import Schema, fields, validate

from tracker.api import certifications, doors, holders, paging
from tracker.api.doors import Nouns
from tracker.api.fields import Amount, Closed, Day, Moment, Words, choice
from tracker.api.idempotency import ShownOnce
from tracker.api.schemas import page_of
from tracker.domain import wording
from tracker.domain.next_steps import ACTIONS
from tracker.domain.permissions import ROLES, SCOPES
from tracker.services import access
from tracker.services.access import Mine
from tracker.services.work import Reading, Work

nouns = Nouns("access", __name__, description=__doc__)


class NextAction(Schema):
    """What to do next about a certification: the word, its day, and the same in a sentence."""

    action = choice(*ACTIONS, required=True)
    on = Day(required=True, allow_none=True)
    time_zone = fields.String(
        required=True, metadata={"description": "Its days begin and end at midnight there."}
    )
    points_missing = Amount(
        required=True, allow_none=True,
        metadata={"description": "To be logged still, beside what waits for a decision."},
    )  # fmt: skip
    points_waiting = Amount(
        required=True, metadata={"description": "Submitted, and not decided on yet."}
    )
    questions = fields.Integer(
        required=True,
        metadata={"description": "Activities about which a reviewer waits for your answer."},
    )
    sentence = fields.String(required=True)


class MyCertification(certifications.Certification):
    """A certification of one's own with its standing today."""

    next = fields.Nested(NextAction, required=True)


class MyEmployer(Schema):
    """The employer that the caller acts for."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)


class Mail(Schema):
    """Whether letters reach a holder, and what is amiss with which address since when."""

    deliverable = fields.Boolean(required=True)
    problem = choice("none", "bounced", "complained", required=True)
    address = fields.String(required=True, allow_none=True)
    since = fields.AwareDateTime(required=True, allow_none=True)


class Me(Schema):
    """The caller, and what is theirs."""

    role = choice(*ROLES, required=True)
    name = fields.String(required=True)
    scopes = fields.List(choice(*SCOPES), required=True)
    holder = fields.Nested(holders.Holder, required=True, allow_none=True)
    employer = fields.Nested(MyEmployer, required=True, allow_none=True)
    mail = fields.Nested(
        Mail, required=True, allow_none=True,
        metadata={"description": "For a holder, who must know of letters that came back."},
    )  # fmt: skip
    certifications = fields.List(fields.Nested(MyCertification), required=True)


class NewToken(Closed):
    """What a new token may do. Only an admin may give a role, name or subject not their own."""

    name = Words(100, metadata={"description": "Stands in the history beside what it does."})
    role = choice(*ROLES, metadata={"description": "Your own if not given."})
    scopes = fields.List(
        choice(*SCOPES), validate=validate.Length(1, 2),
        metadata={"description": "All of your own if not given."},
    )  # fmt: skip
    holder_id = fields.UUID(allow_none=True)
    employer_id = fields.UUID(allow_none=True)
    expires_at = Moment(
        allow_none=True,
        metadata={"description": "A year from now if not given; null (never): admin only."},
    )


class Token(Schema):
    """A token, without its secret."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    role = choice(*ROLES, required=True)
    scopes = fields.List(choice(*SCOPES), required=True)
    holder_id = fields.UUID(required=True, allow_none=True)
    employer_id = fields.UUID(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True, allow_none=True)
    last_used_at = fields.AwareDateTime(required=True, allow_none=True)
    revoked_at = fields.AwareDateTime(required=True, allow_none=True)


class MadeToken(Token):
    """A new token with its secret, which is shown this once."""

    secret = fields.String(
        required=True, allow_none=True,
        metadata={"description": "Null when the request is repeated with its Idempotency-Key."},
    )  # fmt: skip


def _language(account: str) -> str:
    """The language asked for by Accept-Language; where none is, that of the account."""
    if not request.accept_languages:
        return account
    return request.accept_languages.best_match(wording.LANGUAGES) or "en"


@nouns.reads("GET /me", "holder", "employer", "staff", returns=Me)
def me(reading: Reading) -> Response:
    """Who the caller is; for a holder, their certifications today and what to do next."""
    found = access.myself(reading)
    employer, holder = found.employer, found.holder
    language = _language(holder.language if holder else "en")
    response = doors.answer(
        {
            "role": found.actor.role,
            "name": found.actor.name,
            "scopes": sorted(found.actor.scopes),
            "holder": holders.present(holder) if holder else None,
            "employer": {"id": employer.id, "name": employer.name} if employer else None,
            "mail": asdict(found.mail) if found.mail else None,
            "certifications": [_present(reading, one, language) for one in found.certifications],
        }
    )
    response.vary.add("Accept-Language")
    return response


def _present(reading: Reading, mine: Mine, language: str) -> dict[str, Any]:
    issuer, step = reading.schemes[mine.held.scheme].issuer, mine.next
    return {
        **certifications.present(mine.held),
        "next": {
            "action": step.action, "on": step.on, "time_zone": mine.zone,
            "points_missing": step.missing, "points_waiting": step.waiting,
            "questions": step.questions,
            "sentence": step.sentence(language, issuer, mine.zone),
        },
    }  # fmt: skip


def _present_token(row: Any) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public accessor


@nouns.reads(
    "GET /tokens", "holder", "employer", "staff", query=paging.Page, returns=page_of(Token)
)
def tokens(reading: Reading, query: dict[str, Any]) -> Response:
    """One's own tokens; an admin sees all."""
    rows = access.page(reading, after=query.get("after"), limit=query["limit"] + 1)
    return paging.answer(rows, query, _present_token)


@nouns.writes(
    "POST /tokens",
    "holder",
    "employer",
    "staff",
    body=NewToken,
    returns=MadeToken,
    status=201,
    errors=(409,),
)
def make(work: Work, body: dict[str, Any]) -> Response:
    """Make a token; its secret is in this answer and nowhere else.

    The secret is not remembered with the Idempotency-Key: a repeated request gets the same token
    with ``secret`` null. Whoever never saw the first answer ends that token and makes another.
    """
    subjects = {k: str(v) for k, v in body.items() if k.endswith("_id") and v is not None}
    token_id, secret = access.make_token(work, {**body, **subjects})
    shown = _present_token(access.token(work, token_id))
    answer = ShownOnce(doors.dump({**shown, "secret": secret}), status=201, mimetype=doors.JSON)
    answer.kept = doors.dump({**shown, "secret": None})
    answer.headers["Location"] = f"/api/v1/tokens/{token_id}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@nouns.reads(
    "GET /tokens/<uuid:token_id>", "holder", "employer", "staff", returns=Token, errors=(404,)
)
def show(reading: Reading, *, token_id: str) -> Response:
    """One token, without its secret."""
    return doors.answer(_present_token(access.token(reading, token_id)))


@nouns.writes(
    "DELETE /tokens/<uuid:token_id>",
    "holder",
    "employer",
    "staff",
    returns=None,
    status=204,
    errors=(404,),
)
def end(work: Work, *, token_id: str) -> Response:
    """End a token at once."""
    access.end_token(work, token_id)
    return doors.done()
