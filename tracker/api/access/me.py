"""Access: who the caller is, and the tokens with which programs call."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response, request
from marshmallow import Schema, fields, validate

from tracker.api.credentials import certifications, module_certificates, pathways
from tracker.api.http import organizations, paging, routing, session_cookies
from tracker.api.http.fields import (
    AmountField,
    ClosedSchema,
    DayField,
    MomentField,
    WordsField,
    choice,
)
from tracker.api.http.idempotency import ShownOnce
from tracker.api.http.organizations import OrganizationFilterSchema, OrganizationIdsSchema
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.api.people import holders
from tracker.api.points.evaluation_schemas import SafeDaySchema
from tracker.domain.credentials.next_steps import ACTIONS
from tracker.domain.permissions import ORGANIZATIONS, ROLES, SCOPES
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.language import next_steps
from tracker.language.catalogues import LANGUAGES
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.core.tokens import TokenRow
from tracker.services.overview import me as access
from tracker.services.overview.me import Mine
from tracker.services.points import evaluations

resource = Resource("access", __name__, description=__doc__)


class NextActionSchema(Schema):
    """What to do next about a certification: the action, its day, and a sentence that says both."""

    action = choice(*ACTIONS, required=True)
    on = DayField(required=True, allow_none=True)
    time_zone = fields.String(
        required=True,
        metadata={"description": "The time zone in which that day begins and ends."},
    )
    points_missing = AmountField(
        required=True,
        allow_none=True,
        metadata={"description": "The points still to earn, besides those waiting for a decision."},
    )
    points_waiting = AmountField(
        required=True, metadata={"description": "The points submitted and not yet decided on."}
    )
    questions = fields.Integer(
        required=True,
        metadata={"description": "How many activities a reviewer has asked you about."},
    )
    sentence = fields.String(required=True)
    confirm_at = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "You already qualify: the one call that files the application to renew."
        },
    )


class MyCertificationSchema(certifications.CertificationSchema):
    """One of the caller's own certifications, with its standing today."""

    next = fields.Nested(NextActionSchema, required=True)
    safe_day = fields.Nested(SafeDaySchema, required=True, allow_none=True)


class MyOrganizationSchema(Schema):
    """The organization that the caller acts for."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)


class MailSchema(Schema):
    """Whether emails reach a holder; if not, which address has what problem, and since when."""

    deliverable = fields.Boolean(required=True)
    problem = choice("none", "bounced", "complained", required=True)
    address = fields.String(required=True, allow_none=True)
    since = fields.AwareDateTime(required=True, allow_none=True)


class MeSchema(Schema):
    """The caller, and the records that belong to them."""

    role = choice(*ROLES, required=True)
    name = fields.String(required=True)
    scopes = fields.List(choice(*SCOPES), required=True)
    holder = fields.Nested(holders.HolderSchema, required=True, allow_none=True)
    employer = fields.Nested(MyOrganizationSchema, required=True, allow_none=True)
    center = fields.Nested(MyOrganizationSchema, required=True, allow_none=True)
    provider = fields.Nested(MyOrganizationSchema, required=True, allow_none=True)
    sponsor = fields.Nested(MyOrganizationSchema, required=True, allow_none=True)
    mail = fields.Nested(
        MailSchema,
        required=True,
        allow_none=True,
        metadata={"description": "For holders: whether emails reach them."},
    )
    certifications = fields.List(fields.Nested(MyCertificationSchema), required=True)
    modules = fields.List(
        fields.Nested(module_certificates.SchemeProgressSchema),
        required=True,
        metadata={"description": "How far a holder has come in each scheme, module by module."},
    )
    pathways = fields.List(
        fields.Nested(pathways.ChosenPathwaySchema),
        required=True,
        metadata={"description": "Where a holder stands on the pathways they chose."},
    )
    csrf_token = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "For X-CSRF-Token, if the caller has a session."},
    )


class NewTokenSchema(ClosedSchema):
    """What a new token may do. Only an admin may set a role, name or subject not their own."""

    name = WordsField(
        100,
        metadata={"description": "The name under which the history records what the token does."},
    )
    role = choice(*ROLES, metadata={"description": "Default: your own role."})
    scopes = fields.List(
        choice(*SCOPES),
        validate=validate.Length(1, 2),
        metadata={"description": "Default: all of your own scopes."},
    )
    holder_id = fields.UUID(allow_none=True)
    employer_id = fields.UUID(allow_none=True)
    center_id = fields.UUID(allow_none=True)
    provider_id = fields.UUID(allow_none=True)
    sponsor_id = fields.UUID(allow_none=True)
    expires_at = MomentField(
        allow_none=True,
        metadata={"description": "Default: a year from now. Only admins may use null (never)."},
    )


class TokenQuerySchema(paging.PageSchema, OrganizationFilterSchema):
    """Filters for those who see the tokens of others: by the holder, or by the organization."""

    holder_id = fields.UUID(metadata={"description": "Only tokens of this holder."})


class TokenSchema(OrganizationIdsSchema):
    """A token, without its secret."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    role = choice(*ROLES, required=True)
    scopes = fields.List(choice(*SCOPES), required=True)
    holder_id = fields.UUID(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True, allow_none=True)
    last_used_at = fields.AwareDateTime(required=True, allow_none=True)
    revoked_at = fields.AwareDateTime(required=True, allow_none=True)


