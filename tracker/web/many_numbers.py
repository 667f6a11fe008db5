"""Verifying many certificates at once, each by its number and its holder's last name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask import Response
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from tracker.api.http import limits, routing
from tracker.api.http.fields import CertificateNumber, ClosedSchema, Sought, choice
from tracker.api.http.limits import GuessesLeft
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.domain import numbers
from tracker.domain.numbers import NumberCause
from tracker.domain.values import LONGEST_NAME
from tracker.services.core.allowances import Use
from tracker.services.core.context import ReadContext
from tracker.services.credentials import verification
from tracker.services.credentials.verification import Verified
from tracker.web.verify import VerificationSchema, presented

resource = Resource("many-numbers", __name__, description=__doc__)

MOST = 100
FOUND, NOT_FOUND, TOO_OFTEN = "found", "not_found", "too_often"


class NumberAndNameSchema(ClosedSchema):
    """A certificate number with its holder's last name, present or former."""

    number = CertificateNumber(required=True)
    surname = Sought(LONGEST_NAME, required=True)


class ManyNumbersSchema(ClosedSchema):
    """The certificates to verify; each number once."""

    items = fields.List(
        fields.Nested(NumberAndNameSchema), required=True, validate=validate.Length(1, MOST)
    )

    @validates_schema
    def _check(self, data: dict[str, Any], **_: object) -> None:
        keys = [numbers.key(item["number"]) for item in data["items"]]
        if len(set(keys)) < len(keys):
            raise ValidationError("must not name a number twice", "items")


class VerifiedNumberSchema(Schema):
    """What is so of one number.

    ``not_found``: no certificate has this number with this name; ``causes`` are the usual ones, the
    likeliest first. ``too_often``: so many were wrong that the rest is not answered now.
    """

    number = fields.String(required=True)
    result = choice(FOUND, NOT_FOUND, TOO_OFTEN, required=True)
    certificate = fields.Nested(VerificationSchema, required=True, allow_none=True)
    causes = fields.List(choice(*NumberCause), required=True)


class VerifiedNumbersSchema(Schema):
    """The answers in the order of the questions."""

    items = fields.List(fields.Nested(VerifiedNumberSchema), required=True)


@resource.reads("POST /verify", public=True, body=ManyNumbersSchema, returns=VerifiedNumbersSchema)
def check(reading: ReadContext, body: Loaded) -> Response:
    """Whether certificates are valid today; the number of wrong guesses is limited."""
    asked = [(item["number"], item["surname"]) for item in body["items"]]
    guesses = limits.many(reading, [number for number, _ in asked])
    found = verification.by_numbers(reading, asked)
    results, missed = _judged([number for number, _ in asked], found, guesses)
    if missed:
        limits.missed_often(missed)
    items = [
        _present(reading, number, result, one)
        for (number, _), result, one in zip(asked, results, found, strict=True)
    ]
    answer = routing.answer({"items": items})
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _judged(
    asked: Sequence[str], found: Sequence[Verified | None], guesses: GuessesLeft
) -> tuple[list[str], Counter[Use]]:
    """The result of each number, and the wrong guesses to count.

    Once a caller has no guess left nothing more is answered, not even what is right: otherwise the
    hundredth guess at once would tell as much as the first.
    """
    results: list[str] = []
    missed: Counter[Use] = Counter()
    for number, one in zip(asked, found, strict=True):
        if number in guesses.spent or missed[guesses.by_caller] >= guesses.left:
            results.append(TOO_OFTEN)
        elif one is not None:
            results.append(FOUND)
        else:
            results.append(NOT_FOUND)
            missed.update([guesses.by_caller, *guesses.by_number[number]])
    return results, missed


def _present(
    reading: ReadContext, number: str, result: str, found: Verified | None
) -> dict[str, object]:
    certificate = None
    if result == FOUND and found is not None:
        certificate = presented(found, routing.language())
    prefixes = [scheme.number_prefix for scheme in reading.schemes]
    causes = numbers.usual_causes(number, prefixes) if result == NOT_FOUND else ()
    return {"number": number, "result": result, "certificate": certificate, "causes": causes}
