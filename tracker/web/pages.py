"""Pages for people: the start page, the documentation, and how every plain page is made.

They load nothing from other sites. Plain pages have inline style and no script; the documentation
page runs the two scripts that it names.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Flask, Response, abort, render_template, send_from_directory

from tracker.api.http import routing
from tracker.domain.schemes.activity_types import ENGLISH

HERE = Path(__file__).parent
OF_PEOPLE = frozenset(
    {
        "/sign-in",
        "/sign-in/code",
        "/sign-in/link/<string:proof>",
        "/sign-out",
        "/account",
        "/account/sessions/<uuid:session_id>/end",
    }
)
"""The pages of people who sign in (``web/people``)."""
UNDOCUMENTED = frozenset({"/", "/docs", "/docs/<path:name>"}) | OF_PEOPLE
"""Routes for people, which the OpenAPI document leaves out."""

_CSS = (HERE / "templates" / "tracker.css").read_text(encoding="utf-8")
_CSS_HASH = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()
_PLAIN_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_CSS_HASH}'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
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


def plain(
    template: str, *, language: str = ENGLISH, status: int = 200, **facts: object
) -> Response:
    """A page without scripts, with inline style."""
    name = routing.container().settings.app.name
    text = render_template(template, css=_CSS, language=language, name=name, **facts)
    response = Response(text, status=status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _PLAIN_POLICY
    response.headers["Content-Language"] = language
    return response


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
