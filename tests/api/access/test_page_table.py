"""What every page of people answers to every role, for every kind of id: see page_table.txt.

A page that is not in the table fails. A new page needs: ``pytest tests/api/access --rewrite-table
-k sqlite``, which adds its lines; if its form is refused as it stands (422 where something should
be done), what the form says in ``FORMS``; an id of a new kind in ``access_cases.person()``.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests import statements
from tests.api.access import access_cases, tables
from tests.api.access.access_cases import PICTURE, UNKNOWN, Ids
from tests.api.access.test_access_table import ADDRESSES, PROOFS
from tests.conftest import Frozen, office_of
from tracker.domain import permissions
from tracker.domain.people.accounts import OrganizationAccess
from tracker.domain.permissions import ORGANIZATIONS, SYSTEM, Role
from tracker.services.core import signed_links, tokens
from tracker.services.core.context import Container
from tracker.services.people import accounts, sessions
from tracker.web.pages import is_of_people

TABLE = Path(__file__).with_name("page_table.txt")
COLUMNS = (
    *("nobody", "holder", "viewer", *ORGANIZATIONS),
    *("reviewer", "staff", "admin"),
)
NO_SECRETS = frozenset({"proof", "employer_id"})
"""Ids of which anybody may know that they are on record: a holder may bar any employer."""
FOREIGN_SITE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
BEFORE = ("/sign-in", "/password", "/invitation")
"""What the addresses of forms begin with that somebody sends who has no session yet."""
TAKES_A_FILE = frozenset(
    {
        "/account/activities/{activity_id}/evidence",
        "/account/audits/{item_id}/answer",
        "/account/details/requests",
    }
)
_REASON = {"reason": "x"}
_COURSE = {
    "title": "Course",
    "quantity": "5",
    "completed_on_month": "1",
    "completed_on_day": "5",
    "completed_on_year": "2026",
}
_DRAW = {
    "scheme": "cpt",
    "basis": "share",
    "percent": "100",
    "seed": "x",
    "reply_days": "14",
    **{f"{day}_year": "2026" for day in ("from_on", "until_on")},
    **{f"{day}_month": "11" for day in ("from_on", "until_on")},
    "from_on_day": "1",
    "until_on_day": "30",
    **_REASON,
}
_CALL_OFF = _REASON | {"outcome": "called_off", "version": "1"}
FORMS: dict[str, dict[str, str]] = {
    "/account/activities/{activity_id}/edit": _COURSE | {"version": "1"},
    "/account/approvals": _REASON | {"number": "{number}", "reason_code": "conduct"},
    "/account/approvals/{approval_id}/refuse": _REASON,
    "/account/approvals/{approval_id}/withdraw": _REASON,
    "/account/audits/{item_id}/answer": {"answer": "x"},
    "/account/audits/{item_id}/appeal": {"statement": "x"},
    "/account/certifications/{certification_id}/activities/new": _COURSE,
    "/account/details/requests": {"kind": "extension", "statement": "x"},
    "/desk/audits/items/{item_id}": _CALL_OFF,
    "/desk/audits/items/{item_id}/preview": _CALL_OFF,
    "/desk/audits/new": _DRAW,
    "/desk/audits/new/preview": _DRAW,
    "/account/certifications/{certification_id}/appeals": {"statement": "x"},
    "/account/erasures/{erasure_id}/refuse": _REASON,
    "/account/passkeys/{passkey_id}/rename": {"name": "Work phone"},
    "/account/people/invitations": {"name": "Ida", "email": "ida@example.org"},
    "/account/people/{account_id}/change": {"access": "view"},
    "/account/people/{account_id}/deactivate": _REASON | {"override_reason": "x"},
    "/account/people/{account_id}/own-record": _REASON,
    "/account/passkeys": {"name": "Work phone"},
    "/account/employment/{confirmation_id}/contest": {"statement": "x"},
    "/employer/confirmations": {"entry_id": UNKNOWN, "year": "2026"},
    "/employer/confirmations/{confirmation_id}/withdraw": _REASON,
    "/employer/permissions/{permission_id}/end": _REASON,
    "/employer/workers/{entry_id}/permission": {"words": "x", "ends_on_year": "2026"}
    | {"ends_on_month": "12", "ends_on_day": "31"},
    "/desk/employers/{employer_id}/direct-confirmation": _REASON | {"directly": "yes"},
    "/desk/assessments/{assessment_id}/fee": {"amount": "45"},
    "/desk/fees/{fee_id}": {"state": "due", "version": "1"},
    "/desk/fees/{fee_id}/amount": _REASON | {"amount": "45", "version": "1"},
    "/account/recoveries": _REASON | {"holder": "none", "email": "new@example.org"},
    "/account/recoveries/{recovery_id}/refuse": _REASON,
    "/account/tokens": {"scope": "read", "days": "30"},
    "/employer/kiosk": {"requirement": "{requirement_id}", "who": "1"},
    "/employer/requirements": {"name": "Job", "kind": "task", "need_1_1": "scheme:cpt"},
    "/employer/staffing": {"requirement_id": "{requirement_id}", "least": "1", "site": "A"},
    "/employer/requirements/{requirement_id}/end": {"version": "1"},
    "/employer/requirements/{requirement_id}/edit": {"name": "Job", "need_1_1": "scheme:cpt"}
    | {"version": "1"},
    "/employer/requirements/{requirement_id}/gate-list": {"hours": "8"},
    "/desk/centers/new": {"name": "Ivy Tech Gary", "category": "community_college"},
    "/desk/centers/{center_id}/edit": {"name": "Ivy", "category": "employer", "version": "1"},
    "/employer/workers/new": {"employee_id": "99"},
    "/employer/workers/{entry_id}/edit": {"shift": "Night"},
    "/provider/courses/new": {"title": "Welding", "type": "cpt/third_party", "quantity": "8"}
    | {"code": "W-1"},
    "/provider/courses/{course_id}/edit": {"title": "Welding", "type": "cpt/third_party"}
    | {"quantity": "8", "version": "1"}
    | _REASON,
    "/provider/courses/{course_id}/withdraw": _REASON | {"version": "1"},
    "/provider/discrepancies/{discrepancy_id}/answer": {"answer": "list_wrong"},
}
OF_THE_BODY = FORMS | {
    "/account/people/invitations": {
        "name": "Ida <O'Neil> & Sons",
        "email": "ida@example.org",
        "role": "staff",
        "language": "es",
    }
}
"""The same, for what only somebody of the body may do, who has to prove first who they are."""
QUERIES = {"/account/certifications/{certification_id}/activities/new": "?type=third_party"}


@dataclass
class PageVisitor:
    """Somebody at the pages, by the session of an account; without one, nobody.

    What an answer does to the browser's cookies is forgotten.
    """

    app: Flask
    session_id: str = ""
    secret: str = ""

    @property
    def token(self) -> str:
        """The token in the forms of this session."""
        return signed_links.proof(self._key, "csrf", self.session_id) if self.session_id else ""

    def visit(
        self,
        rule: Rule,
        method: str,
        ids: Ids,
        *,
        token: str | None = None,
        forms: Mapping[str, dict[str, str]] = FORMS,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Open a page, or send its form with the session's own token or another one."""
        path = path_of(rule)
        options: dict[str, Any] = {
            "method": method,
            "headers": self._cookie() | dict(headers or {}),
        }
        if method == "POST":
            form = {key: text.format_map(ids) for key, text in forms.get(path, {}).items()}
            options["data"] = form | {"csrf_token": token or self.token}
            if path in TAKES_A_FILE:
                options["data"] |= {"file": (io.BytesIO(PICTURE), "f.png")}
        address = f"10.{next(ADDRESSES) // 250}.{next(ADDRESSES) % 250}.2"  # none asks too often
        where = path.format_map(ids) + QUERIES.get(path, "")
        client = self.app.test_client(use_cookies=False)
        return client.open(where, environ_overrides={"REMOTE_ADDR": address}, **options)

    def open(self, path: str, cookie: str) -> Any:
        """Open a page with one more cookie."""
        headers = {"Cookie": f"{self._cookie()['Cookie']}; {cookie}"}
        return self.app.test_client(use_cookies=False).get(path, headers=headers)

    def _cookie(self) -> dict[str, str]:
        if not self.secret:
            return {}
        return {"Cookie": f"session={signed_links.proof(self._key, 'session', self.secret)}"}

    @property
    def _key(self) -> bytes:
        return office_of(self.app).message_key


