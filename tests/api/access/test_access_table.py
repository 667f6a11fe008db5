"""What is answered on every route, to every role, for every kind of id: see access_table.txt.

The table is walked on both databases, over one set of records; what a request does is taken back.
On PostgreSQL it is not asked again what its own answers tell (``tables.known``).
A route that is not in the table fails, and so does a line of the table without a route:
``--rewrite-table`` writes it anew. The pages of people have a table of their own, page_table.txt.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.api.access import access_cases, tables
from tests.api.access.access_cases import PICTURE, UNKNOWN, upload
from tests.api.conftest import Caller
from tracker.api import PREFIX
from tracker.domain.permissions import ORGANIZATIONS, SCOPES
from tracker.services.core import signed_links
from tracker.web import is_undocumented

TABLE = Path(__file__).with_name("access_table.txt")
OUTSIDE = ("nobody", "holder", "viewer", *ORGANIZATIONS)
"""The columns of those who do not work for the body."""
COLUMNS = (*OUTSIDE, "reviewer", "staff", "self", "admin")
KINDS = ("own", "other", "mixed", "unknown", "malformed")
COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Course",
    "quantity": "5",
    "completed_on": "2026-01-05",
}
WHY = {"reason": "x"}
CHANGE = {"reason": "x", "reason_code": "other", "effective_on": "2026-11-20"}
AUDIT = WHY | {
    "scheme": "cpt",
    "basis": "share",
    "percent": "10",
    "seed": "x",
    "from_on": "2026-01-01",
    "until_on": "2026-12-31",
    "reply_days": 14,
}
BODIES = {
    "PATCH /accounts/{account_id}": {"access": "view"},
    "POST /accounts/{account_id}/deactivation": WHY,
    "PUT /accounts/{account_id}/own-record": WHY | {"holder_id": None},
    "POST /activities/{activity_id}/decision": {"verdict": "approved"},
    "POST /activities/{activity_id}/decision/undo": WHY,
    "PATCH /activities/{activity_id}": {"title": "Other"},
    "POST /adjustments/batches": {},
    "POST /appeals/{appeal_id}/decision": WHY | {"outcome": "dismissed"},
    "POST /approvals/{approval_id}/refusal": WHY,
    "POST /approvals/{approval_id}/withdrawal": WHY,
    "POST /apprenticeships/{apprenticeship_id}/correction": WHY | {"occupation": "Machinist"},
    "POST /assessments/{assessment_id}/amendment": WHY | {"taken_on": "2021-12-24"},
    "POST /assessments/{assessment_id}/fee": {"amount": "45.00"},
    "POST /assessments/{assessment_id}/void": WHY,
    "POST /center-results": {
        "attempt_ref": "a1",
        "holder_ref": "x",
        "family_name": "Y",
        "scheme": "cpt",
        "module": "safety",
        "taken_on": "2026-11-02",
        "result": "fail",
    },
    "POST /center-results/decisions": {"verdict": "accept", "result_ids": [UNKNOWN]},
    "POST /audits": AUDIT,
    "POST /audits/preview": AUDIT,
    "POST /audits/items/{item_id}/decision": WHY | {"outcome": "called_off"},
    "POST /audits/items/{item_id}/preview": WHY | {"outcome": "called_off"},
    "POST /centers": {"name": "Ivy Tech", "category": "community_college"},
    "PATCH /centers/{center_id}": {"code": "IN-7"},
    "POST /centers/{center_id}/direct-entry": WHY | {"enters_directly": True},
    "POST /centers/{center_id}/approvals": {"approved_on": "2026-01-01"},
    "POST /certifications/{certification_id}/activities": COURSE,
    "POST /certifications/{certification_id}/adjustments": WHY
    | {"reason_code": "illness", "points_required": "80"},
    "POST /certifications/{certification_id}/amendment": WHY | {"number": "X-1"},
    "POST /certifications/{certification_id}/appeals": {"statement": "x"},
    "POST /certifications/{certification_id}/evaluation": {"extra": []},
    "POST /certifications/{certification_id}/reinstatement": CHANGE,
    "POST /certifications/{certification_id}/revocation": CHANGE,
    "POST /certifications/{certification_id}/surrender": CHANGE | {"reason_code": "own_wish"},
    "POST /certifications/{certification_id}/suspension": CHANGE,
    "POST /certifications/{certification_id}/void": WHY,
    "POST /credentials/{credential_id}/activity": {"certification_id": UNKNOWN},
    "POST /credentials/{credential_id}/correction": WHY | {"number": "7"},
    "POST /credentials/{credential_id}/verification": {"verified": True},
    "POST /credentials/{credential_id}/withdrawal": WHY,
    "POST /courses": {"code": "C-1", "scheme": "cpt", "type": "third_party", "title": "x"}
    | {"quantity": "8"},
    "PATCH /courses/{course_id}": WHY | {"quantity": "8"},
    "POST /courses/{course_id}/attendance-codes": {
        "held_on": "2026-11-21",
        "most": 5,
        "ends_at": "2026-11-22T12:00:00Z",
    },
    "POST /confirmations/{confirmation_id}/contest": {"statement": "x"},
    "POST /confirmations/{confirmation_id}/withdrawal": WHY,
    "POST /work-permissions/{permission_id}/end": WHY,
    "POST /employers/{employer_id}/confirmations": {"entry_id": UNKNOWN, "year": 2026},
    "POST /employers/{employer_id}/direct-confirmation": WHY | {"confirms_directly": False},
    "POST /employers/{employer_id}/work-permissions": {
        "entry_id": UNKNOWN,
        "words": "x",
        "ends_on": "2026-12-31",
    },
    "POST /courses/{course_id}/decision": WHY | {"verdict": "refused"},
    "POST /courses/{course_id}/withdrawal": WHY,
    "POST /discrepancies/{discrepancy_id}/reopening": WHY,
    "POST /discrepancies/{discrepancy_id}/settlement": WHY | {"outcome": "dismissed"},
    "POST /employers": {"name": "Initech"},
    "PATCH /employers/{employer_id}": {"email": "hr@example.com"},
    "PUT /employers/{employer_id}/digest": {"every": "month", "address": "hr@example.com"},
    "POST /employers/{employer_id}/consent-requests": {
        "entry_ids": [UNKNOWN],
        "purpose": "employment",
    },
    "POST /employers/{employer_id}/nudges": {"entry_ids": [UNKNOWN]},
    "POST /employers/{employer_id}/clearances": {"requirement_id": UNKNOWN, "people": ["99"]},
    "POST /employers/{employer_id}/requirements": {"name": "Job", "needs": [[{"scheme": "cpt"}]]},
    "PATCH /employers/{employer_id}/requirements/{requirement_id}": {"kind": "task"},
    "POST /employers/{employer_id}/requirements/{requirement_id}/gate-list": {"hours": 8},
    "PATCH /employers/{employer_id}/roster/{entry_id}": {"shift": "Night"},
    "POST /employers/{employer_id}/roster": {"employee_id": "99"},
    "POST /employers/{employer_id}/staffing-minimums": {"requirement_id": UNKNOWN, "least": 2},
    "POST /fees/{fee_id}/amount": WHY | {"amount": "45.00"},
    "POST /fees/{fee_id}/state": {"state": "due"},
    "POST /holders": {"given_name": "A", "family_name": "B", "email": "ab@example.org"},
    "POST /holders/duplicates/{duplicate_id}/reopening": WHY,
    "POST /holders/duplicates/{duplicate_id}/settlement": WHY,
    "PATCH /holders/{holder_id}": {"language": "es"},
    "POST /holders/{holder_id}/merge": WHY | {"merged_id": UNKNOWN},
    "POST /merges/{merge_id}/undo": WHY,
    "POST /holders/{holder_id}/apprenticeships": {
        "sponsor_id": UNKNOWN,
        "program_code": "1",
        "occupation": "Machinist",
        "started_on": "2026-01-05",
    },
    "POST /holders/{holder_id}/managed-cases": {"sponsor_id": UNKNOWN},
    "POST /holders/{holder_id}/credentials": {"credential": "nims", "issued_on": "2026-01-05"},
    "POST /holders/{holder_id}/pathways": {"pathway": "sponsored_apprentice"},
    "POST /holders/{holder_id}/assessments": {
        "scheme": "cpt",
        "module": "safety",
        "taken_on": "2026-11-02",
        "result": "fail",
    },
    "PATCH /holders/{holder_id}/preferences": {"decisions": {"wanted": False}, "reason": "x"},
    "POST /messages/{message_id}/cancel": WHY,
    "POST /messages/{message_id}/requeue": WHY,
    "POST /invitations": {
        "role": "employer",
        "access": "view",
        "name": "Ida",
        "email": "ida@example.org",
    },
    "POST /me/audits/{item_id}/answer": {"answer": "x"},
    "POST /me/audits/{item_id}/appeal": {"statement": "x"},
    "POST /me/attendance-codes": {"code": "WRONG"},
    "POST /me/consent-requests/{entry_id}/acceptance": {},
    "POST /erasures": {"holder_id": UNKNOWN, "reason": "x"},
    "POST /erasures/{erasure_id}/refusal": WHY,
    "POST /me/erasure": {},
    "POST /me/requests": {"kind": "extension", "statement": "x"},
    "POST /me/bars": {"employer_id": UNKNOWN},
    "PATCH /me/passkeys/{passkey_id}": {"name": "Work phone"},
    "POST /provider/discrepancies/{discrepancy_id}/answer": {"answer": "list_wrong"},
    "POST /providers": {"name": "Ivy Tech"},
    "PATCH /providers/{provider_id}": {"email": "x@example.org"},
    "POST /sponsors": {"name": "Carpenters"},
    "PATCH /sponsors/{sponsor_id}": {"email": "x@example.org"},
    "PATCH /me/preferences": {"language": "es"},
    "POST /me/sharing": {"employer_id": UNKNOWN},
    "POST /queue/decisions": {
        "verdict": "approved",
        "activities": [{"id": UNKNOWN, "version": 1}],
    },
    "POST /recoveries": {"reason": "x"},
    "POST /recoveries/{recovery_id}/refusal": WHY,
    "POST /relay-events": {},
    "POST /reminders/sending": WHY | {"enabled": True},
    "POST /renewals/bundles": {"certification_ids": [UNKNOWN, UNKNOWN[:-1] + "1"]},
    "POST /renewals/{renewal_id}/decision": WHY | {"decision": "denied"},
    "POST /renewals/{renewal_id}/decision/undo": WHY,
    "POST /requests/{request_id}/decision": {"decision": "granted"},
    "POST /suppressions/lift": WHY | {"address": "x@example.org"},
    "POST /tokens": {},
    "POST /verify": {"items": [{"number": "CPT-22222-22222", "surname": "Nobody"}]},
}
_DAYS = "since=2026-01-01&until=2026-12-31"
QUERIES = {
    "GET /renewals/quote": f"certification_ids={UNKNOWN}",
    "GET /reports/funding": _DAYS,
    "GET /reports/funding/attempts": _DAYS,
    "GET /reports/funding.csv": _DAYS,
}
VERSIONS = {
    "POST /activities/{activity_id}/decision": 2,
    "POST /activities/{activity_id}/decision/undo": 3,
}
ADDRESSES = itertools.count()
PROOFS = {
    "/sign-in/link/": "sign_in",
    "/password/reset/": "reset",
    "/invitation/": "invitation",
}
# What a token may not, and somebody who has just signed in may.
OF_SESSIONS = {
    ("DELETE", "/me/passkeys/{passkey_id}", "own"): "204",
    ("GET", "/me/security", "-"): "200",
}
DRAFT = ("DELETE", "PATCH", "submission", "evidence")


@pytest.fixture
def callers(app, container, caller, staff, people):
    ana, _ = people
    of_organizations: dict[str, Caller] = {
        role: caller(role, **{f"{role}_id": ana[f"{role}_id"]}) for role in ORGANIZATIONS
    }
    by_role: dict[str, Caller] = {
        "nobody": Caller(app.test_client(), None),
        "holder": caller("holder", holder_id=ana["holder_id"]),
        "viewer": caller("employer", employer_id=ana["employer_id"], scopes=["read"]),
        **of_organizations,
        "reviewer": caller("reviewer"),
        "staff": staff,
        "self": caller("staff", holder_id=ana["holder_id"]),
        "admin": caller("admin"),
    }
    tokens = {
        who: caller("holder", holder_id=one["holder_id"]).post("/tokens", {}).json["id"]
        for who, one in zip(("own", "other"), people, strict=True)
    }
    for token, one in zip(tokens.values(), people, strict=True):
        one["token_id"] = token
    access_cases.undoing(app, container)
    return by_role


def routes(app):
    """Every route of the interface and public page: method, path with the names of ids, rule."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if not is_undocumented(rule.rule):
            path = rule.rule.removeprefix(PREFIX)
            for name in rule.arguments:
                path = path.replace(f"<uuid:{name}>", f"{{{name}}}")
                path = path.replace(f"<string:{name}>", f"{{{name}}}")
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                yield method, path, rule.rule.startswith(PREFIX), rule


