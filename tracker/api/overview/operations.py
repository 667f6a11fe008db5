"""Operations: whether the process is alive, whether it is ready, and metrics for Prometheus.

The processes of ``tracker serve`` count into one directory (Prometheus' multiprocess mode), so that
each of them can answer for all. A single process counts for itself.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from http import HTTPStatus

from flask import Flask, Response, current_app, request
from marshmallow import Schema, fields
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from tracker.api.http import errors, request_log, routing
from tracker.api.http.routing import JSON, Resource, View
from tracker.domain.permissions import SYSTEM, check_role, check_scope
from tracker.services.core.context import Container
from tracker.services.core.counters import DELETED, RECONCILED, VIOLATIONS
from tracker.services.overview import metrics as operations
from tracker.services.overview.metrics import Gauges
from tracker.settings import SettingsRefusedError

resource = Resource("operations", __name__, description=__doc__)
_TEXT = "text/plain"
_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
_EXTENSION = "tracker-numbers"
COUNTED_IN = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the directory; prometheus_client reads it on import."""


class HealthSchema(Schema):
    """The process answers."""

    status = fields.String(required=True)


class ReadinessSchema(HealthSchema):
    """Whether requests can be served, by condition."""

    checks = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class Numbers:
    """The counters of this process, and the collector of the database's gauges."""

    def __init__(self, container: Container) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "tracker_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "tracker_http_request_seconds",
            "Seconds until the answer.",
            ("method", "route"),
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        self.registry.register(FromDatabase(container))
        self.requests_of = functools.cache(self.requests.labels)
        self.seconds_of = functools.cache(self.seconds.labels)


def of_all(container: Container, directory: str) -> CollectorRegistry:
    """The metrics of all processes that count into a directory, and those of the database."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, directory)  # type: ignore[no-untyped-call]
    registry.register(FromDatabase(container))
    return registry


class FromDatabase(Collector):
    """Gauges that are read on request; without a database, only that it is unreachable."""

    def __init__(self, container: Container) -> None:
        self.container = container

    def describe(self) -> Iterable[Metric]:
        """Describe nothing in advance, so that registering reads nothing."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The gauges now."""
        up = GaugeMetricFamily("tracker_database_up", "Whether the database answers.")
        try:
            with self.container.reading(SYSTEM) as reading:
                found, now = operations.gauges(reading), reading.now
        except SQLAlchemyError:
            up.add_metric((), 0)
            return [up]
        up.add_metric((), 1)
        return [
            up,
            *_of_messages(found, now),
            *_of_scheduler(found, now),
            *_of_relay(found, now),
            *_of_retention(found),
        ]


def _of_messages(found: Gauges, now: datetime) -> Iterator[Metric]:
    yield _each("tracker_outbox_messages", "Unfinished messages.", "state", found.outbox)
    waiting = {group: _seconds(now, since) for group, since in found.waiting_since.items()}
    about = (
        "How long the oldest due message has waited; urgent: a week or less before expiration, or "
        "a sign-in code."
    )
    yield _each("tracker_outbox_oldest_ready_seconds", about, "group", waiting)
    counts = {name: found.tallies[name].count for name in RECONCILED if name in found.tallies}
    reaped = CounterMetricFamily(
        "tracker_reaped_messages",
        "Claims taken back, and how doubts were resolved.",
        labels=("outcome",),
    )
    for outcome in RECONCILED:
        reaped.add_metric((outcome,), counts.get(outcome, 0))
    yield reaped
    about = "Bounces in the last day."
    yield _each("tracker_bounces_last_day", about, "kind", found.bounces)
    yield _one("tracker_suppressed_addresses", "Addresses that get no email.", found.suppressed)


def _of_retention(found: Gauges) -> Iterator[Metric]:
    deleted = CounterMetricFamily(
        "tracker_retention_deleted", "Rows deleted after their period.", labels=("kind",)
    )
    for name, tally in sorted(found.tallies.items()):
        if name.startswith(DELETED):
            deleted.add_metric((name.removeprefix(DELETED),), tally.count)
    yield deleted


def _of_scheduler(found: Gauges, now: datetime) -> Iterator[Metric]:
    yield _one(
        "tracker_reminder_cursors_due", "Certifications waiting for the planner.", found.cursors_due
    )
    yield _age(
        "tracker_reminder_oldest_due_seconds", now, found.oldest_due, "Delay of the planner."
    )
    yield _age(
        "tracker_scheduler_heartbeat_age_seconds",
        now,
        found.heartbeat,
        "Seconds since a scheduler last ran.",
    )
    yield _one("tracker_digests_late", "Digests more than an hour late.", found.digests_late)
    audit = found.tallies.get(VIOLATIONS)
    about = "Due reminder stages without a row, by the last audit."
    yield _one("tracker_reminder_identity_violations", about, audit.count if audit else None)
    since = audit.at if audit else None
    yield _age("tracker_reminder_audit_age_seconds", now, since, "Seconds since the last audit.")


