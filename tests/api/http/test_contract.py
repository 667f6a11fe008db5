"""The OpenAPI document is the truth: it is valid, complete, and every role's answers keep to it."""

from __future__ import annotations

import random
import zlib
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
from tracker.api import PREFIX
from tracker.domain.permissions import ROLES, SYSTEM
from tracker.models import Employer
from tracker.web import UNDOCUMENTED

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES = 2  # for each operation, role that may ask, and database


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
    own = {"Authorization": f"Bearer {factories.secret(container, 'holder', holder_id=holder_id)}"}
    asked = app.test_client().patch(
        f"{PREFIX}/holders/{holder_id}",
        json={"family_name": "Ruiz"},
        headers={**own, "If-Match": '"1"'},
    )
    ids["request_id"] = asked.json["request"]["id"]
    return ids


def test_the_document_is_valid_openapi_31(document):
    assert document["openapi"] == "3.1.0"
    openapi_spec_validator.validate(document)


def test_every_route_is_documented_or_on_the_short_public_list(app, document):
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<uuid:", "{").replace("<string:", "{").replace(">", "}")
        assert path in document["paths"] or rule.rule in UNDOCUMENTED, rule.rule
    assert len(UNDOCUMENTED) <= 10


def test_every_route_says_who_may_come_in_and_refuses_everybody_else(app, client, container):
    """Deny by default: only a route that is public by its word answers without a token."""
    callers = {
        role: factories.secret(container, role, **_subject(container, role)) for role in ROLES
    }
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if rule.rule in UNDOCUMENTED:
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


UNKNOWN = "01900000-0000-7000-8000-000000000000"


def _subject(container, role) -> dict[str, str]:
    if role == "holder":
        with container.work(SYSTEM) as work:
            return {"holder_id": factories.holder(work)}
    if role == "employer":
        with container.work(SYSTEM) as work:
            employer = Employer(name=f"Employer {random.random()}", recorded_at=work.now)
            work.session.add(employer)
            work.session.flush()
            return {"employer_id": employer.id}
    return {}


@pytest.mark.no_cover
def test_generated_requests_of_every_role_get_documented_answers(
    app, container, inhabited, backend
):
    """One test for all roles: to find that nothing can be asked takes longer than to ask.

    On PostgreSQL every operation is asked by one of the roles that may, in turn.
    """
    callers = {role: _headers(container, inhabited, role) for role in [*ROLES, "nobody"]}
    allowed = _who_may_come_in(app)
    schema = schemathesis.openapi.from_wsgi(f"{PREFIX}/openapi.json", app)
    for turn, found in enumerate(schema.get_all_operations()):
        assert isinstance(found, Ok)
        operation = found.ok()
        may = allowed[operation.method.upper(), operation.path]
        if backend == "postgresql":
            may = {sorted(may)[turn % len(may)]}
        for mode in GenerationMode:
            cases = operation.as_strategy(generation_mode=mode)
            for role, headers in callers.items():
                # Anyone who may not come in is refused before anything is parsed: once will do.
                is_refused = role not in may
                if is_refused and (mode is GenerationMode.NEGATIVE or backend == "postgresql"):
                    continue
                # Everybody asks something else, and the same in every run.
                seed = f"{operation.label}/{mode}/{role}/{backend}"
                examples = 1 if is_refused else EXAMPLES
                asked = _try(cases, headers, inhabited, seed=seed, examples=examples)
                if mode is GenerationMode.NEGATIVE and not asked:
                    break


def _who_may_come_in(app) -> dict[tuple[str, str], set[str]]:
    """The roles that each operation of the document answers; "nobody" has no token."""
    found = {}
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if rule.rule in UNDOCUMENTED:
            continue
        path = rule.rule.replace("<uuid:", "{").replace("<string:", "{").replace(">", "}")
        roles = {*ROLES, "nobody"} if view.public else {*view.allowed, "admin"}
        for method in rule.methods:
            found[method, path] = roles
    return found


def _headers(container, inhabited, role) -> dict[str, str]:
    subject = {"holder": "holder_id", "employer": "employer_id"}.get(role)
    if role == "nobody":
        return {}
    given = {subject: inhabited[subject]} if subject else {}
    return {"Authorization": f"Bearer {factories.secret(container, role, **given)}"}


def _try(
    cases: Any, headers: dict[str, str], ids: dict[str, str], *, seed: str, examples: int
) -> bool:
    """Generate requests for one operation, all valid or all invalid, and check the answers.

    False where there can be none: an operation without parameters cannot be called wrongly.
    """
    draw = random.Random(seed)

    def send(case: Any) -> None:
        for name, real in ids.items():
            if name in (case.path_parameters or {}) and draw.random() < 0.7:
                case.path_parameters[name] = real
        if "If-Match" in (case.headers or {}):
            case.headers["If-Match"] = '"1"'
        case.call_and_validate(headers=headers, checks=CHECKS)

    settings = hypothesis.settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    generated = hypothesis.given(case=cases)(send)
    try:
        hypothesis.seed(zlib.crc32(seed.encode()))(settings(generated))()
    except hypothesis.errors.Unsatisfiable:
        return False
    return True