def ids_of(kind, method, path, people):
    """The ids to put into a path."""
    ana, bea = people
    one = {"own": ana, "other": bea, "mixed": ana | {"entry_id": bea["entry_id"]}}.get(kind)
    if one is None:
        value = UNKNOWN if kind == "unknown" else "x"
        return dict.fromkeys([*ana, "activity_id"], value)
    if path.startswith("/unsubscribe-digest/"):
        return dict(zip(("topic", "proof"), one["digest"].split("/")[-2:], strict=True))
    for start, name in PROOFS.items():
        if path.startswith(start):
            return {"proof": one[name]}
    if "{account_id}" in path:
        return one | {"session_id": one["members_session"]}
    state = "draft" if any(word in f"{method} {path}" for word in DRAFT) else "waiting"
    return one | {"activity_id": one["decided" if path.endswith("undo") else state]}


def kinds_of(path):
    if "{" not in path:
        return ("-",)
    return [kind for kind in KINDS if kind != "mixed" or "{entry_id}" in path]


def ask(who, method, path, ids, *, is_api):
    route = f"{method} {path}"
    address = f"10.{next(ADDRESSES) // 250}.{next(ADDRESSES) % 250}.1"  # none guesses too often
    version = VERSIONS.get(route, 1)
    options: dict[str, Any] = {
        "headers": {"If-Match": f'"{version}"'},
        "environ_overrides": {"REMOTE_ADDR": address},
    }
    if path.endswith(("/evidence", "/proofs")) and method == "POST":
        options |= upload(PICTURE, "f.png")
    elif path == "/imports" and method == "POST":
        options |= upload(b"employer,employee_id\n", "f.csv", kind="roster", dry_run="true")
    elif route in BODIES:
        options["json"] = BODIES[route]
    where = path.format_map(ids)
    if route in QUERIES:
        where += f"?{QUERIES[route]}"
    if not is_api:
        return who.client.open(where, method=method, environ_overrides={"REMOTE_ADDR": address})
    return who.call(method, where, **options)


