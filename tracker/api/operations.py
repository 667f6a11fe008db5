"""Operations: whether the process lives, whether it is ready, and its numbers for Prometheus.

The counts of requests are this process's own: with several workers each tells of itself.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, request
from marshmallow import Schema, fields
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from tracker.api import doors, errors
from tracker.api.doors import JSON, Nouns, View
from tracker.domain.permissions import SYSTEM, check_role, check_scope
from tracker.services import operations
from tracker.services.work import Office
from tracker.settings import SettingsRefusedError

nouns = Nouns("operations", __name__, description=__doc__)
_TEXT = "text/plain"
_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
_EXTENSION = "tracker-numbers"


class Health(Schema):
    """That the process answers."""

    status = fields.String(required=True)


class Readiness(Health):
    """That requests can be served, by condition."""

    checks = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class Numbers:
    """The counts of this process, and the collector of the database's gauges."""

    def __init__(self, office: Office) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "tracker_http_requests", "Requests answered.", ("method", "route", "status"),
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "tracker_http_request_seconds", "Time to the answer.", ("method", "route"),
            registry=self.registry,
        )  # fmt: skip
        ProcessCollector(registry=self.registry)
        self.registry.register(FromDatabase(office))


class FromDatabase(Collector):
    """Gauges that are read when they are asked for; without a database only that it is away."""

    def __init__(self, office: Office) -> None:
        self.office = office

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand, so that registering reads nothing."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The gauges now."""
        up = GaugeMetricFamily("tracker_database_up", "Whether the database answers.")
        try:
            with self.office.reading(SYSTEM) as reading:
                found, now = operations.gauges(reading), reading.now
        except SQLAlchemyError:
            up.add_metric((), 0)
            return [up]
        up.add_metric((), 1)
        outbox = GaugeMetricFamily("tracker_outbox_messages", "Letters.", labels=("state",))
        for state, count in found.outbox.items():
            outbox.add_metric((state,), count)
        due = GaugeMetricFamily("tracker_reminder_cursors_due", "Certifications to be looked at.")
        due.add_metric((), found.cursors_due)
        ages = {
            "tracker_reminder_oldest_due_seconds": (found.oldest_due, "How late the planner is."),
            "tracker_scheduler_heartbeat_age_seconds": (found.heartbeat, "Since its last tick."),
        }
        return [up, outbox, due, *(_age(name, now, *of) for name, of in ages.items())]


def _age(name: str, now: Any, since: Any, about: str) -> Metric:
    """Seconds since an instant; no sample where there is none."""
    gauge = GaugeMetricFamily(name, about)
    if since is not None:
        gauge.add_metric((), (now - since).total_seconds())
    return gauge


def register(app: Flask, office: Office) -> None:
    """Count every request from now on; refuse to serve production in debug mode."""
    if app.debug and office.settings.environment == "production":
        raise SettingsRefusedError("debug (FLASK_DEBUG): must not be on in production")
    app.extensions[_EXTENSION] = Numbers(office)
    app.before_request(_start)
    app.after_request(_count)


def _start() -> None:
    g.started = time.perf_counter()


def _count(response: Response) -> Response:
    numbers: Numbers = current_app.extensions[_EXTENSION]
    route = request.url_rule.rule if request.url_rule else "unmatched"
    method = request.method if request.method in _METHODS else "other"
    numbers.requests.labels(method, route, response.status_code).inc()
    if "started" in g:
        numbers.seconds.labels(method, route).observe(time.perf_counter() - g.started)
    return response


def _open(
    rule: str, *, returns: type[Schema] | None, content: str = JSON, refusals: tuple[int, ...] = ()
) -> Callable[[View], View]:
    """A public route that needs no database to be reached."""

    def decorate(view: View) -> View:
        view.allowed, view.public = frozenset(), True  # type: ignore[attr-defined]
        return nouns.routed(
            rule, view, status=200, returns=returns, query=None, body=None, content=content,
            errors=refusals, public=True,
        )  # fmt: skip

    return decorate


@_open("GET /healthz", returns=Health)
def healthz() -> Response:
    """Whether the process answers. Says nothing of the database."""
    return _fresh(doors.answer({"status": "ok"}))


@_open("GET /readyz", returns=Readiness, refusals=(503,))
def readyz() -> Response:
    """Whether requests can be served: database, migrations, and letters that leave in time."""
    with doors.office().reading(SYSTEM) as reading:
        found = {c.name: c.failure or "ok" for c in operations.checks(reading)}
    failed = [f"{name}: {said}" for name, said in found.items() if said != "ok"]
    if failed:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        return _fresh(errors.problem(status, "not_ready", "; ".join(failed), checks=found))
    return _fresh(doors.answer({"status": "ready", "checks": found}))


@_open("GET /metrics", returns=None, content=_TEXT, refusals=(401, 403))
def metrics() -> Response:
    """Numbers for Prometheus: from this machine itself, or with an admin's token."""
    if not _from_here():
        with doors.office().reading(SYSTEM) as reading:
            actor = doors.authenticate(reading)
        check_role(actor, frozenset())
        check_scope(actor, "read")
    numbers: Numbers = current_app.extensions[_EXTENSION]
    text = generate_latest(numbers.registry)
    return _fresh(Response(text, content_type=CONTENT_TYPE_LATEST))


def _from_here() -> bool:
    """Whether it comes from this machine, and not through a proxy that runs on it."""
    forwarded = {"Forwarded", "X-Forwarded-For", "X-Real-Ip"} & set(request.headers.keys())
    try:
        return not forwarded and ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
