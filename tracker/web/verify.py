"""Verify: what anybody may learn about a certificate, as a page or as JSON at the same address."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from marshmallow import Schema, fields

from tracker.api.http import errors, limits, routing
from tracker.api.http.fields import CertificateNumber, ClosedSchema, DayField, Sought, choice
from tracker.api.http.routing import HTML, JSON, Resource
from tracker.api.http.schemas import Loaded
from tracker.domain.credentials.certifications import Status
from tracker.domain.errors import Invalid, NoLongerAvailable, NotFound, TooOften
from tracker.domain.schemes.activity_types import translated
from tracker.domain.values import LONGEST_NAME
from tracker.language.voice import in_words, length, listed
from tracker.services.core.allowances import Use
from tracker.services.core.context import ReadContext
from tracker.services.credentials import verification
from tracker.services.credentials.verification import Verified
from tracker.web import linked_data, pages
from tracker.web.verify_words import WORDS

resource = Resource("verify", __name__, description=__doc__)
public = Resource(
    "verify-pages", __name__, description="The page at the address printed on certificates."
)

_UNKNOWN = (
    "No certificate of ours has this address, or this number with this surname. Usual causes: a "
    "typing mistake, a certificate that is not on record here, another issuer."
)


class ShownModuleSchema(Schema):
    """A module passed."""

    code = fields.String(required=True)
    module = fields.String(required=True, metadata={"description": "Its name."})
    passed_on = DayField(required=True)


class VerificationSchema(Schema):
    """All that a public verifier may see."""

    scheme = fields.String(
        required=True, metadata={"description": "The title of the certification."}
    )
    issuer = fields.String(required=True)
    holder = fields.String(required=True, metadata={"description": "The holder's name."})
    number = fields.String(required=True)
    status = choice(*Status, required=True)
    valid = fields.Boolean(required=True)
    awarded_on = DayField(required=True)
    expires_on = DayField(
        required=True, allow_none=True, metadata={"description": "Last valid day."}
    )
    note = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "A note if it was withdrawn, or the holder was certified again."},
    )
    certified_again_on = DayField(required=True, allow_none=True)
    certified_again_number = fields.String(required=True, allow_none=True)
    checked_at = fields.AwareDateTime(required=True)
    remark = fields.String(metadata={"description": "What the dates alone do not show."})
    module = fields.String(
        metadata={
            "description": "With the certificate of a single module: the module that was passed on"
            " awarded_on. Such a certificate never expires."
        }
    )
    modules = fields.List(
        fields.Nested(ShownModuleSchema),
        metadata={"description": "The modules passed, if the holder shows them; else absent."},
    )
    amended_on = DayField(
        allow_none=True,
        metadata={"description": "With a module: when the day of its pass was last corrected."},
    )


class VerifyQuerySchema(ClosedSchema):
    """The language of the page, if not the browser's."""

    lang = choice(*WORDS)


class LookUpSchema(VerifyQuerySchema):
    """Number and surname, both; a page without them shows a form for them."""

    number = CertificateNumber()
    surname = Sought(LONGEST_NAME)


def show(reading: ReadContext, query: Loaded, *, public_id: str) -> Response:
    """Whether a certification is valid today, by the address on the certificate.

    A true address is always answered: it cannot be guessed, and others may share the caller's
    address.
    """
    try:
        return _shown(query, verification.by_address(reading, public_id))
    except NoLongerAvailable as error:
        return _private(_gone(query, error))
    except NotFound:
        return _missed(reading, query, [limits.caller()])


def look_up(reading: ReadContext, query: Loaded) -> Response:
    """The same by certificate number and surname; the number of wrong guesses is limited."""
    if _as_page() and not {"number", "surname"} & query.keys():
        return _private(_page(query, heading=WORDS[_language(query)].look_up))
    if missing := {"number", "surname"} - query.keys():
        if _as_page():
            return _private(_incomplete(query, missing))
        raise Invalid(
            "Enter both number and surname.", fields=dict.fromkeys(sorted(missing), "is required")
        )
    uses, both = [limits.caller()], limits.number(query["number"])
    try:
        limits.check(reading, uses, both)
        return _shown(query, verification.by_number(reading, query["number"], query["surname"]))
    except TooOften as error:
        return _private(_too_often(query, error))
    except NotFound:
        return _missed(reading, query, uses, both)


def _incomplete(query: Loaded, missing: Collection[str]) -> Response:
    """The form again, with what was typed and what is missing."""
    errors = [name for name in ("number", "surname") if name in missing]
    heading = WORDS[_language(query)].look_up
    return _page(query, status=422, heading=heading, errors=errors, wrong=True)


for _resource in (resource, public):
    _resource.reads(
        "GET /verify",
        public=True,
        query=LookUpSchema,
        returns=VerificationSchema,
        content=(JSON, HTML),
        errors=(404, 429),
    )(look_up)
    _resource.reads(
        "GET /verify/<string:public_id>",
        public=True,
        query=VerifyQuerySchema,
        returns=VerificationSchema,
        content=(JSON, HTML),
        errors=(404, 410, 429),
    )(show)


def _shown(query: Loaded, found: Verified) -> Response:
    return _private(_found_page(query, found) if _as_page() else _found(query, found))


def _missed(
    reading: ReadContext, query: Loaded, uses: Collection[Use], both: Collection[Use] = ()
) -> Response:
    """Answer that there is none, and count it; or that there were too many wrong guesses."""
    try:
        limits.check(reading, uses, both)
    except TooOften as error:
        return _private(_too_often(query, error))
    limits.missed([*uses, *both])
    return _private(_not_found(query))