def walked(app, callers, people, known):
    """The table as it is: a line for each route and kind of id, with a status for each role.

    What is ``known`` is not asked.
    """
    for method, path, is_api, _ in routes(app):
        route, foreign = path if is_api else f"{path} (page)", []
        for kind in kinds_of(path):
            ids = ids_of(kind, method, path, people) if kind != "-" else {}
            told = known.get((method, route, kind), [None] * len(callers))
            answers = [
                None if status else ask(who, method, path, ids, is_api=is_api)
                for status, who in zip(told, callers.values(), strict=True)
            ]
            if kind in {"other", "unknown"}:
                foreign.append([answer and plain(answer) for answer in answers[: len(OUTSIDE)]])
            statuses = " ".join(
                str(answer.status_code) if answer else status
                for status, answer in zip(told, answers, strict=True)
            )
            yield f"{method:<6} {route:<58} {kind:<9} {statuses}"
        is_secret = "proof" in path or "public_id" in path  # anyone who has it is meant to
        for of_other, of_none in () if is_secret else zip(*foreign, strict=True):
            assert of_other == of_none or of_other[0] == 200, (method, path)


def plain(answer):
    """What an answer tells, but for the number of the request, and where it was sent to."""
    if answer.status_code == 303:
        return answer.status_code, answer.location.partition("?")[0]
    told = answer.json if answer.is_json else answer.get_data()
    return answer.status_code, {**told, "request_id": ""} if isinstance(told, dict) else told


