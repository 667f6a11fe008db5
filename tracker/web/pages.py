"""Pages for people: the start page, the documentation, and how every plain page is made.

They load nothing from other sites. Plain pages load our style sheets and no script, but for those
that ask for a passkey; the documentation page runs the two scripts that it names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flask_swagger_ui
from flask import Blueprint, Flask, Response, abort, render_template, send_from_directory

from tracker.api.http import routing
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.web import navigation, static_files
from tracker.web.navigation import Navigation

HERE = Path(__file__).parent
OF_PEOPLE = frozenset(
    {
        "/sign-in",
        "/sign-in/code",
        "/sign-in/link/<string:proof>",
        "/sign-in/password",
        "/sign-in/factor",
        "/sign-in/passkey",
        "/sign-in/passkey/answer",
        "/sign-in/with/<string:provider>",
        "/sign-in/with/<string:provider>/return",
        "/password/forgotten",
        "/password/reset/<string:proof>",
        "/invitation/<string:proof>",
        "/invitation/<string:proof>/passkey",
        "/invitation/<string:proof>/passkey/answer",
        "/account/security",
        "/account/security/providers/<string:provider>/unbind",
        "/account/tokens",
        "/account/tokens/<uuid:token_id>/end",
        "/account/events",
        "/account/events/not-me",
        "/account/password",
        "/account/password/remove",
        "/account/recovery-codes",
        "/account/authenticator",
        "/account/confirm",
        "/account/confirm/passkey",
        "/account/confirm/passkey/answer",
        "/account/passkeys",
        "/account/passkeys/answer",
        "/account/passkeys/<uuid:passkey_id>/rename",
        "/account/passkeys/<uuid:passkey_id>/remove",
        "/account/recoveries",
        "/account/recoveries/<uuid:recovery_id>/approve",
        "/account/recoveries/<uuid:recovery_id>/refuse",
        "/account/erasures",
        "/account/erasures/<uuid:erasure_id>/approve",
        "/account/erasures/<uuid:erasure_id>/refuse",
        "/account/approvals",
        "/account/approvals/<uuid:approval_id>/approve",
        "/account/approvals/<uuid:approval_id>/refuse",
        "/account/approvals/<uuid:approval_id>/withdraw",
        "/account/people",
        "/account/people/<uuid:account_id>",
        "/account/people/<uuid:account_id>/change",
        "/account/people/<uuid:account_id>/deactivate",
        "/account/people/<uuid:account_id>/own-record",
        "/account/people/<uuid:account_id>/sessions/<uuid:session_id>/end",
        "/account/people/invitations",
        "/account/people/invitations/<uuid:invitation_id>/again",
        "/account/people/invitations/<uuid:invitation_id>/withdraw",
        "/account/data",
        "/account/data/archive",
        "/account/data/erasure",
        "/account/data/erasure/withdraw",
        "/account/sharing",
        "/account/sharing/<uuid:sharing_id>/end",
        "/account/sharing/apprenticeships/<uuid:apprenticeship_id>/end",
        "/account/sharing/apprenticeships/<uuid:apprenticeship_id>/share",
        "/account/sharing/requests/<uuid:entry_id>",
        "/account/sharing/requests/<uuid:entry_id>/accept",
        "/account/sharing/requests/<uuid:entry_id>/decline",
        "/sign-out",
        "/account",
        "/account/activities/<uuid:activity_id>",
        "/account/activities/<uuid:activity_id>/edit",
        "/account/activities/<uuid:activity_id>/evidence",
        "/account/activities/<uuid:activity_id>/submit",
        "/account/activities/<uuid:activity_id>/withdraw",
        "/account/activities/<uuid:activity_id>/discard",
        "/account/evidence/<uuid:evidence_id>/remove",
        "/account/certifications/<uuid:certification_id>",
        "/account/certifications/<uuid:certification_id>/activities",
        "/account/certifications/<uuid:certification_id>/activities/new",
        "/account/certifications/<uuid:certification_id>/appeals",
        "/account/certifications/<uuid:certification_id>/points",
        "/account/certifications/<uuid:certification_id>/renewal",
        "/account/certifications/<uuid:certification_id>/renewal/<uuid:renewal_id>/withdraw",
        "/account/sessions/<uuid:session_id>/end",
    }
)
"""The pages of people who sign in (``web/people``)."""
UNDOCUMENTED = frozenset({"/", "/docs", "/docs/<path:name>", "/static/<string:name>"}) | OF_PEOPLE
"""Routes for people, which the OpenAPI document leaves out."""

_PLAIN_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SWAGGER = Path(flask_swagger_ui.__file__).parent / "dist"
_FILES = {
    "swagger-ui.css": _SWAGGER,
    "swagger-ui-bundle.js": _SWAGGER,
    "favicon-32x32.png": _SWAGGER,
    "start.js": HERE / "static",
}

pages = Blueprint("pages", __name__, template_folder="templates")


def register(app: Flask) -> None:
    """Attach the pages."""
    app.register_blueprint(pages)
    app.register_blueprint(static_files.static)


def plain(
    template: str,
    *,
    language: str = ENGLISH,
    status: int = 200,
    top: Navigation | None = None,
    **facts: Any,
) -> Response:
    """A page without scripts; ``top`` are the links of somebody who is signed in."""
    text = render_template(
        template,
        styles=static_files.STYLES,
        language=language,
        name=routing.container().settings.app.name,
        frame=navigation.WORDS[language],
        navigation=top or navigation.of_anybody(language),
        **facts,
    )
    response = Response(text, status=status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _PLAIN_POLICY
    response.headers["Content-Language"] = language
    return response


def with_script(page: Response) -> Response:
    """A plain page that may run a script: from a file of ours, not one that stands in the page."""
    page.headers["Content-Security-Policy"] = f"{_PLAIN_POLICY}; script-src 'self'"
    return page


@pages.get("/")
def start() -> Response:
    """The start page: where everything is."""
    return plain("start.html")


@pages.get("/docs")
def docs() -> Response:
    """The documentation page."""
    response = Response(render_template("docs.html", name=routing.container().settings.app.name))
    response.headers["Content-Security-Policy"] = _DOCS_POLICY
    return response


@pages.get("/docs/<path:name>")
def docs_file(name: str) -> Response:
    """One of the documentation page's few files."""
    if name not in _FILES:
        abort(404)
    return send_from_directory(_FILES[name], name, max_age=3600)