@pytest.fixture
def visitors(app: Flask, container: Container, people: tuple[Ids, Ids]) -> dict[str, PageVisitor]:
    """One for each column. What they do is taken back."""
    ana, _ = people
    made = {
        "nobody": PageVisitor(app),
        "holder": PageVisitor(app, ana["session_id"], ana["session"]),
    }
    for name in COLUMNS[2:]:
        made[name] = PageVisitor(app, *_session(container, name, ana))
    for one in people:
        with container.work(SYSTEM) as work:
            one["token_id"], _ = tokens.create(
                work, role="holder", name="x", holder_id=one["holder_id"]
            )
    access_cases.undoing(app, container)
    return made


def _session(container: Container, name: str, ana: Ids) -> tuple[str, str]:
    role: Role = "employer" if name == "viewer" else name  # type: ignore[assignment]
    values: dict[str, Any] = {"role": role, "name": f"{name} Doe", "email": f"{name}@example.com"}
    if role in ORGANIZATIONS:
        access = OrganizationAccess.VIEW if name == "viewer" else OrganizationAccess.MANAGE
        values |= {"organization_id": ana[f"{role}_id"], "access": access}
    with container.work(SYSTEM) as work:
        account_id = accounts.open_account(work, **values)
        return sessions.start(work, account_id, email=values["email"], agent="Firefox")


