"""create_app() and create_container(): the only module that imports from every floor."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, g, has_request_context

from tracker import clock, scheme_files, settings
from tracker.clock import Clock
from tracker.db import db, flask_config, prepare
from tracker.domain import history_chain
from tracker.domain.history_chain import KeyRing
from tracker.scheme_files import credentials, pathways, reasons
from tracker.services.core.context import Container
from tracker.settings import Settings

_MASTER_KEY, _RELAY_KEY = "keys/master.key", "keys/relay-events.key"
_HISTORY_KEY, _MADE_HERE = "keys/history.key", "made-here"


class _Application(Flask):
    """Flask for views that all run in a thread."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: Flask asks for each hook of each request whether it is async."""
        return func


def create_app(given: Settings | None = None, *, read_clock: Clock | None = None) -> Flask:
    """Build the application: settings, database, schemes, and the HTTP interface."""
    from tracker import api, web  # noqa: PLC0415 - commands and the scheduler never need them

    app = _with_container(given, read_clock)
    web.register(app, api.register(app))
    return app


def create_container(
    given: Settings | None = None, *, read_clock: Clock | None = None
) -> Container:
    """The container without the HTTP interface, for commands and the scheduler."""
    container: Container = _with_container(given, read_clock).extensions["tracker"]
    return container


def _with_container(given: Settings | None, read_clock: Clock | None) -> Flask:
    chosen = given or settings.load()
    app = _Application("tracker", static_folder=None)
    app.config.update(flask_config(chosen))
    db.init_app(app)
    with app.app_context():
        engine = prepare(db.engine)
    schemes = scheme_files.load(chosen.schemes_directory)
    catalog = credentials.load(chosen.credentials_file)
    app.extensions["tracker"] = Container(
        engine=engine,
        schemes=schemes,
        reasons=reasons.load(chosen.reasons_file),
        credentials=catalog,
        pathways=pathways.load(chosen.pathways_directory, schemes, catalog),
        settings=chosen,
        clock=read_clock or (clock.starting_at(chosen.now) if chosen.now else clock.system),
        message_key=_derived_key(chosen, "message-id"),
        signing_key=_derived_key(chosen, "signatures"),
        relay_key=_key(chosen.storage_directory, _RELAY_KEY).hex().encode(),
        history_keys=_history_keys(chosen),
        request_id=_request_id,
    )
    return app


def _history_keys(chosen: Settings) -> KeyRing:
    """The keys of the settings, or else the one in the storage directory."""
    if chosen.history.keys:
        return history_chain.key_ring(chosen.history.keys)
    return KeyRing(_MADE_HERE, {_MADE_HERE: _key(chosen.storage_directory, _HISTORY_KEY)})


def _request_id() -> str | None:
    """The id of the HTTP request that this thread serves."""
    return g.get("request_id") if has_request_context() else None


def _derived_key(chosen: Settings, purpose: str) -> bytes:
    """A key for one purpose, derived from the master key in the storage directory."""
    master = _key(chosen.storage_directory, _MASTER_KEY)
    return hmac.digest(master, purpose.encode(), hashlib.sha256)


def _key(storage: Path, name: str) -> bytes:
    """One of the installation's keys; it is made at the first start, by only one process."""
    path = storage / name
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{secrets.token_hex(8)}")
        fresh.touch(mode=0o600)
        fresh.write_bytes(secrets.token_bytes(32))
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()