def test_every_route_answers_every_role_and_kind_of_id_as_the_table_says(
    app, callers, people, backend, request
):
    """And no one but the staff can tell someone else's record from one that there is not."""
    assert tuple(callers) == COLUMNS
    known = tables.known(TABLE, COLUMNS, backend)
    tables.check(TABLE, list(walked(app, callers, people, known)), request.config)


@pytest.mark.usefixtures("callers")
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_session_answers_as_a_token_of_the_same_holder_does(app, container, people):
    """One guard for every door: the table's column for holders, asked with a cookie.

    On one database: who asks is known before a route is chosen.
    """
    ana, _ = people
    client = app.test_client()
    client.set_cookie(
        "session", signed_links.proof(container.message_key, "session", ana["session"])
    )
    token = client.get(f"{PREFIX}/me").json["csrf_token"]
    holder = Signed(client, None, token)

    for line in tables.lines_of(TABLE):
        if "(page)" in line:
            continue
        method, path, kind, _, expected, *_ = line.split()
        ids = ids_of(kind, method, path, people) if kind != "-" else {}
        expected = OF_SESSIONS.get((method, path, kind), expected)
        answer = ask(holder, method, path, ids, is_api=True)
        assert str(answer.status_code) == expected, (line, answer.data)


@pytest.mark.usefixtures("callers")
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_token_does_what_its_scope_says_and_nothing_else(app, caller, people):
    """Each route with a token that has only the scope of the route, and with one that lacks it.

    The tokens are an administrator's, who may do everything else. On one database: a scope is
    compared before anything is read but the token.
    """
    scopes = {
        (method, path): app.view_functions[rule.endpoint].scope
        for method, path, _, rule in routes(app)
        if not getattr(app.view_functions[rule.endpoint], "public", True)
    }
    only: dict[str, Caller] = {scope: caller("admin", scopes=[scope]) for scope in SCOPES}
    for line in tables.lines_of(TABLE):
        method, path, kind, *statuses = line.split()
        if (scope := scopes.get((method, path))) is None or kind not in {"own", "-"}:
            continue
        ids = ids_of(kind, method, path, people) if kind != "-" else {}
        for given, who in only.items():
            answer = ask(who, method, path, ids, is_api=True)
            expected = statuses[COLUMNS.index("admin")] if given == scope else "403"
            assert str(answer.status_code) == expected, (line, given, answer.data)
            assert given == scope or answer.json["scope"] == scope, (line, answer.data)


@dataclass
class Signed(Caller):
    """Somebody who signed in, in a program of ours that sends the session's token."""

    token: str

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Send a request."""
        headers = {"X-CSRF-Token": self.token, **options.pop("headers", {})}
        return super().call(method, path, headers=headers, **options)