def pages(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Every page of people and each of its methods, in the order of the table."""
    for rule in sorted(app.url_map.iter_rules(), key=path_of):
        if is_of_people(rule.rule):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method


def path_of(rule: Rule) -> str:
    """The address of a page with the names of its ids in braces."""
    return (
        rule.rule.translate(str.maketrans("<>", "{}")).replace("uuid:", "").replace("string:", "")
    )


def ids_of(kind: str, rule: Rule, people: tuple[Ids, Ids]) -> Ids:
    """The ids to put into the address."""
    if kind == "mixed":
        *_, last = names_of(rule)
        return ids_of("own", rule, people) | {last: ids_of("other", rule, people)[last]}
    if kind == "unknown":
        return dict.fromkeys(names_of(rule), UNKNOWN)
    one, path = people[kind == "other"], path_of(rule)
    for start, name in PROOFS.items():
        if path.startswith(start):
            return {"proof": one[name]}
    if "{account_id}" in path:
        return one | {"session_id": one["members_session"]}
    return one | {"activity_id": one["waiting" if path.endswith("withdraw") else "draft"]}


def names_of(rule: Rule) -> list[str]:
    """The names of the ids in an address, in their order."""
    return [
        part.rstrip("}") for part in path_of(rule).split("{")[1:] for part in [part.split("}")[0]]
    ]


def kinds_of(rule: Rule) -> tuple[str, ...]:
    """The kinds of ids with which a page is asked for."""
    names = names_of(rule)
    if not names:
        return ("-",)
    return ("own", "other", *(("mixed",) if len(names) > 1 else ()), "unknown")


def told(answer: Any) -> str:
    """What the table says of an answer."""
    assert answer.status_code < 500, answer.text
    is_asked_in = answer.status_code == 303 and answer.location.startswith("/sign-in")
    return "in" if is_asked_in else str(answer.status_code)


def test_every_page_answers_every_role_and_kind_of_id_as_the_table_says(
    app: Flask,
    visitors: dict[str, PageVisitor],
    people: tuple[Ids, Ids],
    backend: str,
    request: pytest.FixtureRequest,
) -> None:
    """And nobody else's record is told from one that there is not, but by the body's people."""
    found, known = [], tables.known(TABLE, COLUMNS, backend)
    for rule, method in pages(app):
        foreign = []
        for kind in kinds_of(rule):
            ids = ids_of(kind, rule, people)
            before = known.get((method, path_of(rule), kind), [None] * len(visitors))
            answers = [
                word or told(who.visit(rule, method, ids))
                for word, who in zip(before, visitors.values(), strict=True)
            ]
            if kind in {"other", "unknown"}:
                foreign.append(answers[: -len(permissions.OF_THE_BODY)])
            words = " ".join(f"{word:<3}" for word in answers)
            found.append(f"{method:<5}{path_of(rule):<72} {kind:<8}{words}".rstrip())
        if foreign and not NO_SECRETS & rule.arguments:
            assert foreign[0] == foreign[1], (method, path_of(rule))
    tables.check(TABLE, found, request.config)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_no_form_of_whoever_signed_in_does_anything_without_its_sessions_own_token(
    app: Flask, container: Container, visitors: dict[str, PageVisitor], people: tuple[Ids, Ids]
) -> None:
    """Sent by another site, without a token, with that of another session: nothing is written.

    On one database: a form is refused before anything is read but the session.
    """
    of_others = visitors["employer"].token
    sites: list[dict[str, Any]] = [
        {"token": "none"},
        {"token": of_others},
        {"headers": FOREIGN_SITE},
    ]
    for rule, method in pages(app):
        if method != "POST" or path_of(rule).startswith(BEFORE):
            continue
        ids = ids_of(kinds_of(rule)[0], rule, people)
        for name in ("holder", "admin"):
            for sent in sites:
                with statements.counted(container) as ran:
                    answer = visitors[name].visit(rule, method, ids, **sent)
                assert answer.status_code == 400, (path_of(rule), name, sent)
                assert not [one for one in ran if not one.startswith("SELECT")], path_of(rule)


NOTHING_TYPED = frozenset(
    {
        "/account/approvals/{approval_id}/approve",
        "/account/authenticator",
        "/account/data/erasure",
        "/account/erasures/{erasure_id}/approve",
        "/account/passkeys/{passkey_id}/remove",
        "/account/password/remove",
        "/account/recoveries/{recovery_id}/approve",
        "/account/recovery-codes",
        "/account/security/providers/{provider}/unbind",
    }
)
"""The forms for whoever has just proved who they are that say nothing, or only what is secret."""


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_what_somebody_typed_before_they_had_to_prove_who_they_are_is_in_the_form_again(
    app: Flask, clock: Frozen, visitors: dict[str, PageVisitor], people: tuple[Ids, Ids]
) -> None:
    """Of every such form: nothing is lost, nothing is sent, and it is shown to that person once."""
    confirmed = set()
    for rule, method in pages(app):
        for name in ("holder", "employer", "staff", "admin") if method == "POST" else ():
            ids = ids_of(kinds_of(rule)[0], rule, people)
            clock.advance(minutes=11)
            asked = visitors[name].visit(rule, method, ids, forms=OF_THE_BODY)
            clock.advance(minutes=-11)
            if told(asked) != "303" or not asked.location.startswith("/account/confirm?"):
                continue
            path = path_of(rule)
            confirmed.add(path)
            if path == "/account/passkeys":  # shown at an address with TLS: test_kept_forms.py
                continue
            if path in NOTHING_TYPED:
                assert "Set-Cookie" not in asked.headers, path
                continue
            kept = asked.headers.getlist("Set-Cookie")[0].partition(";")[0]
            back = dict(parse_qsl(urlsplit(asked.location).query))["next"]
            page = visitors[name].open(back, kept)
            form = page.text.partition(f'action="{path.format_map(ids)}"')[2].partition("</form>")[
                0
            ]
            said = {key: text.format_map(ids) for key, text in OF_THE_BODY[path].items()}
            assert set(said.items()) <= set(entered(form)), (path, name, form)
            assert "Nothing has been sent yet." in form
            assert "form=; " in page.headers["Set-Cookie"]
            other = "staff" if name == "admin" else "admin"
            assert "Nothing has been sent yet." not in visitors[other].open(back, kept).text
    assert confirmed == NOTHING_TYPED | {path for path in FORMS if path in confirmed}, (
        "add what the form says to FORMS, or the form to NOTHING_TYPED"
    )


def entered(form: str) -> list[tuple[str, str]]:
    """The names and values in the fields of a form, as a browser would send them."""
    found: list[tuple[str, str]] = []
    for tag in re.findall(r"<input[^>]*>", form):
        given = {key: html.unescape(text) for key, text in re.findall(r' ([a-z]+)="([^"]*)"', tag)}
        if given.get("type") not in {"checkbox", "radio"} or " checked" in tag:
            found.append((given["name"], given.get("value", "")))
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        found += [(name, one) for one in re.findall(r'<option value="([^"]*)" selected', options)]
    for name, text in re.findall(
        r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL
    ):
        found.append((name, html.unescape(text).strip()))
    return found


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_no_form_for_signing_in_does_anything_that_another_site_sent(
    app: Flask, container: Container, visitors: dict[str, PageVisitor], people: tuple[Ids, Ids]
) -> None:
    """There is no session yet whose token they could carry; the browser says where they come from.

    A provider that there is not has no form.
    """
    for rule, method in pages(app):
        if method != "POST" or not path_of(rule).startswith(BEFORE):
            continue
        ids = ids_of(kinds_of(rule)[0], rule, people)
        for site in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            with statements.counted(container) as ran:
                answer = visitors["nobody"].visit(rule, method, ids, headers=site)
            assert answer.status_code == 400, (path_of(rule), site)
            assert not [one for one in ran if not one.startswith("SELECT")], path_of(rule)