def _of_relay(found: Gauges, now: datetime) -> Iterator[Metric]:
    paused = found.relay_resume_at is not None and found.relay_resume_at > now
    about = "Whether messages may leave; if not, `tracker doctor` says why and what to do."
    yield _one("tracker_sending_enabled", about, found.enabled)
    about = "Whether sending was stopped: lifted by `tracker reminders enable`."
    yield _one("tracker_sending_held", about, bool(found.held))
    about = "Seconds since the time up to which the relay's log has been read."
    yield _age("tracker_evidence_age_seconds", now, found.evidence_until, about)
    yield _one("tracker_relay_failures", "Failed connections in a row.", found.relay_failures)
    yield _one("tracker_relay_paused", "Whether sending is paused because the relay fails.", paused)


def _one(name: str, about: str, value: float | None) -> Metric:
    """A gauge; no sample if there is no number."""
    gauge = GaugeMetricFamily(name, about)
    if value is not None:
        gauge.add_metric((), float(value))
    return gauge


def _each(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    gauge = GaugeMetricFamily(name, about, labels=(label,))
    for key, value in values.items():
        gauge.add_metric((key,), value)
    return gauge


def _age(name: str, now: datetime, since: datetime | None, about: str) -> Metric:
    """Seconds since an instant; no sample if there is none."""
    return _one(name, about, None if since is None else _seconds(now, since))


def _seconds(now: datetime, since: datetime) -> float:
    return (now - since).total_seconds()


def register(app: Flask, container: Container) -> None:
    """Count every request from now on; refuse to serve production in debug mode."""
    if app.debug and container.settings.environment == "production":
        raise SettingsRefusedError("debug (FLASK_DEBUG): must not be on in production")
    count(app, container)
    app.after_request(_count)


def count(app: Flask, container: Container) -> None:
    """Start counting from zero."""
    app.extensions[_EXTENSION] = Numbers(container)


def _count(response: Response) -> Response:
    numbers: Numbers = current_app.extensions[_EXTENSION]
    asked, method, took = request.url_rule, request.method, request_log.seconds()
    route = asked.rule if asked else "unmatched"
    method = method if method in _METHODS else "other"
    numbers.requests_of(method, route, response.status_code).inc()
    if took is not None:
        numbers.seconds_of(method, route).observe(took)
    return response


def _open(
    rule: str, *, returns: type[Schema] | None, content: str = JSON, refusals: tuple[int, ...] = ()
) -> Callable[[View], View]:
    """A public route that does not need the database."""

    def decorate(view: View) -> View:
        view.allowed, view.public = frozenset(), True  # type: ignore[attr-defined]
        return resource.routed(
            rule,
            view,
            status=200,
            returns=returns,
            query=None,
            body=None,
            content=content,
            errors=refusals,
            public=True,
        )

    return decorate


@_open("GET /healthz", returns=HealthSchema)
def healthz() -> Response:
    """Whether the process answers. Says nothing about the database."""
    return _fresh(routing.answer({"status": "ok"}))


@_open("GET /readyz", returns=ReadinessSchema, refusals=(503,))
def readyz() -> Response:
    """Whether requests can be served: the database answers, and its schema fits this release."""
    with routing.container().reading(SYSTEM) as reading:
        found = {c.name: c.failure or "ok" for c in operations.checks(reading)}
    failed = [f"{name}: {said}" for name, said in found.items() if said != "ok"]
    if failed:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        return _fresh(errors.problem(status, "not_ready", "; ".join(failed), checks=found))
    return _fresh(routing.answer({"status": "ready", "checks": found}))


@_open("GET /metrics", returns=None, content=_TEXT, refusals=(401, 403))
def metrics() -> Response:
    """Metrics for Prometheus, with an admin's token; without one at `server.metrics`."""
    with routing.container().reading(SYSTEM) as reading:
        actor = routing.authenticate(reading)
    check_role(actor, frozenset())
    check_scope(actor, "read")
    numbers: Numbers = current_app.extensions[_EXTENSION]
    counted_in = os.environ.get(COUNTED_IN)
    registry = of_all(routing.container(), counted_in) if counted_in else numbers.registry
    text = generate_latest(registry)
    return _fresh(Response(text, content_type=CONTENT_TYPE_LATEST))


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
