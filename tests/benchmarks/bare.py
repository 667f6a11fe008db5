"""What the HTTP interface is measured against: bare Flask with one statement, on the same server.

No more is done than the framework and the database need: no token, no schema, no history. The
statements are made once, rows are read outside any transaction, answers are orjson's.
"""

from __future__ import annotations

import os
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
from flask import Flask, Response, request
from sqlalchemy import bindparam, create_engine, insert, select

from tracker import clock
from tracker.db import flask_config, new_id, prepare
from tracker.front import Front
from tracker.models import Activity, Certification
from tracker.services.core.bulk import table_of
from tracker.settings import Settings, load

_ONE = select(
    Certification.id,
    Certification.number,
    Certification.public_id,
    Certification.holder_id,
    Certification.scheme,
    Certification.awarded_on,
).where(Certification.id == bindparam("id"))
_INSERT = insert(table_of(Activity))
JSON = "application/json"


def make() -> Front:
    """The application, on the database that TRACKER_DATABASE_URL names, behind the same front."""
    chosen = load("testing", os.environ)
    return Front(_application(chosen), threads=chosen.server.threads)


def _application(chosen: Settings) -> Flask:
    configured = flask_config(chosen)
    url, options = (configured[f"SQLALCHEMY_{n}"] for n in ("DATABASE_URI", "ENGINE_OPTIONS"))
    reads = prepare(create_engine(url, isolation_level="AUTOCOMMIT", **options))
    writes = prepare(create_engine(url, **options))
    app = Flask("bare", static_folder=None)

    @app.get("/certifications/<uuid:certification_id>")
    def show(certification_id: Any) -> Response:
        with reads.connect() as connection:
            row = connection.execute(_ONE, {"id": str(certification_id)}).one()
        return Response(orjson.dumps(dict(row._mapping)), mimetype=JSON)

    @app.post("/activities")
    def log() -> Response:
        given = request.get_json()
        values = {
            **given,
            "id": new_id(),
            "quantity": Decimal(given["quantity"]),
            "completed_on": date.fromisoformat(given["completed_on"]),
            "recorded_at": clock.system(),
        }
        with writes.begin() as connection:
            connection.execute(_INSERT, values)
        return Response(orjson.dumps(values, default=str), status=201, mimetype=JSON)

    return app