def _as_page() -> bool:
    """Whether the caller is a browser; a program that accepts anything gets JSON."""
    return request.accept_mimetypes.best_match([JSON, HTML], default=JSON) == HTML


def _language(query: Loaded) -> str:
    return str(query.get("lang") or routing.language())


def _private(response: Response) -> Response:
    """Not indexed, not cached: a standing may change by tomorrow."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Cache-Control"] = "no-store"
    response.vary.update(("Accept", "Accept-Language"))
    return response


def _found(query: Loaded, found: Verified) -> Response:
    return routing.answer(presented(found, _language(query)))


def presented(found: Verified, language: str) -> dict[str, object]:
    """What a program is told of a certificate; see ``VerificationSchema``."""
    standing = found.standing
    more: dict[str, object] = {}
    if found.is_over:
        more["remark"] = WORDS[language].not_in_force
    if found.modules is not None:
        more["modules"] = [
            {"code": one.code, "module": translated(one.name, language), "passed_on": day}
            for one, day in found.modules
        ]
    if found.module is not None:
        more["module"] = translated(found.module.name, language)
        more["amended_on"] = found.amended_on
    return {
        "scheme": translated(found.scheme.title, language),
        "issuer": found.scheme.issuer,
        "holder": found.holder,
        "number": found.number,
        "status": standing.status,
        "valid": standing.valid,
        "awarded_on": found.awarded_on,
        "expires_on": standing.expires_on,
        "note": _note(found, language),
        "certified_again_on": found.again_on,
        "certified_again_number": found.again_number,
        "checked_at": found.checked_at,
        **more,
    }


def _note(found: Verified, language: str) -> str | None:
    """The note on a certificate that was withdrawn, amended, or earned again since."""
    words = WORDS[language]
    if found.is_withdrawn:
        return words.withdrawn
    if found.amended_on is not None:
        return words.amended.format(in_words(found.amended_on, language))
    if found.again_on is None or found.again_number is None:
        return None
    return words.again.format(in_words(found.again_on, language), found.again_number)


def _not_found(query: Loaded) -> Response:
    if not _as_page():
        return errors.problem(404, NotFound.code, _UNKNOWN)
    heading = WORDS[_language(query)].not_found
    return _page(query, status=404, heading=heading, unknown=True)


def _gone(query: Loaded, error: NoLongerAvailable) -> Response:
    if not _as_page():
        return errors.problem(410, error.code, error.detail)
    return _page(query, status=410, heading=WORDS[_language(query)].erased)


def _too_often(query: Loaded, error: TooOften) -> Response:
    wait = str(error.facts["retry_after"])
    if _as_page():
        heading = WORDS[_language(query)].too_often
        response = _page(query, status=429, heading=heading, wait=wait)
    else:
        response = errors.problem(429, error.code, error.detail)
    response.headers["Retry-After"] = wait
    return response


def _found_page(query: Loaded, found: Verified) -> Response:
    shown = facts(found, _language(query))
    linked = linked_data.of(found, str(shown["address"]))
    return _page(query, heading=str(shown["heading"]), shown=shown, linked=linked)


def facts(found: Verified, language: str) -> dict[str, object]:
    """What the page says of a certificate, for its template ``verified.html``."""
    standing = found.standing
    return {
        "heading": _heading(found, language),
        "shown": found,
        "note": _note(found, language),
        "title": found.scheme.full_name(language),
        "module": translated(found.module.name, language) if found.module else "",
        "modules": [
            f"{translated(one.name, language)}, {in_words(day, language)}"
            for one, day in found.modules or ()
        ],
        "expiry": WORDS[language].expiry_label(standing),
        "under_review": standing.pending_since is not None,
        "attests": _attests(found, language),
        "address": _own_address() if "public_id" in (request.view_args or {}) else "",
        "checked": f"{in_words(found.checked_at.date(), language)}, {found.checked_at:%H:%M} UTC",
        "day": lambda day: in_words(day, language),
    }


def _own_address() -> str:
    """The address of the page as it stands on paper."""
    return f"{routing.container().settings.app.base_url.rstrip('/')}{request.path}"


def _attests(found: Verified, language: str) -> str:
    """In two sentences, what a whole certification says of its holder; empty for a module's."""
    scheme = found.scheme
    if found.module is not None or not scheme.required:
        return ""
    words = WORDS[language]
    names = [translated(one.name, language) for one in scheme.modules if one.required]
    validity = scheme.award.validity
    told = words.attests if len(names) > 1 else words.attests_one
    first = told.format(issuer=scheme.issuer, modules=listed(names, language))
    if validity is None:
        return f"{first} {words.for_good}"
    return f"{first} {words.for_years.format(length(validity, language))}"


def _heading(found: Verified, language: str) -> str:
    words = WORDS[language]
    return words.over if found.is_over else words.statuses[found.standing.status]


def _address_in(language: str) -> str:
    """The address of the current page in another language."""
    return f"{request.path}?{urlencode({**request.args.to_dict(), 'lang': language})}"


def _page(query: Loaded, *, status: int = 200, heading: str, **facts: Any) -> Response:
    language = _language(query)
    base = routing.container().settings.app.base_url.rstrip("/")
    given = {"errors": (), "typed": request.args, **facts}
    return pages.plain(
        "verify.html",
        language=language,
        status=status,
        heading=heading,
        words=WORDS[language],
        others=[
            (code, words.language, _address_in(code))
            for code, words in WORDS.items()
            if code != language
        ],
        official=f"{base}/verify",
        report=f"/problem?{urlencode({'about': request.path})}",
        **given,
    )
