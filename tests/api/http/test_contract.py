"""The OpenAPI document is the truth: it is valid, complete, and every role's answers keep to it."""

from __future__ import annotations

import random
import zlib
from collections import defaultdict
from datetime import date
from typing import Any

import hypothesis
import openapi_spec_validator
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests import factories
from tests.backends import SQLITE
from tracker.api import PREFIX
from tracker.domain.permissions import ORGANIZATIONS, ROLES, SYSTEM
from tracker.models import Employer
from tracker.services.core import organizations
from tracker.web import is_undocumented
from tracker.web.pages import is_of_people

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES = 2  # for each operation, valid and invalid


@pytest.fixture
def document(client) -> dict[str, Any]:
    told: dict[str, Any] = client.get(f"{PREFIX}/openapi.json").get_json()
    return told


@pytest.fixture
def inhabited(container, app) -> dict[str, str]:
    """Records of each kind, so that generated requests meet some."""
    holder_id, certification_id = factories.certified(container, date(2021, 12, 25))
    with container.work(SYSTEM) as work:
        employer = Employer(name="Palmetto Motors", recorded_at=work.now)
        work.session.add(employer)
        work.session.flush()
        ids = {
            "holder_id": holder_id,
            "certification_id": certification_id,
            "employer_id": employer.id,
        }
    staff = app.test_client()
    secret = factories.secret(container, "staff")
    headers = {"Authorization": f"Bearer {secret}"}
    course = {
        "category": "CE",
        "type": "third_party",
        "title": "x",
        "quantity": "100",
        "completed_on": "2026-01-05",
    }
    path = f"{PREFIX}/certifications/{certification_id}"
    ids["activity_id"] = staff.post(f"{path}/activities", json=course, headers=headers).json["id"]
    held = staff.get(f"{PREFIX}/holders/{holder_id}/assessments", headers=headers).json["items"]
    ids["assessment_id"] = held[0]["id"]
    center = {"name": "Ivy Tech", "category": "community_college"}
    ids["center_id"] = staff.post(f"{PREFIX}/centers", json=center, headers=headers).json["id"]
    ids |= {f"{kind}_id": _organization(container, kind) for kind in ("provider", "sponsor")}
    own = {"Authorization": f"Bearer {factories.secret(container, 'holder', holder_id=holder_id)}"}
    asked = app.test_client().patch(
        f"{PREFIX}/holders/{holder_id}",
        json={"family_name": "Ruiz"},
        headers={**own, "If-Match": '"1"'},
    )
    ids["request_id"] = asked.json["request"]["id"]
    return ids


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # the same on every database
def test_the_document_is_valid_openapi_31(document):
    assert document["openapi"] == "3.1.0"
    openapi_spec_validator.validate(document)