class MadeTokenSchema(TokenSchema):
    """A new token with its secret, which is shown only this once."""

    secret = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Null when the request is repeated with its Idempotency-Key."},
    )


def _language(account: str) -> str:
    """The language requested by Accept-Language; without one, that of the account."""
    if not request.accept_languages:
        return account
    return request.accept_languages.best_match(LANGUAGES) or ENGLISH


@resource.reads("GET /me", "holder", *ORGANIZATIONS, "reviewer", "staff", returns=MeSchema)
def me(reading: ReadContext) -> Response:
    """Who the caller is; for a holder, their certifications today and what to do next."""
    found = access.myself(reading)
    organization, holder = found.organization, found.holder
    own = {"id": organization.id, "name": organization.name} if organization else None
    language = _language(holder.language if holder else ENGLISH)
    response = routing.answer(
        {
            "role": found.actor.role,
            "name": found.actor.name,
            "scopes": sorted(found.actor.scopes),
            "holder": holders.present(holder) if holder else None,
            **{one: own if one == found.actor.role else None for one in map(str, ORGANIZATIONS)},
            "mail": asdict(found.mail) if found.mail else None,
            "certifications": [_present(reading, one, language) for one in found.certifications],
            "modules": [module_certificates.present(one, language) for one in found.modules],
            "pathways": pathways.present(found.pathways),
            "csrf_token": session_cookies.csrf_token(found.actor)
            if found.actor.session_id
            else None,
        }
    )
    response.vary.add("Accept-Language")
    return response


_CONFIRM = "POST /api/v1/certifications/{}/renewals"


def _present(reading: ReadContext, mine: Mine, language: str) -> dict[str, object]:
    issuer, step = reading.schemes[mine.held.scheme].issuer, mine.next
    return {
        **certifications.present(mine.held),
        "next": {
            "action": step.action,
            "on": step.on,
            "time_zone": mine.zone,
            "points_missing": step.missing,
            "points_waiting": step.waiting,
            "questions": step.questions,
            "confirm_at": _CONFIRM.format(mine.held.id) if step.qualifies else None,
            "sentence": next_steps.sentence(step, language, issuer=issuer, zone=mine.zone),
        },
        "safe_day": evaluations.safe_day_in_words(
            mine.safe_day, language, on=mine.held.standing.on
        ),
    }


def _present_token(row: TokenRow) -> dict[str, object]:
    return organizations.shown(row._asdict())


@resource.reads(
    "GET /tokens",
    "holder",
    *ORGANIZATIONS,
    "reviewer",
    "staff",
    query=TokenQuerySchema,
    returns=page_of(TokenSchema),
)
def tokens(reading: ReadContext, query: Loaded) -> Response:
    """The caller's own tokens; staff also see those of holders and organizations, an admin all."""
    whose = organizations.given(query, "holder_id")
    rows = access.page(reading, after=query.get("after"), limit=query["limit"] + 1, whose=whose)
    return paging.answer(rows, query, _present_token)


@resource.writes(
    "POST /tokens",
    "holder",
    *ORGANIZATIONS,
    "reviewer",
    "staff",
    body=NewTokenSchema,
    returns=MadeTokenSchema,
    status=201,
    errors=(409,),
)
def make(work: UnitOfWork, body: Loaded) -> Response:
    """Make a token; its secret is in this answer and nowhere else.

    The secret is not stored with the Idempotency-Key: a repeated request gets the same token with
    ``secret`` null. A caller who never saw the first answer ends that token and makes another.
    """
    subjects = {k: str(v) for k, v in body.items() if k.endswith("_id") and v is not None}
    token_id, secret = access.make_token(work, {**body, **subjects})
    shown = _present_token(access.token(work, token_id))
    answer = ShownOnce(routing.dump({**shown, "secret": secret}), status=201, mimetype=routing.JSON)
    answer.kept = routing.dump({**shown, "secret": None})
    answer.headers["Location"] = f"/api/v1/tokens/{token_id}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@resource.reads(
    "GET /tokens/<uuid:token_id>",
    "holder",
    *ORGANIZATIONS,
    "reviewer",
    "staff",
    returns=TokenSchema,
    errors=(404,),
)
def show(reading: ReadContext, *, token_id: str) -> Response:
    """One token, without its secret."""
    return routing.answer(_present_token(access.token(reading, token_id)))


@resource.writes(
    "DELETE /tokens/<uuid:token_id>",
    "holder",
    *ORGANIZATIONS,
    "reviewer",
    "staff",
    returns=None,
    status=204,
    errors=(404,),
)
def end(work: UnitOfWork, *, token_id: str) -> Response:
    """End a token at once: one's own; staff also holders' and organizations', an admin any."""
    access.end_token(work, token_id)
    return routing.done()
