"""Reason codes: the codes by which decisions are counted."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import routing
from tracker.api.http.fields import ClosedSchema, by_language, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.domain.schemes.reasons import ACTS, of_policies
from tracker.language.catalogues import LANGUAGES
from tracker.services.core.context import ReadContext

resource = Resource("reasons", __name__, description=__doc__)


class ReasonQuerySchema(ClosedSchema):
    """The codes accepted for an act; all codes if none is given."""

    act = choice(*ACTS)


class ReasonSchema(Schema):
    """A code, what it means, and the acts that it is for.

    It is accepted for every act of the same group too: a reason to suspend also explains why the
    suspension ends.
    """

    code = fields.String(required=True)
    acts = fields.List(choice(*ACTS), required=True)
    text = by_language()
    own_words = fields.Boolean(
        required=True,
        metadata={"description": "Whether a reason in one's own words is required too."},
    )
    schemes = fields.List(
        fields.String(),
        required=True,
        allow_none=True,
        metadata={"description": "The schemes whose policies name it; null: all schemes."},
    )


@resource.reads(
    "GET /reasons", public=True, query=ReasonQuerySchema, returns=ReasonSchema(many=True)
)
def reasons(reading: ReadContext, query: Loaded) -> Response:
    """The reason codes in the order of the list, then those that only policies name."""
    act = query.get("act")
    listed = reading.reasons.for_act(act) if act else reading.reasons.by_code.values()
    shown = [
        {
            "code": reason.code,
            "acts": [each for each in ACTS if each in reason.acts],
            "text": reason.text,
            "own_words": reason.own_words,
            "schemes": None,
        }
        for reason in listed
    ]
    adjusts = act in {None, "extension", "reduction"}
    return routing.answer([*shown, *(_of_policies(reading) if adjusts else ())])


def _of_policies(reading: ReadContext) -> Iterator[dict[str, object]]:
    """The codes that policies name and the list does not have."""
    schemes: dict[str, list[str]] = {}
    acts: dict[str, set[str]] = {}
    for scheme in reading.schemes:
        for code, named_for in of_policies(scheme).items():
            if code not in reading.reasons.by_code:
                schemes.setdefault(code, []).append(scheme.code)
                acts.setdefault(code, set()).update(named_for)
    for code in sorted(schemes):
        words = code.replace("_", " ")
        yield {
            "code": code,
            "acts": [each for each in ACTS if each in acts[code]],
            "text": dict.fromkeys(LANGUAGES, words),
            "own_words": False,
            "schemes": schemes[code],
        }
