"""Pages for people: the documentation, and how every plain page is made.

They load nothing from other sites. Plain pages load our style sheets and no script, but for those
that ask for a passkey and those of a review; the documentation page runs the two scripts that it
names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flask_swagger_ui
from flask import Blueprint, Flask, Response, abort, render_template, request, send_from_directory
from flask.globals import request_ctx

from tracker.api.http import routing
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.web import navigation, static_files
from tracker.web.navigation import Navigation

HERE = Path(__file__).parent
_ONLY_FOR_PEOPLE = frozenset({"", "docs", "static", "policy", "problem"})
_OF_PEOPLE = frozenset(
    {
        *("sign-in", "sign-out", "password", "invitation", "account", "language"),
        *("desk", "employer", "center", "provider", "sponsor", "ops"),
    }
)
"""What the addresses of pages begin with that are for people who sign in, or are about to."""


def is_of_people(rule: str) -> bool:
    """Whether a route is a page for people who sign in, or one with which they do."""
    return rule.split("/")[1] in _OF_PEOPLE


def is_only_for_people(rule: str) -> bool:
    """Whether a route is a page that the OpenAPI document leaves out."""
    return is_of_people(rule) or rule.split("/")[1] in _ONLY_FOR_PEOPLE


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

_NOT_FOUND = 404

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
        icon=static_files.ICON,
        language=language,
        name=routing.container().settings.app.name,
        frame=navigation.WORDS[language],
        navigation=top or navigation.of_anybody(language),
        switch=navigation.switch(language, _address() if status != _NOT_FOUND else ""),
        **facts,
    )
    response = Response(text, status=status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _PLAIN_POLICY
    response.headers["Content-Language"] = language
    return response


def _address() -> str:
    """The address to show again in another language; empty if it can't be asked for."""
    if request.method in {"GET", "HEAD"}:
        return request.full_path.rstrip("?")
    adapter = request_ctx.url_adapter
    return request.path if adapter is not None and adapter.test(request.path, "GET") else ""


def with_script(page: Response) -> Response:
    """A plain page that may run a script: from a file of ours, not one that stands in the page."""
    page.headers["Content-Security-Policy"] = f"{_PLAIN_POLICY}; script-src 'self'"
    return page


def with_evidence(page: Response) -> Response:
    """A page that may show files of our own in frames, as ``web/desk/evidence`` serves them."""
    policy = page.headers["Content-Security-Policy"]
    page.headers["Content-Security-Policy"] = f"{policy}; frame-src 'self'"
    return page


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
