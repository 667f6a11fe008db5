"""The OpenAPI document, generated from the routes on the first request for it.

Building it takes longer than starting the rest of the application, and most processes (commands,
the scheduler, tests) never need it.
"""

from __future__ import annotations

import threading

import flask_smorest
import orjson
from flask import Flask, Response

_DESCRIPTION = """Recertification and credential tracking.

Dates are calendar dates; a certification expires at the end of its last valid day. Points and
money are strings with two decimals. Errors are problem+json with a stable `code`; their `type`
leads to /docs/errors, which says what each code means. A record that the caller may not see is
answered like an unknown one, with 404. People who signed in have a session; with it, a request that
changes something also needs the header X-CSRF-Token, whose value GET /me gives.
"""


class Document:
    """Collects the blueprints of an application and describes their routes."""

    def __init__(self, app: Flask, path: str) -> None:
        app.config.update(
            API_TITLE="Tracker",
            API_VERSION="v1",
            OPENAPI_VERSION="3.1.0",
            API_SPEC_OPTIONS={"info": {"description": _DESCRIPTION}},
        )
        self._app = app
        self._api = flask_smorest.Api(app)
        self._blueprints: list[flask_smorest.Blueprint] = []
        self._built: bytes | None = None
        self._lock = threading.Lock()
        app.add_url_rule(path, "openapi", self._answer)

    def add(self, blueprint: flask_smorest.Blueprint, **options: object) -> None:
        """Attach a blueprint's routes to the application; they are described later."""
        self._app.register_blueprint(blueprint, **options)
        self._blueprints.append(blueprint)

    def _answer(self) -> Response:
        with self._lock:
            if self._built is None:
                self._built = self._build()
        return Response(self._built, mimetype="application/json")

    def _build(self) -> bytes:
        spec = self._api.spec
        spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
        cookie = {"type": "apiKey", "in": "cookie", "name": "__Host-session"}
        spec.components.security_scheme("session", cookie)
        for blueprint in self._blueprints:
            name = blueprint.name
            blueprint.register_views_in_doc(self._api, self._app, spec, name=name, parameters=None)
            spec.tag({"name": name, "description": blueprint.description})
        return orjson.dumps(spec.to_dict())