@SQLITE
def test_every_route_is_documented_or_on_the_short_public_list(app, document):
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<uuid:", "{").replace("<string:", "{").replace(">", "}")
        assert (path in document["paths"]) != is_undocumented(rule.rule), rule.rule
    others = {rule.rule for rule in app.url_map.iter_rules() if is_undocumented(rule.rule)}
    assert {rule for rule in others if not is_of_people(rule)} == {
        *("/", "/docs", "/docs/<path:name>", "/static/<string:name>", "/api/v1/openapi.json"),
        *("/policy/<string:scheme>", "/problem", "/docs/errors"),
    }


@SQLITE
def test_every_route_says_who_may_come_in_and_refuses_everybody_else(app, client, container):
    """Deny by default: only a route that is public by its word answers without a token."""
    callers = {
        role: factories.secret(container, role, **_subject(container, role)) for role in ROLES
    }
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if is_undocumented(rule.rule):
            continue
        path = rule.rule
        for kind in ("<uuid:", "<string:"):
            while kind in path:
                start = path.index(kind)
                path = f"{path[:start]}{UNKNOWN}{path[path.index('>', start) + 1 :]}"
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            if view.public:
                continue
            answer = client.open(path, method=method)
            assert answer.status_code == 401, (method, rule.rule)
            assert answer.content_type == "application/problem+json"
            for role, secret in callers.items():
                headers = {"Authorization": f"Bearer {secret}"}
                status = client.open(path, method=method, headers=headers).status_code
                refused = role not in view.allowed and role != "admin"
                assert (status == 403) is refused, (method, rule.rule, role, status)


def test_an_id_in_a_query_that_is_nobodys_is_answered_as_documented(client, container, document):
    """A filter by a record that there is not, or that is not the caller's."""
    callers = [factories.secret(container, role, **_subject(container, role)) for role in ROLES]
    undocumented = set()
    for path, operation in _questions(document):
        for name in _ids(operation):
            for secret in callers:
                answer = client.get(
                    path.format_map(defaultdict(lambda: UNKNOWN)),
                    query_string={name: UNKNOWN},
                    headers={"Authorization": f"Bearer {secret}"},
                )
                if str(answer.status_code) not in operation["responses"]:
                    undocumented.add((path, name, answer.status_code))
    assert undocumented == set()


def _questions(document) -> list[tuple[str, dict[str, Any]]]:
    return [(path, item["get"]) for path, item in document["paths"].items() if "get" in item]


def _ids(operation) -> list[str]:
    parameters = operation.get("parameters", [])
    return [
        p["name"]
        for p in parameters
        if p.get("in") == "query" and p["schema"].get("format") == "uuid"
    ]


UNKNOWN = "01900000-0000-7000-8000-000000000000"


def _subject(container, role) -> dict[str, str]:
    if role == "holder":
        with container.work(SYSTEM) as work:
            return {"holder_id": factories.holder(work)}
    kind = organizations.role_of(role)
    return {} if kind is None else {f"{kind}_id": _organization(container, kind)}


def _organization(container, kind) -> str:
    """An organization of that kind, the only one with its name; its id."""
    with container.work(SYSTEM) as work:
        name = f"{kind} {random.random()}"
        row = organizations.TABLES[kind](name=name, recorded_at=work.now)
        work.session.add(row)
        work.session.flush()
        return row.id


@pytest.mark.no_cover
def test_generated_requests_of_every_role_get_documented_answers(
    app, container, inhabited, backend
):
    """One test for all roles, who send the same requests: to make one takes longer than to ask.

    Every role that may asks once rightly; one of them, in turn, asks every time. Of those who are
    refused before anything is parsed nobody asks once, and one role, in turn: that each is refused
    shows test_every_route_says_who_may_come_in_and_refuses_everybody_else. On PostgreSQL every
    operation is asked by one role, in turn, and either rightly or wrongly; what is asked wrongly
    there is asked rightly alone on SQLite, as what is wrong is refused before any database.
    """
    callers = {role: _headers(container, inhabited, role) for role in [*ROLES, "nobody"]}
    allowed = _who_may_come_in(app)
    schema = schemathesis.openapi.from_wsgi(f"{PREFIX}/openapi.json", app)
    for turn, found in enumerate(schema.get_all_operations()):
        assert isinstance(found, Ok)
        operation = found.ok()
        may = sorted(allowed[operation.method.upper(), operation.path])
        # What the first has deleted no other finds.
        asking = [*may[turn % len(may) :], *may[: turn % len(may)]]
        refused: list[str] = sorted({*ROLES} - {*may})
        refused = refused[turn % len(refused) :][:1] if refused else []
        refused += [] if "nobody" in may else ["nobody"]
        modes = _ways_to_call(operation)
        on_postgresql = modes[zlib.crc32(operation.label.encode()) % len(modes)]
        if backend == "postgresql":
            asking, refused, modes = asking[:1], [], [on_postgresql]
        elif on_postgresql is GenerationMode.NEGATIVE:
            modes = [GenerationMode.POSITIVE]
        for mode in modes:
            cases = operation.as_strategy(generation_mode=mode)
            once = [*refused, *asking[1:]] if mode is GenerationMode.POSITIVE else []
            who = callers[asking[0]], [callers[role] for role in once]
            # The same in every run.
            seed = f"{operation.label}/{mode}/{backend}"
            _try(cases, *who, ids=inhabited, seed=seed)


def _ways_to_call(operation: Any) -> list[GenerationMode]:
    """Rightly, and wrongly if a request can be wrong: a part of a path that is any string cannot.

    To find that out by trying takes hundreds of attempts.
    """
    parts = [part.definition["schema"] for part in operation.path_parameters]
    is_path_ruled = any({*schema} - {"type", "minLength"} for schema in parts)
    if operation.body or operation.query or operation.headers or is_path_ruled:
        return [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    return [GenerationMode.POSITIVE]


def _who_may_come_in(app) -> dict[tuple[str, str], set[str]]:
    """The roles that each operation of the document answers; "nobody" has no token."""
    found = {}
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if is_undocumented(rule.rule):
            continue
        path = rule.rule.replace("<uuid:", "{").replace("<string:", "{").replace(">", "}")
        roles = {*ROLES, "nobody"} if view.public else {*view.allowed, "admin"}
        for method in rule.methods:
            found[method, path] = roles
    return found


def _headers(container, inhabited, role) -> dict[str, str]:
    subject = f"{role}_id" if role in {"holder", *ORGANIZATIONS} else None
    if role == "nobody":
        return {}
    given = {subject: inhabited[subject]} if subject else {}
    return {"Authorization": f"Bearer {factories.secret(container, role, **given)}"}


def _try(
    cases: Any,
    every_time: dict[str, str],
    once: list[dict[str, str]],
    *,
    ids: dict[str, str],
    seed: str,
) -> None:
    """Generate requests for one operation, all valid or all invalid, and check the answers.

    Each is sent with the headers of ``every_time``, the first before that with those in ``once``.
    """
    draw = random.Random(seed)
    left = list(once)

    def send(case: Any) -> None:
        for name, real in ids.items():
            if name in (case.path_parameters or {}) and draw.random() < 0.7:
                case.path_parameters[name] = real
        if "If-Match" in (case.headers or {}):
            case.headers["If-Match"] = '"1"'
        for headers in [*left, every_time]:
            case.call_and_validate(headers=headers, checks=CHECKS)
        left.clear()

    settings = hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    generated = hypothesis.given(case=cases)(send)
    hypothesis.seed(zlib.crc32(seed.encode()))(settings(generated))()
